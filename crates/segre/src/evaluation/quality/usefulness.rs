//! Usefulness: is what is learned from synthetic rows right for real ones?

use super::TASK;
use super::auc::{Auc, r_squared};
use super::boosting::{Binned, Boosted, Loss};
use super::report::{Compared, Usefulness};
use super::rows::{Content, Rows};
use crate::data::DataError;
use crate::evaluation::error::{EvaluationError, Result};
use crate::progress::{Observer, Progress};

/// Categories of a column that is predicted.
const CATEGORIES: std::ops::RangeInclusive<usize> = 2..=20;

/// The column of a name, or the last of few categories; `None` if there is none.
pub(super) fn target_of(rows: &Rows, name: Option<&str>) -> Result<Option<usize>> {
    let categories = |column: usize| match &rows.columns[column].values {
        Content::Numbers(_) => None,
        Content::Categories { count, missing, .. } => Some(count - usize::from(missing.is_some())),
    };
    let fits =
        |column: &usize| categories(*column).is_some_and(|count| CATEGORIES.contains(&count));
    let Some(name) = name else {
        return Ok((0..rows.columns.len()).rev().find(fits));
    };
    let names = || rows.columns.iter().map(|column| column.name.as_str());
    let column = names().position(|known| known == name);
    let column = column.ok_or_else(|| DataError::no_such_column(name, names()))?;
    match categories(column) {
        Some(count) if !CATEGORIES.contains(&count) => Err(EvaluationError::NoTarget {
            column: name.to_owned(),
            categories: count,
        }),
        _ => Ok(Some(column)),
    }
}

/// Trains on synthetic rows and on training rows, and tests both on held-out rows; `None` where these do not allow a score.
pub(super) fn usefulness(
    parts: [&Rows; 3],
    target: usize,
    observer: &mut dyn Observer,
) -> Result<Option<Usefulness>> {
    let rows = Rows::join(&parts);
    let data = Binned::of(&rows, Some(target));
    let column = &rows.columns[target];
    let known = |row: &usize| match &column.values {
        Content::Numbers(numbers) => !numbers[*row].is_nan(),
        Content::Categories { codes, missing, .. } => Some(codes[*row]) != *missing,
    };
    let mut end = 0;
    let [real, synthetic, held_out] = parts.map(|part| {
        let first = end;
        end += part.count;
        (first..end).filter(known).collect::<Vec<usize>>()
    });
    if [&real, &synthetic, &held_out]
        .iter()
        .any(|rows| rows.is_empty())
    {
        return Ok(None);
    }
    let mut found = Vec::new();
    for (place, train) in [&synthetic, &real].into_iter().enumerate() {
        Progress::part(TASK, place as f64 / 2.0).tell(observer)?;
        found.push(match &column.values {
            Content::Numbers(numbers) => of_numbers(&data, train, &held_out, numbers),
            Content::Categories { codes, count, .. } => {
                of_categories(&data, train, &held_out, codes, *count)
            }
        });
    }
    let &[Some((synthetic, std_error)), Some((real, _))] = &found[..] else {
        return Ok(None);
    };
    Ok(Some(Usefulness {
        target: column.name.clone(),
        measure: match column.values {
            Content::Numbers(_) => "R²",
            Content::Categories { .. } => "AUC",
        },
        synthetic: Compared {
            value: Some(synthetic),
            std_error,
            perfect: Some(real),
            copying: Some(real),
        },
        real,
        rows: parts[1].count,
    }))
}

/// A score and its standard error.
type Scored = Option<(f64, Option<f64>)>;

/// R² of a number, which is learned in deviations from the mean of what is learned from.
fn of_numbers(data: &Binned, train: &[usize], test: &[usize], numbers: &[f64]) -> Scored {
    let values = |rows: &[usize]| rows.iter().map(|row| numbers[*row]).collect::<Vec<f64>>();
    let (targets, truth) = (values(train), values(test));
    let fitted = Boosted::fit(data, train, &targets, Loss::Squares);
    Some((r_squared(&fitted.scores(data, test), &truth)?, None))
}

/// AUC of one category of two, or the mean over categories of each against the rest.
fn of_categories(
    data: &Binned,
    train: &[usize],
    test: &[usize],
    codes: &[u32],
    count: usize,
) -> Scored {
    let occurs = |code: &u32| test.iter().any(|row| codes[*row] == *code);
    let mut classes: Vec<u32> = (0..count as u32).filter(occurs).collect();
    if classes.len() == 2 {
        // Both have the same area.
        classes.remove(0);
    }
    let area = |code: &u32| {
        let targets = train.iter().map(|row| f64::from(codes[*row] == *code));
        let targets: Vec<f64> = targets.collect();
        let fitted = Boosted::fit(data, train, &targets, Loss::Logistic);
        let scores = fitted.scores(data, test);
        Auc::of_rows(&scores, |place| codes[test[place]] == *code)
    };
    let areas: Vec<Auc> = classes.iter().map(area).collect::<Option<_>>()?;
    match &areas[..] {
        [] => None,
        [area] => Some((area.value, Some(area.std_error))),
        areas => {
            let sum: f64 = areas.iter().map(|area| area.value).sum();
            Some((sum / areas.len() as f64, None))
        }
    }
}
