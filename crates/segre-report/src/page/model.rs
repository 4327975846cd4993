//! The page of a model of data: what all kinds of data have; the rest is in `table.rs`, `pictures.rs`, `sequences.rs`.

use anyhow::Result;
use segre::data::Schema;
use segre::evaluation::overview::{Extreme, Overview, RowScores, View};
use segre::run::{ModelCard, TrainingLog};

use super::{
    Block, Cell, Headline, LETTERS, Page, Section, charts, pictures, sentence, sequences, table,
    whole,
};
use crate::pictures::axis::number;
use crate::pictures::column::shortened;
use crate::pictures::curve::{Horizontal, draw_training};

/// Columns of a table of rows.
const MOST_FIELDS: usize = 40;

/// What a page says of where its model is from.
#[derive(Clone, Debug, Default)]
pub struct About {
    /// Name of the page.
    pub title: String,
    /// The settings as a recipe.
    pub recipe: String,
}

/// The page of a model.
///
/// # Errors
/// If there are too many unordered categories to give each a colour.
pub fn model_page(
    about: &About,
    card: &ModelCard,
    log: Option<&TrainingLog>,
    overview: &Overview,
) -> Result<Page> {
    let mut sections = vec![likelihood(overview)?];
    match &overview.view {
        View::Table(view) => sections.extend(table::sections(view)?),
        View::Pictures(view) => sections.extend(pictures::sections(view, &card.schema)?),
        View::Sequences(view) => sections.extend(sequences::sections(view)),
        View::Nothing => {}
    }
    if let Some(scores) = &overview.row_scores {
        sections.push(rows(scores, overview, &card.schema)?);
    }
    if let Some(log) = log.filter(|log| !log.validations.is_empty() || !log.losses.is_empty()) {
        sections.push(training(log, overview, card)?);
    }
    sections.push(data(card, overview));
    sections.push(repeat(about, card));
    Ok(Page {
        title: about.title.clone(),
        lead: format!(
            "A model of {} that learned from {} rows of {}.",
            card.schema.layout.describe(),
            whole(overview.rows[0]),
            card.source
        ),
        figures: headlines(overview),
        sections,
        version: card.version.clone(),
    })
}

fn headlines(overview: &Overview) -> Vec<Headline> {
    let mut all = Vec::new();
    let headline = |name: &str, value: String, beside: String| Headline {
        name: name.to_owned(),
        value,
        beside,
    };
    if let Some([bits, error]) = overview.bits_per_dim {
        let best = overview.baselines.iter().min_by(|a, b| a.1.total_cmp(&b.1));
        let beside = best.map_or_else(String::new, |(name, best)| {
            let share = 100.0 * (1.0 - bits / best);
            match share >= 0.0 {
                true => format!("{} % below {name} ({})", number(share, 1), number(*best, 3)),
                false => format!(
                    "{} % above {name} ({}): give the fit more time",
                    number(-share, 1),
                    number(*best, 3)
                ),
            }
        });
        let value = format!("{} ± {} bits/dim", number(bits, 3), number(error, 3));
        all.push(headline("Test rows", value, beside));
    }
    if let View::Table(view) = &overview.view {
        for measure in view.quality.iter().take(3) {
            let value = measure
                .value
                .map_or("–".to_owned(), |value| number(value, 3));
            let perfect = measure
                .perfect
                .map_or("–".to_owned(), |value| number(value, 3));
            let beside = format!("a perfect model: {perfect}");
            all.push(headline(&measure.name, value, beside));
        }
    }
    if let View::Pictures(view) = &overview.view
        && let Some(maps) = &view.maps
    {
        let (name, own, test) = &maps.distances[0];
        let beside = format!("test maps: {}; {name}", number(*test, 4));
        all.push(headline("Shares of classes", number(*own, 4), beside));
    }
    all
}

fn likelihood(overview: &Overview) -> Result<Section> {
    let mut rows = Vec::new();
    if let Some([bits, error]) = overview.bits_per_dim {
        rows.push(vec![
            Cell::from("Segre, an upper bound on average"),
            Cell::number(Some(bits), 4),
            Cell::number(Some(error), 4),
        ]);
    }
    for (name, bits) in &overview.baselines {
        let cells = [Cell::from(name.clone()), Cell::number(Some(*bits), 4)];
        rows.push(cells.into_iter().chain([Cell::from("–")]).collect());
    }
    let mut blocks = vec![Block::Table {
        caption: format!(
            "Negative log-likelihood of {} test rows",
            whole(overview.scored)
        ),
        columns: [
            ("model", false),
            ("bits/dim", true),
            ("± standard error", true),
        ]
        .map(|(name, is_number)| (name.to_owned(), is_number))
        .to_vec(),
        rows,
    }];
    if let Some([nats, error]) = overview.nats {
        blocks.push(Block::text(format!(
            "A test row takes {} ± {} nats.",
            number(nats, 3),
            number(error, 3)
        )));
    }
    if let Some(scores) = &overview.row_scores
        && !scores.counts.is_empty()
    {
        let alt = "Histogram of the negative log-likelihoods of test rows";
        blocks.push(Block::chart(&charts::row_scores(scores)?, alt, ""));
    }
    let lead = "How likely the model finds rows that it has not seen, beside simpler models that learned from the same \
                rows. Lower is better.";
    Ok(Section::new("Likelihood", lead, blocks))
}

fn rows(scores: &RowScores, overview: &Overview, schema: &Schema) -> Result<Section> {
    let lead = "The test rows that the model finds most and least likely: the latter are unusual, or wrong.";
    let groups = [
        ("most likely", &scores.most_likely),
        ("least likely", &scores.least_likely),
    ];
    if let View::Pictures(view) = &overview.view {
        let labels = groups.map(|(name, rows)| {
            let labels: Vec<u16> = rows
                .iter()
                .flat_map(|row| row.labels.iter().copied())
                .collect();
            (name, labels)
        });
        let tiles = labels.iter().map(|(name, labels)| (*name, &labels[..]));
        let drawing = charts::pictures(schema, view.size, &tiles.collect::<Vec<_>>(), false)?;
        let blocks = vec![Block::chart(
            &drawing,
            "The most and the least likely test pictures",
            "",
        )];
        return Ok(Section::new("Extremes", lead, blocks));
    }
    let names: Vec<&String> = scores.columns.iter().take(MOST_FIELDS).collect();
    let tables = groups.map(|(name, rows)| {
        let row = |row: &Extreme| {
            let fields = row.fields.iter().take(names.len());
            let fields = fields.map(|field| Cell::from(shortened(field, LETTERS)));
            let score = [
                Cell::number(Some(row.nats), 2),
                Cell::number(Some(row.std_error), 2),
            ];
            score.into_iter().chain(fields).collect()
        };
        let headings = [("nats", true), ("±", true)].map(|(name, of)| (name.to_owned(), of));
        let fields = names.iter().map(|name| ((*name).clone(), false));
        Block::Table {
            caption: sentence(&format!("the {name} test rows"))
                .trim_end_matches('.')
                .to_owned(),
            columns: headings.into_iter().chain(fields).collect(),
            rows: rows.iter().map(row).collect(),
        }
    });
    Ok(Section::new("Extremes", lead, tables.to_vec()))
}

fn training(log: &TrainingLog, overview: &Overview, card: &ModelCard) -> Result<Section> {
    let drawing = draw_training(
        log,
        Horizontal::Steps,
        &overview.baselines,
        card.model.validated_by_bound(),
    )?;
    let mut lead = String::new();
    if let Some(last) = log
        .losses
        .iter()
        .chain(&log.validations)
        .max_by(|a, b| a.step.total_cmp(&b.step))
    {
        lead = format!("{} steps", number(last.step, 0));
        if let Some(seconds) = last.seconds {
            lead += &format!(" in {} s", number(seconds, 0));
        }
        lead += &log.kept.map_or(".".to_owned(), |kept| {
            format!(
                "; the model of step {} was kept, the best on the validation rows.",
                number(kept.step, 0)
            )
        });
    }
    let alt = "Training loss and validation score by step, with baselines";
    Ok(Section::new(
        "Training",
        lead,
        vec![Block::chart(&drawing, alt, "")],
    ))
}

fn data(card: &ModelCard, overview: &Overview) -> Section {
    let [train, validation, test] = overview.rows.map(whole);
    let schema = &card.schema;
    let mut blocks = vec![Block::text(format!(
        "{train} rows were learned from, {validation} chose the model that is kept, {test} were left for testing. A row has {} \
         variables of up to {} categories.",
        whole(schema.sites()),
        whole(schema.max_categories())
    ))];
    if !schema.left_out.is_empty() {
        let row = |left: &segre::data::LeftOut| {
            vec![Cell::from(left.name.clone()), Cell::from(left.why.clone())]
        };
        blocks.push(Block::Table {
            caption: "Columns that are not part of the model".to_owned(),
            columns: vec![("column".to_owned(), false), ("why".to_owned(), false)],
            rows: schema.left_out.iter().map(row).collect(),
        });
    }
    Section::new("Data", format!("Source: {}.", card.source), blocks)
}

fn repeat(about: &About, card: &ModelCard) -> Section {
    let lead = format!(
        "Segre {}, seed {}. Store the recipe in a file to fit the same model again: segre fit {} --recipe recipe.toml --out DIR",
        card.version, card.training.seed, card.source
    );
    let recipe = Block::Lines {
        name: "Recipe".to_owned(),
        text: about.recipe.clone(),
        open: false,
    };
    Section::new("Settings", lead, vec![recipe])
}
