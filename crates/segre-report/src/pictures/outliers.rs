//! Pictures of outliers: histograms of the scores, and the most and least likely images (EG Fig. 7).

use anyhow::Result;
use segre::evaluation::detection::{OutlierReport, OutlierScore, ScoredRows, recommended};

use super::chart::{Axis, Look, Panel, Series, draw_charts};
use super::colour::Palette;
use super::drawing::Drawing;
use super::grid::{ImageShape, Panel as Tiles, draw_grid};
use super::key::Key;

/// Bins of a histogram.
const BINS: usize = 48;
/// Images of each kind in a picture.
const EXTREMES: usize = 12;
/// Least value on a logarithmic axis.
const LEAST: f64 = 1e-3;

/// Shares of rows by likelihood and by the recommended score, one line for each set.
pub fn draw_histograms(report: &OutlierReport) -> Result<Drawing> {
    let inside = &report.test;
    let sites = inside.data.sites() as f64;
    let likelihood = |set: &ScoredRows| set.rows.iter().map(|row| row.score / sites).collect();
    let kind = recommended(&inside.data);
    let place = OutlierScore::ALL.iter().position(|own| *own == kind);
    let best = |set: &ScoredRows| set.scores[place.unwrap_or(0)].clone();
    let name = format!("recommended score: {}", kind.name());
    let panels = [
        panel("bits/dim", report, &likelihood)?,
        panel(&name, report, &best)?,
    ];
    draw_charts("Outliers", &panels)
}

fn panel<'a>(
    name: &'a str,
    report: &OutlierReport,
    value: &dyn Fn(&ScoredRows) -> Vec<f64>,
) -> Result<Panel<'a>> {
    let outside = report.sets.iter().map(|set| &set.scored);
    let sets: Vec<(&str, Vec<f64>)> = std::iter::once(&report.test)
        .chain(outside)
        .map(|set| {
            let values = value(set).into_iter().map(|x| x.max(LEAST).ln());
            (set.name.as_str(), values.collect())
        })
        .collect();
    let all = || sets.iter().flat_map(|(_, values)| values).copied();
    let low = all().fold(f64::INFINITY, f64::min);
    let high = all().fold(f64::NEG_INFINITY, f64::max).max(low + 1e-6);
    let palette = Palette::distinct(sets.len() + 1)?;
    let series = sets.iter().zip(1..).map(|((name, values), colour)| {
        let mut shares = [0.0; BINS];
        for value in values {
            let bin = ((value - low) / (high - low) * BINS as f64) as usize;
            shares[bin.min(BINS - 1)] += 1.0 / values.len() as f64;
        }
        let edge = |bin: usize| (low + (high - low) * bin as f64 / BINS as f64).exp();
        let steps = shares
            .iter()
            .enumerate()
            .flat_map(|(bin, share)| [(edge(bin), *share, 0.0), (edge(bin + 1), *share, 0.0)]);
        Series {
            name: (*name).to_owned(),
            colour: palette.colour(colour).unwrap_or_default(),
            points: steps.collect(),
            look: Look::Line,
        }
    });
    Ok(Panel {
        across: Axis {
            name,
            logarithmic: true,
        },
        up: Axis {
            name: "share of rows",
            logarithmic: false,
        },
        series: series.collect(),
    })
}

/// The most and least likely test images beside those of a set of outliers.
pub fn draw_extremes(inside: &ScoredRows, outside: &ScoredRows) -> Result<Drawing> {
    let shape = inside.data.schema.row_shape();
    let shape = ImageShape {
        height: shape[0],
        width: shape[1],
    };
    let mut groups = Vec::new();
    // The set's name is that of the file: captions have the width of a few images only.
    for (name, set) in [("test", inside), ("other", outside)] {
        let mut order: Vec<usize> = (0..set.rows.len()).collect();
        order.sort_by(|a, b| set.rows[*a].score.total_cmp(&set.rows[*b].score));
        let likely: Vec<usize> = order.iter().copied().take(EXTREMES).collect();
        let unlikely: Vec<usize> = order.iter().rev().copied().take(EXTREMES).collect();
        for (what, rows) in [("likely", likely), ("unlikely", unlikely)] {
            let labels = set.data.select(&rows).labels().to_vec();
            groups.push((format!("{name}, {what}"), labels));
        }
    }
    let tiles: Vec<Tiles> = groups
        .iter()
        .map(|(caption, labels)| Tiles { caption, labels })
        .collect();
    let key = Key::of(&inside.data.schema)?;
    Ok(key.below(draw_grid(&tiles, shape, &key.palette)?))
}
