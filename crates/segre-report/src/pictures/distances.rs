//! Distances of samples from the training data, beside those of held-out images: two charts.

use anyhow::Result;
use segre::evaluation::nearest::Found;

use super::chart::{Axis, Look, Panel, Series, draw_charts};
use super::colour::{BLUE, GREY, Rgb, VERMILION};
use super::drawing::Drawing;

/// Most bars of a histogram.
const BARS: usize = 40;

/// Points of a chart, without error bars.
type Points = Vec<(f64, f64, f64)>;

/// All distributions of distances: shares of images in intervals, and of images at most that far.
pub fn draw_distances(found: &Found) -> Result<Drawing> {
    let all = [
        ("samples", BLUE, Look::Line, &found.samples[..]),
        ("test images", VERMILION, Look::Line, &found.test),
        (
            "validation images (a perfect model)",
            GREY,
            Look::Dashed,
            &found.validation,
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
