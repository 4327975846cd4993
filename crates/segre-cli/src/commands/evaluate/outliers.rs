//! Other data beside the test rows: read or derived, and what is written of them.

use std::fmt::Write;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use segre::atomic;
use segre::data::{DataSource, Dataset, Layout};
use segre::evaluation::detection::{
    self, Derived, OutlierOptions, OutlierReport, OutlierScore, RowFacts,
};
use segre::flow::Model;
use segre::run::{ModelCard, Parts};

use super::args::Outliers;
use super::images::create;
use crate::args::Common;
use segre_report::pictures::outliers::{draw_extremes, draw_histograms};

const HISTOGRAM_FILE: &str = "outliers.png";
const ROWS_FILE: &str = "outliers.csv";
const NUMBERS_FILE: &str = "outliers.json";

/// Reads or derives all outliers, before any long work.
pub fn read(
    arguments: &Outliers,
    card: &ModelCard,
    test: &Dataset,
    seed: u64,
) -> Result<Vec<(String, Dataset)>> {
    let (schema, invert) = (&card.schema, arguments.ood_invert);
    ensure!(
        !arguments.ood.is_empty() || !invert,
        "--ood-invert is for --ood; add data or leave it out"
    );
    ensure!(
        matches!(schema.layout, Layout::Image { .. }) || !invert,
        "--ood-invert is for pictures, not for {} data; leave it out",
        schema.layout.name()
    );
    let own = test.spread(arguments.ood_rows);
    let one = |text: &String| {
        let data = match Derived::named(text) {
            Some(derived) => derived.of(&own, seed)?,
            None => {
                let source = DataSource::parse(text)?;
                let found = detection::read_other(&source, schema, &card.read_options, invert)
                    .with_context(|| format!("--ood {text}"))?;
                found.spread(arguments.ood_rows)
            }
        };
        Ok((name_of(text), data))
    };
    arguments.ood.iter().map(one).collect()
}

/// What data are called in tables and files: the last part of a path without its ending.
fn name_of(text: &str) -> String {
    let stem = Path::new(text).file_stem();
    stem.map_or_else(
        || text.to_owned(),
        |stem| stem.to_string_lossy().into_owned(),
    )
}

/// Looks at outliers with a progress bar, and writes what is to be seen of them.
pub fn look_at(
    outliers: Vec<(String, Dataset)>,
    folder: Option<&Path>,
    model: &Model,
    (parts, test): (&Parts, &Dataset),
    options: &OutlierOptions,
    common: &Common,
) -> Result<OutlierReport> {
    let (train, validation) = (&parts.train, &parts.validation);
    let report = common.watch(
        |bar| detection::run(model, train, validation, test, outliers, options, bar),
        |found| format!("{} sets", found.sets.len()),
    )?;
    if let Some(folder) = folder {
        write(&report, folder)?;
    }
    Ok(report)
}

fn write(report: &OutlierReport, folder: &Path) -> Result<()> {
    create(folder)?;
    let numbers = serde_json::to_string_pretty(report)?;
    atomic::write_bytes(&folder.join(NUMBERS_FILE), numbers.as_bytes())?;
    atomic::write_bytes(&folder.join(ROWS_FILE), rows_as_csv(report).as_bytes())?;
    draw_histograms(report)?.write_png(&folder.join(HISTOGRAM_FILE))?;
    if let Layout::Image { .. } = report.test.data.schema.layout {
        for set in &report.sets {
            let file = format!("outliers-{}.png", set.name);
            draw_extremes(&report.test, &set.scored)?.write_png(&folder.join(file))?;
        }
    }
    Ok(())
}

/// Says which files were written.
pub fn print_files(folder: &Path) {
    let folder = folder.display();
    println!("{HISTOGRAM_FILE}, {ROWS_FILE}, {NUMBERS_FILE} and the extremes are in {folder}");
}

/// One line per row: its set, its score under the model, its compressed length and its outlier scores.
fn rows_as_csv(report: &OutlierReport) -> String {
    let mut text = String::from("set,row,bits,bits_std_error,compressed_bits,foreground_sites");
    for kind in OutlierScore::ALL {
        text += &format!(",{}", kind.name());
    }
    let outside = report.sets.iter().map(|set| &set.scored);
    for set in std::iter::once(&report.test).chain(outside) {
        for (row, facts) in set.rows.iter().enumerate() {
            // A name is a user's: commas would be columns.
            let name = set.name.replace([',', '"', '\n'], "_");
            let error = set.std_errors[row];
            let RowFacts {
                score,
                length,
                foreground,
            } = facts;
            write!(
                text,
                "\n{name},{row},{score:.4},{error:.4},{length},{foreground}"
            )
            .expect("writing to a string cannot fail");
            for own in &set.scores {
                text += &format!(",{:.4}", own[row]);
            }
        }
    }
    text + "\n"
}
