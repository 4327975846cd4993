//! A line chart of an experiment's summary: one line per method, a setting or a measured column across.

use anyhow::Result;

use super::results::Summary;
use super::run::Run;
use segre_report::pictures::chart::{Axis, Look, Panel, Series, draw_charts};
use segre_report::pictures::colour::{GREY, INK, Palette};

/// What is drawn.
pub struct Chart<'a> {
    pub title: &'a str,
    /// The setting that tells the lines apart.
    pub lines: &'a str,
    /// What lies across: name of the setting or further column, name of the axis, whether it is logarithmic.
    pub across: (&'a str, &'a str, bool),
    /// The value's axis and whether it is logarithmic.
    pub up: (&'a str, bool),
    pub references: &'a [Reference<'a>],
}

/// What is drawn beside the values, or left out.
pub enum Reference<'a> {
    /// The floor by the cells of a line, of all cells where they share it, dashed.
    Floor(Option<&'a str>),
    /// What a uniform sampler has, by the cells of a line, dashed.
    Uniform(&'a str),
    /// Cells with this value of a setting only.
    Only(&'a str, &'a str),
}

/// Draws the summary of a run.
pub fn draw_lines(run: &mut Run, file: &str, chart: &Chart) -> Result<()> {
    let kept = |summary: &&Summary| {
        chart.references.iter().all(|reference| match reference {
            Reference::Only(name, value) => summary.settings.get(*name).is_some_and(|v| v == value),
            _ => true,
        })
    };
    let cells: Vec<&Summary> = run.summary().iter().filter(kept).collect();
    let line_of = |summary: &Summary| {
        summary
            .settings
            .get(chart.lines)
            .cloned()
            .unwrap_or_default()
    };
    let mut names: Vec<String> = Vec::new();
    for name in cells.iter().map(|cell| line_of(cell)) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let across = |summary: &Summary| -> f64 {
        let (name, ..) = chart.across;
        let setting = summary
            .settings
            .get(name)
            .and_then(|value| value.parse().ok());
        setting
            .or(summary.further.get(name).copied())
            .unwrap_or(f64::NAN)
    };
    let points =
        |line: Option<&str>, value: &dyn Fn(&Summary) -> (f64, f64)| -> Vec<(f64, f64, f64)> {
            let is_own = |cell: &&&Summary| line.is_none_or(|line| line_of(cell) == line);
            let own = cells.iter().filter(is_own);
            let mut points: Vec<_> = own
                .map(|cell| {
                    let (value, error) = value(cell);
                    (across(cell), value, error)
                })
                .collect();
            points.sort_by(|a, b| a.0.total_cmp(&b.0));
            points
        };
    let palette = Palette::distinct(names.len() + 1)?;
    let mut series: Vec<Series> = Vec::new();
    for (name, colour) in names.iter().zip(1..) {
        series.push(Series {
            name: name.clone(),
            colour: palette.colour(colour).unwrap_or_default(),
            points: points(Some(name), &|cell| {
                (cell.mean, cell.sigma.or(cell.std_error).unwrap_or(0.0))
            }),
            look: Look::Line,
        });
    }
    for reference in chart.references {
        let none = f64::NAN;
        let (name, colour, points) = match reference {
            Reference::Floor(line) => (
                "floor",
                INK,
                points(*line, &|cell| (cell.floor.unwrap_or(none), 0.0)),
            ),
            Reference::Uniform(line) => (
                "uniform sampler",
                GREY,
                points(Some(line), &|cell| (cell.uniform.unwrap_or(none), 0.0)),
            ),
            Reference::Only(..) => continue,
        };
        series.push(Series {
            name: name.to_owned(),
            colour,
            points,
            look: Look::Dashed,
        });
    }
    let panel = Panel {
        across: Axis {
            name: chart.across.1,
            logarithmic: chart.across.2,
        },
        up: Axis {
            name: chart.up.0,
            logarithmic: chart.up.1,
        },
        series,
    };
    let drawing = draw_charts(chart.title, &[panel])?;
    run.picture(file, &drawing)
}
