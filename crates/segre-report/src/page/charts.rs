//! Charts of pages: what an overview holds, drawn.

use anyhow::Result;
use segre::data::Schema;
use segre::evaluation::contacts::{self, Structure};
use segre::evaluation::overview::{Bar, ColumnView, RowScores, TableView};
use segre::run::LoggedRound;

use super::{Arrangement, Block, Small};

use crate::pictures::chart::{Axis, Look, Panel, Series, draw_charts};
use crate::pictures::colour::{BLUE, GREY, Rgb, VERMILION};
use crate::pictures::column::draw_column;
use crate::pictures::drawing::{Drawing, swatch};
use crate::pictures::grid::{ImageShape, draw_tiles};
use crate::pictures::key::Key;
use crate::pictures::matrix::{Matrix, draw_matrices};

/// The outline of a histogram.
pub fn outline(name: &str, colour: Rgb, edges: &[f64], heights: &[f64]) -> Series {
    let tops = heights
        .iter()
        .zip(edges.windows(2))
        .flat_map(|(height, ends)| [(ends[0], *height, 0.0), (ends[1], *height, 0.0)]);
    let ends = [edges.first(), edges.last()].map(|edge| edge.map(|edge| (*edge, 0.0, 0.0)));
    Series {
        name: name.to_owned(),
        colour,
        points: ends[0].into_iter().chain(tops).chain(ends[1]).collect(),
        look: Look::Line,
    }
}

/// One chart of lines.
pub fn lines(title: &str, across: &str, up: &str, series: Vec<Series>) -> Result<Drawing> {
    let (across, up) = (linear(across), linear(up));
    draw_charts(title, &[Panel { across, up, series }])
}

fn linear(name: &str) -> Axis<'_> {
    Axis {
        name,
        logarithmic: false,
    }
}

/// Histograms of energies; shares are seen over many powers of ten, down to one of so many samples.
pub fn energies(edges: &[f64], shares: [&[f64]; 2], samples: f64) -> Result<Drawing> {
    let named = [("samples", VERMILION), ("exact samples", BLUE)];
    let there = named
        .into_iter()
        .zip(shares)
        .filter(|(_, own)| !own.is_empty());
    let series = there.map(|((name, colour), shares)| {
        // Where no sample is, the outline runs along the foot.
        let seen: Vec<f64> = shares
            .iter()
            .map(|share| share.max(0.5 / samples))
            .collect();
        let mut own = outline(name, colour, edges, &seen);
        own.points.retain(|(_, share, _)| *share > 0.0);
        own
    });
    let panel = Panel {
        across: linear("energy, nats"),
        up: Axis {
            name: "share of samples",
            logarithmic: true,
        },
        series: series.collect(),
    };
    draw_charts("Energies", &[panel])
}

/// How the scores of rows spread.
pub fn row_scores(scores: &RowScores) -> Result<Drawing> {
    let heights: Vec<f64> = scores.counts.iter().map(|count| *count as f64).collect();
    let series = outline("", BLUE, &scores.edges, &heights);
    let across = "bound of the negative log-likelihood, nats";
    lines(
        "Scores of test rows",
        across,
        "number of rows",
        vec![series],
    )
}

/// How sure the model is and how right, in per cent.
pub fn calibration(points: &[(f64, f64)]) -> Result<Drawing> {
    let series = |name: &str, colour, look, points: Vec<(f64, f64, f64)>| Series {
        name: name.to_owned(),
        colour,
        points,
        look,
    };
    let own = points.iter().map(|(x, y)| (100.0 * x, 100.0 * y, 0.0));
    lines(
        "Calibration of hidden cells",
        "probability of the most probable label, %",
        "share that is right, %",
        vec![
            series("model", BLUE, Look::Line, own.collect()),
            series(
                "perfectly calibrated",
                GREY,
                Look::Dashed,
                vec![(0.0, 0.0, 0.0), (100.0, 100.0, 0.0)],
            ),
        ],
    )
}

/// Rounds of a fit to an energy alone: how far the energy is reached, and how well the network follows it.
pub fn rounds(rounds: &[LoggedRound]) -> Result<Drawing> {
    let series = |name: &str, colour, of: fn(&LoggedRound) -> f64| Series {
        name: name.to_owned(),
        colour,
        points: rounds.iter().map(|own| (own.step, of(own), 0.0)).collect(),
        look: Look::Line,
    };
    let all = vec![
        series("inverse temperature", BLUE, |own| own.inverse_temperature),
        series("effective share of draws", VERMILION, |own| {
            own.effective_share
        }),
    ];
    lines("Rounds", "step", "of 1", all)
}

/// Strengths of pairs: of training rows, of samples, and their difference.
pub fn pairs(view: &TableView) -> Option<Block> {
    let count = 1 + view.pairs.iter().map(|pair| pair.columns[1]).max()?;
    let names: Vec<&str> = view.columns[..count]
        .iter()
        .map(|own| &own.name[..])
        .collect();
    let mut entries = [(); 3].map(|()| vec![None; count * count]);
    for pair in &view.pairs {
        let [first, second] = pair.columns;
        let difference = pair.sampled.zip(pair.real).map(|(own, real)| own - real);
        let values = [pair.real, pair.sampled, difference];
        for (entries, value) in entries.iter_mut().zip(values) {
            entries[first * count + second] = value;
            entries[second * count + first] = value;
        }
    }
    let largest = view
        .pairs
        .iter()
        .filter_map(|pair| Some((pair.sampled? - pair.real?).abs()))
        .fold(0.05, f64::max);
    let [real, sampled, difference] = entries;
    let matrix = |caption, entries, largest| Matrix {
        caption,
        entries,
        largest,
        yes_or_no: false,
        signed: true,
    };
    let matrices = vec![
        matrix("real", real, 1.0),
        matrix("sampled", sampled, 1.0),
        matrix("sampled − real", difference, largest),
    ];
    Some(beside(matrices, &names, "strengths of pairs of columns"))
}

/// Matrices of one size, each with what is said of it.
fn beside(matrices: Vec<Matrix>, names: &[&str], of: &str) -> Block {
    let small = |matrix: Matrix| {
        let alt = format!("Matrix of the {of}: {}", matrix.caption);
        Small::new(&draw_matrices(&[matrix], names), "", alt)
    };
    let charts = matrices.into_iter().map(small).collect();
    Block::charts(Arrangement::Columns, charts)
}

/// Dependences of places, real beside sampled, and what is in contact where a structure is known.
pub fn places([real, sampled]: [&[f64]; 2], places: usize, structure: Option<&Structure>) -> Block {
    let mut sorted = real.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    // The strongest pairs alone would leave the others in the dark.
    let largest = sorted[(sorted.len() * 995 / 1000).min(sorted.len() - 1)].max(1e-9);
    let matrix = |caption, entries: &[f64]| Matrix {
        caption,
        entries: entries.iter().copied().map(Some).collect(),
        largest,
        yes_or_no: false,
        signed: false,
    };
    // Every tenth place has its number.
    let name = |place: usize| match place.is_multiple_of(10) {
        true => place.to_string(),
        false => String::new(),
    };
    let names: Vec<String> = (1..=places).map(name).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut matrices = vec![matrix("real", real), matrix("sampled", sampled)];
    matrices.extend(structure.map(|structure| {
        let pairs = (0..places * places).map(|pair| [pair / places, pair % places]);
        let near = |[first, second]: [usize; 2]| {
            let distance = structure.distance(first, second)?;
            Some(f64::from(u8::from(distance < contacts::NEAR)))
        };
        Matrix {
            caption: "in contact (yellow)",
            entries: pairs.map(near).collect(),
            largest: 1.0,
            yes_or_no: true,
            signed: false,
        }
    }));
    beside(matrices, &names, "dependence of pairs of places")
}

/// Distances from the nearest training row: of samples, test rows and validation rows.
pub fn distances(found: &[Vec<u32>; 3]) -> Result<Drawing> {
    let named = [("samples", VERMILION), ("test", BLUE), ("validation", GREY)];
    let cumulative = |distances: &Vec<u32>| {
        let mut sorted = distances.clone();
        sorted.sort_unstable();
        let step = sorted.len().div_ceil(200).max(1);
        let all = sorted.len() as f64;
        // A step up where a row lies: the share below it, and with it.
        let share = move |(place, x): (usize, u32)| {
            let [below, with] =
                [place, place + 1].map(|rows| (f64::from(x), rows as f64 / all, 0.0));
            [below, with]
        };
        let places = sorted.into_iter().enumerate().step_by(step);
        places.flat_map(share).collect::<Vec<_>>()
    };
    let series = named
        .into_iter()
        .zip(found)
        .map(|((name, colour), own)| Series {
            name: name.to_owned(),
            colour,
            points: cumulative(own),
            look: Look::Line,
        });
    lines(
        "Distance from the nearest training picture",
        "pixels that differ",
        "share of pictures at most that far",
        series.collect(),
    )
}

/// Groups of pictures beside each other: what they are, their labels, and what stands below them. In a `row` the pictures
/// of one line belong together.
pub fn pictures(
    schema: &Schema,
    [height, width]: [usize; 2],
    groups: &[(&str, &[u16], String)],
    row: bool,
) -> Result<Block> {
    let key = Key::of(schema)?;
    let shape = ImageShape { height, width };
    let small = |(title, labels, caption): &(&str, &[u16], String)| {
        let drawing = draw_tiles(labels, shape, &key.palette, row)?;
        Ok(Small::new(&drawing, title, format!("Pictures: {title}")).captioned(caption))
    };
    let named = key
        .entries()
        .map(|(name, colour)| (name.to_owned(), swatch(colour)));
    Ok(Block::Charts {
        layout: if row {
            Arrangement::Row
        } else {
            Arrangement::Own
        },
        key: named.collect(),
        charts: groups.iter().map(small).collect::<Result<_>>()?,
    })
}

/// What the colours of real and sampled mean.
pub fn key(real: &str) -> Vec<(String, String)> {
    let key = [(real, BLUE), ("samples", VERMILION)];
    key.map(|(name, colour)| (name.to_owned(), swatch(colour)))
        .to_vec()
}

/// Shares of a few categories, of training rows and of samples.
pub fn shares(what: &str, all: &[(String, f64, f64)]) -> Drawing {
    let bar = |(name, real, sampled): &(String, f64, f64)| Bar {
        name: name.clone(),
        real: *real,
        sampled: *sampled,
    };
    draw_column(&ColumnView {
        name: what.to_owned(),
        kind: String::new(),
        measure: String::new(),
        score: None,
        missing: [0.0; 2],
        bars: all.iter().map(bar).collect(),
        is_number: false,
    })
}

/// How large regions of label maps are: shares of them that have at most so many pixels.
pub fn areas(areas: &[Vec<u32>; 2]) -> Result<Drawing> {
    let named = [("training maps", BLUE), ("samples", VERMILION)];
    let series = named
        .into_iter()
        .zip(areas)
        .map(|((name, colour), sorted)| {
            let share = |(place, area): (usize, &u32)| {
                (
                    f64::from(*area),
                    (place + 1) as f64 / sorted.len() as f64,
                    0.0,
                )
            };
            Series {
                name: name.to_owned(),
                colour,
                points: sorted.iter().enumerate().map(share).collect(),
                look: Look::Line,
            }
        });
    let panel = Panel {
        across: Axis {
            name: "pixels of a region",
            logarithmic: true,
        },
        up: linear("share of regions at most that large"),
        series: series.collect(),
    };
    draw_charts("Areas of regions", &[panel])
}
