//! Nearest training images of samples: pictures, and distances beside those of held-out images.

use std::path::Path;

use anyhow::{Context, Result};
use segre::data::Dataset;
use segre::evaluation::nearest::{self, DistanceComparison, DistanceSummary, Neighbour};
use serde::Serialize;

use crate::report::canvas::Canvas;
use crate::report::chart::{Axis, Look, Panel, Series, draw_charts};
use crate::report::colour::{BLUE, GREY, Rgb, VERMILION};
use crate::report::drawing::Drawing;
use crate::report::grid::ImageShape;
use crate::report::key::Key;
use crate::report::neighbours::draw_neighbours;
use crate::report::table::{Align, Table};
use crate::session::Parts;

/// Samples in the picture of neighbours.
const SHOWN: usize = 16;
/// The closest test images that samples are compared with.
const CLOSEST: f64 = 0.01;
/// Most bars of a histogram.
const BARS: usize = 40;

/// Points of a chart, without error bars.
type Points = Vec<(f64, f64, f64)>;

pub const NEIGHBOURS_FILE: &str = "nearest.png";
pub const DISTANCES_FILE: &str = "distances.png";

/// Hamming distances to the nearest training image.
#[derive(Serialize)]
pub struct NearestReport {
    samples: usize,
    sites: usize,
    sample_to_train: DistanceSummary,
    test_to_train: DistanceSummary,
    /// The validation images are drawn as the training images are, so a perfect model is as far as they are.
    validation_to_train: DistanceSummary,
    /// Distances of samples against those of test images.
    against_test: DistanceComparison,
    /// And against those of validation images.
    against_validation: DistanceComparison,
    /// Share of samples that are nearer than the closest hundredth of the test images; about as much, or
    /// less, for a model that has learned nothing by heart.
    share_closer: f64,
    /// The same of the test images themselves: what ties leave of a hundredth.
    test_share_closer: f64,
    /// Share of samples that are a training image, and of test and validation images.
    share_copies: f64,
    test_share_copies: f64,
    validation_share_copies: f64,
}

/// Looks through the training images and writes both pictures.
pub fn nearest(
    count: usize,
    folder: &Path,
    samples: &Dataset,
    parts: &Parts,
    test: &Dataset,
) -> Result<NearestReport> {
    let of_samples = nearest::nearest(samples, &parts.train, count)?;
    let first = |found: &[Vec<Neighbour>]| -> Vec<u32> {
        let nearest = found.iter().filter_map(|found| found.first());
        nearest.map(|neighbour| neighbour.distance).collect()
    };
    let distances = |rows: &Dataset| -> Result<Vec<u32>> {
        Ok(first(&nearest::nearest(rows, &parts.train, 1)?))
    };
    let own = first(&of_samples);
    let (of_test, of_validation) = (distances(test)?, distances(&parts.validation)?);
    let none = "there are no images";
    let summary = |distances: &[u32]| DistanceSummary::of(distances).context(none);
    let against = |others: &[u32]| DistanceComparison::of(&own, others).context(none);
    let copies = |distances: &[u32]| {
        let copies = distances.iter().filter(|&&distance| distance == 0);
        copies.count() as f64 / distances.len() as f64
    };
    draw_nearest(samples, &parts.train, &of_samples)?.write_png(&folder.join(NEIGHBOURS_FILE))?;
    draw_distances(&own, &of_test, &of_validation)?
        .to_canvas(2.0)
        .write_png(&folder.join(DISTANCES_FILE))?;
    Ok(NearestReport {
        samples: samples.rows(),
        sites: samples.sites(),
        sample_to_train: summary(&own)?,
        test_to_train: summary(&of_test)?,
        validation_to_train: summary(&of_validation)?,
        against_test: against(&of_test)?,
        against_validation: against(&of_validation)?,
        share_closer: DistanceSummary::share_closer(&own, &of_test, CLOSEST),
        test_share_closer: DistanceSummary::share_closer(&of_test, &of_test, CLOSEST),
        share_copies: copies(&own),
        test_share_copies: copies(&of_test),
        validation_share_copies: copies(&of_validation),
    })
}

/// The first samples beside their nearest training images.
fn draw_nearest(samples: &Dataset, train: &Dataset, found: &[Vec<Neighbour>]) -> Result<Canvas> {
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

/// All distributions of distances: shares of images in intervals, and of images at most that far.
fn draw_distances(samples: &[u32], test: &[u32], validation: &[u32]) -> Result<Drawing> {
    let all = [
        ("samples", BLUE, Look::Line, samples),
        ("test images", VERMILION, Look::Line, test),
        (
            "validation images (a perfect model)",
            GREY,
            Look::Dashed,
            validation,
        ),
    ];
    let largest = all
        .iter()
        .flat_map(|(.., distances)| distances.iter())
        .max();
    let width = (largest.copied().unwrap_or(0) as usize + 1).div_ceil(BARS);
    let series = |points: &dyn Fn(&[u32]) -> Points| -> Vec<Series> {
        let one = |(name, colour, look, distances): (&str, Rgb, Look, &[u32])| Series {
            name: name.into(),
            colour,
            points: points(distances),
            look,
        };
        all.into_iter().map(one).collect()
    };
    let panel = |name, series| Panel {
        across: Axis {
            name: "sites that differ from the nearest training image",
            logarithmic: false,
        },
        up: Axis {
            name,
            logarithmic: false,
        },
        series,
    };
    let histogram_name = match width {
        1 => "share of images so far away".to_owned(),
        _ => format!("share of images, intervals of {width} sites"),
    };
    let panels = [
        panel(
            &histogram_name,
            series(&|distances| histogram(distances, width)),
        ),
        panel("share of images at most that far", series(&cumulative)),
    ];
    draw_charts("Distance from the training data", &panels)
}

/// The outline of bars: shares of distances in intervals of a width.
fn histogram(distances: &[u32], width: usize) -> Points {
    let last = distances
        .iter()
        .max()
        .map_or(0, |last| *last as usize / width);
    let mut shares = vec![0.0; last + 1];
    for distance in distances {
        shares[*distance as usize / width] += 1.0 / distances.len() as f64;
    }
    let edge = |bar: usize| (bar * width) as f64;
    let bars = shares.iter().enumerate();
    let tops =
        bars.flat_map(|(bar, share)| [(edge(bar), *share, 0.0), (edge(bar + 1), *share, 0.0)]);
    let ends = ((0.0, 0.0, 0.0), (edge(last + 1), 0.0, 0.0));
    std::iter::once(ends.0)
        .chain(tops)
        .chain([ends.1])
        .collect()
}

/// Steps: up at the distance itself.
fn cumulative(distances: &[u32]) -> Points {
    let mut sorted = distances.to_vec();
    sorted.sort_unstable();
    let (count, mut below) = (sorted.len() as f64, 0.0);
    let mut points = Vec::new();
    for equal in sorted.chunk_by(|a, b| a == b) {
        let distance = f64::from(equal[0]);
        points.push((distance, below / count, 0.0));
        below += equal.len() as f64;
        points.push((distance, below / count, 0.0));
    }
    points
}

impl NearestReport {
    /// Prints tables for the terminal.
    pub fn print(&self) {
        let mut table = Table::new(&[
            (
                "sites that differ from the nearest training image",
                Align::Left,
            ),
            ("samples", Align::Decimal),
            ("test images", Align::Decimal),
            ("validation (a perfect model)", Align::Decimal),
        ]);
        let all = [
            &self.sample_to_train,
            &self.test_to_train,
            &self.validation_to_train,
        ];
        let mut row = |name: &str, value: &dyn Fn(&DistanceSummary) -> String| {
            let [own, test, validation] = all.map(value);
            table.push([name.into(), own, test, validation]);
        };
        row("mean", &|found| format!("{:.2}", found.mean));
        row("smallest", &|found| found.minimum.to_string());
        row("closest hundredth", &|found| {
            found.first_percentile.to_string()
        });
        for (name, at) in [("lower quartile", 0), ("median", 1), ("upper quartile", 2)] {
            row(name, &|found| found.quartiles[at].to_string());
        }
        let copies = [
            self.share_copies,
            self.test_share_copies,
            self.validation_share_copies,
        ];
        let [own, test, validation] = copies.map(|share| format!("{share:.4}"));
        table.push(["share of copies".into(), own, test, validation]);
        println!("\n{} samples, {} sites", self.samples, self.sites);
        print!("{}", table.to_text());
        self.print_comparison();
    }

    fn print_comparison(&self) {
        let mut table = Table::new(&[
            ("samples nearer to the training images than", Align::Left),
            ("test images", Align::Decimal),
            ("validation (a perfect model)", Align::Decimal),
        ]);
        let both = [&self.against_test, &self.against_validation];
        let mut row = |name: &str, value: &dyn Fn(&DistanceComparison) -> String| {
            let [test, validation] = both.map(value);
            table.push([name.into(), test, validation]);
        };
        row("probability of a pair (0.5: neither)", &|found| {
            format!("{:.4} ± {:.4}", found.probability_nearer, found.std_error)
        });
        row("largest difference of shares (KS)", &|found| {
            format!("{:.4}", found.kolmogorov_smirnov)
        });
        row("share below all of them", &|found| {
            format!("{:.4}", found.share_below_all)
        });
        print!("\n{}", table.to_text());
        println!(
            "share of samples nearer than the closest 1 % of test images: {:.4} (of test images {:.4})",
            self.share_closer, self.test_share_closer
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Areas are shares: the outline goes up and down at the edges of the intervals.
    #[test]
    fn bars_hold_all_images() {
        let points = histogram(&[0, 1, 2, 2, 5], 2);
        let shares: Vec<(f64, f64)> = points.iter().map(|(x, y, _)| (*x, *y)).collect();
        let expected = [
            (0.0, 0.0),
            (0.0, 0.4),
            (2.0, 0.4),
            (2.0, 0.4),
            (4.0, 0.4),
            (4.0, 0.2),
            (6.0, 0.2),
            (6.0, 0.0),
        ];
        assert_eq!(shares.len(), expected.len());
        for (found, expected) in shares.iter().zip(expected) {
            assert!((found.0 - expected.0).abs() + (found.1 - expected.1).abs() < 1e-12);
        }
        assert_eq!(cumulative(&[3, 1, 3]).last(), Some(&(3.0, 1.0, 0.0)));
    }
}
