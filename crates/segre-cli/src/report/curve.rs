//! The picture of a training run: validation bits/dim with baselines above, training loss below.

use anyhow::{Result, ensure};

use super::axis::Range;
use super::canvas::{Area, Canvas};
use super::colour::{GREY, INK, PAPER, VERMILION, mix};
use super::plot::{LABEL, Plot};
use super::text::{self, Anchor, Style};
use super::validation::{Baseline, draw_validation};

/// What the horizontal axis counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Horizontal {
    /// Optimisation steps.
    Steps,
    /// Seconds of training.
    Seconds,
}

/// A training run. Points are (position on the horizontal axis, value), in order.
#[derive(Clone, Debug)]
pub struct TrainingCurve<'a> {
    /// Heading of the picture.
    pub title: &'a str,
    /// What the positions count.
    pub horizontal: Horizontal,
    /// Name and unit of the training loss.
    pub loss_name: &'a str,
    /// Training loss; values that are not finite are left out.
    pub loss: &'a [(f64, f64)],
    /// What the validation values are, with unit.
    pub validation_name: &'a str,
    /// Validation values; those that are not finite are left out.
    pub validation: &'a [(f64, f64)],
    /// The validation whose model was kept.
    pub kept: Option<(f64, f64)>,
    /// Levels to compare the validation with.
    pub baselines: &'a [Baseline],
}

const WIDTH: usize = 900;
const HEIGHT: usize = 560;
const LEFT: usize = 76;
/// Where the panels end when there are no baselines, and when their names need room.
const RIGHT: usize = 872;
const RIGHT_OF_NAMED: usize = 700;
const TITLE: Style = Style {
    size: 19.0,
    bold: true,
    colour: INK,
};

/// Draws a training run, 900×560 pixels.
///
/// The vertical scales leave out far values of the beginning and far baselines (which are then
/// named at the upper edge), so that the part that matters fills the picture.
///
/// # Errors
/// If there is no finite value to draw.
pub fn draw_curve(curve: &TrainingCurve) -> Result<Canvas> {
    let validation = finite(curve.validation);
    let loss = finite(curve.loss);
    ensure!(
        !validation.is_empty() || !loss.is_empty(),
        "cannot draw a training curve without a finite loss or validation value"
    );
    let ends = || validation.iter().chain(&loss).map(|(x, _)| *x);
    let last = ends().fold(f64::NEG_INFINITY, f64::max);
    let first = ends().fold(f64::INFINITY, f64::min).min(0.0);
    let across = Range::new(first, last);

    let named = !validation.is_empty() && !curve.baselines.is_empty();
    let right = if named { RIGHT_OF_NAMED } else { RIGHT };
    let panel = |top: usize, bottom: usize| Area {
        left: LEFT,
        top,
        width: right - LEFT,
        height: bottom - top,
    };
    let (upper, lower) = match (validation.is_empty(), loss.is_empty()) {
        (false, false) => (panel(84, 326), panel(384, 498)),
        (false, true) => (panel(84, 498), panel(84, 498)),
        (true, _) => (panel(84, 498), panel(84, 498)),
    };

    let mut canvas = Canvas::new(WIDTH, HEIGHT, PAPER);
    text::draw(
        &mut canvas,
        (LEFT as f32, 32.0),
        Anchor::Start,
        TITLE,
        curve.title,
    );
    if !loss.is_empty() {
        draw_loss(&mut canvas, lower, across, &loss, curve.loss_name);
    }
    if !validation.is_empty() {
        draw_validation(&mut canvas, upper, across, &validation, curve);
    }
    draw_horizontal(&mut canvas, lower, across, curve.horizontal);
    Ok(canvas)
}

fn finite(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    points
        .iter()
        .copied()
        .filter(|(x, y)| x.is_finite() && y.is_finite())
        .collect()
}

fn draw_horizontal(canvas: &mut Canvas, lowest: Area, across: Range, horizontal: Horizontal) {
    let bottom = lowest.bottom();
    for (value, label) in across.ticks(7) {
        let x = lowest.left as f32 + across.fraction(value) as f32 * lowest.width as f32;
        canvas.fill(
            Area {
                left: x as usize,
                top: bottom,
                width: 1,
                height: 6,
            },
            GREY,
        );
        text::draw(
            canvas,
            (x, bottom as f32 + 22.0),
            Anchor::Middle,
            LABEL,
            &label,
        );
    }
    let name = match horizontal {
        Horizontal::Steps => "step",
        Horizontal::Seconds => "seconds of training",
    };
    let middle = lowest.left as f32 + lowest.width as f32 / 2.0;
    text::draw(
        canvas,
        (middle, bottom as f32 + 46.0),
        Anchor::Middle,
        LABEL,
        name,
    );
}

fn draw_loss(canvas: &mut Canvas, area: Area, across: Range, loss: &[(f64, f64)], name: &str) {
    // One point every two pixels: a finer line is only ink, and slow to draw.
    let fine = averaged(loss, across, area.width / 2);
    let smooth = averaged(loss, across, 60);
    // The first steps are far above the rest and say little.
    let settled = &fine[fine.len() / 20..];
    let values = || settled.iter().map(|(_, y)| *y);
    let low = values().fold(f64::INFINITY, f64::min);
    let high = values().fold(f64::NEG_INFINITY, f64::max);
    let plot = Plot {
        area,
        across,
        up: Range::new(low, high).padded(0.06, 0.06),
    };
    plot.backdrop(canvas, name, VERMILION);
    plot.line(canvas, &fine, 1.2, mix(PAPER, VERMILION, 0.35));
    plot.line(canvas, &smooth, 2.2, VERMILION);
}

/// Means of the points in equal parts of the range; parts without points are skipped.
fn averaged(points: &[(f64, f64)], across: Range, parts: usize) -> Vec<(f64, f64)> {
    if points.len() <= parts {
        return points.to_vec();
    }
    let mut sums = vec![(0.0, 0.0, 0.0); parts];
    for (x, y) in points {
        let part = (across.fraction(*x) * parts as f64) as usize;
        let sum = &mut sums[part.min(parts - 1)];
        *sum = (sum.0 + x, sum.1 + y, sum.2 + 1.0);
    }
    let full = sums.into_iter().filter(|sum| sum.2 > 0.0);
    full.map(|(x, y, count)| (x / count, y / count)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::canvas::tests::Decoded;
    use crate::report::colour::{BLUE, Rgb};

    fn baseline(name: &str, bits_per_dim: f64) -> Baseline {
        Baseline {
            name: name.to_owned(),
            bits_per_dim,
        }
    }

    fn curve<'a>(
        loss: &'a [(f64, f64)],
        validation: &'a [(f64, f64)],
        baselines: &'a [Baseline],
    ) -> TrainingCurve<'a> {
        TrainingCurve {
            validation_name: "validation, bits/dim",
            title: "digits",
            horizontal: Horizontal::Steps,
            loss_name: "training loss, nats",
            loss,
            validation,
            kept: validation.iter().rfind(|(_, y)| y.is_finite()).copied(),
            baselines,
        }
    }

    /// The line runs from (0, 3) to (1000, 1): it must pass through the middle of the panel's
    /// width half way between its ends, and nowhere near the corners.
    #[test]
    fn the_line_passes_where_the_values_are() {
        let validation: Vec<_> = (0..=100)
            .map(|i| (10.0 * f64::from(i), 3.0 - 0.02 * f64::from(i)))
            .collect();
        let baselines = [baseline("tree", 3.0), baseline("independent", 1.5)];
        let canvas = draw_curve(&curve(&[], &validation, &baselines)).expect("picture");
        let decoded = Decoded::of(&canvas);
        assert_eq!((decoded.width, decoded.height), (WIDTH, HEIGHT));
        let area = Area {
            left: LEFT,
            top: 84,
            width: RIGHT_OF_NAMED - LEFT,
            height: 498 - 84,
        };
        // Baselines reach 3.0 and the best value is 1.0: the range is 1 − 0.32 … 3 + 0.12.
        let row = |value: f64| {
            area.bottom() - ((value - 0.68) / 2.44 * area.height as f64).round() as usize
        };
        let near = |column: usize, value: f64, colour: Rgb| {
            let spot = Area {
                left: column - 3,
                top: row(value) - 3,
                width: 7,
                height: 7,
            };
            decoded.count(spot, colour)
        };
        let middle = LEFT + area.width / 2;
        assert!(near(middle, 2.0, BLUE) > 5, "no line in the middle");
        assert!(
            near(LEFT + area.width / 4, 2.5, BLUE) > 5,
            "no line at a quarter"
        );
        assert_eq!(near(middle, 2.5, BLUE), 0, "line where there is no value");
        let strip = |value: f64| Area {
            top: row(value) - 2,
            height: 5,
            ..area
        };
        assert!(
            decoded.count(strip(1.5), GREY) > area.width / 2,
            "no dashes at 1.5"
        );
        assert!(decoded.count(strip(2.6), GREY) < 10, "dashes at 2.6");
    }

    #[test]
    fn both_panels_carry_their_colour() {
        let loss: Vec<_> = (1..5000)
            .map(|i| (f64::from(i), 1.0 + 9.0 / f64::from(i)))
            .collect();
        let validation = [(1000.0, 2.5), (2000.0, 2.2), (5000.0, f64::NAN)];
        let decoded = Decoded::of(&draw_curve(&curve(&loss, &validation, &[])).expect("picture"));
        let upper = Area {
            left: LEFT,
            top: 84,
            width: 790,
            height: 242,
        };
        let lower = Area {
            left: LEFT,
            top: 384,
            width: 790,
            height: 114,
        };
        assert!(decoded.count(upper, BLUE) > 500);
        assert_eq!(decoded.count(upper, VERMILION), 0);
        assert!(decoded.count(lower, VERMILION) > 500);
        assert_eq!(decoded.count(lower, BLUE), 0);
    }

    #[test]
    fn averages_keep_the_mean_and_thin_the_points() {
        let points: Vec<_> = (0..1024)
            .map(|i| (f64::from(i), f64::from(i % 16)))
            .collect();
        let thinned = averaged(&points, Range::new(0.0, 1024.0), 64);
        assert_eq!(thinned.len(), 64);
        assert!(
            thinned.iter().all(|(_, y)| (y - 7.5).abs() < 1e-9),
            "{thinned:?}"
        );
        assert!((thinned[0].0 - 7.5).abs() < 1e-9);
    }

    #[test]
    fn degenerate_runs_are_drawn_and_empty_ones_refused() {
        let one = [(100.0, 2.0)];
        for (loss, validation) in [(&one[..], &[][..]), (&[], &one), (&one, &one)] {
            for baselines in [vec![], vec![baseline("tree", 2.0), baseline("same", 2.0)]] {
                draw_curve(&curve(loss, validation, &baselines)).expect("picture");
            }
        }
        let nothing = [(1.0, f64::NAN), (2.0, f64::INFINITY)];
        draw_curve(&curve(&nothing, &[], &[])).expect_err("nothing finite");
    }
}
