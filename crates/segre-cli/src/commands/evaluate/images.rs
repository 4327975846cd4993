//! What `evaluate` says of sampled images: nearest training images, statistics of label maps, a classifier's view.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use segre::atomic;
use segre::data::{self, DataSource, Dataset, Layout};
use segre::evaluation::maps::{self, MapReport};
use segre::evaluation::nearest::{self, NearestReport};
use segre::flow::Model;
use segre::flow::sampling::SamplingOptions;
use segre::run::{ModelCard, Parts};
use serde::Serialize;

use super::args::ImageChecks;
use super::classifier::{self, Opened, Seen};
use crate::args::Common;
use crate::report::evaluation::{print_maps, print_nearest};
use crate::watched::sample_with_progress;
use segre_report::pictures::distances::draw_distances;
use segre_report::pictures::drawing::Drawing;
use segre_report::pictures::grid::ImageShape;
use segre_report::pictures::key::Key;
use segre_report::pictures::neighbours::draw_neighbours;

/// Samples in the picture of neighbours.
const SHOWN: usize = 16;

const NEIGHBOURS_FILE: &str = "nearest.png";
const DISTANCES_FILE: &str = "distances.png";
const NUMBERS_FILE: &str = "images.json";

/// Results that were asked for.
#[derive(Default, Serialize)]
pub struct ImageReport {
    #[serde(skip_serializing_if = "Option::is_none")]
    nearest: Option<NearestReport>,
    #[serde(skip_serializing_if = "Option::is_none")]
    map_statistics: Option<MapReport>,
    #[serde(skip_serializing_if = "Option::is_none")]
    classifier: Option<Seen>,
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
    classifier::refuse_early(&checks.classifier, model, card)
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
        classifier: Option<&Opened>,
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
            create(folder)?;
        }
        let (train, validation) = (&parts.train, &parts.validation);
        let mut report = Self::default();
        if let (Some(count), Some(folder)) = (checks.nearest, &checks.out_dir) {
            let found = nearest::run(&samples, train, validation, test, count)?;
            draw_nearest(&samples, train, &found)?.write_png(&folder.join(NEIGHBOURS_FILE))?;
            draw_distances(&found.found)?.write_png(&folder.join(DISTANCES_FILE))?;
            report.nearest = Some(found);
        }
        if checks.map_statistics {
            report.map_statistics = Some(maps::run(&samples, train, validation, test)?);
        }
        if let Some(opened) = classifier {
            let (asked, data) = (&checks.classifier, (parts, test));
            let seen = opened.look_at(asked, &samples, model, data, options, common)?;
            report.classifier = Some(seen);
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
            print_nearest(found);
        }
        if let Some(found) = &self.map_statistics {
            print_maps(found);
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

/// Makes the folder for what is written.
pub fn create(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| {
        format!(
            "cannot create {}; choose another --out-dir",
            folder.display()
        )
    })
}

/// The first samples beside their nearest training images.
fn draw_nearest(samples: &Dataset, train: &Dataset, found: &NearestReport) -> Result<Drawing> {
    let shape = samples.schema.row_shape();
    let shape = ImageShape {
        height: shape[0],
        width: shape[1],
    };
    let shown = samples.rows().min(SHOWN);
    let key = Key::of(&samples.schema)?;
    let rows = samples.select(&(0..shown).collect::<Vec<_>>());
    let neighbours = &found.found.neighbours[..shown];
    let drawing = draw_neighbours(&rows, train, neighbours, shape, &key.palette)?;
    Ok(key.below(drawing))
}
