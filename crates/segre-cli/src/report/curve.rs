//! The picture of a training run: validation bits/dim with baselines above, training loss below.

use anyhow::{Result, ensure};

use super::axis::{Range, number};
use super::canvas::{Area, Canvas};
use super::colour::{BLUE, FAINT, GREY, INK, PAPER, Rgb, VERMILION, mix};
use super::text::{self, Anchor, Style};

/// What the horizontal axis counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Horizontal {
    /// Optimisation steps.
    Steps,
    /// Seconds of training.
    Seconds,
}

/// A level to compare with, drawn as a dashed line.
#[derive(Clone, Debug)]
pub struct Baseline {
    /// What it is.
    pub name: String,
    /// Its bits/dim.
    pub bits_per_dim: f64,
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
    /// Validation bits/dim; values that are not finite are left out.
    pub validation: &'a [(f64, f64)],
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
const HEADING: Style = Style {
    size: 15.0,
    bold: true,
    colour: INK,
};
const LABEL: Style = Style {
    size: 14.0,
    bold: false,
    colour: GREY,
};
/// Height of a line of labels in the margin.
const LINE: f32 = 19.0;

/// Draws a training run, 900×560 pixels.
///
/// The lower end of the vertical scale is the best value; the upper end leaves out the first
/// quarter of the run and far baselines (which are then named at the upper edge), so that the
/// part that matters fills the picture.
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

/// Values to pixels within one panel.
struct Plot {
    area: Area,
    across: Range,
    up: Range,
}

impl Plot {
    fn y(&self, value: f64) -> f32 {
        let above = self.up.fraction(value).clamp(-10.0, 10.0) as f32;
        self.area.bottom() as f32 - above * self.area.height as f32
    }

    fn point(&self, (x, y): (f64, f64)) -> (f32, f32) {
        let right = self.across.fraction(x) as f32 * self.area.width as f32;
        (self.area.left as f32 + right, self.y(y))
    }

    fn line(&self, canvas: &mut Canvas, points: &[(f64, f64)], width: f32, colour: Rgb) {
        let pixels: Vec<_> = points.iter().map(|&point| self.point(point)).collect();
        canvas.stroke(&pixels, width, colour, self.area);
    }

    /// Heading, grid lines and value labels.
    fn backdrop(&self, canvas: &mut Canvas, heading: &str, colour: Rgb, ticks: usize) {
        let above = (self.area.left as f32, self.area.top as f32 - 14.0);
        text::draw(
            canvas,
            above,
            Anchor::Start,
            Style { colour, ..HEADING },
            heading,
        );
        for (value, label) in self.up.ticks(ticks) {
            let y = self.y(value);
            let row = (y as usize).clamp(self.area.top, self.area.bottom() - 1);
            canvas.fill(
                Area {
                    top: row,
                    height: 1,
                    ..self.area
                },
                FAINT,
            );
            let beside = (self.area.left as f32 - 10.0, row as f32 + 0.5);
            text::draw_centred(canvas, beside, Anchor::End, LABEL, &label);
        }
        canvas.fill(
            Area {
                top: self.area.bottom(),
                height: 1,
                ..self.area
            },
            GREY,
        );
    }
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
    plot.backdrop(canvas, name, VERMILION, 3);
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

fn draw_validation(
    canvas: &mut Canvas,
    area: Area,
    across: Range,
    validation: &[(f64, f64)],
    curve: &TrainingCurve,
) {
    let up = validation_range(validation, curve.baselines);
    let plot = Plot { area, across, up };
    plot.backdrop(canvas, "validation, bits/dim", BLUE, 5);
    for baseline in curve
        .baselines
        .iter()
        .filter(|line| up.contains(line.bits_per_dim))
    {
        canvas.dashes(plot.y(baseline.bits_per_dim), GREY, area);
    }
    name_baselines(canvas, &plot, curve.baselines);

    plot.line(canvas, validation, 2.4, BLUE);
    if validation.len() <= 60 {
        for &point in validation {
            canvas.disc(plot.point(point), 3.2, BLUE, area);
        }
    }
    let best = validation
        .iter()
        .copied()
        .min_by(|a, b| a.1.total_cmp(&b.1));
    if let Some(best) = best {
        mark_best(canvas, &plot, best, curve.horizontal);
    }
}

/// The vertical range of the validation panel.
fn validation_range(validation: &[(f64, f64)], baselines: &[Baseline]) -> Range {
    let low = validation
        .iter()
        .map(|(_, y)| *y)
        .fold(f64::INFINITY, f64::min);
    let settled = &validation[validation.len() / 4..];
    let mut high = settled.iter().map(|(_, y)| *y).fold(low, f64::max);
    let mut levels: Vec<f64> = baselines
        .iter()
        .map(|line| line.bits_per_dim)
        .filter(|level| level.is_finite())
        .collect();
    levels.sort_by(f64::total_cmp);
    for &level in &levels {
        // A level more than 2.5 times as far off as all before it would squeeze them together.
        if level > high && (high == low || level - low <= 2.5 * (high - low)) {
            high = level;
        }
    }
    let lowest = levels.first().copied().unwrap_or(low).min(low);
    // Room below for the label of the best point.
    Range::new(lowest, high).padded(0.16, 0.06)
}

fn name_baselines(canvas: &mut Canvas, plot: &Plot, baselines: &[Baseline]) {
    let (inside, outside): (Vec<_>, Vec<_>) = baselines
        .iter()
        .filter(|line| line.bits_per_dim.is_finite())
        .partition(|line| plot.up.contains(line.bits_per_dim));
    let text_left = plot.area.right() as f32 + 26.0;
    let top = plot.area.top as f32;
    for (index, line) in outside.iter().enumerate() {
        let y = top - 14.0 - LINE * (outside.len() - 1 - index) as f32;
        let colour = GREY;
        // An arrow: the level lies above the picture.
        let (tip, foot) = (y - 11.0, y);
        let x = text_left - 14.0;
        canvas.stroke(&[(x, foot), (x, tip)], 1.4, colour, canvas.area());
        let head = [(x - 3.5, tip + 4.0), (x, tip), (x + 3.5, tip + 4.0)];
        canvas.stroke(&head, 1.4, colour, canvas.area());
        let name = label(line);
        text::draw(canvas, (text_left, y), Anchor::Start, LABEL, &name);
    }
    let mut inside = inside;
    inside.sort_by(|a, b| b.bits_per_dim.total_cmp(&a.bits_per_dim));
    let wanted: Vec<f32> = inside
        .iter()
        .map(|line| plot.y(line.bits_per_dim))
        .collect();
    let placed = spread(&wanted, LINE, top + 4.0, plot.area.bottom() as f32);
    for ((line, level), y) in inside.iter().zip(wanted).zip(placed) {
        let leader = [
            (plot.area.right() as f32 + 3.0, level),
            (plot.area.right() as f32 + 10.0, level),
            (text_left - 10.0, y),
            (text_left - 5.0, y),
        ];
        canvas.stroke(&leader, 1.0, GREY, canvas.area());
        text::draw_centred(canvas, (text_left, y), Anchor::Start, LABEL, &label(line));
    }
}

fn label(line: &Baseline) -> String {
    format!("{} {}", line.name, number(line.bits_per_dim, 3))
}

/// Moves ascending positions apart to at least `distance`, as little as a single pass up and one
/// down allow, within `low..high` where there is room.
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

fn mark_best(canvas: &mut Canvas, plot: &Plot, best: (f64, f64), horizontal: Horizontal) {
    let centre = plot.point(best);
    let everywhere = canvas.area();
    canvas.disc(centre, 7.0, BLUE, everywhere);
    canvas.disc(centre, 4.6, PAPER, everywhere);
    let place = match horizontal {
        Horizontal::Steps => format!("step {}", number(best.0, 0)),
        Horizontal::Seconds => format!("{} s", number(best.0, 0)),
    };
    let label = format!("best {} at {place}", number(best.1, 3));
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
    use crate::report::canvas::tests::Decoded;

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
            title: "digits",
            horizontal: Horizontal::Steps,
            loss_name: "training loss, nats",
            loss,
            validation,
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
    fn a_far_baseline_does_not_squeeze_the_others() {
        let validation = [(0.0, 4.0), (1.0, 2.3), (2.0, 2.1), (3.0, 2.0)];
        let near = [baseline("tree", 2.18), baseline("independent", 2.42)];
        let range = validation_range(&validation, &near);
        assert!(range.contains(2.42) && range.high < 2.5, "{range:?}");
        let far = [near[0].clone(), baseline("uniform", 4.09), near[1].clone()];
        assert_eq!(validation_range(&validation, &far), range);
        let better = [baseline("tree", 1.5)];
        assert!(validation_range(&validation, &better).contains(1.5));
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

    #[test]
    fn averages_keep_the_mean_and_thin_the_points() {
        let points: Vec<_> = (0..1000)
            .map(|i| (f64::from(i), f64::from(i % 10)))
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
