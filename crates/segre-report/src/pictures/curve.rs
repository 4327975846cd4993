//! The picture of a training run: validation bits/dim with baselines above, training loss below.

use anyhow::{Result, ensure};
use segre::run::{Logged, TrainingLog};

use super::axis::{LABEL, Plot, Scale, TITLE, number};
use super::colour::{BLUE, PAPER, VERMILION};
use super::drawing::{Anchor, Drawing, Paint, Point, Style};
pub use super::levels::Baseline;
use super::levels::{name_baselines, vertical_scale};

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
    /// How wide the picture is.
    pub width: Width,
}

/// How wide a picture is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Width {
    /// A picture of its own: names of levels stand in a margin.
    Whole,
    /// As wide as the charts of a page, to be read on a phone: names stand on their lines.
    Narrow,
}

const SIZE: (f32, f32) = (900.0, 560.0);
const NARROW: f32 = 470.0;
const LEFT: f32 = 76.0;
/// Where the panels end when there are no baselines, when their names need room, and in a narrow picture.
const RIGHT: f32 = 872.0;
const RIGHT_OF_NAMED: f32 = 700.0;
const RIGHT_OF_NARROW: f32 = 446.0;
/// Upper and lower edges of both panels.
const UPPER: (f32, f32) = (84.0, 326.0);
const LOWER: (f32, f32) = (384.0, 498.0);
/// Beyond this many evaluations their dots would run into each other.
const MAX_DOTS: usize = 60;

/// Draws the log of a run; the levels of baselines where validation is the `bounded` score that they have too, but for the
/// uniform one, which would leave no room for the others.
///
/// # Errors
/// As [`draw_curve`].
pub fn draw_training(
    log: &TrainingLog,
    horizontal: Horizontal,
    baselines: &[(impl AsRef<str>, f64)],
    bounded: bool,
    width: Width,
) -> Result<Drawing> {
    let point = |logged: &Logged| match horizontal {
        Horizontal::Steps => (logged.step, logged.value),
        Horizontal::Seconds => (logged.seconds.unwrap_or(f64::NAN), logged.value),
    };
    let points = |logged: &[Logged]| -> Vec<(f64, f64)> { logged.iter().map(point).collect() };
    let drawn = baselines
        .iter()
        .filter(|(name, _)| bounded && name.as_ref() != "uniform");
    let baseline = |(name, bits): &(_, f64)| {
        let name: &str = AsRef::<str>::as_ref(name);
        Baseline {
            name: name.to_owned(),
            bits_per_dim: *bits,
        }
    };
    draw_curve(&TrainingCurve {
        title: "Training",
        horizontal,
        loss_name: "loss, nats per site",
        loss: &points(&log.losses),
        validation_name: match bounded {
            true => "validation, bits/dim",
            false => "validation loss, bits per site",
        },
        validation: &points(&log.validations),
        kept: log.kept.as_ref().map(point),
        baselines: &drawn.map(baseline).collect::<Vec<_>>(),
        width,
    })
}

/// Draws the losses of a run that has no validations, by step, as a chart of a page.
///
/// # Errors
/// As [`draw_curve`].
pub fn draw_losses(losses: &[Logged], name: &str) -> Result<Drawing> {
    let points: Vec<(f64, f64)> = losses.iter().map(|own| (own.step, own.value)).collect();
    draw_curve(&TrainingCurve {
        title: "Training",
        horizontal: Horizontal::Steps,
        loss_name: name,
        loss: &points,
        validation_name: "",
        validation: &[],
        kept: None,
        baselines: &[],
        width: Width::Narrow,
    })
}

/// Draws a training run.
///
/// The vertical scales leave out far values of the beginning and far baselines (which are then
/// named at the upper edge), so that the part that matters fills the picture.
///
/// # Errors
/// If there is no finite value to draw.
pub fn draw_curve(curve: &TrainingCurve) -> Result<Drawing> {
    let finite = |points: &[(f64, f64)]| -> Vec<(f64, f64)> {
        let points = points.iter().copied();
        points.filter(|(x, y)| (x + y).is_finite()).collect()
    };
    let (validation, loss) = (finite(curve.validation), finite(curve.loss));
    let ends = validation.iter().chain(&loss).map(|(x, _)| *x);
    let across = Scale::spanning(ends, false);
    ensure!(
        across.is_some(),
        "cannot draw a training curve without a finite loss or validation value"
    );
    let across = across.map_or(Scale::linear(0.0, 1.0), |scale| {
        Scale::linear(scale.low.min(0.0), scale.high)
    });
    let both = !validation.is_empty() && !loss.is_empty();
    let named = !validation.is_empty() && !curve.baselines.is_empty();
    let (width, right) = match (curve.width, named) {
        (Width::Narrow, _) => (NARROW, RIGHT_OF_NARROW),
        (Width::Whole, true) => (SIZE.0, RIGHT_OF_NAMED),
        (Width::Whole, false) => (SIZE.0, RIGHT),
    };
    let plot = |(top, bottom): (f32, f32), up| Plot {
        corner: (LEFT, top),
        size: (right - LEFT, bottom - top),
        across,
        up,
    };
    let mut drawing = Drawing::new(width, SIZE.1);
    drawing.text((LEFT, 32.0), Anchor::Start, TITLE, curve.title);
    let name = match curve.horizontal {
        Horizontal::Steps => "step",
        Horizontal::Seconds => "seconds of training",
    };
    let whole = (UPPER.0, LOWER.1);
    if !loss.is_empty() {
        // One point every two pixels: a finer line is only ink.
        let fine = averaged(&loss, across, (right - LEFT) as usize);
        // The first steps are far above the rest and say little.
        let settled = fine[fine.len() / 20..].iter().map(|(_, y)| *y);
        let up = Scale::spanning(settled, false).unwrap_or(across);
        let lower = plot(if both { LOWER } else { whole }, up.padded(0.06, 0.06));
        lower.backdrop(
            &mut drawing,
            curve.loss_name,
            VERMILION,
            if both { 3 } else { 11 },
        );
        let faint = Paint {
            colour: VERMILION,
            opacity: 0.35,
        };
        lower.line(&mut drawing, &fine, 1.2, faint);
        let smooth = averaged(&loss, across, 60);
        lower.line(&mut drawing, &smooth, 2.2, VERMILION);
        lower.foot(&mut drawing, name, 7);
    }
    if !validation.is_empty() {
        let up = vertical_scale(&validation, curve.baselines);
        let upper = plot(if both { UPPER } else { whole }, up);
        draw_validation(&mut drawing, &upper, &validation, curve);
        if !both {
            upper.foot(&mut drawing, name, 7);
        }
    }
    Ok(drawing)
}

/// Means of the points in equal parts of the scale; parts without points are skipped.
fn averaged(points: &[(f64, f64)], across: Scale, parts: usize) -> Vec<(f64, f64)> {
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

fn draw_validation(
    drawing: &mut Drawing,
    plot: &Plot,
    validation: &[(f64, f64)],
    curve: &TrainingCurve,
) {
    let most = (plot.size.1 / 36.0) as usize;
    plot.backdrop(drawing, curve.validation_name, BLUE, most);
    let line: Vec<Point> = validation.iter().map(|own| plot.point(*own)).collect();
    name_baselines(drawing, plot, curve.baselines, curve.width, &line);
    plot.line(drawing, validation, 2.4, BLUE);
    if validation.len() <= MAX_DOTS {
        let inside = validation.iter().filter(|(_, y)| plot.up.contains(*y));
        for point in inside {
            drawing.disc(plot.point(*point), 3.2, BLUE);
        }
    }
    if let Some(kept) = curve.kept {
        mark_kept(drawing, plot, kept, curve.horizontal);
    }
}

/// A ring around the lowest value, and under it the value and its place.
fn mark_kept(drawing: &mut Drawing, plot: &Plot, kept: (f64, f64), horizontal: Horizontal) {
    let centre = plot.point(kept);
    drawing.disc(centre, 7.0, BLUE);
    drawing.disc(centre, 4.6, PAPER);
    let place = match horizontal {
        Horizontal::Steps => format!("step {}", number(kept.0, 0)),
        Horizontal::Seconds => format!("{} s", number(kept.0, 0)),
    };
    let label = format!("kept: {} at {place}", number(kept.1, 3));
    let style = Style {
        bold: true,
        colour: BLUE,
        ..LABEL
    };
    let half = style.width(&label) / 2.0;
    let (left, right) = (plot.corner.0 + half + 6.0, plot.end().0 - half - 6.0);
    let (middle, baseline) = (centre.0.clamp(left, right), centre.1 + 25.0);
    let height = 2.0 * style.drop() + 7.0;
    let corner = (middle - half - 4.0, baseline + 4.0 - height);
    drawing.rectangle(corner, (2.0 * half + 8.0, height), PAPER);
    drawing.text((middle, baseline), Anchor::Middle, style, &label);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pictures::colour::GREY;
    use crate::pictures::drawing::tests::Decoded;

    fn baseline(name: &str, bits_per_dim: f64) -> Baseline {
        let name = name.to_owned();
        Baseline { name, bits_per_dim }
    }

    fn drawn(
        loss: &[(f64, f64)],
        validation: &[(f64, f64)],
        baselines: &[Baseline],
    ) -> Result<Decoded> {
        drawn_so(Width::Whole, loss, validation, baselines)
    }

    fn drawn_so(
        width: Width,
        loss: &[(f64, f64)],
        validation: &[(f64, f64)],
        baselines: &[Baseline],
    ) -> Result<Decoded> {
        let drawing = draw_curve(&TrainingCurve {
            validation_name: "validation, bits/dim",
            title: "digits",
            horizontal: Horizontal::Steps,
            loss_name: "training loss, nats",
            loss,
            validation,
            kept: validation.iter().rfind(|(_, y)| y.is_finite()).copied(),
            baselines,
            width,
        })?;
        Ok(Decoded::of(&drawing))
    }

    /// The line runs from (0, 3) to (1000, 1): it must pass through the middle of the panel's
    /// width half way between its ends, and nowhere near the corners.
    #[test]
    fn the_line_passes_where_the_values_are() {
        let points = (0..=100).map(f64::from).map(|i| (10.0 * i, 3.0 - 0.02 * i));
        let baselines = [baseline("tree", 3.0), baseline("independent", 1.5)];
        let decoded = drawn(&[], &points.collect::<Vec<_>>(), &baselines).expect("picture");
        // Baselines reach 3.0 and the best value is 1.0: the range is 1 − 0.32 … 3 + 0.12.
        let row = |value: f64| (2.0 * (498.0 - (value - 0.68) / 2.44 * 414.0)) as usize;
        let column = |part: f32| (2.0 * (LEFT + part * (RIGHT_OF_NAMED - LEFT))) as usize;
        let near = |part, value| {
            let (x, y) = (column(part), row(value));
            decoded.count(x - 6..x + 7, y - 6..y + 7, BLUE)
        };
        assert!(near(0.5, 2.0) > 20 && near(0.25, 2.5) > 20);
        assert_eq!(near(0.5, 2.5), 0, "line where there is no value");
        let grey = |value| {
            decoded.count(
                column(0.0)..column(1.0),
                row(value) - 4..row(value) + 5,
                GREY,
            )
        };
        assert!(
            grey(1.5) > 1000 && grey(2.6) < 20,
            "{} and {}",
            grey(1.5),
            grey(2.6)
        );
    }

    #[test]
    fn both_panels_carry_their_colour() {
        let loss = (1..5000).map(f64::from).map(|i| (i, 1.0 + 9.0 / i));
        let validation = [(1000.0, 2.5), (2000.0, 2.2), (5000.0, f64::NAN)];
        let decoded = drawn(&loss.collect::<Vec<_>>(), &validation, &[]).expect("picture");
        let upper = |colour| decoded.count(0..1800, 168..652, colour);
        let lower = |colour| decoded.count(0..1800, 768..996, colour);
        assert!(upper(BLUE) > 1000 && lower(VERMILION) > 1000);
        assert_eq!((upper(VERMILION), lower(BLUE)), (0, 0));
    }

    #[test]
    fn averages_keep_the_mean_and_thin_the_points() {
        let points = (0..1024).map(|i| (f64::from(i), f64::from(i % 16)));
        let thinned = averaged(&points.collect::<Vec<_>>(), Scale::linear(0.0, 1024.0), 64);
        assert_eq!(thinned.len(), 64);
        assert!(thinned.iter().all(|(_, y)| (y - 7.5).abs() < 1e-9));
        assert!((thinned[0].0 - 7.5).abs() < 1e-9);
    }

    #[test]
    fn degenerate_runs_are_drawn_and_empty_ones_refused() {
        let one = [(100.0, 2.0)];
        for (loss, validation) in [(&one[..], &[][..]), (&[], &one), (&one, &one)] {
            for baselines in [vec![], vec![baseline("tree", 2.0), baseline("same", 2.0)]] {
                drawn(loss, validation, &baselines).expect("picture");
            }
        }
        let nothing = [(1.0, f64::NAN), (2.0, f64::INFINITY)];
        assert!(drawn(&nothing, &[], &[]).is_err());
    }

    #[test]
    fn a_narrow_picture_names_its_levels_within() {
        let validation = [(0.0, 2.3), (1.0, 2.1), (2.0, 2.0)];
        let levels = [baseline("tree", 2.18), baseline("independent", 2.2)];
        let decoded = drawn_so(Width::Narrow, &[], &validation, &levels).expect("picture");
        assert_eq!(decoded.width, 2 * NARROW as usize);
        let margin = 2 * RIGHT_OF_NARROW as usize + 4;
        // Half of the last number at the foot is there.
        let beyond = decoded.count(margin..decoded.width, 0..996, GREY);
        assert_eq!(beyond, 0, "nothing in a margin that is not there");
        let inside = decoded.count(2 * LEFT as usize..margin, 168..996, GREY);
        assert!(inside > 2000, "{inside}");
    }
}
