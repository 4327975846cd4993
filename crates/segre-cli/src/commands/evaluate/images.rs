//! What `evaluate` says of sampled images: nearest training images, statistics of label maps.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use segre::atomic;
use segre::data::{
    self, DataSource, Dataset, DistanceSummary, Layout, MapDistance, MapStatistics, Neighbour,
};
use segre::flow::Model;
use segre::flow::saving::ModelCard;
use serde::Serialize;

use crate::args::ImageChecks;
use crate::report::chart::{Axis, Look, Panel, Series, draw_charts};
use crate::report::colour::{BLUE, VERMILION};
use crate::report::grid::ImageShape;
use crate::report::key::Key;
use crate::report::neighbours::draw_neighbours;
use crate::report::table::{Align, Table};
use crate::session::Parts;

/// Samples in the picture of neighbours.
const SHOWN: usize = 16;
/// The closest test images that samples are compared with.
const CLOSEST: f64 = 0.01;

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
}

/// Hamming distances to the nearest training image.
#[derive(Serialize)]
struct NearestReport {
    samples: usize,
    sites: usize,
    sample_to_train: DistanceSummary,
    test_to_train: DistanceSummary,
    /// Share of samples that are nearer than the closest hundredth of the test images; about as much, or
    /// less, for a model that has learned nothing by heart.
    share_closer: f64,
    /// The same of the test images themselves: what ties leave of a hundredth.
    test_share_closer: f64,
    /// Share of samples that are a training image.
    share_copies: f64,
}

/// Distances of statistics from those of the training part.
///
/// Test data may come from elsewhere (another street, another day); the validation part is always drawn as
/// the training part is, so that a perfect model is as near as that, with as many images.
#[derive(Serialize)]
struct MapReport {
    /// Images of samples and of the test part: as many of both.
    images: usize,
    validation_images: usize,
    sample_to_train: MapDistance,
    test_to_train: MapDistance,
    validation_to_train: MapDistance,
    frequencies: Frequencies,
}

#[derive(Serialize)]
struct Frequencies {
    classes: Vec<String>,
    samples: Vec<f64>,
    test: Vec<f64>,
    train: Vec<f64>,
}

/// Refuses before any work what cannot be done.
pub fn refuse_early(checks: &ImageChecks, outliers: bool, card: &ModelCard) -> Result<()> {
    if let Some(folder) = &checks.out_dir {
        ensure!(
            !folder.exists() || folder.is_dir(),
            "{} is not a folder; choose another --out-dir",
            folder.display()
        );
    }
    if checks.nearest.is_none() && !checks.map_statistics {
        ensure!(
            checks.images_from.is_none() && (outliers || checks.out_dir.is_none()),
            "--out-dir and --images-from are for --nearest and --map-statistics, --out-dir also for --ood; add one of them"
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
        "--nearest and --map-statistics are for images, not for {} data; leave them out",
        layout.name()
    );
    Ok(())
}

/// The images to look at, if they are not to be drawn.
pub fn given(checks: &ImageChecks, model: &Model, card: &ModelCard) -> Result<Option<Dataset>> {
    let Some(text) = &checks.images_from else {
        return Ok(None);
    };
    let source = DataSource::parse(text)?;
    Ok(Some(data::read_as(
        &source,
        model.schema(),
        &card.read_options,
    )?))
}

impl ImageReport {
    /// Compares samples and test images with the training part, and writes what is to be seen.
    pub fn of(
        checks: &ImageChecks,
        samples: &Dataset,
        parts: &Parts,
        test: &Dataset,
    ) -> Result<Self> {
        let train = &parts.train;
        if let Some(folder) = &checks.out_dir {
            fs::create_dir_all(folder).with_context(|| {
                format!(
                    "cannot create {}; choose another --out-dir",
                    folder.display()
                )
            })?;
        }
        let nearest = match (checks.nearest, &checks.out_dir) {
            (Some(count), Some(folder)) => Some(nearest(count, folder, samples, train, test)?),
            _ => None,
        };
        let map_statistics = match checks.map_statistics {
            true => Some(map_statistics(samples, parts, test)?),
            false => None,
        };
        let report = Self {
            nearest,
            map_statistics,
        };
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
        if let (Some(folder), true) = (&checks.out_dir, self.nearest.is_some()) {
            println!(
                "{NEIGHBOURS_FILE}, {DISTANCES_FILE} and {NUMBERS_FILE} are in {}",
                folder.display()
            );
        }
    }
}

fn nearest(
    count: usize,
    folder: &Path,
    samples: &Dataset,
    train: &Dataset,
    test: &Dataset,
) -> Result<NearestReport> {
    let of_samples = data::nearest(samples, train, count)?;
    let of_test = data::nearest(test, train, 1)?;
    let first = |found: &[Vec<Neighbour>]| -> Vec<u32> {
        let nearest = found.iter().filter_map(|found| found.first());
        nearest.map(|neighbour| neighbour.distance).collect()
    };
    let (own, reference) = (first(&of_samples), first(&of_test));
    let summary = |distances: &[u32]| DistanceSummary::of(distances).context("there are no images");
    let (sample_to_train, test_to_train) = (summary(&own)?, summary(&reference)?);
    let copies = own.iter().filter(|&&distance| distance == 0).count();
    draw_nearest(samples, train, &of_samples)?.write_png(&folder.join(NEIGHBOURS_FILE))?;
    draw_distances(&own, &reference)?
        .to_canvas(2.0)
        .write_png(&folder.join(DISTANCES_FILE))?;
    Ok(NearestReport {
        samples: samples.rows(),
        sites: samples.sites(),
        sample_to_train,
        test_to_train,
        share_closer: DistanceSummary::share_closer(&own, &reference, CLOSEST),
        test_share_closer: DistanceSummary::share_closer(&reference, &reference, CLOSEST),
        share_copies: copies as f64 / own.len() as f64,
    })
}

/// The first samples beside their nearest training images.
fn draw_nearest(
    samples: &Dataset,
    train: &Dataset,
    found: &[Vec<Neighbour>],
) -> Result<crate::report::canvas::Canvas> {
    let shape = samples.schema.row_shape();
    let shape = ImageShape {
        height: shape[0],
        width: shape[1],
    };
    let shown = samples.rows().min(SHOWN);
    let key = Key::of(&samples.schema)?;
    let rows = samples.select(&(0..shown).collect::<Vec<_>>());
    let canvas = draw_neighbours(&rows, train, &found[..shown], shape, &key.palette)?;
    Ok(key.below(canvas))
}

/// Both distributions of distances, as the share of images at most that far.
fn draw_distances(samples: &[u32], test: &[u32]) -> Result<crate::report::drawing::Drawing> {
    let series = |name: &str, colour, look, distances: &[u32]| {
        let mut sorted = distances.to_vec();
        sorted.sort_unstable();
        let (count, mut points) = (sorted.len() as f64, Vec::new());
        for (index, &distance) in sorted.iter().enumerate() {
            let last = sorted.get(index + 1) != Some(&distance);
            // A step: up at the distance itself.
            if index == 0 || sorted[index - 1] != distance {
                points.push((f64::from(distance), index as f64 / count, 0.0));
            }
            if last {
                points.push((f64::from(distance), (index + 1) as f64 / count, 0.0));
            }
        }
        Series {
            name: name.into(),
            colour,
            points,
            look,
        }
    };
    let panel = Panel {
        across: Axis {
            name: "sites that differ from the nearest training image",
            logarithmic: false,
        },
        up: Axis {
            name: "share of images at most that far",
            logarithmic: false,
        },
        series: vec![
            series("samples", BLUE, Look::Line, samples),
            series("test images", VERMILION, Look::Line, test),
        ],
    };
    draw_charts("Distance from the training data", &[panel])
}

fn map_statistics(samples: &Dataset, parts: &Parts, test: &Dataset) -> Result<MapReport> {
    let Parts {
        train, validation, ..
    } = parts;
    // Statistics of few images scatter: both sides have the same number.
    let images = samples.rows().min(test.rows());
    let first = |data: &Dataset| MapStatistics::of(&data.select(&(0..images).collect::<Vec<_>>()));
    let (own, reference) = (first(samples)?, first(test)?);
    let known = MapStatistics::of(train)?;
    let classes = train.schema.max_categories() as u16;
    let name = |label| train.schema.category_name(0, label).into_owned();
    Ok(MapReport {
        images,
        sample_to_train: own.distance(&known),
        test_to_train: reference.distance(&known),
        validation_images: validation.rows(),
        validation_to_train: MapStatistics::of(validation)?.distance(&known),
        frequencies: Frequencies {
            classes: (0..classes).map(name).collect(),
            samples: own.frequencies,
            test: reference.frequencies,
            train: known.frequencies,
        },
    })
}

impl NearestReport {
    fn print(&self) {
        let columns = [
            "sites that differ from the nearest training image",
            "samples",
            "test images",
        ];
        let mut table = Table::new(&[
            (columns[0], Align::Left),
            (columns[1], Align::Decimal),
            (columns[2], Align::Decimal),
        ]);
        let (own, test) = (&self.sample_to_train, &self.test_to_train);
        let mut row = |name: &str, own: String, test: String| table.push([name.into(), own, test]);
        row(
            "mean",
            format!("{:.2}", own.mean),
            format!("{:.2}", test.mean),
        );
        row(
            "smallest",
            own.minimum.to_string(),
            test.minimum.to_string(),
        );
        for (name, at) in [("lower quartile", 0), ("median", 1), ("upper quartile", 2)] {
            row(
                name,
                own.quartiles[at].to_string(),
                test.quartiles[at].to_string(),
            );
        }
        row(
            "share nearer than the closest 1 % of test images",
            format!("{:.4}", self.share_closer),
            format!("{:.4}", self.test_share_closer),
        );
        println!("\n{} samples, {} sites", self.samples, self.sites);
        print!("{}", table.to_text());
    }
}

impl MapReport {
    fn print(&self) {
        let mut table = Table::new(&[
            ("distance from the training part", Align::Left),
            ("samples", Align::Decimal),
            ("test part", Align::Decimal),
            ("validation (a perfect model)", Align::Decimal),
        ]);
        let all = [
            &self.sample_to_train,
            &self.test_to_train,
            &self.validation_to_train,
        ];
        let mut row = |name: &str, value: fn(&MapDistance) -> f64| {
            let [own, test, validation] = all.map(|distance| format!("{:.5}", value(distance)));
            table.push([name.into(), own, test, validation]);
        };
        row("classes, JS nats", |found| found.frequencies);
        row("neighbouring classes, JS nats", |found| found.neighbours);
        row("regions per image and class", |found| found.region_numbers);
        row("areas of regions, KS", |found| found.region_areas);
        let (images, validation) = (self.images, self.validation_images);
        println!("\n{images} samples and test images, {validation} validation images");
        print!("{}", table.to_text());
        let names = ["share of class", "samples", "test", "training"];
        let mut table = Table::new(&names.map(|name| match name {
            "share of class" => (name, Align::Left),
            _ => (name, Align::Decimal),
        }));
        let shares = &self.frequencies;
        for (class, name) in shares.classes.iter().enumerate() {
            let share = |of: &[f64]| format!("{:.4}", of[class]);
            let (own, test, train) = (
                share(&shares.samples),
                share(&shares.test),
                share(&shares.train),
            );
            table.push([name.clone(), own, test, train]);
        }
        print!("\n{}", table.to_text());
    }
}
