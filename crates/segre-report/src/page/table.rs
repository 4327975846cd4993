//! Sections of a table: quality, columns, pairs, hidden cells.

use anyhow::Result;
use segre::evaluation::overview::{ColumnView, PairView, QualityMeasure, TableView};

use super::{Block, Cell, Section, Small, charts, percent, sentence, whole};
use crate::pictures::axis::number;
use crate::pictures::column::{draw_column, shortened};

/// Columns whose charts are shown, the least alike first where there are more.
const MOST_CHARTS: usize = 60;
/// Rows of a table of pairs.
const STRONGEST: usize = 30;

pub(super) fn sections(view: &TableView) -> Result<Vec<Section>> {
    let mut sections = Vec::new();
    if !view.quality.is_empty() {
        let row = |of: &QualityMeasure| {
            vec![
                Cell::from(of.name.clone()),
                Cell::number(of.value, 4),
                Cell::number(of.perfect, 4),
                Cell::number(of.copying, 4),
                Cell::from(of.meaning.clone()),
            ]
        };
        let columns = [
            ("measure", false),
            ("this model", true),
            ("a perfect one", true),
            ("a copy of the data", true),
            ("what it is", false),
        ];
        let mut blocks = vec![Block::table(
            "Quality and privacy of samples".to_owned(),
            columns,
            view.quality.iter().map(row).collect(),
        )];
        if let Some(verdict) = &view.verdict {
            blocks.push(Block::text(sentence(verdict)));
        }
        let lead = "As many samples as there are training rows (20 000 at most), by the measures of SDMetrics where it has \
                    them, each beside what a perfect model and a copy of the training rows would get.";
        sections.push(Section::new("Quality and privacy", lead, blocks));
    }
    sections.push(columns(view));
    if let Some(drawing) = charts::pairs(view) {
        let alt =
            "Matrices of the strengths of pairs of columns: real, sampled, and their difference";
        let caption = "Pearson's correlation of two columns of numbers (below 0 in vermilion), Cramér's V of other pairs.";
        let blocks = vec![Block::chart(&drawing, alt, caption), strongest(view)];
        let lead =
            "How strongly columns depend on each other, in the training rows and in samples.";
        sections.push(Section::new("Pairs of columns", lead, blocks));
    }
    if let Some(filled) = &view.filled {
        let points: Vec<(f64, f64)> = filled
            .bins
            .iter()
            .map(|bin| (bin.confidence, bin.accuracy))
            .collect();
        let mut blocks = Vec::new();
        if let Some(accuracy) = filled.accuracy {
            blocks.push(Block::text(format!(
                "{} of {} hidden cells are the model's first guess. A number counts as right if its cell is.",
                percent(accuracy),
                whole(filled.cells)
            )));
        }
        if !points.is_empty() {
            let alt = "Chart of how often the most probable label is right, by its probability";
            blocks.push(Block::chart(&charts::calibration(&points)?, alt, ""));
        }
        let lead = format!(
            "{} of the cells of test rows were hidden, and filled in by the others of their row.",
            percent(filled.hidden_share)
        );
        sections.push(Section::new("Hidden cells", lead, blocks));
    }
    Ok(sections)
}

fn columns(view: &TableView) -> Section {
    let mut shown: Vec<usize> = (0..view.columns.len()).collect();
    if shown.len() > MOST_CHARTS {
        let score = |place: &usize| view.columns[*place].score.unwrap_or(1.0);
        shown.sort_by(|a, b| score(a).total_cmp(&score(b)));
        shown.truncate(MOST_CHARTS);
        shown.sort_unstable();
    }
    let small = |place: &usize| {
        let column = &view.columns[*place];
        let mut caption = match column.score {
            Some(score) => format!("{} {}", column.measure, number(score, 4)),
            None => String::new(),
        };
        if column.missing.iter().any(|share| *share > 0.0) {
            let [real, sampled] = column.missing.map(percent);
            caption += &format!(" · missing {real} real, {sampled} sampled");
        }
        Small {
            svg: draw_column(column).to_svg(),
            alt: format!(
                "Real and sampled values of the column {}",
                shortened(&column.name, 80)
            ),
            caption,
        }
    };
    let row = |column: &ColumnView| {
        vec![
            Cell::from(column.name.clone()),
            Cell::from(column.kind.clone()),
            Cell::number(column.score, 4),
            Cell::from(column.measure.clone()),
            Cell::number(Some(100.0 * column.missing[0]), 2),
            Cell::number(Some(100.0 * column.missing[1]), 2),
        ]
    };
    let headings = [
        ("column", false),
        ("kind", false),
        ("shape", true),
        ("measure", false),
        ("missing, % real", true),
        ("missing, % sampled", true),
    ];
    let mut lead =
        "Training rows in blue, with their shares, samples in vermilion; 1 is the same distribution.".to_owned();
    if view.columns.len() > MOST_CHARTS {
        lead += &format!(
            " Of {} columns the {MOST_CHARTS} least alike are drawn.",
            view.columns.len()
        );
    }
    let charts = shown.iter().map(small).collect();
    let table = Block::table(
        "Columns".to_owned(),
        headings,
        view.columns.iter().map(row).collect(),
    );
    Section::new("Columns", lead, vec![Block::Charts { charts }, table])
}

fn strongest(view: &TableView) -> Block {
    let mut pairs: Vec<_> = view
        .pairs
        .iter()
        .filter(|pair| pair.real.is_some())
        .collect();
    let strength = |pair: &&PairView| pair.real.unwrap_or(0.0).abs();
    pairs.sort_by(|a, b| strength(b).total_cmp(&strength(a)));
    let row = |pair: &PairView| {
        let [first, second] = pair
            .columns
            .map(|place| Cell::from(view.columns[place].name.clone()));
        vec![
            first,
            second,
            Cell::number(pair.real, 3),
            Cell::number(pair.sampled, 3),
            Cell::number(pair.score, 4),
        ]
    };
    let headings = [
        ("column", false),
        ("and", false),
        ("real", true),
        ("sampled", true),
        ("trend", true),
    ];
    Block::table(
        "The strongest dependences".to_owned(),
        headings,
        pairs.into_iter().take(STRONGEST).map(row).collect(),
    )
}
