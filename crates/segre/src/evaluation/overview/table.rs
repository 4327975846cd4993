//! Tables: columns and pairs real beside sampled, quality, and how well hidden cells are known.

use serde::{Deserialize, Serialize};

use crate::data::{Dataset, PartialDataset, Schema, Values};
use crate::evaluation::error::Result;
use crate::evaluation::quality::rows::{Column, Content, Rows};
use crate::evaluation::quality::{self, Compared, Measure, QualityOptions, QualityReport};
use crate::flow::{Model, conditional_marginals};
use crate::progress::{Observer, Part};
use crate::run::Parts;

const TASK: &str = "overview";
/// Categories of a column that are shown by themselves.
const MOST_BARS: usize = 12;
/// Bins of a column of numbers.
const BINS: usize = 30;
/// Columns of which all pairs are shown.
const MOST_COLUMNS: usize = 60;
/// Cells that are hidden, and the rows they are hidden in.
const HIDDEN: f64 = 0.2;
const HIDDEN_ROWS: usize = 500;
/// Bins of confidence.
const CONFIDENCES: usize = 10;

/// What a table shows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TableView {
    /// Every column.
    pub columns: Vec<ColumnView>,
    /// Every pair of columns; of a wide table those of its first columns.
    pub pairs: Vec<PairView>,
    /// Quality and privacy; none for parts that are too small.
    pub quality: Vec<QualityMeasure>,
    /// What quality says of copies, in a sentence.
    pub verdict: Option<String>,
    /// Hidden cells; none for a model without conditionals.
    pub filled: Option<Filled>,
}

/// One column, real beside sampled.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ColumnView {
    /// Its name.
    pub name: String,
    /// What it holds, in a word or two.
    pub kind: String,
    /// How alike both are, by the measure of SDMetrics: 1 for the same distribution.
    pub measure: String,
    /// Its value; none for a column without values, or where parts are too small.
    pub score: Option<f64>,
    /// Shares of missing fields, real and sampled.
    pub missing: [f64; 2],
    /// Categories, or bins of numbers, in order.
    pub bars: Vec<Bar>,
    /// Whether the bars are bins of numbers.
    pub is_number: bool,
}

/// A category or a bin.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bar {
    /// What it is: a category, or where the bin begins.
    pub name: String,
    /// Share of the training rows.
    pub real: f64,
    /// Share of the samples.
    pub sampled: f64,
}

/// A pair of columns.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PairView {
    /// Places of the columns.
    pub columns: [usize; 2],
    /// Pearson's correlation or Cramér's V of training rows.
    pub real: Option<f64>,
    /// The same of samples.
    pub sampled: Option<f64>,
    /// How alike the dependence is: 1 for the same.
    pub score: Option<f64>,
}

/// A measure beside what two other models would get.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct QualityMeasure {
    /// Its name.
    pub name: String,
    /// What it says.
    pub meaning: String,
    /// The number, and its standard error where it has one.
    pub value: Option<f64>,
    /// See `value`.
    pub std_error: Option<f64>,
    /// Of as many new rows of the truth.
    pub perfect: Option<f64>,
    /// Of as many training rows.
    pub copying: Option<f64>,
}

/// Hidden cells of test rows, filled in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Filled {
    /// Share of the cells that were hidden.
    pub hidden_share: f64,
    /// How many these are.
    pub cells: usize,
    /// Share of the categories that are right.
    pub accuracy: Option<f64>,
    /// Cells by how sure the model is of its most probable label.
    pub bins: Vec<CalibrationBin>,
}

/// Cells of about the same confidence.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CalibrationBin {
    /// Mean probability of the most probable label.
    pub confidence: f64,
    /// Share of the cells of which it is the hidden one.
    pub accuracy: f64,
    /// Cells.
    pub cells: usize,
}

pub(super) fn view(
    model: &Model,
    parts: &Parts,
    samples: &Dataset,
    seed: u64,
    observer: &mut dyn Observer,
) -> Result<TableView> {
    let options = QualityOptions { target: None, seed };
    let mut part = Part::new(observer, TASK, 0.0..0.8);
    let found = match quality::is_possible([&parts.train, &parts.test, samples]) {
        true => Some(quality::run(
            &parts.train,
            &parts.test,
            samples,
            &options,
            &mut part,
        )?),
        false => None,
    };
    let (real, sampled) = (Rows::of(&parts.train), Rows::of(samples));
    let schema = &parts.train.schema;
    let columns = real.columns.iter().zip(&sampled.columns).enumerate();
    let columns = columns.map(|(place, (real, sampled))| {
        let shape = found.as_ref().map(|found| &found.columns[place]);
        let (bars, missing) = match (&real.values, &sampled.values) {
            (Content::Numbers(real), Content::Numbers(sampled)) => {
                bins(schema, place, [real, sampled])
            }
            _ => categories(schema, place, [real, sampled]),
        };
        ColumnView {
            name: real.name.clone(),
            kind: match schema.column(place).1 {
                Some(coding) => coding.kind().to_owned(),
                None => "categories".to_owned(),
            },
            measure: shape.map_or_else(String::new, |shape| name_of(shape.measure).to_owned()),
            score: shape.and_then(|shape| shape.score),
            missing,
            bars,
            is_number: matches!(real.values, Content::Numbers(_)),
        }
    });
    let columns: Vec<ColumnView> = columns.collect();
    let names: Vec<&str> = real.columns.iter().map(|column| &column.name[..]).collect();
    let mut part = Part::new(observer, TASK, 0.8..1.0);
    let filled = match model.knows_conditionals() {
        true => Some(fill(model, &parts.test, seed, &mut part)?),
        false => None,
    };
    Ok(TableView {
        columns,
        pairs: found
            .as_ref()
            .map_or_else(Vec::new, |found| pairs(found, &names)),
        quality: found.as_ref().map_or_else(Vec::new, measures),
        verdict: found.map(|found| found.verdict),
        filled,
    })
}

fn name_of(measure: Measure) -> &'static str {
    match measure {
        Measure::KsComplement => "KSComplement",
        Measure::TvComplement => "TVComplement",
        Measure::CorrelationSimilarity => "CorrelationSimilarity",
        Measure::ContingencySimilarity => "ContingencySimilarity",
    }
}

/// Equal bins over all but the outermost half per cent of the real numbers at either side, which are in the first and last one;
/// each as many whole numbers wide as the others.
fn bins(schema: &Schema, column: usize, numbers: [&[f64]; 2]) -> (Vec<Bar>, [f64; 2]) {
    let mut sorted: Vec<f64> = numbers[0]
        .iter()
        .copied()
        .filter(|x| x.is_finite())
        .collect();
    sorted.sort_unstable_by(f64::total_cmp);
    let cut = sorted.len() / 200;
    let inner = &sorted[cut..sorted.len() - cut];
    let (Some(low), Some(high)) = (inner.first(), inner.last()) else {
        return (Vec::new(), [1.0; 2]);
    };
    let notation = match schema.column(column).1.map(|coding| &coding.values) {
        Some(Values::Numbers { notation, .. }) => Some(notation),
        _ => None,
    };
    let whole = notation.is_some_and(|notation| notation.is_integer() || notation.is_moment());
    let unit = notation.map_or(1.0, |notation| notation.unit());
    let (width, count) = match whole {
        true => {
            let values = (high - low) / unit + 1.0;
            let width = (values / BINS as f64).ceil();
            (width * unit, (values / width).ceil() as usize)
        }
        false if high > low => ((high - low) / BINS as f64, BINS),
        false => (1.0, 1),
    };
    let shares = numbers.map(|numbers| {
        let mut shares = vec![0.0; count];
        for x in numbers.iter().filter(|x| x.is_finite()) {
            let bin = ((x - low) / width).clamp(0.0, (count - 1) as f64) as usize;
            shares[bin] += 1.0 / numbers.len() as f64;
        }
        shares
    });
    let name = |edge: f64| match notation {
        Some(notation) if whole => notation.write((edge / unit).round() as i64),
        _ => rounded(edge, width),
    };
    let bar = |bin: usize| Bar {
        name: name(low + bin as f64 * width),
        real: shares[0][bin],
        sampled: shares[1][bin],
    };
    let missing = numbers.map(|numbers| {
        numbers.iter().filter(|x| x.is_nan()).count() as f64 / numbers.len().max(1) as f64
    });
    ((0..count).map(bar).collect(), missing)
}

/// A number to as many places as tell bins of a width apart.
fn rounded(x: f64, width: f64) -> String {
    let places = (1.0 - width.log10().floor()).clamp(0.0, 12.0) as usize;
    format!("{x:.places$}")
}

/// The most frequent categories, and all others in one bar.
fn categories(schema: &Schema, column: usize, both: [&Column; 2]) -> (Vec<Bar>, [f64; 2]) {
    let shares = both.map(|column| match &column.values {
        Content::Categories {
            codes,
            count,
            missing,
        } => {
            let mut shares = vec![0.0; *count];
            for code in codes {
                shares[*code as usize] += 1.0 / codes.len() as f64;
            }
            let gone = missing.map_or(0.0, |code| std::mem::take(&mut shares[code as usize]));
            (shares, gone)
        }
        Content::Numbers(_) => unreachable!("one schema has one kind of column"),
    });
    let [(real, gone), (sampled, gone_sampled)] = shares;
    let mut order: Vec<usize> = (0..real.len()).collect();
    order.sort_by(|a, b| (real[*b] + sampled[*b]).total_cmp(&(real[*a] + sampled[*a])));
    order.retain(|code| real[*code] + sampled[*code] > 0.0);
    let shown = match order.len() {
        few if few <= MOST_BARS + 1 => few,
        _ => MOST_BARS,
    };
    let names = names_of(schema, column, &order[..shown]);
    let bar = |(name, code): (String, &usize)| Bar {
        name,
        real: real[*code],
        sampled: sampled[*code],
    };
    let mut bars: Vec<Bar> = names.into_iter().zip(&order).map(bar).collect();
    if order.len() > MOST_BARS + 1 {
        let rest = &order[MOST_BARS..];
        let sum = |shares: &[f64]| rest.iter().map(|code| shares[*code]).sum();
        bars.push(Bar {
            name: format!("{} others", rest.len()),
            real: sum(&real),
            sampled: sum(&sampled),
        });
    }
    (bars, [gone, gone_sampled])
}

/// How the user writes some categories of a column.
fn names_of(schema: &Schema, column: usize, codes: &[usize]) -> Vec<String> {
    let (_, coding) = schema.column(column);
    let site = schema.sites_of(column).start;
    let name = |code: &usize| match coding {
        Some(coding) => coding.describe(*code),
        None => schema.category_name(site, *code as u16).into_owned(),
    };
    codes.iter().map(name).collect()
}

fn pairs(found: &QualityReport, names: &[&str]) -> Vec<PairView> {
    let place = |name: &str| names.iter().position(|own| *own == name);
    let pair = |pair: &quality::ColumnPair| {
        let columns = [place(&pair.columns[0])?, place(&pair.columns[1])?];
        (columns[1] < MOST_COLUMNS).then_some(PairView {
            columns,
            real: pair.real_strength,
            sampled: pair.synthetic_strength,
            score: pair.score,
        })
    };
    found.pairs.iter().filter_map(pair).collect()
}

fn measures(found: &QualityReport) -> Vec<QualityMeasure> {
    let privacy = &found.privacy;
    let mut all = vec![
        (
            "Column shapes",
            "mean over columns, 1 for the same distributions",
            found.column_shapes,
        ),
        (
            "Column pair trends",
            "mean over dependent pairs, 1 for the same dependences",
            found.column_pair_trends,
        ),
        (
            "Classifier two-sample test",
            "1 if boosted trees cannot tell synthetic rows from real ones, 0 if they always can",
            found.two_sample.score,
        ),
    ];
    let usefulness = found.usefulness.as_ref().map(|of| {
        let name = format!("Usefulness: {} of {}", of.measure, of.target);
        (name, of.synthetic)
    });
    if let Some((name, compared)) = &usefulness {
        all.push((
            name,
            "boosted trees that learned from synthetic rows, tested on real ones",
            *compared,
        ));
    }
    all.extend([
        ("Nearer to training rows", "share of synthetic rows nearer to training rows than to held-out ones; ½ without copying", privacy.share_nearer_training),
        ("Copies", "share of synthetic rows that equal a training row", privacy.share_copies),
        ("Membership attack", "AUC of telling training rows from held-out ones by the synthetic rows; ½ without leaks", privacy.membership_auc),
    ]);
    let measure = |(name, meaning, of): (&str, &str, Compared)| QualityMeasure {
        name: name.to_owned(),
        meaning: meaning.to_owned(),
        value: of.value,
        std_error: of.std_error,
        perfect: of.perfect,
        copying: of.copying,
    };
    all.into_iter().map(measure).collect()
}

/// Hides cells of test rows, and asks how sure and how right the model is.
fn fill(model: &Model, test: &Dataset, seed: u64, observer: &mut dyn Observer) -> Result<Filled> {
    let rows = test.spread(HIDDEN_ROWS);
    let given = PartialDataset::hiding_at_random(&rows, HIDDEN, seed);
    let marginals = conditional_marginals(model, &given, observer)?;
    let mut bins = [CalibrationBin::default(); CONFIDENCES];
    for (row, truth) in rows.iter().enumerate() {
        for site in (0..rows.sites()).filter(|site| given.label(row, *site).is_none()) {
            let label = marginals.most_probable(row, site);
            let sure = f64::from(marginals.of(row, site)[usize::from(label)]);
            let bin = &mut bins[((sure * CONFIDENCES as f64) as usize).min(CONFIDENCES - 1)];
            bin.confidence += sure;
            bin.accuracy += f64::from(u8::from(label == truth[site]));
            bin.cells += 1;
        }
    }
    let cells = given.unknown();
    let hits: f64 = bins.iter().map(|bin| bin.accuracy).sum();
    for bin in &mut bins {
        let count = bin.cells.max(1) as f64;
        bin.confidence /= count;
        bin.accuracy /= count;
    }
    Ok(Filled {
        hidden_share: HIDDEN,
        cells,
        accuracy: (cells > 0).then(|| hits / cells as f64),
        bins: bins.into_iter().filter(|bin| bin.cells > 0).collect(),
    })
}
