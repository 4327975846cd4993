//! Sections of a table: quality, columns, pairs, hidden cells.

use anyhow::Result;
use segre::evaluation::overview::{ColumnView, PairView, Predicted, QualityMeasure, TableView};

use super::{Arrangement, Block, Cell, Section, Small, charts, number, percent, sentence, whole};
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
                Cell::name(&of.name).noted(&of.meaning),
                Cell::estimate(of.value, of.std_error, 4),
                Cell::number(of.perfect, 4),
                Cell::number(of.copying, 4),
            ]
        };
        let columns = [
            ("measure", false),
            ("this model", true),
            ("a perfect one", true),
            ("a copy of the data", true),
        ];
        let mut blocks = vec![Block::table(
            "Measures of samples".to_owned(),
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
    if let Some(matrices) = charts::pairs(view) {
        let blocks = vec![matrices, strongest(view)];
        let lead = "How strongly columns depend on each other, in the training rows and in samples: Pearson's correlation of two \
                    columns of numbers (below 0 in vermilion), Cramér's V of other pairs; grey where there is none, as of a \
                    column that does not vary.";
        sections.push(Section::new("Pairs of columns", lead, blocks));
    }
    sections.extend(hidden(view)?);
    Ok(sections)
}

/// Cells hidden at random, and every column from the others.
fn hidden(view: &TableView) -> Result<Option<Section>> {
    let Some(filled) = &view.filled else {
        return Ok(None);
    };
    let points: Vec<(f64, f64)> = filled
        .bins
        .iter()
        .map(|bin| (bin.confidence, bin.accuracy))
        .collect();
    let mut blocks = Vec::new();
    if let Some(accuracy) = filled.accuracy {
        blocks.push(Block::text(format!(
            "The model's first guess was right for {} of {} hidden cells; that of a number, if it names the right one of its \
             column's intervals.",
            percent(accuracy),
            whole(filled.cells)
        )));
    }
    if !points.is_empty() {
        let alt = "Chart of how often the most probable label is right, by its probability";
        let caption = "Below the dashed line the model is surer than it should be.";
        blocks.push(Block::chart(&charts::calibration(&points)?, alt, caption));
    }
    if !view.predicted.is_empty() {
        let row = |own: &Predicted| {
            vec![
                Cell::name(&own.column),
                Cell::percent(own.accuracy, 1),
                Cell::percent(own.most_frequent, 1),
                Cell::number(own.r2, 3),
                Cell::percent(own.coverage, 1),
            ]
        };
        let headings = [
            ("column", false),
            ("right, %", true),
            ("most frequent, %", true),
            ("R²", true),
            ("in 90 % interval, %", true),
        ];
        // Columns without an entry say nothing.
        let numbers = view.predicted.iter().any(|own| own.r2.is_some());
        let words = view.predicted.iter().any(|own| own.accuracy.is_some());
        let shown = [true, words, words, numbers, numbers];
        let rows = view.predicted.iter().map(row);
        blocks.push(Block::some_columns(
            format!(
                "Each column from the others, in {} test rows",
                most_rows(view)
            ),
            &headings,
            shown,
            rows.collect(),
        ));
    }
    let lead = format!(
        "{} of the cells of test rows were hidden at random, and filled in from the rest of their row. Then each column was \
         predicted from all others: of categories, how often the most probable one is right, beside always guessing the most \
         frequent one; of numbers R² (1 is perfect, 0 no better than the mean), and how often they lie in the interval that \
         should hold 90 %.",
        percent(filled.hidden_share)
    );
    Ok(Some(Section::new("Hidden cells", lead, blocks)))
}

fn most_rows(view: &TableView) -> String {
    let rows = view.predicted.iter().map(|own| own.rows);
    whole(rows.max().unwrap_or(0))
}

fn columns(view: &TableView) -> Section {
    // What is least alike is of most interest.
    let mut shown: Vec<usize> = (0..view.columns.len()).collect();
    let score = |place: &usize| view.columns[*place].score.unwrap_or(1.0);
    shown.sort_by(|a, b| score(a).total_cmp(&score(b)));
    shown.truncate(MOST_CHARTS);
    let small = |place: &usize| {
        let column = &view.columns[*place];
        let mut caption = match column.score {
            Some(score) => format!("alike {} ({})", number(score, 4), column.measure),
            None => String::new(),
        };
        if column.missing.iter().any(|share| *share > 0.0) {
            let [real, sampled] = column.missing.map(percent);
            caption += &format!(" · missing {real} real, {sampled} sampled");
        }
        let alt = format!(
            "Real and sampled values of the column {}",
            shortened(&column.name, 80)
        );
        Small::new(&draw_column(column), "", alt).captioned(caption)
    };
    let row = |column: &ColumnView| {
        vec![
            Cell::name(&column.name),
            Cell::from(column.kind.clone()),
            Cell::number(column.score, 4),
            Cell::percent(Some(column.missing[0]), 2),
            Cell::percent(Some(column.missing[1]), 2),
        ]
    };
    let headings = [
        ("column", false),
        ("holds", false),
        ("alike", true),
        ("missing, % real", true),
        ("missing, % sampled", true),
    ];
    let missing = view.columns.iter().flat_map(|column| column.missing);
    let some = missing.fold(0.0, f64::max) > 0.0;
    let mut lead = "Each column of training rows beside that of samples, the least alike first; 1 is the same distribution \
                    (1 less the Kolmogorov–Smirnov distance of numbers, the total variation distance of categories)."
        .to_owned();
    if view.columns.len() > MOST_CHARTS {
        lead += &format!(
            " Of {} columns the {MOST_CHARTS} least alike are drawn.",
            view.columns.len()
        );
    }
    let charts = shown.iter().map(small).collect();
    let table = Block::some_columns(
        "All columns".to_owned(),
        &headings,
        [true, true, true, some, some],
        view.columns.iter().map(row).collect(),
    );
    let charts = Block::Charts {
        layout: Arrangement::Columns,
        key: charts::key("training rows, with their shares"),
        charts,
    };
    Section::new("Columns", lead, vec![charts, table])
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
            .map(|place| Cell::name(&view.columns[place].name));
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
        ("alike", true),
    ];
    Block::table(
        "The strongest dependences".to_owned(),
        headings,
        pairs.into_iter().take(STRONGEST).map(row).collect(),
    )
}
