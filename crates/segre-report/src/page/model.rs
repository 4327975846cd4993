//! The page of a model of data: what all kinds of data have; the rest is in `table.rs`, `pictures.rs`, `sequences.rs`.

use anyhow::Result;
use segre::data::{Layout, Schema};
use segre::evaluation::contacts::Structure;
use segre::evaluation::overview::{Beside, Extreme, Overview, RowScores, View};
use segre::run::{ModelCard, TrainingLog};

use super::{
    Block, Cell, Headline, LETTERS, NAME, Page, Section, charts, estimate, number, percent,
    pictures, repeat, sentence, sequences, table, whole,
};
use crate::pictures::column::shortened;
use crate::pictures::curve::{Horizontal, Width, draw_training};

/// Columns of a table of rows.
const MOST_FIELDS: usize = 40;

/// What a page says of where its model is from.
#[derive(Clone, Debug, Default)]
pub struct About {
    /// Name of the page.
    pub title: String,
    /// The settings as a recipe.
    pub recipe: String,
    /// Where the places of sequences are in space, if that is known.
    pub structure: Option<Structure>,
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
        View::Sequences(view) => {
            let rows = [overview.rows[0], overview.samples];
            sections.extend(sequences::sections(view, rows, about.structure.as_ref())?)
        }
        View::Nothing => {}
    }
    if let Some(scores) = &overview.row_scores {
        sections.push(rows(scores, overview, &card.schema)?);
    }
    if let Some(log) = log.filter(|log| !log.validations.is_empty() || !log.losses.is_empty()) {
        sections.push(training(log, overview, card)?);
    }
    sections.push(data(card, overview));
    let script = repeat::of_data(card, &about.recipe);
    sections.push(repeat::section(
        (&card.version, card.training.seed),
        &card.training.budget,
        script.as_ref(),
        &about.recipe,
    ));
    Ok(Page {
        title: about.title.clone(),
        lead: format!(
            "The distribution of {}, learned from {} rows of {}.",
            rows_of(&card.schema),
            whole(overview.rows[0]),
            name_of(&card.source)
        ),
        figures: headlines(overview, log),
        sections,
        version: card.version.clone(),
    })
}

/// Steps of a training, and its seconds where there was a clock.
fn duration(log: &TrainingLog) -> Option<(String, Option<String>)> {
    let logged = log.losses.iter().chain(&log.validations);
    let last = logged.max_by(|a, b| a.step.total_cmp(&b.step))?;
    let seconds = last.seconds.map(|seconds| number(seconds, 0));
    Some((number(last.step, 0), seconds))
}

/// A source without the folders that it lies in.
fn name_of(source: &str) -> &str {
    let name = source
        .trim_end_matches(['/', '\\'])
        .rsplit(['/', '\\'])
        .next();
    name.filter(|name| !name.is_empty()).unwrap_or(source)
}

/// What rows of such data are.
fn rows_of(schema: &Schema) -> String {
    match &schema.layout {
        Layout::Table => "the rows of a table".to_owned(),
        Layout::Image { height, width, .. } => format!("pictures of {height}×{width} pixels"),
        Layout::Sequence => format!("sequences of {} places", schema.sites()),
        Layout::Text => format!("texts of {} characters", schema.sites()),
        Layout::Array { shape } => format!("arrays of shape {shape:?}"),
    }
}

fn headlines(overview: &Overview, log: Option<&TrainingLog>) -> Vec<Headline> {
    let mut all = Vec::new();
    let headline = |name: &str, value: String, beside: String| Headline {
        name: name.to_owned(),
        value,
        beside,
    };
    if let Some([bits, error]) = overview.bits_per_dim {
        let order = |a: &&Beside, b: &&Beside| a.bits_per_dim.total_cmp(&b.bits_per_dim);
        let best = overview.baselines.iter().min_by(order);
        let beside = best.map_or_else(
            String::new,
            |Beside {
                 name,
                 bits_per_dim: best,
                 ..
             }| {
                let share = 100.0 * (1.0 - bits / best);
                let best = format!("the best simple model ({name}, {})", number(*best, 3));
                match share {
                    0.0.. => format!("{} % below {best}", number(share, 1)),
                    -100.0..0.0 => {
                        format!(
                            "{} % above {best}: give the fit more time",
                            number(-share, 1)
                        )
                    }
                    _ => format!(
                        "{} times {best}: give the fit more time",
                        number(1.0 - share / 100.0, 1)
                    ),
                }
            },
        );
        all.push(headline(
            "Test rows, bits/dim",
            estimate(bits, error, 3),
            beside,
        ));
    }
    if let Some((steps, seconds)) = log.and_then(duration) {
        let value = seconds.map_or(format!("{steps} steps"), |seconds| format!("{seconds} s"));
        let beside = format!("{steps} steps, {} parameters", whole(overview.parameters));
        all.push(headline("Training", value, beside));
    }
    if let View::Sequences(view) = &overview.view
        && let Some(agreement) = view.agreement
    {
        let beside = "correlation of their dependences with those of training rows; 1 is the same"
            .to_owned();
        all.push(headline("Pairs of places", number(agreement, 3), beside));
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
        all.push(headline(
            "Distance from training maps",
            number(*own, 4),
            beside,
        ));
    }
    all
}

fn likelihood(overview: &Overview) -> Result<Section> {
    let mut rows = Vec::new();
    if let Some([bits, error]) = overview.bits_per_dim {
        rows.push(vec![
            Cell::from("Segre").noted("an upper bound, on average"),
            Cell::estimate(Some(bits), Some(error), 4),
            Cell::from("–"),
        ]);
    }
    for own in &overview.baselines {
        let [more, error] = own.behind.map_or([None; 2], |behind| behind.map(Some));
        rows.push(vec![
            Cell::from(own.name.clone()).noted(&own.meaning),
            Cell::number(Some(own.bits_per_dim), 4),
            Cell::estimate(more, error, 4),
        ]);
    }
    let caption = format!(
        "Negative log-likelihood of {} test rows",
        whole(overview.scored)
    );
    let headings = [
        ("model", false),
        ("bits/dim", true),
        ("more than Segre", true),
    ];
    let mut blocks = vec![Block::table(caption, headings, rows)];
    if let Some([nats, error]) = overview.nats {
        let text = format!(
            "A test row takes {} nats, the error being that of the estimate. What others take more is a mean over the same \
             rows, with its standard error over rows.",
            estimate(nats, error, 3)
        );
        blocks.insert(0, Block::text(text));
    }
    if let Some(scores) = &overview.row_scores
        && !scores.counts.is_empty()
    {
        let alt = "Histogram of the negative log-likelihoods of test rows";
        blocks.push(Block::chart(&charts::row_scores(scores)?, alt, ""));
    }
    let dimension = match overview.view {
        View::Table(_) => "column",
        View::Pictures(_) => "pixel",
        View::Sequences(_) => "place",
        View::Nothing => "entry",
    };
    let lead = format!(
        "How likely the model finds rows that it has not seen, beside simpler models that learned from the same rows: the \
         negative log-likelihood in bits for each {dimension} (bits/dim). Lower is better."
    );
    Ok(Section::new("Likelihood", lead, blocks))
}

fn rows(scores: &RowScores, overview: &Overview, schema: &Schema) -> Result<Section> {
    let lead = "The test rows that the model finds most and least likely: the latter are unusual, or wrong.";
    let groups = [
        ("most likely", &scores.most_likely),
        ("least likely", &scores.least_likely),
    ];
    if let View::Pictures(view) = &overview.view {
        let labels = groups.map(|(_, rows)| {
            let labels = rows.iter().flat_map(|row| row.labels.iter().copied());
            labels.collect::<Vec<u16>>()
        });
        let group = |((name, rows), labels): (&(_, &Vec<Extreme>), _)| {
            let nats: Vec<String> = rows.iter().map(|row| number(row.nats, 1)).collect();
            (
                *name,
                labels,
                format!("Nats, line by line: {}.", nats.join(", ")),
            )
        };
        let both = groups.iter().zip(labels.iter().map(Vec::as_slice));
        let both: Vec<(&str, &[u16], String)> = both.map(group).collect();
        let blocks = vec![charts::pictures(schema, view.size, &both, false)?];
        return Ok(Section::new("Extremes", lead, blocks));
    }
    let letters = matches!(schema.layout, Layout::Sequence | Layout::Text);
    let names: Vec<&String> = scores.columns.iter().take(MOST_FIELDS).collect();
    let tables = groups.map(|(name, rows)| {
        let row = |row: &Extreme| {
            let fields = row.fields.iter().take(names.len());
            let fields = fields.map(|field| Cell {
                letters,
                ..Cell::from(shortened(field, LETTERS))
            });
            let score = [Cell::estimate(Some(row.nats), Some(row.std_error), 2)];
            score.into_iter().chain(fields).collect()
        };
        let headings = [("nats".to_owned(), true)];
        let fields = names.iter().map(|name| (shortened(name, NAME), false));
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
    let level = |own: &Beside| (own.name.clone(), own.bits_per_dim);
    let drawing = draw_training(
        log,
        Horizontal::Steps,
        &overview.baselines.iter().map(level).collect::<Vec<_>>(),
        card.model.validated_by_bound(),
        Width::Narrow,
    )?;
    let alt = "Training loss and validation score by step, with baselines";
    let caption = match log.losses.is_empty() {
        true => "The ring is the model that was kept.",
        false => {
            "The ring is the model that was kept. The thin line is the loss of steps, the thick one its mean over many."
        }
    };
    let blocks = vec![Block::chart(&drawing, alt, caption)];
    Ok(Section::new("Training", course(log), blocks))
}

/// How long a training took, and what was kept of it.
pub(super) fn course(log: &TrainingLog) -> String {
    let Some((steps, seconds)) = duration(log) else {
        return String::new();
    };
    let mut text = format!("{steps} steps");
    if let Some(seconds) = seconds {
        text += &format!(" in {seconds} s");
    }
    text + &log.kept.map_or(".".to_owned(), |kept| {
        let step = number(kept.step, 0);
        format!(
            "; the model of step {step} was kept: on the validation rows none before it is better beyond chance."
        )
    })
}

fn data(card: &ModelCard, overview: &Overview) -> Section {
    let [train, validation, test] = overview.rows.map(whole);
    let schema = &card.schema;
    let what = match schema.layout {
        Layout::Table if !schema.derived.is_empty() => format!(
            "{} columns in the model, and {} that others decide",
            whole(schema.column_count()),
            whole(schema.derived.len())
        ),
        Layout::Table => format!("{} columns", whole(schema.column_count())),
        _ => format!(
            "{} variables of up to {} categories",
            whole(schema.sites()),
            whole(schema.max_categories())
        ),
    };
    let missing = match overview.missing {
        Some(0.0) => " No field is missing.".to_owned(),
        Some(share) => format!(
            " Of the fields of training rows {} are missing.",
            percent(share)
        ),
        None => String::new(),
    };
    let mut blocks = vec![Block::text(format!(
        "{train} rows were learned from, {validation} chose the model that is kept, {test} were left for testing. A row has \
         {what}.{missing}"
    ))];
    let mut list = |caption: &str, headings: [(&str, bool); 2], rows: Vec<[String; 2]>| {
        let cells = |row: [String; 2]| {
            row.map(|text| Cell::from(shortened(&text, LETTERS)))
                .to_vec()
        };
        if !rows.is_empty() {
            let rows = rows.into_iter().map(cells).collect();
            blocks.push(Block::table(caption, headings, rows));
        }
    };
    let derived = schema.derived.iter();
    list(
        "Columns that others decide",
        [("rule", false), ("rows that bear it out", true)],
        derived
            .map(|own| [own.sentence(), whole(own.rows)])
            .collect(),
    );
    let left = schema.left_out.iter();
    list(
        "Columns that are not part of the model",
        [("column", false), ("why", false)],
        left.map(|own| [own.name.clone(), own.why.clone()])
            .collect(),
    );
    if !schema.constraints.is_empty() {
        let kept: Vec<String> = schema.constraints.iter().map(|own| own.text()).collect();
        let text = format!("In every row that is drawn: {}.", kept.join("; "));
        blocks.push(Block::text(text));
    }
    Section::new("Data", format!("Source: {}.", card.source), blocks)
}
