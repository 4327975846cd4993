//! A Potts chain with many categories: the class-scaling target with dependence.

use super::KnownDistribution;
use crate::data::schema::{Layout, Schema, Vocabulary};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// The stream of the generator that makes targets, see `product.rs`.
const TARGET_STREAM: u64 = 1;

/// `P(β) = (1/Z) Π_i exp h_i(β_i) · Π_i exp(J [β_i = β_{i+1}])` with `h_i(j)` uniform on `[0, 1]` and `J = ln c`,
/// so that about half of the neighbours agree whatever the number of categories.
///
/// Everything exact comes from the messages `m_i(k) = Σ_l e^{h_{i+1}(l)} e^{J[k=l]} m_{i+1}(l)` of the transfer
/// matrix, scaled to a mean of 1.
#[derive(Debug)]
pub(super) struct PottsChain {
    schema: Schema,
    /// `h`, `[sites][categories]`.
    fields: Vec<Vec<f64>>,
    /// `e^{h_i(k)} m_i(k)`, `[sites][categories]`.
    weights: Vec<Vec<f64>>,
    /// Sums of the weights.
    totals: Vec<f64>,
    /// `e^J − 1`.
    excess: f64,
    log_partition: f64,
}

impl PottsChain {
    pub(super) fn new(categories: usize, sites: usize, seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(TARGET_STREAM);
        let mut site = || -> Vec<f64> { (0..categories).map(|_| rng.random()).collect() };
        let fields: Vec<Vec<f64>> = (0..sites).map(|_| site()).collect();
        let excess = categories as f64 - 1.0;
        let mut message = vec![1.0; categories];
        let mut weights = Vec::with_capacity(sites);
        let mut log_scale = 0.0;
        for field in fields.iter().rev() {
            let own: Vec<f64> = field
                .iter()
                .zip(&message)
                .map(|(h, m)| h.exp() * m)
                .collect();
            let total: f64 = own.iter().sum();
            message = own.iter().map(|weight| total + excess * weight).collect();
            let scale = message.iter().sum::<f64>() / categories as f64;
            message.iter_mut().for_each(|m| *m /= scale);
            log_scale += scale.ln();
            weights.push(own);
        }
        weights.reverse();
        let totals: Vec<f64> = weights.iter().map(|own| own.iter().sum()).collect();
        // The last scale belongs to a message that no site receives.
        let first = &weights[0];
        let sent = totals[0] + excess * first.iter().sum::<f64>() / categories as f64;
        let log_partition = totals[0].ln() + log_scale - sent.ln();
        let names = (1..=sites).map(|site| format!("x{site}")).collect();
        let vocabulary = Vocabulary::Integers { count: categories };
        Self {
            schema: Schema::shared(Layout::Table, names, vocabulary),
            fields,
            weights,
            totals,
            excess,
            log_partition,
        }
    }

    /// What each site hears from the sites before it, in the order of `weights`, scaled to a sum of 1.
    fn messages<'a>(&self, weights: impl Iterator<Item = &'a Vec<f64>>) -> Vec<Vec<f64>> {
        let categories = self.fields[0].len();
        let mut heard = vec![1.0 / categories as f64; categories];
        let step = |own: &Vec<f64>| {
            let sent: Vec<f64> = own.iter().zip(&heard).map(|(w, m)| w * m).collect();
            let total: f64 = sent.iter().sum();
            let norm = total * (categories as f64 + self.excess);
            let next = sent
                .iter()
                .map(|s| (total + self.excess * s) / norm)
                .collect();
            std::mem::replace(&mut heard, next)
        };
        weights.map(step).collect()
    }

    /// `J`.
    fn coupling(&self) -> f64 {
        self.excess.ln_1p()
    }
}

impl KnownDistribution for PottsChain {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn draw(&self, rows: usize, rng: &mut ChaCha8Rng) -> Vec<u16> {
        let cumulative: Vec<Vec<f64>> = self
            .weights
            .iter()
            .map(|own| {
                let add = |sum: &mut f64, weight: &f64| {
                    *sum += weight;
                    Some(*sum)
                };
                own.iter().scan(0.0, add).collect()
            })
            .collect();
        let mut labels = Vec::with_capacity(rows * self.weights.len());
        for _ in 0..rows {
            let mut former: Option<usize> = None;
            for (site, own) in self.weights.iter().enumerate() {
                // With weight e^J − 1 the former label again, else any.
                let again = former.map_or(0.0, |label| self.excess * own[label]);
                let place = rng.random::<f64>() * (self.totals[site] + again);
                let label = match former {
                    Some(label) if place >= self.totals[site] => label,
                    // Rounding may leave the last end a little below the total.
                    _ => cumulative[site]
                        .partition_point(|end| *end <= place)
                        .min(own.len() - 1),
                };
                labels.push(label as u16);
                former = Some(label);
            }
        }
        labels
    }

    fn log_pmf(&self, row: &[u16]) -> f64 {
        assert_eq!(row.len(), self.fields.len(), "one label per site");
        let fields = self.fields.iter().zip(row);
        let own: f64 = fields.map(|(h, label)| h[usize::from(*label)]).sum();
        let agree = row.windows(2).filter(|pair| pair[0] == pair[1]).count();
        own + agree as f64 * self.coupling() - self.log_partition
    }

    /// `H = ln Z − E[Σ_i h_i] − J E[number of neighbours that agree]`.
    fn entropy(&self) -> f64 {
        let mut marginal: Vec<f64> = self.weights[0].iter().map(|w| w / self.totals[0]).collect();
        let mean = |marginal: &[f64], h: &[f64]| -> f64 {
            marginal.iter().zip(h).map(|(p, h)| p * h).sum()
        };
        let mut energy = mean(&marginal, &self.fields[0]);
        for site in 1..self.weights.len() {
            let (own, total) = (&self.weights[site], self.totals[site]);
            // P(l | k) = (w(l) + excess · w(k) [k = l]) / (total + excess · w(k)).
            let base = |(p, w): (&f64, &f64)| p / (total + self.excess * w);
            let shares: Vec<f64> = marginal.iter().zip(own).map(base).collect();
            let common: f64 = shares.iter().sum();
            let agree = shares
                .iter()
                .zip(own)
                .map(|(s, w)| s * w * (1.0 + self.excess));
            energy += self.coupling() * agree.sum::<f64>();
            let next = shares
                .iter()
                .zip(own)
                .map(|(s, w)| w * (common + self.excess * s));
            marginal = next.collect();
            energy += mean(&marginal, &self.fields[site]);
        }
        self.log_partition - energy
    }

    /// Forward and backward messages, `m(k) = Σ_l w(l) e^{J[k=l]}` up to a factor.
    fn posterior(&self, evidence: &[f64]) -> Option<Vec<f64>> {
        let categories = self.fields[0].len();
        assert_eq!(
            evidence.len(),
            self.fields.len() * categories,
            "[sites, categories]"
        );
        let weights: Vec<Vec<f64>> = self
            .fields
            .iter()
            .zip(evidence.chunks(categories))
            .map(|(field, evidence)| {
                let logs = field.iter().zip(evidence).map(|(h, e)| h + e);
                let largest = logs.clone().fold(f64::NEG_INFINITY, f64::max);
                logs.map(|log| (log - largest).exp()).collect()
            })
            .collect();
        let forward = self.messages(weights.iter());
        let mut backward = self.messages(weights.iter().rev());
        backward.reverse();
        let mut posterior = Vec::with_capacity(evidence.len());
        for ((own, before), after) in weights.iter().zip(forward).zip(backward) {
            let joint = own
                .iter()
                .zip(before)
                .zip(after)
                .map(|((w, f), b)| w * f * b);
            let joint: Vec<f64> = joint.collect();
            let total: f64 = joint.iter().sum();
            posterior.extend(joint.iter().map(|p| p / total));
        }
        Some(posterior)
    }

    fn kl_of_uniform(&self) -> f64 {
        let categories = self.fields[0].len() as f64;
        let own = |h: &Vec<f64>| h.iter().sum::<f64>() / categories + categories.ln();
        let pairs = (self.fields.len() - 1) as f64;
        self.log_partition
            - self.fields.iter().map(own).sum::<f64>()
            - pairs * self.coupling() / categories
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_posterior_is_bayes_rule_by_enumeration() {
        let (categories, sites) = (3_usize, 4_usize);
        let chain = PottsChain::new(categories, sites, 5);
        let evidence: Vec<f64> = (0..12).map(|k| f64::from(k * 7 % 12) / 3.0).collect();
        let mut marginals = [0.0; 12];
        for index in 0..categories.pow(sites as u32) {
            let digit = |site| index / categories.pow(site as u32) % categories;
            let row: Vec<u16> = (0..sites).map(|site| digit(site) as u16).collect();
            let places = || (0..sites).map(|site| site * categories + digit(site));
            let seen: f64 = places().map(|place| evidence[place]).sum();
            let mass = (chain.log_pmf(&row) + seen).exp();
            places().for_each(|place| marginals[place] += mass);
        }
        let total: f64 = marginals[..categories].iter().sum();
        let found = chain.posterior(&evidence).expect("a chain has one");
        for (found, mass) in found.iter().zip(marginals) {
            assert!(
                (found - mass / total).abs() < 1e-12,
                "{found} {}",
                mass / total
            );
        }
    }

    /// Evidence of thousands of nats neither over- nor underflows.
    #[test]
    fn decided_sites_are_decided() {
        let chain = PottsChain::new(5, 3, 0);
        let mut evidence = vec![0.0; 15];
        evidence[2] = 5000.0;
        evidence[14] = -5000.0;
        let found = chain.posterior(&evidence).expect("a chain has one");
        assert_eq!((found[2], found[14]), (1.0, 0.0));
        assert!(found.iter().all(|p| p.is_finite()));
    }
}
