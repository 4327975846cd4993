//! Quality and privacy of synthetic rows of a table: drawn from the model, or of a file.

use anyhow::{Result, bail, ensure};
use segre::data::{self, DataSource, Dataset, Layout};
use segre::evaluation::quality::{self, QualityOptions, QualityReport};
use segre::flow::Model;
use segre::flow::sampling::SamplingOptions;
use segre::run::{ModelCard, Parts};
use serde::Serialize;

use super::args::QualityChecks;
use crate::args::Common;
use crate::report::quality::print_quality;
use crate::watched::sample_with_progress;

/// What is said, and of which rows.
#[derive(Serialize)]
pub struct Judged {
    /// The file of the synthetic rows; absent if the model drew them.
    #[serde(skip_serializing_if = "Option::is_none")]
    synthetic: Option<String>,
    #[serde(flatten)]
    report: QualityReport,
}

/// Refuses before any work what cannot be done.
pub fn refuse_early(checks: &QualityChecks, card: &ModelCard) -> Result<()> {
    if !checks.quality {
        return Ok(());
    }
    let layout = &card.schema.layout;
    ensure!(
        *layout == Layout::Table,
        "--quality is for tables, not for {} data; leave it out",
        layout.name()
    );
    if let Some(name) = &checks.target
        && let Err(error) = card.schema.column_named(name)
    {
        bail!("--target: {error}");
    }
    Ok(())
}

impl Judged {
    /// Draws rows or reads them, and compares them with the parts.
    pub fn of(
        checks: &QualityChecks,
        (model, card): (&Model, &ModelCard),
        (parts, held_out): (&Parts, &Dataset),
        options: &SamplingOptions,
        common: &Common,
    ) -> Result<Self> {
        let synthetic = match &checks.synthetic {
            None => {
                let count = quality::synthetic_rows(&parts.train);
                sample_with_progress(model, count, options, common)?.data
            }
            Some(text) => {
                let source = DataSource::parse(text)?;
                data::read_as(&source, model.schema(), &card.read_options)?
            }
        };
        // Samples are of the rows as they weigh.
        let (train, held_out) = (&*parts.train.by_weight(), &*held_out.by_weight());
        let asked = QualityOptions {
            target: checks.target.clone(),
            seed: options.seed,
        };
        let report = common.watch(
            |bar| quality::run(train, held_out, &synthetic, &asked, bar),
            |found| format!("{} rows", found.synthetic_rows),
        )?;
        Ok(Self {
            synthetic: checks.synthetic.clone(),
            report,
        })
    }

    /// Prints tables for the terminal.
    pub fn print(&self) {
        let origin = match &self.synthetic {
            None => "drawn from the model",
            Some(file) => file,
        };
        print_quality(&self.report, origin);
    }
}
