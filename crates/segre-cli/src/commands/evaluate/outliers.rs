//! What `evaluate` says of other data: whether the model tells them from its own test rows.

use std::f64::consts::LN_2;
use std::fmt::Write;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use segre::atomic;
use segre::data::{self, DataSource, Dataset, ImageSize, Layout, ReadOptions};
use segre::evaluation::detection::{
    Derived, Detection, OutlierScore, Reference, RowFacts, background, deflated_bits,
    foreground_sites,
};
use segre::flow::Model;
use segre::flow::likelihood::ScoreOptions;
use segre::flow::saving::ModelCard;
use serde::Serialize;

use super::outlier_pictures::{draw_extremes, draw_histograms};
use crate::args::{Common, Outliers};
use crate::report::table::{Align, Table};
use crate::session::{Parts, score_by_options};

/// Noise levels per row and round, and rounds: every row needs a score of its own.
const LEVELS: usize = 16;
const ROUNDS: usize = 3;

const HISTOGRAM_FILE: &str = "outliers.png";
const ROWS_FILE: &str = "outliers.csv";
const NUMBERS_FILE: &str = "outliers.json";

/// Rows of one kind with what is known of them.
pub struct Judged {
    pub name: String,
    pub data: Dataset,
    /// What its rows are judged by.
    pub rows: Vec<RowFacts>,
    /// Standard errors of their scores.
    std_errors: Vec<f64>,
    /// Outlier scores of all kinds, one list for each of [`OutlierScore::ALL`].
    pub scores: Vec<Vec<f64>>,
}

/// What scores rows.
pub struct Judge<'a> {
    model: &'a Model,
    seed: u64,
    common: &'a Common,
    /// The label of the background.
    background: u16,
}

impl<'a> Judge<'a> {
    /// A judge of the rows of a model; the training part says what the background is.
    pub fn new(model: &'a Model, train: &Dataset, seed: u64, common: &'a Common) -> Self {
        Self {
            model,
            seed,
            common,
            background: background(train),
        }
    }
}

/// What was found of all data.
#[derive(Serialize)]
pub struct OutlierReport {
    /// The score to use.
    recommended: &'static str,
    /// Rows of each set.
    rows: usize,
    /// Mean of the test rows.
    test_bits_per_dim: f64,
    sets: Vec<SetReport>,
}

#[derive(Serialize)]
struct SetReport {
    name: String,
    bits_per_dim: f64,
    scores: Vec<ScoreReport>,
}

#[derive(Serialize)]
struct ScoreReport {
    score: &'static str,
    #[serde(flatten)]
    detection: Detection,
}

/// Reads or derives all outliers, before any long work.
pub fn read(
    arguments: &Outliers,
    card: &ModelCard,
    test: &Dataset,
    seed: u64,
) -> Result<Vec<(String, Dataset)>> {
    ensure!(
        !arguments.ood.is_empty() || !arguments.ood_invert,
        "--ood-invert is for --ood; add data or leave it out"
    );
    let options = reading(arguments, card)?;
    let own = test.spread(arguments.ood_rows);
    let one = |text: &String| {
        let data = match Derived::named(text) {
            Some(derived) => derived.of(&own, seed)?,
            None => {
                let found = data::read_as(&DataSource::parse(text)?, &card.schema, &options)
                    .with_context(|| format!("--ood {text}"))?;
                found.spread(arguments.ood_rows)
            }
        };
        Ok((name_of(text), data))
    };
    arguments.ood.iter().map(one).collect()
}

/// The options of the fit; pictures are brought to the model's size.
fn reading(arguments: &Outliers, card: &ModelCard) -> Result<ReadOptions> {
    let mut options = card.read_options.clone();
    if let Layout::Image { height, width, .. } = card.schema.layout {
        options.images.size = Some(ImageSize { height, width });
        options.images.invert ^= arguments.ood_invert;
        return Ok(options);
    }
    ensure!(
        !arguments.ood_invert,
        "--ood-invert is for pictures, not for {} data; leave it out",
        card.schema.layout.name()
    );
    Ok(options)
}

/// What data are called in tables and files: the last part of a path without its ending.
fn name_of(text: &str) -> String {
    let stem = Path::new(text).file_stem();
    stem.map_or_else(
        || text.to_owned(),
        |stem| stem.to_string_lossy().into_owned(),
    )
}

impl Judge<'_> {
    fn judge(&self, name: &str, data: Dataset) -> Result<Judged> {
        let options = ScoreOptions {
            levels: LEVELS,
            rounds: ROUNDS,
            max_rounds: ROUNDS,
            std_error: None,
            seed: self.seed,
            ..ScoreOptions::default()
        };
        let found = score_by_options(self.model, &data, &options, self.common)?;
        let facts = deflated_bits(&data)
            .into_iter()
            .zip(foreground_sites(&data, self.background));
        let rows = found
            .rows
            .iter()
            .zip(facts)
            .map(|(row, (length, foreground))| RowFacts {
                score: row.value / LN_2,
                length,
                foreground,
            });
        Ok(Judged {
            name: name.to_owned(),
            rows: rows.collect(),
            std_errors: found.rows.iter().map(|row| row.std_error / LN_2).collect(),
            data,
            scores: Vec::new(),
        })
    }
}

impl Judged {
    fn judged_by(mut self, reference: &Reference) -> Self {
        let of = |kind| {
            let rows = self.rows.iter();
            rows.map(|row| reference.outlier_score(kind, row)).collect()
        };
        self.scores = OutlierScore::ALL.map(of).to_vec();
        self
    }

    fn bits_per_dim(&self) -> f64 {
        let sum: f64 = self.rows.iter().map(|row| row.score).sum();
        sum / self.rows.len() as f64 / self.data.sites() as f64
    }
}

impl OutlierReport {
    /// Scores validation rows, for reference, test rows and outliers, and writes what is to be seen.
    pub fn of(
        arguments: &Outliers,
        folder: Option<&Path>,
        judge: &Judge,
        parts: &Parts,
        test: &Dataset,
        outliers: Vec<(String, Dataset)>,
    ) -> Result<Self> {
        let rows = arguments.ood_rows;
        let known = judge.judge("validation", parts.validation.spread(rows))?;
        ensure!(
            known.rows.len() > 1,
            "--ood needs 2 validation rows; fit with a larger --validation"
        );
        let reference = Reference::of(&known.rows);
        let inside = judge.judge("test", test.spread(rows))?;
        let inside = inside.judged_by(&reference);
        let outside: Vec<Judged> = outliers
            .into_iter()
            .map(|(name, data)| Ok(judge.judge(&name, data)?.judged_by(&reference)))
            .collect::<Result<_>>()?;
        let sets = outside
            .iter()
            .map(|set| {
                let lists = inside.scores.iter().zip(&set.scores);
                let scores = OutlierScore::ALL
                    .iter()
                    .zip(lists)
                    .map(|(kind, (own, other))| {
                        let detection = Detection::of(own, other);
                        Ok(ScoreReport {
                            score: kind.name(),
                            detection: detection
                                .context("a score is not a number; fit the model again")?,
                        })
                    });
                Ok(SetReport {
                    name: set.name.clone(),
                    bits_per_dim: set.bits_per_dim(),
                    scores: scores.collect::<Result<_>>()?,
                })
            })
            .collect::<Result<_>>()?;
        let report = Self {
            recommended: recommended(&inside.data).name(),
            rows: inside.rows.len(),
            test_bits_per_dim: inside.bits_per_dim(),
            sets,
        };
        if let Some(folder) = folder {
            report.write(folder, &inside, &outside)?;
        }
        Ok(report)
    }

    fn write(&self, folder: &Path, inside: &Judged, outside: &[Judged]) -> Result<()> {
        fs::create_dir_all(folder).with_context(|| {
            format!(
                "cannot create {}; choose another --out-dir",
                folder.display()
            )
        })?;
        let numbers = serde_json::to_string_pretty(self)?;
        atomic::write_bytes(&folder.join(NUMBERS_FILE), numbers.as_bytes())?;
        atomic::write_bytes(
            &folder.join(ROWS_FILE),
            rows_as_csv(inside, outside).as_bytes(),
        )?;
        let histograms = draw_histograms(inside, outside)?;
        histograms
            .to_canvas(2.0)
            .write_png(&folder.join(HISTOGRAM_FILE))?;
        if let Layout::Image { .. } = inside.data.schema.layout {
            for set in outside {
                let file = format!("outliers-{}.png", set.name);
                draw_extremes(inside, set)?.write_png(&folder.join(file))?;
            }
        }
        Ok(())
    }

    /// Prints a table for the terminal.
    pub fn print(&self, folder: Option<&Path>) {
        let mut table = Table::new(&[
            ("outliers", Align::Left),
            ("bits/dim", Align::Decimal),
            ("score", Align::Left),
            ("AUROC", Align::Decimal),
            ("AUPR", Align::Decimal),
            ("FPR at 95 % TPR", Align::Decimal),
        ]);
        for set in &self.sets {
            for (place, own) in set.scores.iter().enumerate() {
                let (name, bits) = match place {
                    0 => (set.name.clone(), format!("{:.4}", set.bits_per_dim)),
                    _ => (String::new(), String::new()),
                };
                let Detection {
                    auroc,
                    aupr,
                    fpr_at_95_tpr,
                } = own.detection;
                let [auroc, aupr, fpr] = [auroc, aupr, fpr_at_95_tpr].map(|x| format!("{x:.4}"));
                table.push([name, bits, own.score.into(), auroc, aupr, fpr]);
            }
        }
        println!(
            "\n{} test rows of {:.4} bits/dim against outliers; recommended: {}",
            self.rows, self.test_bits_per_dim, self.recommended
        );
        print!("{}", table.to_text());
        if let Some(folder) = folder {
            let folder = folder.display();
            println!(
                "{HISTOGRAM_FILE}, {ROWS_FILE}, {NUMBERS_FILE} and the extremes are in {folder}"
            );
        }
    }
}

/// One line per row: its set, its score under the model, its compressed length and its outlier scores.
fn rows_as_csv(inside: &Judged, outside: &[Judged]) -> String {
    let mut text = String::from("set,row,bits,bits_std_error,compressed_bits,foreground_sites");
    for kind in OutlierScore::ALL {
        text += &format!(",{}", kind.name());
    }
    for set in std::iter::once(inside).chain(outside) {
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

/// The score to use for such data.
pub fn recommended(data: &Dataset) -> OutlierScore {
    OutlierScore::recommended(matches!(data.schema.layout, Layout::Image { .. }))
}
