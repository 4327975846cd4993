//! Line charts side by side: quantities against a setting, with error bars, linear or logarithmic.

use anyhow::{Result, ensure};

use super::axis::{Range, number};
use super::colour::{FAINT, GREY, INK, Rgb};
use super::drawing::{Drawing, Paint, Point};
use super::plot::{HEADING, LABEL};
use super::text::{Anchor, Style};

/// One line of a chart.
#[derive(Clone, Debug)]
pub struct Series {
    /// Its name in the legend; series of one name in several panels have one entry.
    pub name: String,
    /// Its colour.
    pub colour: Rgb,
    /// Points and the half length of their error bars, 0 for none; not finite ones are left out.
    pub points: Vec<(f64, f64, f64)>,
    /// How it is drawn.
    pub look: Look,
}

/// How a series is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// A line, with marks where points are few.
    Line,
    /// A dashed line above the others, for a reference.
    Dashed,
}

/// Most points that are marked.
const MARKED: usize = 30;

/// An axis.
#[derive(Clone, Copy, Debug)]
pub struct Axis<'a> {
    /// Name and unit.
    pub name: &'a str,
    /// Logarithmic instead of linear; values that are not positive are then left out.
    pub logarithmic: bool,
}

/// One chart.
#[derive(Clone, Debug)]
pub struct Panel<'a> {
    /// The horizontal axis.
    pub across: Axis<'a>,
    /// The vertical axis.
    pub up: Axis<'a>,
    /// The lines.
    pub series: Vec<Series>,
}

const LEFT: f32 = 74.0;
const TOP: f32 = 104.0;
/// Height of a row of the legend; the first one lies within the top.
const LEGEND_ROW: f32 = 24.0;
const BOTTOM: f32 = 58.0;
const RIGHT: f32 = 24.0;
const SIZE: (f32, f32) = (440.0, 320.0);
const TITLE: Style = Style {
    size: 19.0,
    bold: true,
    colour: INK,
};

/// Draws panels side by side under a title and one legend.
///
/// # Errors
/// If a panel has no point to draw.
pub fn draw_charts(title: &str, panels: &[Panel]) -> Result<Drawing> {
    let one = LEFT + SIZE.0 + RIGHT;
    let width = one * panels.len() as f32;
    let legend = lay_out_legend(panels, width - RIGHT);
    let rows = legend.last().map_or(0.0, |(_, row, _)| *row);
    let top = TOP + rows * LEGEND_ROW;
    let mut drawing = Drawing::new(width, top + SIZE.1 + BOTTOM);
    drawing.text((LEFT, 32.0), Anchor::Start, TITLE, title);
    for (left, row, series) in legend {
        let height = 57.0 + row * LEGEND_ROW;
        let line = [(left, height), (left + 26.0, height)];
        draw_line(&mut drawing, series, &line);
        let name = (left + 34.0, height + 5.0);
        drawing.text(name, Anchor::Start, LABEL, &series.name);
    }
    for (index, panel) in panels.iter().enumerate() {
        let corner = (index as f32 * one + LEFT, top);
        draw_panel(&mut drawing, panel, corner)?;
    }
    Ok(drawing)
}

/// Left end and row of every entry; a row that is full goes on in the next one.
fn lay_out_legend<'a>(panels: &'a [Panel], right: f32) -> Vec<(f32, f32, &'a Series)> {
    let mut entries: Vec<(f32, f32, &Series)> = Vec::new();
    let (mut left, mut row) = (LEFT, 0.0);
    for series in panels.iter().flat_map(|panel| &panel.series) {
        if entries.iter().any(|(.., known)| known.name == series.name) {
            continue;
        }
        let width = 34.0 + LABEL.width(&series.name);
        if left > LEFT && left + width > right {
            (left, row) = (LEFT, row + 1.0);
        }
        entries.push((left, row, series));
        left += width + 26.0;
    }
    entries
}

fn draw_line(drawing: &mut Drawing, series: &Series, points: &[Point]) {
    if series.look == Look::Dashed {
        return drawing.dashes(points, 1.6, series.colour);
    }
    drawing.line(points, 2.0, series.colour);
    if series.points.len() <= MARKED {
        for point in points {
            drawing.disc(*point, 3.6, series.colour);
        }
    }
}

/// Values to the line of an axis.
#[derive(Clone, Copy)]
struct Scale {
    range: Range,
    logarithmic: bool,
}

impl Scale {
    fn of(values: impl Iterator<Item = f64>, logarithmic: bool) -> Option<Self> {
        let kept = values.filter(|value| value.is_finite() && (!logarithmic || *value > 0.0));
        let kept = kept.map(|value| if logarithmic { value.log10() } else { value });
        let (low, high) = kept.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
            (low.min(value), high.max(value))
        });
        (low <= high).then(|| Self {
            range: Range::new(low, high).padded(0.04, 0.06),
            logarithmic,
        })
    }

    fn fraction(&self, value: f64) -> Option<f32> {
        let value = if self.logarithmic {
            value.log10()
        } else {
            value
        };
        let fraction = self.range.fraction(value);
        fraction
            .is_finite()
            .then_some(fraction.clamp(0.0, 1.0) as f32)
    }

    fn ticks(&self) -> Vec<(f64, String)> {
        if !self.logarithmic {
            return self.range.ticks(6);
        }
        let decades = self.range.low.floor() as i32..=self.range.high.ceil() as i32;
        // Few decades: also twos and fives between them.
        let between: &[f64] = match self.range.high - self.range.low {
            0.0..2.5 => &[1.0, 2.0, 5.0],
            _ => &[1.0],
        };
        decades
            .flat_map(|decade| between.iter().map(move |factor| (decade, *factor)))
            .map(|(decade, factor)| (decade, factor * 10_f64.powi(decade)))
            .filter(|(_, value)| self.range.contains(value.log10()))
            .map(|(decade, value)| (value, label(value, decade)))
            .collect()
    }
}

/// `0.002`, `500`, `1e-6`: a value with one significant digit.
fn label(value: f64, decade: i32) -> String {
    match decade {
        -4..=-1 => number(value, (-decade) as usize),
        0..=5 => number(value, 0),
        _ => format!("{value:.0e}"),
    }
}

fn draw_panel(drawing: &mut Drawing, panel: &Panel, corner: Point) -> Result<()> {
    let (left, top) = corner;
    let (right, bottom) = (left + SIZE.0, top + SIZE.1);
    let points = || panel.series.iter().flat_map(|series| &series.points);
    let across = Scale::of(points().map(|point| point.0), panel.across.logarithmic);
    let ends = points().flat_map(|(_, y, error)| [y - error, *y, y + error]);
    let up = Scale::of(ends, panel.up.logarithmic);
    let (Some(across), Some(up)) = (across, up) else {
        ensure!(false, "{}: nothing to draw", panel.up.name);
        return Ok(());
    };
    let place = |x: f64, y: f64| -> Option<Point> {
        let (x, y) = (across.fraction(x)?, up.fraction(y)?);
        Some((left + x * SIZE.0, bottom - y * SIZE.1))
    };
    drawing.text((left, top - 12.0), Anchor::Start, HEADING, panel.up.name);
    for (value, label) in up.ticks() {
        let Some(fraction) = up.fraction(value) else {
            continue;
        };
        let y = bottom - fraction * SIZE.1;
        drawing.line(&[(left, y), (right, y)], 1.0, FAINT);
        drawing.text((left - 9.0, y + 5.0), Anchor::End, LABEL, &label);
    }
    for (value, label) in across.ticks() {
        let Some(fraction) = across.fraction(value) else {
            continue;
        };
        let x = left + fraction * SIZE.0;
        drawing.line(&[(x, bottom), (x, bottom + 5.0)], 1.0, GREY);
        drawing.text((x, bottom + 21.0), Anchor::Middle, LABEL, &label);
    }
    drawing.line(&[(left, bottom), (right, bottom)], 1.0, GREY);
    let middle = (left + SIZE.0 / 2.0, bottom + 44.0);
    drawing.text(middle, Anchor::Middle, LABEL, panel.across.name);
    let (dashed, lines): (Vec<_>, Vec<_>) = panel
        .series
        .iter()
        .partition(|series| series.look == Look::Dashed);
    for series in lines.into_iter().chain(dashed) {
        let usable = series.points.iter().filter(|(_, y, _)| y.is_finite());
        let mut line = Vec::new();
        for (x, y, error) in usable {
            let Some(point) = place(*x, *y) else { continue };
            line.push(point);
            if let (true, Some(high)) = (*error > 0.0, place(*x, y + error)) {
                // What ends at 0 or below goes on to the end of a logarithmic axis.
                let low = place(*x, y - error).unwrap_or((point.0, bottom));
                let faint = Paint {
                    colour: series.colour,
                    opacity: 0.6,
                };
                drawing.line(&[low, high], 1.4, faint);
            }
        }
        draw_line(drawing, series, &line);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::canvas::tests::Decoded;
    use crate::report::colour::BLUE;

    fn panel(logarithmic: bool, points: &[(f64, f64, f64)]) -> Panel<'static> {
        let axis = |name| Axis { name, logarithmic };
        Panel {
            across: axis("categories"),
            up: axis("KL, nats"),
            series: vec![Series {
                name: "segre".into(),
                colour: BLUE,
                points: points.to_vec(),
                look: Look::Line,
            }],
        }
    }

    #[test]
    fn ticks_are_round_on_both_scales() {
        let labels = |low: f64, high: f64, logarithmic| -> Vec<String> {
            let scale = Scale::of([low, high].into_iter(), logarithmic).expect("a range");
            scale.ticks().into_iter().map(|(_, label)| label).collect()
        };
        assert_eq!(
            labels(0.0, 1.0, false),
            ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]
        );
        assert_eq!(
            labels(1e-4, 1.0, true),
            ["0.0001", "0.001", "0.01", "0.1", "1"]
        );
        assert_eq!(labels(5.0, 160.0, true), ["5", "10", "20", "50", "100"]);
        assert!(Scale::of([0.0, -1.0].into_iter(), true).is_none());
    }

    #[test]
    fn a_power_law_is_a_straight_line_between_logarithmic_axes() {
        let points = [1.0, 10.0, 100.0].map(|x: f64| (x, x * x, 0.0));
        let drawing = draw_charts("law", &[panel(true, &points)]).expect("drawn");
        let decoded = Decoded::of(&drawing.to_canvas(1.0));
        let row = |x: usize| {
            (110..420)
                .find(|y| decoded.pixel(x, *y) == BLUE)
                .expect("line")
        };
        let columns = [150, 250, 350];
        let rows = columns.map(|x| row(x) as i64);
        assert!((rows[0] - 2 * rows[1] + rows[2]).abs() <= 2, "{rows:?}");
        assert!(rows[0] > rows[2] + 100, "{rows:?}");
    }

    #[test]
    fn an_error_bar_beyond_zero_goes_to_the_end_of_a_logarithmic_axis() {
        let one = [(1.0, 0.1, 0.0), (10.0, 1.0, 2.0), (100.0, 0.1, 0.0)];
        let drawing = draw_charts("bar", &[panel(true, &one)]).expect("drawn");
        let decoded = Decoded::of(&drawing.to_canvas(1.0));
        let (column, last) = ((LEFT + SIZE.0 / 2.0) as usize, (TOP + SIZE.1) as usize - 3);
        let mut columns = column - 8..column + 8;
        assert!(
            columns.any(|x| decoded.pixel(x, last)[0] < 200),
            "no bar at {column}"
        );
    }

    #[test]
    fn nothing_to_draw_is_refused() {
        assert!(draw_charts("none", &[panel(false, &[])]).is_err());
        assert!(draw_charts("none", &[panel(true, &[(1.0, 0.0, 0.0)])]).is_err());
        draw_charts("one", &[panel(true, &[(1.0, 2.0, 3.0)])]).expect("drawn");
    }
}
