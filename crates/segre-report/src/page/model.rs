//! The page of a model of data.

use anyhow::Result;
use segre::data::Schema;
use segre::evaluation::overview::{
    Overview, PicturesView, RowScores, SequencesView, TableView, View,
};
use segre::run::{ModelCard, TrainingLog};

use super::{Block, Cell, Headline, Page, Section, Small, charts};
use crate::pictures::axis::number;
use crate::pictures::column::{draw_column, shortened};
use crate::pictures::logo::draw_logo;

/// Columns whose charts are shown, the least alike first where there are more.
const MOST_CHARTS: usize = 60;
/// Rows of a table of pairs.
const STRONGEST: usize = 30;
/// Columns of a table of rows.
const MOST_FIELDS: usize = 40;
/// Letters of a sequence or text.
const LETTERS: usize = 400;

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
        View::Table(view) => sections.extend(table(view)?),
        View::Pictures(view) => sections.extend(pictures(view, &card.schema)?),
        View::Sequences(view) => sections.extend(sequences(view)),
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

fn whole(count: usize) -> String {
    number(count as f64, 0)
}

fn percent(share: f64) -> String {
    format!("{} %", number(100.0 * share, 1))
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

fn table(view: &TableView) -> Result<Vec<Section>> {
    let mut sections = Vec::new();
    if !view.quality.is_empty() {
        let row = |of: &segre::evaluation::overview::QualityMeasure| {
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
        let mut blocks = vec![Block::Table {
            caption: "Quality and privacy of samples".to_owned(),
            columns: columns.map(|(name, of)| (name.to_owned(), of)).to_vec(),
            rows: view.quality.iter().map(row).collect(),
        }];
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

fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|c| c.to_uppercase().to_string());
    format!("{}{}.", first.unwrap_or_default(), letters.as_str())
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
    let row = |column: &segre::evaluation::overview::ColumnView| {
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
        "Training rows in blue, samples in vermilion; 1 is the same distribution.".to_owned();
    if view.columns.len() > MOST_CHARTS {
        lead += &format!(
            " Of {} columns the {MOST_CHARTS} least alike are drawn.",
            view.columns.len()
        );
    }
    let charts = shown.iter().map(small).collect();
    let table = Block::Table {
        caption: "Columns".to_owned(),
        columns: headings.map(|(name, of)| (name.to_owned(), of)).to_vec(),
        rows: view.columns.iter().map(row).collect(),
    };
    Section::new("Columns", lead, vec![Block::Charts { charts }, table])
}

fn strongest(view: &TableView) -> Block {
    let mut pairs: Vec<_> = view
        .pairs
        .iter()
        .filter(|pair| pair.real.is_some())
        .collect();
    let strength = |pair: &&segre::evaluation::overview::PairView| pair.real.unwrap_or(0.0).abs();
    pairs.sort_by(|a, b| strength(b).total_cmp(&strength(a)));
    let row = |pair: &segre::evaluation::overview::PairView| {
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
    Block::Table {
        caption: "The strongest dependences".to_owned(),
        columns: headings.map(|(name, of)| (name.to_owned(), of)).to_vec(),
        rows: pairs.into_iter().take(STRONGEST).map(row).collect(),
    }
}

fn pictures(view: &PicturesView, schema: &Schema) -> Result<Vec<Section>> {
    let draw =
        |groups: &[(&str, &[u16])], in_rows| charts::pictures(schema, view.size, groups, in_rows);
    let mut sections = Vec::new();
    if !view.samples.is_empty() {
        let drawing = draw(
            &[("test pictures", &view.data), ("samples", &view.samples)],
            false,
        )?;
        let blocks = vec![Block::chart(&drawing, "Test pictures beside samples", "")];
        let lead = "What the model draws, beside pictures that it has not seen.";
        sections.push(Section::new("Samples", lead, blocks));
    }
    let mut blocks = Vec::new();
    if !view.nearest.is_empty() {
        let joined = |of: fn(&segre::evaluation::overview::NearRow) -> &Vec<u16>| {
            view.nearest
                .iter()
                .flat_map(of)
                .copied()
                .collect::<Vec<u16>>()
        };
        let (own, near) = (joined(|near| &near.sample), joined(|near| &near.train));
        let drawing = draw(&[("samples", &own), ("nearest in training", &near)], false)?;
        let far = view.nearest.iter().map(|near| near.distance.to_string());
        let caption = format!(
            "Pixels that differ: {}.",
            far.collect::<Vec<_>>().join(", ")
        );
        let alt = "Samples beside the training picture nearest to each";
        blocks.push(Block::chart(&drawing, alt, caption));
    }
    if view.distances.iter().all(|found| !found.is_empty()) {
        let alt = "Shares of samples, test and validation pictures by their distance from the training pictures";
        let caption = "Samples to the left of held-out pictures would be learned by heart.";
        blocks.push(Block::chart(
            &charts::distances(&view.distances)?,
            alt,
            caption,
        ));
    }
    let lead = "Whether samples are copies of training pictures.";
    sections.push(Section::new("Nearest training pictures", lead, blocks));
    if let Some(infilled) = &view.infilled {
        let size = view.size[0] * view.size[1];
        let draws = infilled.draws;
        let of_draw = |draw: usize| -> Vec<u16> {
            let own = infilled.filled.chunks(size).skip(draw).step_by(draws);
            own.flatten().copied().collect()
        };
        let filled: Vec<Vec<u16>> = (0..draws).map(of_draw).collect();
        let names: Vec<String> = (1..=draws).map(|draw| format!("filling {draw}")).collect();
        let mut groups: Vec<(&str, &[u16])> = vec![("data", &infilled.data)];
        groups.extend(
            names
                .iter()
                .map(String::as_str)
                .zip(filled.iter().map(Vec::as_slice)),
        );
        let drawing = draw(&groups, true)?;
        let blocks = vec![Block::chart(
            &drawing,
            "Pictures whose lower halves were filled in",
            "",
        )];
        let lead = "Test pictures of which the model saw the upper half, and what it drew below.";
        sections.push(Section::new("Lower halves filled in", lead, blocks));
    }
    if view.infilled.is_none() {
        let lead = "The model has not learned conditionals, so it fills in nothing; the setting `training.conditional` asks for \
                    them.";
        sections.push(Section::new("Lower halves filled in", lead, Vec::new()));
    }
    let mut blocks = Vec::new();
    if !view.shares.is_empty() {
        blocks.push(shares(
            "category",
            "share of pixels, %",
            &view.shares,
            100.0,
        ));
    }
    if let Some(maps) = &view.maps {
        blocks.push(shares("class", "regions in a map", &maps.regions, 1.0));
        let row = |(name, own, test): &(String, f64, f64)| {
            let numbers = [own, test].map(|value| Cell::number(Some(*value), 4));
            std::iter::once(Cell::from(name.clone()))
                .chain(numbers)
                .collect()
        };
        let headings = [
            ("distance from the training maps", false),
            ("samples", true),
            ("test maps", true),
        ];
        blocks.push(Block::Table {
            caption: format!("Statistics of {} maps of either kind", maps.maps),
            columns: headings.map(|(name, of)| (name.to_owned(), of)).to_vec(),
            rows: maps.distances.iter().map(row).collect(),
        });
    }
    if !blocks.is_empty() {
        let lead = "What pictures consist of, in training pictures and in samples.";
        sections.push(Section::new("Shares and regions", lead, blocks));
    }
    Ok(sections)
}

fn shares(what: &str, of: &str, all: &[(String, f64, f64)], factor: f64) -> Block {
    let row = |(name, real, sampled): &(String, f64, f64)| {
        let numbers = [real, sampled].map(|value| Cell::number(Some(factor * value), 2));
        std::iter::once(Cell::from(name.clone()))
            .chain(numbers)
            .collect()
    };
    let headings = [(what, false), ("training", true), ("samples", true)];
    Block::Table {
        caption: format!("By {what}: {of}"),
        columns: headings.map(|(name, of)| (name.to_owned(), of)).to_vec(),
        rows: all.iter().map(row).collect(),
    }
}

fn sequences(view: &SequencesView) -> Vec<Section> {
    let shown: Vec<String> = view
        .samples
        .iter()
        .map(|text| shortened(text, LETTERS))
        .collect();
    let mut sections = vec![Section::new(
        "Samples",
        "What the model draws.",
        vec![Block::Lines {
            name: format!("{} samples", shown.len()),
            text: shown.join("\n"),
            open: true,
        }],
    )];
    if !view.letters.is_empty() {
        let logo = |caption: &str, shares| {
            let alt = format!("Sequence logo, {caption}");
            Block::chart(&draw_logo(caption, &view.letters, shares), alt, "")
        };
        let blocks = vec![
            logo("training rows", &view.real),
            logo("samples", &view.sampled),
        ];
        let lead = "At every place its letters, as high as their shares of the place's information (Schneider & Stephens 1990).";
        sections.push(Section::new("Places", lead, blocks));
    }
    if !view.real_pairs.is_empty() {
        let drawing = charts::places([&view.real_pairs, &view.sampled_pairs], view.real.len());
        let alt = "Matrices of the dependence of pairs of places, real and sampled";
        let caption = "Mutual information less the product of the places' means (average product correction), nats; for a \
                       protein, strong pairs tend to be in contact.";
        let lead = "Which places depend on each other, in training rows and in samples.";
        sections.push(Section::new(
            "Pairs of places",
            lead,
            vec![Block::chart(&drawing, alt, caption)],
        ));
    }
    sections
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
        let row = |row: &segre::evaluation::overview::Extreme| {
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
    let drawing = charts::training(log, overview, card.model.validated_by_bound())?;
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
