//! The validation panel of a training curve: bits/dim, baselines with names, and the point whose model was kept.

use super::axis::{Range, number};
use super::canvas::{Area, Canvas};
use super::colour::{BLUE, GREY, PAPER};
use super::curve::{Horizontal, TrainingCurve};
use super::plot::{LABEL, Plot};
use super::text::{self, Anchor, Style};

/// A level to compare with, drawn as a dashed line.
#[derive(Clone, Debug)]
pub struct Baseline {
    /// What it is.
    pub name: String,
    /// Its bits/dim.
    pub bits_per_dim: f64,
}

/// Height of a line of labels in the margin.
const LINE: f32 = 19.0;
/// Beyond this many evaluations their dots would run into each other.
const MAX_DOTS: usize = 60;

/// How far off, relative to what is shown anyway, a value is left out.
const FAR: f64 = 2.5;

/// Draws the panel; `validation` are the finite points of the curve, at least one.
pub fn draw_validation(
    canvas: &mut Canvas,
    area: Area,
    across: Range,
    validation: &[(f64, f64)],
    curve: &TrainingCurve,
) {
    let up = vertical_range(validation, curve.baselines);
    let plot = Plot { area, across, up };
    plot.backdrop(canvas, curve.validation_name, BLUE);
    for baseline in curve
        .baselines
        .iter()
        .filter(|line| up.contains(line.bits_per_dim))
    {
        canvas.dashes(plot.y(baseline.bits_per_dim), GREY, area);
    }
    name_baselines(canvas, &plot, curve.baselines);

    plot.line(canvas, validation, 2.4, BLUE);
    if validation.len() <= MAX_DOTS {
        // The last point lies on the edge of the panel and must not be cut in half.
        let wider = Area {
            left: area.left - 4,
            width: area.width + 8,
            ..area
        };
        for &point in validation {
            canvas.disc(plot.point(point), 3.2, BLUE, wider);
        }
    }
    if let Some(kept) = curve.kept {
        mark_kept(canvas, &plot, kept, curve.horizontal);
    }
}

/// From the lowest of values and baselines to the highest that is not far off.
///
/// Far off is what lies more than [`FAR`] times as high above the best value as all that is shown
/// anyway: the settled last three quarters of the run, and then baselines from low to high.
fn vertical_range(validation: &[(f64, f64)], baselines: &[Baseline]) -> Range {
    let low = validation
        .iter()
        .map(|(_, y)| *y)
        .fold(f64::INFINITY, f64::min);
    let (early, settled) = validation.split_at(validation.len() / 4);
    let near = |high: f64| move |value: &f64| high == low || value - low <= FAR * (high - low);
    let mut high = settled.iter().map(|(_, y)| *y).fold(low, f64::max);
    high = early
        .iter()
        .map(|(_, y)| *y)
        .filter(near(high))
        .fold(high, f64::max);
    let mut levels: Vec<f64> = baselines
        .iter()
        .map(|line| line.bits_per_dim)
        .filter(|level| level.is_finite())
        .collect();
    levels.sort_by(f64::total_cmp);
    for level in &levels {
        if near(high)(level) {
            high = high.max(*level);
        }
    }
    let lowest = levels.first().copied().unwrap_or(low).min(low);
    // Room below for the label of the kept point.
    Range::new(lowest, high).padded(0.16, 0.06)
}

/// Names in the right margin: beside their lines, moved apart where they would overlap; those of
/// levels above the panel stand over it with an arrow.
fn name_baselines(canvas: &mut Canvas, plot: &Plot, baselines: &[Baseline]) {
    let finite = baselines
        .iter()
        .filter(|line| line.bits_per_dim.is_finite());
    let (mut inside, outside): (Vec<_>, Vec<_>) =
        finite.partition(|line| plot.up.contains(line.bits_per_dim));
    let everywhere = canvas.area();
    let right = plot.area.right() as f32;
    let text_left = right + 26.0;
    let top = plot.area.top as f32;
    for (index, line) in outside.iter().rev().enumerate() {
        let foot = top - 14.0 - LINE * index as f32;
        let (x, tip) = (text_left - 14.0, foot - 11.0);
        canvas.stroke(&[(x, foot), (x, tip)], 1.4, GREY, everywhere);
        let head = [(x - 3.5, tip + 4.0), (x, tip), (x + 3.5, tip + 4.0)];
        canvas.stroke(&head, 1.4, GREY, everywhere);
        text::draw(
            canvas,
            (text_left, foot),
            Anchor::Start,
            LABEL,
            &label(line),
        );
    }
    inside.sort_by(|a, b| b.bits_per_dim.total_cmp(&a.bits_per_dim));
    let wanted: Vec<f32> = inside
        .iter()
        .map(|line| plot.y(line.bits_per_dim))
        .collect();
    let placed = spread(&wanted, LINE, top + 4.0, plot.area.bottom() as f32);
    for ((line, level), y) in inside.iter().zip(wanted).zip(placed) {
        let level = level.floor() + 0.5;
        let leader = [
            (right + 3.0, level),
            (right + 8.0, level),
            (text_left - 9.0, y.floor() + 0.5),
            (text_left - 5.0, y.floor() + 0.5),
        ];
        canvas.stroke(&leader, 1.0, GREY, everywhere);
        text::draw_centred(canvas, (text_left, y), Anchor::Start, LABEL, &label(line));
    }
}

fn label(line: &Baseline) -> String {
    format!("{} {}", line.name, number(line.bits_per_dim, 3))
}

/// Moves ascending positions apart to at least `distance`, within `low..high` where there is room.
fn spread(wanted: &[f32], distance: f32, low: f32, high: f32) -> Vec<f32> {
    let mut placed = wanted.to_vec();
    for index in 0..placed.len() {
        let least = if index == 0 {
            low
        } else {
            placed[index - 1] + distance
        };
        placed[index] = placed[index].max(least);
    }
    for index in (0..placed.len()).rev() {
        let most = if index + 1 == placed.len() {
            high
        } else {
            placed[index + 1] - distance
        };
        placed[index] = placed[index].min(most);
    }
    placed
}

/// A ring around the lowest value, and under it the value and its place.
fn mark_kept(canvas: &mut Canvas, plot: &Plot, kept: (f64, f64), horizontal: Horizontal) {
    let centre = plot.point(kept);
    let everywhere = canvas.area();
    canvas.disc(centre, 7.0, BLUE, everywhere);
    canvas.disc(centre, 4.6, PAPER, everywhere);
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
    let left = plot.area.left as f32 + half + 6.0;
    let right = plot.area.right() as f32 - half - 6.0;
    let middle = centre.0.clamp(left, right);
    let baseline = centre.1 + 25.0;
    let behind = Area {
        left: (middle - half) as usize - 4,
        top: (baseline - style.capital_height()) as usize - 3,
        width: (2.0 * half) as usize + 8,
        height: style.capital_height() as usize + 7,
    };
    canvas.fill(behind, PAPER);
    text::draw(canvas, (middle, baseline), Anchor::Middle, style, &label);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn baseline(name: &str, bits_per_dim: f64) -> Baseline {
        Baseline {
            name: name.to_owned(),
            bits_per_dim,
        }
    }

    #[test]
    fn a_far_baseline_does_not_squeeze_the_others() {
        let validation = [(0.0, 4.0), (1.0, 2.3), (2.0, 2.1), (3.0, 2.0)];
        let near = [baseline("tree", 2.18), baseline("independent", 2.42)];
        let range = vertical_range(&validation, &near);
        assert!(range.contains(2.42) && range.high < 2.5, "{range:?}");
        let far = [near[0].clone(), baseline("uniform", 4.09), near[1].clone()];
        assert_eq!(vertical_range(&validation, &far), range);
        assert!(!range.contains(4.0), "{range:?}");
        let mild = [(0.0, 2.7), (1.0, 2.3), (2.0, 2.1), (3.0, 2.0)];
        assert!(vertical_range(&mild, &[]).contains(2.7));
        let better = [baseline("tree", 1.5)];
        assert!(vertical_range(&validation, &better).contains(1.5));
    }

    #[test]
    fn labels_are_moved_apart_and_stay_inside() {
        assert_eq!(spread(&[10.0, 50.0], 20.0, 0.0, 100.0), [10.0, 50.0]);
        assert_eq!(
            spread(&[50.0, 51.0, 52.0], 20.0, 0.0, 100.0),
            [50.0, 70.0, 90.0]
        );
        assert_eq!(spread(&[90.0, 95.0], 20.0, 0.0, 100.0), [80.0, 100.0]);
        assert_eq!(spread(&[-5.0], 20.0, 0.0, 100.0), [0.0]);
    }
}
