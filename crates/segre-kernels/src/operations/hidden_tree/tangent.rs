//! Gradients of the marginals of a row.
//!
//! With `p_i(j) = P(x_i = j | evidence)`, the derivative of `log p_i(j)` by the logarithm of the evidence for `x_k = l` is
//! `P(x_k = l | x_i = j) − p_k(l)`. So the gradient of `Σ g_i(j) log p_i(j)` is how the marginals change with the evidence
//! in the direction `g/p`: one more pass of messages, with their changes.

use super::tables::HiddenTree;

/// Numbers and how they change.
#[derive(Clone)]
struct Changing {
    values: Vec<f64>,
    changes: Vec<f64>,
}

/// The gradient by the local logits of a row, `[sites, categories]`, given that by its log marginals.
pub(super) fn gradient(tree: &HiddenTree, local: &[f32], gradient: &[f32]) -> Vec<f32> {
    let evidence: Vec<f64> = local
        .chunks_exact(tree.categories)
        .flat_map(|site| {
            let most = site.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            site.iter().map(move |x| f64::from(x - most).exp())
        })
        .collect();
    let still = Changing {
        changes: vec![0.0; evidence.len()],
        values: evidence,
    };
    let said = of_others(tree, &still).values;
    let sites = |numbers: &[f64]| -> Vec<f64> {
        let sites = numbers.chunks_exact(tree.categories);
        sites.map(|site| site.iter().sum()).collect()
    };
    let multiplied = |left: &[f64], right: &[f64]| -> Vec<f64> {
        left.iter().zip(right).map(|(a, b)| a * b).collect()
    };
    let joint = multiplied(&still.values, &said);
    let totals = sites(&joint);
    let direction = gradient.iter().zip(&said).enumerate();
    let direction = direction
        .map(|(place, (g, said))| f64::from(*g) * totals[place / tree.categories] / said)
        .collect();
    let moved = Changing {
        values: still.values,
        changes: direction,
    };
    let changed = of_others(tree, &moved).changes;
    let mut change = multiplied(&moved.changes, &said);
    let by_others = multiplied(&moved.values, &changed);
    change.iter_mut().zip(by_others).for_each(|(a, b)| *a += b);
    let of_totals = sites(&change);
    let places = joint.iter().zip(change).enumerate();
    places
        .map(|(place, (joint, change))| {
            let site = place / tree.categories;
            let total = totals[site];
            ((change - joint * of_totals[site] / total) / total) as f32
        })
        .collect()
}

/// `P(x_i = j | evidence of the other sites)` of every site, `[sites, categories]`, 1 for padding.
fn of_others(tree: &HiddenTree, evidence: &Changing) -> Changing {
    let (c, h) = (tree.categories, tree.states);
    let own: Vec<Changing> = (0..tree.sites())
        .map(|site| {
            let of_site = evidence.part(site * c, c);
            of_site.times(|j, z| tree.emission(site)[j * h + z], h)
        })
        .collect();
    let mut below = own.clone();
    let mut sent = own.clone();
    for &site in tree.order.iter().rev() {
        below[site].scale();
        if let Some(parent) = tree.parents[site] {
            let transition = tree.transition(site);
            sent[site] = below[site].times(|z, y| transition[y * h + z], h);
            below[parent] = below[parent].product(&sent[site]);
            below[parent].scale();
        }
    }
    let mut above = own.clone();
    let mut said = Changing {
        values: vec![0.0; evidence.values.len()],
        changes: vec![0.0; evidence.values.len()],
    };
    for &site in &tree.order {
        let transition = tree.transition(site);
        above[site] = match tree.parents[site] {
            None => Changing {
                values: transition[..h].iter().copied().map(f64::from).collect(),
                changes: vec![0.0; h],
            },
            Some(parent) => {
                let mut cavity = above[parent].product(&below[parent]).over(&sent[site]);
                cavity.scale();
                cavity.times(|y, z| transition[y * h + z], h)
            }
        };
        let mut cavity = above[site].product(&below[site]).over(&own[site]);
        cavity.scale();
        let of_site = cavity.times(|z, j| tree.emission(site)[j * h + z], c);
        said.values[site * c..][..c].copy_from_slice(&of_site.values);
        said.changes[site * c..][..c].copy_from_slice(&of_site.changes);
    }
    said
}

impl Changing {
    fn part(&self, from: usize, len: usize) -> Self {
        let [values, changes] =
            [&self.values, &self.changes].map(|numbers| numbers[from..from + len].to_vec());
        Self { values, changes }
    }

    /// The vector times a matrix with so many columns.
    fn times(&self, entry: impl Fn(usize, usize) -> f32, columns: usize) -> Self {
        let product = |vector: &[f64]| -> Vec<f64> {
            let of_column = |column: usize| {
                let terms = vector.iter().enumerate();
                terms
                    .map(|(row, x)| x * f64::from(entry(row, column)))
                    .sum()
            };
            (0..columns).map(of_column).collect()
        };
        Self {
            values: product(&self.values),
            changes: product(&self.changes),
        }
    }

    fn product(&self, other: &Self) -> Self {
        self.with(other, |[a, da], [b, db]| [a * b, da * b + a * db])
    }

    fn over(&self, other: &Self) -> Self {
        self.with(other, |[a, da], [b, db]| [a / b, (da - a / b * db) / b])
    }

    fn with(&self, other: &Self, function: impl Fn([f64; 2], [f64; 2]) -> [f64; 2]) -> Self {
        let pairs = self.values.iter().zip(&self.changes);
        let others = other.values.iter().zip(&other.changes);
        let both = pairs.zip(others);
        let found = both.map(|((a, da), (b, db))| function([*a, *da], [*b, *db]));
        let (values, changes) = found.map(|[value, change]| (value, change)).unzip();
        Self { values, changes }
    }

    /// Scales to sum 1; the factor is taken for a constant, on which nothing depends.
    fn scale(&mut self) {
        let sum: f64 = self.values.iter().sum();
        let all = self.values.iter_mut().chain(&mut self.changes);
        all.for_each(|x| *x /= sum);
    }
}
