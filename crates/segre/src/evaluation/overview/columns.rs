//! Columns of a table, real beside sampled: bars of categories and bins of numbers.

use serde::{Deserialize, Serialize};

use crate::data::{Dataset, Schema, Values};
use crate::evaluation::quality::rows::{Column, Content, Rows};
use crate::evaluation::quality::{Measure, QualityReport};

/// Categories of a column that are shown by themselves.
const MOST_BARS: usize = 12;
/// Bins of a column of numbers.
const BINS: usize = 30;
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

/// All columns of the training rows beside those of samples, with what quality says of their shapes.
pub(super) fn views(
    train: &Dataset,
    samples: &Dataset,
    found: Option<&QualityReport>,
) -> Vec<ColumnView> {
    let (real, sampled) = (Rows::of(train), Rows::of(samples));
    let columns = real.columns.iter().zip(&sampled.columns).enumerate();
    let columns = columns.map(|(place, (real, sampled))| {
        let shape = found.map(|found| &found.columns[place]);
        let (bars, missing) = bars(&train.schema, place, [real, sampled]);
        ColumnView {
            name: real.name.clone(),
            kind: match train.schema.column(place).1 {
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
    columns.collect()
}

/// Shares of rows of every column of a table: of its most frequent categories and of all others, or of bins of its numbers.
pub fn column_shares(data: &Dataset) -> Vec<Vec<f64>> {
    let columns = Rows::of(data).columns;
    let shares = columns.iter().enumerate().map(|(place, column)| {
        let (bars, _) = bars(&data.schema, place, [column; 2]);
        bars.into_iter().map(|bar| bar.real).collect()
    });
    shares.collect()
}

/// Bars of a column, real beside sampled, and the shares of missing fields.
fn bars(schema: &Schema, place: usize, [real, sampled]: [&Column; 2]) -> (Vec<Bar>, [f64; 2]) {
    match (&real.values, &sampled.values) {
        (Content::Numbers(real), Content::Numbers(sampled)) => bins(schema, place, [real, sampled]),
        _ => categories(schema, place, [real, sampled]),
    }
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn shares_of_a_column_are_those_of_its_categories() {
        let schema = Schema::integers(&[2], false, 3);
        let data = Dataset::new(schema, vec![0, 1, 2, 1, 2, 1, 2, 0]).unwrap();
        assert_eq!(column_shares(&data), [vec![0.75, 0.25], vec![0.75, 0.25]]);
    }
}
