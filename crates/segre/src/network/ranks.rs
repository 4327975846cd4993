//! Cells of numbers as waves over their ranks: what is learned of one number serves its neighbours.

use segre_kernels::{Code, Columns};

use super::SiteSpec;

/// Waves over the rank, and over its normal score, which tells the tails apart.
const WAVES: [usize; 2] = [32, 16];
/// Waves of a site.
pub(super) const WIDTH: usize = WAVES[0] + WAVES[1];
/// Ordered categories up to which each stands for itself.
const FEW: usize = 4;
/// What an ordered category differs from its waves by is learned this much slower than the waves, or it would be learned by
/// heart (Magic, 1 485 steps: 6.399 bits/dim, with 0.2 6.410 and a model that is best after 891 steps).
const OF_NUMBERS: f32 = 0.1;
/// Other categories have nothing but themselves (Shoppers, 700 steps: 0.92, with 1 of 0.88).
pub(super) const OF_WORDS: f32 = 3.0;

/// Whether a site's categories share waves.
pub(super) fn has_waves(sites: &SiteSpec, site: usize) -> bool {
    sites.ordinal[site] && sites.cardinalities[site] > FEW
}

/// The unit in which what a category of a site has for itself is learned: Adam moves all parameters at one rate.
pub(super) fn unit(sites: &SiteSpec, site: usize) -> f32 {
    match has_waves(sites, site) {
        true => OF_NUMBERS,
        false => OF_WORDS,
    }
}

/// Root of the mean square of a category's code, if all are equally frequent.
pub(super) fn size() -> f64 {
    let of = |count: usize| (1..=count).map(|k| (k as f64).recip()).sum::<f64>();
    WAVES.map(of).iter().sum::<f64>().sqrt()
}

/// How the categories of every site share what is learned, and `further` rows that share nothing.
///
/// The code of an ordered category is `√2 cos(π k u)/√k` for `k = 1..32` and `√2 cos(π k t)/√k` for `k = 1..16`, where `u` is
/// the middle of its ranks in the data, from 0 to 1, and `t = ½ + Φ⁻¹(u)/(2 Φ⁻¹(1 − u₀))` its normal score, with `u₀` half of the
/// smallest weight of a category. Any other category stands for itself.
///
/// # Shapes
/// `log_marginals [sites, categories]`.
pub(super) fn code(sites: &SiteSpec, log_marginals: &[f32], further: usize) -> Code {
    let (columns, categories) = (Columns::new(&sites.cardinalities), sites.categories());
    let of_sites = sites.cardinalities.iter().enumerate();
    let scales = of_sites.flat_map(|(site, own)| std::iter::repeat_n(unit(sites, site), *own));
    let mut code = Code::new(scales.chain(vec![OF_WORDS; further]).collect());
    for (site, &own) in sites.cardinalities.iter().enumerate() {
        if has_waves(sites, site) {
            let logs = &log_marginals[site * categories..][..own];
            let weights: Vec<f64> = logs.iter().map(|log| f64::from(*log).exp()).collect();
            code.share(columns.range(site), WIDTH, waves(&weights));
        }
    }
    code
}

/// The code of ordered categories of the given weights, `[categories, waves]`.
fn waves(weights: &[f64]) -> Vec<f32> {
    let total: f64 = weights.iter().sum();
    let least = weights.iter().copied().fold(f64::INFINITY, f64::min) / total / 2.0;
    let most = normal_quantile(1.0 - least.clamp(1e-12, 0.25));
    let mut below = 0.0;
    let mut code = Vec::with_capacity(weights.len() * WIDTH);
    for weight in weights {
        let rank = (below + weight / 2.0) / total;
        below += weight;
        let score = 0.5 + normal_quantile(rank) / (2.0 * most);
        let wave = |place: f64, k: usize| {
            let k = k as f64;
            ((2.0 / k).sqrt() * (std::f64::consts::PI * k * place).cos()) as f32
        };
        code.extend((1..=WAVES[0]).map(|k| wave(rank, k)));
        code.extend((1..=WAVES[1]).map(|k| wave(score, k)));
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
    fn neighbours_have_like_codes() {
        let code = waves(&[0.01; 100]);
        let row = |j: usize| &code[j * WIDTH..(j + 1) * WIDTH];
        let distance = |a: usize, b: usize| -> f32 {
            let pairs = row(a).iter().zip(row(b));
            pairs.map(|(x, y)| (x - y).powi(2)).sum()
        };
        assert!(distance(50, 51) < distance(50, 60));
        let squares: f32 = code.iter().map(|x| x * x).sum();
        assert!((f64::from(squares / 100.0).sqrt() / size() - 1.0).abs() < 0.03);
    }
}
