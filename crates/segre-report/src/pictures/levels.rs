//! Levels that a training curve is compared with: which of them a scale shows, and where their names stand.

use super::axis::{LABEL, Plot, Scale, number};
use super::colour::{GREY, PAPER};
use super::curve::Width;
use super::drawing::{Anchor, Drawing, Point};

/// Height of a line of labels in the margin.
const LINE: f32 = 19.0;
/// How far off, relative to what is shown anyway, a value is left out.
const FAR: f64 = 2.5;

/// A level to compare the validation with, drawn as a dashed line.
#[derive(Clone, Debug)]
pub struct Baseline {
    /// What it is.
    pub name: String,
    /// Its bits/dim.
    pub bits_per_dim: f64,
}

/// From the lowest of values and baselines to the highest that is not far off.
///
/// Far off is what lies more than [`FAR`] times as high above the best value as all that is shown
/// anyway: the settled last three quarters of the run, and then baselines from low to high.
pub(super) fn vertical_scale(validation: &[(f64, f64)], baselines: &[Baseline]) -> Scale {
    let values = |points: &[(f64, f64)]| points.iter().map(|(_, y)| *y).collect::<Vec<f64>>();
    let low = values(validation).into_iter().fold(f64::INFINITY, f64::min);
    let (early, settled) = validation.split_at(validation.len() / 4);
    let levels = baselines.iter().map(|line| line.bits_per_dim);
    let mut levels: Vec<f64> = levels.filter(|level| level.is_finite()).collect();
    levels.sort_by(f64::total_cmp);
    let near = |high: f64, value: f64| high == low || value - low <= FAR * (high - low);
    let high = values(settled).into_iter().fold(low, f64::max);
    let early = values(early).into_iter().filter(|value| near(high, *value));
    let mut high = early.fold(high, f64::max);
    for level in &levels {
        if near(high, *level) {
            high = high.max(*level);
        }
    }
    let lowest = levels.first().copied().unwrap_or(low).min(low);
    // Room below for the label of the kept point.
    Scale::linear(lowest, high).padded(0.16, 0.06)
}

/// Dashed lines with their names in the right margin, or upon them, moved apart where they would overlap, on the side that
/// the curve leaves free; those of levels above the panel stand over it with an arrow.
pub(super) fn name_baselines(
    drawing: &mut Drawing,
    plot: &Plot,
    baselines: &[Baseline],
    width: Width,
    curve: &[Point],
) {
    let finite = baselines
        .iter()
        .filter(|line| line.bits_per_dim.is_finite());
    let (mut inside, outside): (Vec<_>, Vec<_>) =
        finite.partition(|line| plot.up.contains(line.bits_per_dim));
    let label = |line: &Baseline| format!("{} {}", line.name, number(line.bits_per_dim, 3));
    let ((left, top), (right, bottom)) = (plot.corner, plot.end());
    let margin = right + 26.0;
    for (index, line) in outside.iter().rev().enumerate() {
        let foot = top - 14.0 - LINE * index as f32;
        let margin = match width {
            Width::Whole => margin,
            Width::Narrow => right - LABEL.width(&label(line)),
        };
        let (x, tip) = (margin - 14.0, foot - 11.0);
        drawing.line(&[(x, foot), (x, tip)], 1.4, GREY);
        let head = [(x - 3.5, tip + 4.0), (x, tip), (x + 3.5, tip + 4.0)];
        drawing.line(&head, 1.4, GREY);
        drawing.text((margin, foot), Anchor::Start, LABEL, &label(line));
    }
    inside.sort_by(|a, b| b.bits_per_dim.total_cmp(&a.bits_per_dim));
    let levels: Vec<f32> = inside
        .iter()
        .map(|line| plot.y(line.bits_per_dim))
        .collect();
    if width == Width::Narrow {
        for level in &levels {
            drawing.dashes(&[(left, *level), (right, *level)], 1.5, GREY);
        }
        // Their middles, half a line above what they name.
        let above: Vec<f32> = levels.iter().map(|level| level - LINE / 2.0).collect();
        let placed = spread(&above, LINE, top - LINE / 2.0, bottom - LINE / 2.0);
        for (line, y) in inside.iter().zip(placed) {
            let label = label(line);
            let (wide, high) = (LABEL.width(&label) + 6.0, LABEL.drop() * 2.0 + 5.0);
            let top = y - high / 2.0;
            let free = |x: f32| !crosses(curve, (x, x + wide), (top, top + high));
            let corner = match free(right - wide) || !free(left) {
                true => right - wide,
                false => left,
            };
            drawing.rectangle((corner, top), (wide, high), PAPER);
            let base = (corner + 3.0, y + LABEL.drop());
            drawing.text(base, Anchor::Start, LABEL, &label);
        }
        return;
    }
    let placed = spread(&levels, LINE, top + 4.0, bottom);
    for ((line, level), y) in inside.iter().zip(levels).zip(placed) {
        drawing.dashes(&[(left, level), (right, level)], 1.5, GREY);
        let ends = [
            (right + 3.0, level),
            (right + 8.0, level),
            (margin - 9.0, y),
            (margin - 5.0, y),
        ];
        drawing.line(&ends, 1.0, GREY);
        drawing.text(
            (margin, y + LABEL.drop()),
            Anchor::Start,
            LABEL,
            &label(line),
        );
    }
}

/// Whether a line from left to right goes through a rectangle, given by its ends across and down.
fn crosses(line: &[Point], (from, to): (f32, f32), (top, bottom): (f32, f32)) -> bool {
    line.windows(2).any(|ends| {
        let [(left, first), (right, last)] = [ends[0], ends[1]];
        let slope = (last - first) / (right - left).max(f32::EPSILON);
        let (begin, end) = (left.max(from), right.min(to));
        let [y, z] = [begin, end].map(|x| first + slope * (x - left));
        begin <= end && y.min(z) <= bottom && y.max(z) >= top
    })
}

/// Moves ascending positions apart to at least `distance`, within `low..high` where there is room.
fn spread(wanted: &[f32], distance: f32, low: f32, high: f32) -> Vec<f32> {
    let mut placed = wanted.to_vec();
    let mut least = low;
    for place in &mut placed {
        *place = place.max(least);
        least = *place + distance;
    }
    let mut most = high;
    for place in placed.iter_mut().rev() {
        *place = place.min(most);
        most = *place - distance;
    }
    placed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn baseline(name: &str, bits_per_dim: f64) -> Baseline {
        let name = name.to_owned();
        Baseline { name, bits_per_dim }
    }

    #[test]
    fn a_far_baseline_does_not_squeeze_the_others() {
        let validation = [(0.0, 4.0), (1.0, 2.3), (2.0, 2.1), (3.0, 2.0)];
        let near = [baseline("tree", 2.18), baseline("independent", 2.42)];
        let scale = vertical_scale(&validation, &near);
        assert!(scale.contains(2.42) && scale.high < 2.5 && !scale.contains(4.0));
        let far = [near[0].clone(), baseline("uniform", 4.09), near[1].clone()];
        assert_eq!(vertical_scale(&validation, &far), scale);
        let mild = [(0.0, 2.7), (1.0, 2.3), (2.0, 2.1), (3.0, 2.0)];
        assert!(vertical_scale(&mild, &[]).contains(2.7));
        assert!(vertical_scale(&validation, &[baseline("tree", 1.5)]).contains(1.5));
    }

    #[test]
    fn a_line_crosses_what_it_goes_through() {
        let line = [(0.0, 0.0), (10.0, 0.0), (20.0, 100.0)];
        assert!(crosses(&line, (2.0, 4.0), (-1.0, 1.0)));
        assert!(crosses(&line, (14.0, 16.0), (45.0, 55.0)));
        assert!(!crosses(&line, (0.0, 10.0), (1.0, 50.0)));
        assert!(!crosses(&line, (18.0, 20.0), (0.0, 50.0)));
    }

    #[test]
    fn labels_are_moved_apart_and_stay_inside() {
        assert_eq!(spread(&[10.0, 50.0], 20.0, 0.0, 100.0), [10.0, 50.0]);
        let close = spread(&[50.0, 51.0, 52.0], 20.0, 0.0, 100.0);
        assert_eq!(close, [50.0, 70.0, 90.0]);
        assert_eq!(spread(&[90.0, 95.0], 20.0, 0.0, 100.0), [80.0, 100.0]);
        assert_eq!(spread(&[-5.0], 20.0, 0.0, 100.0), [0.0]);
    }
}
