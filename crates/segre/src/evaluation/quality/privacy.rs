//! Do synthetic rows give training rows away? Distances to the closest record, copies, and an attack on membership.

use std::collections::HashSet;

use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::TASK;
use super::auc::Auc;
use super::report::{Compared, Privacy};
use super::rows::{Content, Rows};
use crate::evaluation::error::{EvaluationError, Result};
use crate::progress::{Observer, Progress};

/// Most training rows, and held-out ones, that are compared with and attacked.
const REFERENCES: usize = 3_000;
/// Most synthetic rows whose distances are compared.
const COMPARED: usize = 5_000;
/// Differences of fields that are taken at most for one list of distances: wide tables compare fewer rows.
const MOST_WORK: usize = 10_000_000_000;
/// Rows whose distances are added up together.
const TOGETHER: usize = 1024;

/// Compares synthetic rows, and as many training rows in their place, with training and held-out rows.
///
/// The distance of two rows is Gower's: over columns the sum of 1 for other categories and of the difference of ranks, from 0
/// to 1 among training rows, of numbers; of a missing and a known number it is 1.
///
/// Source: Gower, A general coefficient of similarity and some of its properties, Biometrics 27, 1971; for the share of nearer
/// rows Platzer & Reutterer, 2021, arXiv 2104.00635; for the attack Chen et al., GAN-Leaks, 2020, arXiv 1909.03935.
pub(super) fn privacy(
    train: &Rows,
    held_out: &Rows,
    synthetic: &Rows,
    rng: &mut ChaCha8Rng,
    observer: &mut dyn Observer,
) -> Result<Privacy> {
    let work = MOST_WORK / (train.columns.len() * synthetic.count).max(1);
    let references = held_out.count.min(train.count).min(REFERENCES);
    let references = references.min((work / 2).max(100));
    let compared = COMPARED.min(synthetic.count);
    let space = Space::of(train);
    let mut tell = |fraction: f64| Progress::part(TASK, fraction).tell(observer);
    let members = space.place(&train.draw(references, rng));
    let others = space.place(&held_out.draw(references, rng));
    let copying = train.draw(synthetic.count, rng);
    let mut measured = Vec::new();
    for (place, rows) in [synthetic, &*copying].into_iter().enumerate() {
        tell(place as f64 / 2.0)?;
        let nearer = nearer(&space.place(&rows.draw(compared, rng)), &members, &others);
        let all = space.place(rows);
        let near = |rows: &Points| -> Vec<f64> {
            let nearest = rows.nearest(&all).into_iter();
            nearest.map(|(distance, _)| -f64::from(distance)).collect()
        };
        let attack = Auc::of(&near(&others), &near(&members)).ok_or(EvaluationError::NotANumber)?;
        measured.push((nearer, attack));
    }
    let [(own, attack), (other, attacked)] = measured[..] else {
        unreachable!("two lists of rows")
    };
    let known = Keys::of(train);
    let copies = known.share(synthetic);
    let perfect = known.share(held_out);
    let both = 1.0 / synthetic.count as f64 + 1.0 / held_out.count as f64;
    // Where no held-out row is a copy, one in all of them might have been.
    let likely = perfect.max(1.0 / (1.0 + held_out.count as f64));
    Ok(Privacy {
        share_nearer_training: Compared {
            value: Some(own.0),
            std_error: Some(own.1),
            perfect: Some(0.5),
            copying: Some(other.0),
        },
        share_copies: Compared {
            value: Some(copies),
            std_error: Some((likely * (1.0 - likely) * both).max(0.0).sqrt()),
            perfect: Some(perfect),
            copying: Some(1.0),
        },
        membership_auc: Compared {
            value: Some(attack.value),
            std_error: Some(attack.std_error),
            perfect: Some(0.5),
            copying: Some(attacked.value),
        },
        compared_rows: compared,
        reference_rows: references,
    })
}

/// Share of rows nearer to members than to others, ties half, and its standard error: every reference might as well have been
/// on the other side, with all rows that are nearest to it.
fn nearer(rows: &Points, members: &Points, others: &Points) -> (f64, f64) {
    let lists = [members, others].map(|references| rows.nearest(references));
    let mut weights = [vec![0.0_f64; members.count], vec![0.0; others.count]];
    let (count, mut share) = (rows.count as f64, 0.0);
    for (member, other) in lists[0].iter().zip(&lists[1]) {
        match member.0.total_cmp(&other.0) {
            std::cmp::Ordering::Less => {
                share += 1.0 / count;
                weights[0][member.1] += 1.0;
            }
            std::cmp::Ordering::Equal => share += 0.5 / count,
            std::cmp::Ordering::Greater => weights[1][other.1] += 1.0,
        }
    }
    let squares: f64 = weights.iter().flatten().map(|weight| weight * weight).sum();
    (share, squares.sqrt() / 2.0 / count)
}

/// Where fields are on a line: differences beyond 1 count as 1.
struct Space {
    /// The known numbers of the training rows in order; empty for categories.
    sorted: Vec<Vec<f64>>,
}

/// Rows as points, column by column.
struct Points {
    columns: Vec<Vec<f32>>,
    count: usize,
}

impl Space {
    fn of(train: &Rows) -> Self {
        let sorted = |values: &Content| match values {
            Content::Categories { .. } => Vec::new(),
            Content::Numbers(numbers) => {
                let mut known: Vec<f64> = numbers.iter().copied().filter(|x| !x.is_nan()).collect();
                known.sort_unstable_by(f64::total_cmp);
                known
            }
        };
        let columns = train.columns.par_iter();
        Self {
            sorted: columns.map(|column| sorted(&column.values)).collect(),
        }
    }

    /// A number is at its rank, a missing one and categories at a distance of at least 1 from everything else.
    fn place(&self, rows: &Rows) -> Points {
        let column = |(values, sorted): (&Content, &Vec<f64>)| match values {
            Content::Categories { codes, .. } => {
                codes.iter().map(|code| 2.0 * *code as f32).collect()
            }
            Content::Numbers(numbers) => {
                let rank = |x: &f64| match x.is_nan() {
                    true => 3.0,
                    false => {
                        let below = sorted.partition_point(|known| known < x);
                        let not_above = sorted.partition_point(|known| known <= x);
                        ((below + not_above) as f64 / (2 * sorted.len()).max(1) as f64) as f32
                    }
                };
                numbers.iter().map(rank).collect::<Vec<f32>>()
            }
        };
        let values = rows.columns.par_iter().map(|own| &own.values);
        Points {
            columns: values.zip(&self.sorted).map(column).collect(),
            count: rows.count,
        }
    }
}

impl Points {
    /// For every row the distance to the nearest of others, and which it is, the first of equal ones.
    fn nearest(&self, others: &Points) -> Vec<(f32, usize)> {
        let find = |row: usize| {
            let mut best = (f32::INFINITY, 0);
            let mut sums = [0.0_f32; TOGETHER];
            for first in (0..others.count).step_by(TOGETHER) {
                let range = first..others.count.min(first + TOGETHER);
                let sums = &mut sums[..range.len()];
                sums.fill(0.0);
                for (own, column) in self.columns.iter().zip(&others.columns) {
                    let own = own[row];
                    for (sum, other) in sums.iter_mut().zip(&column[range.clone()]) {
                        *sum += (own - other).abs().min(1.0);
                    }
                }
                for (place, sum) in sums.iter().enumerate() {
                    if *sum < best.0 {
                        best = (*sum, first + place);
                    }
                }
            }
            best
        };
        (0..self.count).into_par_iter().map(find).collect()
    }
}

/// The values of rows, to find equal ones.
struct Keys(HashSet<Vec<u64>>);

impl Keys {
    fn of(rows: &Rows) -> Self {
        Self((0..rows.count).map(|row| Self::key(rows, row)).collect())
    }

    fn key(rows: &Rows, row: usize) -> Vec<u64> {
        let bits = |values: &Content| match values {
            Content::Categories { codes, .. } => u64::from(codes[row]),
            // Missing numbers are equal, and so are both zeros.
            Content::Numbers(numbers) if numbers[row].is_nan() => u64::MAX,
            Content::Numbers(numbers) => (numbers[row] + 0.0).to_bits(),
        };
        rows.columns.iter().map(|own| bits(&own.values)).collect()
    }

    /// Share of rows that are among these.
    fn share(&self, rows: &Rows) -> f64 {
        let there = (0..rows.count).filter(|row| self.0.contains(&Self::key(rows, *row)));
        there.count() as f64 / rows.count as f64
    }
}
