//! What `evaluate` says of sampled images: nearest training images, statistics of label maps, a classifier's view.

use std::fs;

use anyhow::{Context, Result, ensure};
use segre::atomic;
use segre::data::{self, DataSource, Dataset, Layout};
use segre::flow::Model;
use segre::flow::sampling::SamplingOptions;
use segre::flow::saving::ModelCard;
use serde::Serialize;

use super::classes::{self, Judge};
use super::classes_report::ClassifierReport;
use super::maps::{MapReport, map_statistics};
use super::nearest::{DISTANCES_FILE, NEIGHBOURS_FILE, NearestReport, nearest};
use crate::args::{Common, ImageChecks};
use crate::session::{Parts, sample_with_progress};

const NUMBERS_FILE: &str = "images.json";

/// Results that were asked for.
#[derive(Default, Serialize)]
pub struct ImageReport {
    #[serde(skip_serializing_if = "Option::is_none")]
    nearest: Option<NearestReport>,
    #[serde(skip_serializing_if = "Option::is_none")]
    map_statistics: Option<MapReport>,
    #[serde(skip_serializing_if = "Option::is_none")]
    classifier: Option<ClassifierReport>,
}

/// Refuses before any work what cannot be done.
pub fn refuse_early(
    checks: &ImageChecks,
    outliers: bool,
    model: &Model,
    card: &ModelCard,
) -> Result<()> {
    if let Some(folder) = &checks.out_dir {
        ensure!(
            !folder.exists() || folder.is_dir(),
            "{} is not a folder; choose another --out-dir",
            folder.display()
        );
    }
    if !checks.any() {
        ensure!(
            checks.images_from.is_none() && (outliers || checks.out_dir.is_none()),
            "--out-dir and --images-from are for --nearest, --map-statistics and --classifier, --out-dir also for --ood; \
             add one of them"
        );
        return Ok(());
    }
    ensure!(
        checks.nearest.is_none() || checks.out_dir.is_some(),
        "--nearest draws pictures; give the folder for them with --out-dir"
    );
    let layout = &card.schema.layout;
    ensure!(
        matches!(layout, Layout::Image { .. }),
        "--nearest, --map-statistics and --classifier are for images, not for {} data; leave them out",
        layout.name()
    );
    classes::refuse_early(&checks.classifier, model, card)
}

/// The images to look at: given ones, or drawn.
fn images(
    checks: &ImageChecks,
    model: &Model,
    card: &ModelCard,
    options: &SamplingOptions,
    common: &Common,
) -> Result<Dataset> {
    match &checks.images_from {
        None => Ok(sample_with_progress(model, checks.images, options, common)?.data),
        Some(text) => {
            let source = DataSource::parse(text)?;
            Ok(data::read_as(&source, model.schema(), &card.read_options)?)
        }
    }
}

impl ImageReport {
    /// Draws samples, compares them and test images with the training part, and writes what is to be seen.
    pub fn of(
        checks: &ImageChecks,
        judge: Option<&Judge>,
        (model, card): (&Model, &ModelCard),
        (parts, test): (&Parts, &Dataset),
        options: &SamplingOptions,
        common: &Common,
    ) -> Result<Self> {
        if !checks.any() {
            return Ok(Self::default());
        }
        let samples = images(checks, model, card, options, common)?;
        if let Some(folder) = &checks.out_dir {
            fs::create_dir_all(folder).with_context(|| {
                format!(
                    "cannot create {}; choose another --out-dir",
                    folder.display()
                )
            })?;
        }
        let mut report = Self::default();
        if let (Some(count), Some(folder)) = (checks.nearest, &checks.out_dir) {
            report.nearest = Some(nearest(count, folder, &samples, parts, test)?);
        }
        if checks.map_statistics {
            report.map_statistics = Some(map_statistics(&samples, parts, test)?);
        }
        if let Some(judge) = judge {
            let asked = &checks.classifier;
            let mut found = judge.report(asked, &samples, parts, test, common)?;
            judge.agreement(asked, model, options, &mut found, common)?;
            report.classifier = Some(found);
        }
        if let Some(folder) = &checks.out_dir {
            let text = serde_json::to_string_pretty(&report)?;
            atomic::write_bytes(&folder.join(NUMBERS_FILE), text.as_bytes())?;
        }
        Ok(report)
    }

    /// Prints tables for the terminal.
    pub fn print(&self, checks: &ImageChecks) {
        if let Some(found) = &self.nearest {
            found.print();
        }
        if let Some(found) = &self.map_statistics {
            found.print();
        }
        if let Some(found) = &self.classifier {
            found.print();
        }
        if let (Some(folder), true) = (&checks.out_dir, self.nearest.is_some()) {
            println!(
                "{NEIGHBOURS_FILE}, {DISTANCES_FILE} and {NUMBERS_FILE} are in {}",
                folder.display()
            );
        }
    }
}
