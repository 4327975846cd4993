//! Tests of the Chow–Liu tree: a known tree, weights, sparse columns, the digits' figure.

use super::*;
use crate::data::{DataSource, Layout, ReadOptions, Schema, Site, Split, Vocabulary, read};
use proptest::prelude::*;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::f64::consts::LN_2;

/// Parent of each site of the known tree; cardinalities 3, 4, 2, 5, 3, 4.
const TREE: [Option<usize>; 6] = [None, Some(0), Some(0), Some(1), Some(3), Some(2)];
const CARDINALITIES: [usize; 6] = [3, 4, 2, 5, 3, 4];
/// A child is its parent's label (modulo its own categories) with this probability, else uniform.
const COPY: f64 = 0.6;

fn tree_schema() -> Schema {
    let site = |vocabulary| Site {
        name: format!("s{vocabulary}"),
        vocabulary,
    };
    let vocabularies = CARDINALITIES
        .map(|count| Vocabulary::Integers { count })
        .to_vec();
    Schema::new(Layout::Table, (0..6).map(site).collect(), vocabularies)
}

fn tree_data(rows: usize) -> Dataset {
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let mut labels: Vec<u16> = Vec::new();
    for row in 0..rows {
        for site in 0..6 {
            let uniform = rng.random_range(0..CARDINALITIES[site] as u16);
            let copied = TREE[site].filter(|_| rng.random_bool(COPY));
            labels.push(copied.map_or(uniform, |parent| {
                labels[row * 6 + parent] % CARDINALITIES[site] as u16
            }));
        }
    }
    Dataset::new(tree_schema(), labels).unwrap()
}

/// `ln P(row)` of the known tree.
fn true_log_prob(row: &[u16]) -> f64 {
    (0..6)
        .map(|site| {
            let categories = CARDINALITIES[site] as f64;
            let Some(parent) = TREE[site] else {
                return -categories.ln();
            };
            let copied = row[parent] % CARDINALITIES[site] as u16 == row[site];
            ((1.0 - COPY) / categories + if copied { COPY } else { 0.0 }).ln()
        })
        .sum()
}

fn all_rows() -> impl Iterator<Item = Vec<u16>> {
    (0..CARDINALITIES.iter().product::<usize>()).map(|mut index| {
        CARDINALITIES
            .map(|count| (index % count, index /= count).0 as u16)
            .to_vec()
    })
}

#[test]
fn a_known_tree_is_recovered_and_its_entropy_reached() {
    let data = tree_data(40_000);
    let part = |from: usize, to: usize| data.select(&(from..to).collect::<Vec<_>>());
    let model = ChowLiu::fit(&part(0, 38_000), &part(38_000, 40_000)).unwrap();
    // Rooted at the same site, equal edges are equal parents.
    assert_eq!(model.parents(), TREE);
    let (mut kl, mut total) = (0.0, 0.0);
    for row in all_rows() {
        let (target, found) = (true_log_prob(&row), model.log_prob(&row));
        kl += target.exp() * (target - found);
        total += found.exp();
    }
    assert!((total - 1.0).abs() < 1e-9, "the model sums to {total}");
    // Parameters / (2 · rows): 2 + 9 + 3 + 16 + 10 + 6 = 46 of them, 6e-4 nats expected.
    assert!((0.0..2e-3).contains(&kl), "KL {kl}");
}

#[test]
fn digits_as_measured_before() {
    let source = DataSource::parse("digits").unwrap();
    let data = read(&source, &ReadOptions::default()).unwrap();
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    let split = Split::random(data.rows(), 0.1, 0.1, &mut rng).unwrap();
    let (train, validation) = (data.select(&split.train), data.select(&split.validation));
    let test = data.select(&split.test);
    let tree = ChowLiu::fit(&train, &validation)
        .unwrap()
        .bits_per_dim(&test);
    let independent = Independent::fit(&train, &validation)
        .unwrap()
        .bits_per_dim(&test);
    assert!(
        (tree - 2.19).abs() < 0.01 && (independent - 2.44).abs() < 0.03,
        "{tree} {independent}"
    );
}

fn columns_of(schema: Schema, labels: Vec<u16>) -> Columns {
    let data = Dataset::new(schema, labels).unwrap();
    Columns::new(&data, &Independent::fit(&data, &data).unwrap()).unwrap()
}

fn pair(first: usize, second: usize) -> Schema {
    let site = |vocabulary| Site {
        name: format!("s{vocabulary}"),
        vocabulary,
    };
    let vocabularies = [first, second]
        .map(|count| Vocabulary::Integers { count })
        .to_vec();
    Schema::new(Layout::Table, vec![site(0), site(1)], vocabularies)
}

proptest! {
    /// Counting in a table and by sorting agree with the definition; weights are symmetric.
    #[test]
    fn cells_and_weights_of_random_columns(
        rows in prop::collection::vec((0_u16..5, 0_u16..40), 2..60),
    ) {
        let labels = rows.iter().flat_map(|&(x, y)| [x, y]).collect();
        let columns = columns_of(pair(5, 40), labels);
        let (forth, back) = (columns.weight(0, 1), columns.weight(1, 0));
        prop_assert!((forth - back).abs() < 1e-12);
        let mut sorted = rows.clone();
        sorted.sort_unstable();
        let expected: Vec<(u32, u32)> = sorted
            .chunk_by(|left, right| left == right)
            .map(|run| (cell(run[0].0, run[0].1, 40), run.len() as u32))
            .collect();
        prop_assert_eq!(columns.cells(0, 1), expected);
    }
}

/// With many rows the weight is the mutual information, here of a noisy copy of a fair bit.
#[test]
fn the_weight_is_the_mutual_information() {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let mut row = || {
        let bit = rng.random_range(0..2_u16);
        [bit, if rng.random_bool(0.1) { 1 - bit } else { bit }]
    };
    let labels = (0..100_000).flat_map(|_| row()).collect();
    let information = LN_2 + 0.1 * 0.1_f64.ln() + 0.9 * 0.9_f64.ln();
    let weight = columns_of(pair(2, 2), labels).weight(0, 1);
    // Standard error of the mean of ln P(x|y)/p(x): 0.66 / √100000 = 0.002.
    assert!(
        (weight - information).abs() < 0.008,
        "{weight} for {information}"
    );
}

#[test]
fn an_identifier_is_nobodys_relative() {
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    let mut schema = pair(400, 3);
    schema.sites.push(Site {
        name: "copy".into(),
        vocabulary: 1,
    });
    let mut row = |number: u16| {
        let label = rng.random_range(0..3);
        [
            number,
            label,
            if rng.random_bool(0.2) {
                rng.random_range(0..3)
            } else {
                label
            },
        ]
    };
    let labels = (0..400).flat_map(&mut row).collect();
    let data = Dataset::new(schema, labels).unwrap();
    let model = ChowLiu::fit(&data, &data).unwrap();
    assert_eq!(model.parents()[0], None);
    assert!(model.parents()[1..].iter().all(|&parent| parent != Some(0)));
    assert_eq!(model.parents()[1..].iter().flatten().count(), 1);
}

#[test]
fn many_categories_are_counted_sparsely() {
    let source = DataSource::parse("product:c=4096,n=3,rows=2000").unwrap();
    let data = read(&source, &ReadOptions::default()).unwrap();
    let model = ChowLiu::fit(&data, &data.select(&[0, 1, 2])).unwrap();
    let bits = model.bits_per_dim(&data);
    assert!(
        bits.is_finite() && bits < data.schema.uniform_bits_per_dim() + 1e-9,
        "{bits}"
    );
    assert!(bits * LN_2 > 0.0);
}

/// Messages give what summing over all rows gives, whatever is known.
#[test]
fn conditionals_are_those_of_the_sum_over_all_rows() {
    let data = tree_data(500);
    let model = ChowLiu::fit(&data, &data).unwrap();
    assert!(model.parents().iter().flatten().count() >= 4);
    let every: Vec<(Vec<u16>, f64)> = all_rows()
        .map(|row| (row.clone(), model.log_prob(&row).exp()))
        .collect();
    for (pattern, row) in (0..64).zip(data.iter()) {
        let known = |site: usize| (pattern >> site & 1 == 1).then_some(row[site]);
        let given: Vec<Option<u16>> = (0..6).map(known).collect();
        let agrees =
            |row: &[u16]| (0..6).all(|site| given[site].is_none_or(|own| own == row[site]));
        let mut sums = CARDINALITIES.map(|count| vec![0.0; count]);
        for (row, p) in every.iter().filter(|(row, _)| agrees(row)) {
            (0..6).for_each(|site| sums[site][usize::from(row[site])] += p);
        }
        let found = model.conditional_marginals(&given);
        for (found, sums) in found.iter().zip(&sums) {
            let total: f64 = sums.iter().sum();
            for (p, sum) in found.iter().zip(sums) {
                assert!((p - sum / total).abs() < 1e-12, "{pattern}: {p} {sum}");
            }
        }
    }
}
