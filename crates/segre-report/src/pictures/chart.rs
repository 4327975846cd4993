//! Line charts side by side: quantities against a setting, with error bars, linear or logarithmic.

use anyhow::{Context, Result};

use super::axis::{LABEL, Plot, Scale, TITLE};
use super::colour::{INK, Rgb};
use super::drawing::{Anchor, Drawing, Paint, Point};

/// One line of a chart.
#[derive(Clone, Debug)]
pub struct Series {
    /// Its name in the legend, where it has none if empty; series of one name in several panels have one entry.
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

const LEFT: f32 = 66.0;
const TOP: f32 = 104.0;
/// Height of a row of the legend; the first one lies within the top.
const LEGEND_ROW: f32 = 24.0;
const BOTTOM: f32 = 58.0;
const RIGHT: f32 = 24.0;
const SIZE: (f32, f32) = (380.0, 290.0);

/// Draws panels side by side under a title and one legend.
///
/// # Errors
/// If a panel has no point to draw.
pub fn draw_charts(title: &str, panels: &[Panel]) -> Result<Drawing> {
    let one = LEFT + SIZE.0 + RIGHT;
    let width = one * panels.len() as f32;
    let legend = lay_out_legend(panels, width - RIGHT);
    let rows = legend.last().map_or(-1.0, |(_, row, _)| *row);
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
        if series.name.is_empty() || entries.iter().any(|(.., known)| known.name == series.name) {
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

fn draw_panel(drawing: &mut Drawing, panel: &Panel, corner: Point) -> Result<()> {
    let points = || panel.series.iter().flat_map(|series| &series.points);
    let ends = points().flat_map(|(_, y, error)| [y - error, *y, y + error]);
    let across = Scale::spanning(points().map(|point| point.0), panel.across.logarithmic);
    let up = Scale::spanning(ends, panel.up.logarithmic);
    let scales = across.zip(up);
    let (across, up) = scales.with_context(|| format!("{}: nothing to draw", panel.up.name))?;
    let plot = Plot {
        corner,
        size: SIZE,
        across: across.padded(0.04, 0.06),
        up: up.padded(0.04, 0.06),
    };
    plot.backdrop(drawing, panel.up.name, INK, 6);
    plot.foot(drawing, panel.across.name, 6);
    let mut order: Vec<&Series> = panel.series.iter().collect();
    order.sort_by_key(|series| series.look == Look::Dashed);
    for series in order {
        let shown = |x, y| (plot.across.fraction(x) + plot.up.fraction(y)).is_finite();
        let usable = series.points.iter().filter(|(x, y, _)| shown(*x, *y));
        let bars = usable.clone().filter(|(.., error)| *error > 0.0);
        let faint = Paint {
            colour: series.colour,
            opacity: 0.6,
        };
        for (x, y, error) in bars {
            // What ends at 0 or below goes on to the end of a logarithmic axis.
            let low = plot.y(y - error).min(plot.end().1);
            let (x, high) = plot.point((*x, y + error));
            drawing.line(&[(x, low), (x, high)], 1.4, faint);
        }
        let line: Vec<Point> = usable.map(|(x, y, _)| plot.point((*x, *y))).collect();
        draw_line(drawing, series, &line);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pictures::colour::BLUE;
    use crate::pictures::drawing::tests::Decoded;

    fn chart(logarithmic: bool, points: &[(f64, f64, f64)]) -> Result<Drawing> {
        let axis = |name| Axis { name, logarithmic };
        let panel = Panel {
            across: axis("categories"),
            up: axis("KL, nats"),
            series: vec![Series {
                name: "segre".into(),
                colour: BLUE,
                points: points.to_vec(),
                look: Look::Line,
            }],
        };
        draw_charts("law", &[panel])
    }

    #[test]
    fn a_power_law_is_a_straight_line_between_logarithmic_axes() {
        let points = [1.0, 10.0, 100.0].map(|x: f64| (x, x * x, 0.0));
        let decoded = Decoded::of(&chart(true, &points).expect("drawn"));
        let row = |x: usize| (220..840).find(|y| decoded.pixel(x, *y) == BLUE);
        // Away from the points themselves, which are drawn as dots.
        let rows = [220, 420, 620].map(|x| row(x).expect("line") as i64);
        assert!((rows[0] - 2 * rows[1] + rows[2]).abs() <= 4, "{rows:?}");
        assert!(rows[0] > rows[2] + 200, "{rows:?}");
    }

    #[test]
    fn an_error_bar_beyond_zero_goes_to_the_end_of_a_logarithmic_axis() {
        let points = [(1.0, 0.1, 0.0), (10.0, 1.0, 2.0), (100.0, 0.1, 0.0)];
        let decoded = Decoded::of(&chart(true, &points).expect("drawn"));
        let middle = (2.0 * LEFT + SIZE.0) as usize;
        let mut columns = middle - 16..middle + 16;
        let last = 2 * (TOP + SIZE.1) as usize - 6;
        assert!(columns.any(|x| decoded.pixel(x, last)[0] < 200), "no bar");
    }

    #[test]
    fn nothing_to_draw_is_refused() {
        assert!(chart(false, &[]).is_err());
        assert!(chart(true, &[(1.0, 0.0, 0.0)]).is_err());
        chart(true, &[(1.0, 2.0, 3.0)]).expect("drawn");
    }
}
