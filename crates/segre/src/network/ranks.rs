//! Cells of numbers as waves over their ranks: what is learned of one number serves its neighbours.

use burn::tensor::{Device, Tensor, TensorData};

use super::SiteSpec;

/// Waves over the rank, and over its normal score, which tells the tails apart.
const WAVES: [usize; 2] = [32, 16];
/// Numbers per site that hold all waves.
pub(crate) const RANK_WIDTH: usize = WAVES[0] + WAVES[1];
/// What an ordered category differs from its waves by is learned this much slower than the waves, or it would be learned by
/// heart (Magic, 900 steps: a classifier tells samples from rows with a score of 0.86, with 1 of 0.78, of 1).
const OF_NUMBERS: f32 = 0.2;
/// Other categories have nothing but themselves (Shoppers, 700 steps: 0.92, with 1 of 0.88).
const OF_WORDS: f32 = 3.0;

/// How the categories of every site start, and in what units they are learned: Adam moves all parameters at one rate.
///
/// The code of an ordered category is `√2 cos(π k u)/√k` for `k = 1..32` and `√2 cos(π k t)/√k` for `k = 1..16`, where `u` is
/// the middle of its ranks in the data, from 0 to 1, and `t = ½ + Φ⁻¹(u)/(2 Φ⁻¹(1 − u₀))` its normal score, with `u₀` half of the
/// smallest weight of a category. The code of any other is its own direction.
#[derive(Debug, Clone)]
pub struct RankCode {
    /// Scale of each site.
    scales: Vec<f32>,
}

impl RankCode {
    /// The units of some sites.
    pub fn new(sites: &SiteSpec) -> Self {
        let scale = |ordinal: &bool| if *ordinal { OF_NUMBERS } else { OF_WORDS };
        Self {
            scales: sites.ordinal.iter().map(scale).collect(),
        }
    }

    /// `[sites, 1, 1]`.
    pub fn scales(&self, device: &Device) -> Tensor<3> {
        let count = self.scales.len();
        Tensor::from_data(TensorData::new(self.scales.clone(), [count, 1, 1]), device)
    }

    /// Embeddings `[sites, categories, width]` and decoders `[sites, width, categories]` in units of the scales, from
    /// `log_marginals [sites, categories]`.
    pub fn start(
        &self,
        sites: &SiteSpec,
        width: usize,
        log_marginals: &[f32],
    ) -> (Vec<f32>, Vec<f32>) {
        let (count, categories) = (sites.sites(), sites.categories());
        let mut embedding = vec![0.0_f32; count * categories * width];
        let mut decoder = embedding.clone();
        for (site, &own) in sites.cardinalities.iter().enumerate() {
            let weights = log_marginals[site * categories..][..own]
                .iter()
                .map(|log| f64::from(*log).exp());
            let code = match sites.ordinal[site] {
                true => waves(&weights.collect::<Vec<_>>(), width),
                false => (0..own)
                    .map(|j| {
                        (0..width)
                            .map(|k| f64::from(u8::from(j % width == k)))
                            .collect()
                    })
                    .collect(),
            };
            for (j, row) in code.iter().enumerate() {
                for (k, value) in row.iter().enumerate() {
                    let value = *value as f32 / self.scales[site];
                    embedding[(site * categories + j) * width + k] = value;
                    decoder[(site * width + k) * categories + j] = value;
                }
            }
        }
        (embedding, decoder)
    }
}

/// The code of ordered categories of the given weights, `[categories][width]`.
fn waves(weights: &[f64], width: usize) -> Vec<Vec<f64>> {
    let total: f64 = weights.iter().sum();
    let least = weights.iter().copied().fold(f64::INFINITY, f64::min) / total / 2.0;
    let most = normal_quantile(1.0 - least.clamp(1e-12, 0.25));
    let mut below = 0.0;
    let mut code = Vec::with_capacity(weights.len());
    for weight in weights {
        let rank = (below + weight / 2.0) / total;
        below += weight;
        let score = 0.5 + normal_quantile(rank) / (2.0 * most);
        let wave = |place: f64, k: usize| {
            let k = k as f64;
            (2.0 / k).sqrt() * (std::f64::consts::PI * k * place).cos()
        };
        let of_ranks = (1..=WAVES[0]).map(|k| wave(rank, k));
        let of_scores = (1..=WAVES[1]).map(|k| wave(score, k));
        code.push(
            of_ranks
                .chain(of_scores)
                .chain(std::iter::repeat(0.0))
                .take(width)
                .collect(),
        );
    }
    code
}

/// `Φ⁻¹(p)` to about seven digits.
///
/// Source: Wichura, Algorithm AS 241 (PPND7), Applied Statistics 37, 1988.
fn normal_quantile(p: f64) -> f64 {
    let q = p - 0.5;
    let ratio = |r: f64, above: [f64; 4], below: [f64; 4]| {
        let sum = |c: [f64; 4]| c.iter().rev().fold(0.0, |sum, c| sum * r + c);
        sum(above) / sum(below)
    };
    if q.abs() <= 0.425 {
        let r = 0.180_625 - q * q;
        return q * ratio(
            r,
            [
                3.387_132_717_9,
                50.434_271_938,
                159.291_132_02,
                59.109_374_720,
            ],
            [1.0, 17.895_169_469, 78.757_757_664, 67.187_563_600],
        );
    }
    let r = (-p.min(1.0 - p).ln()).sqrt();
    let value = match r <= 5.0 {
        true => ratio(
            r - 1.6,
            [
                1.423_437_277_7,
                2.756_828_531_9,
                1.306_728_481_6,
                0.170_238_211_03,
            ],
            [1.0, 0.737_001_642_50, 0.120_211_329_75, 0.0],
        ),
        false => ratio(
            r - 5.0,
            [
                6.657_905_115_0,
                3.081_226_386_0,
                0.428_682_943_37,
                0.017_337_203_997,
            ],
            [1.0, 0.241_978_947_25, 0.012_258_202_635, 0.0],
        ),
    };
    value.copysign(q)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normal_quantiles_are_known() {
        for (p, expected) in [
            (0.5, 0.0),
            (0.975, 1.959_963_985),
            (0.1, -1.281_551_566),
            (0.9999, 3.719_016_485),
            (1e-12, -7.034_483_825),
        ] {
            assert!(
                (normal_quantile(p) - expected).abs() < 1e-5,
                "{p}: {}",
                normal_quantile(p)
            );
        }
    }

    #[test]
    fn neighbours_have_like_codes_and_words_directions_of_their_own() {
        let spec = SiteSpec {
            cardinalities: vec![100, 3],
            ordinal: vec![true, false],
            shared: false,
            image: None,
        };
        let code = RankCode::new(&spec);
        let logs = vec![(0.01_f32).ln(); 200];
        let (embedding, decoder) = code.start(&spec, RANK_WIDTH, &logs);
        let row = |j: usize| -> Vec<f32> {
            embedding[j * RANK_WIDTH..][..RANK_WIDTH]
                .iter()
                .map(|x| x * OF_NUMBERS)
                .collect()
        };
        let distance =
            |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(x, y)| (x - y).powi(2)).sum::<f32>();
        assert!(distance(&row(50), &row(51)) < distance(&row(50), &row(60)));
        // What the padding of the second site decodes to is nothing.
        let second = &embedding[100 * RANK_WIDTH..];
        assert_eq!(second[..3], [1.0 / OF_WORDS, 0.0, 0.0]);
        assert!(second[3 * RANK_WIDTH..].iter().all(|x| *x == 0.0));
        assert_eq!(decoder[1], embedding[RANK_WIDTH]);
    }
}
