//! Where on the way from nothing known to all known a score is evaluated.

/// Number of bins of the proposal.
pub(in crate::flow) const BINS: usize = 48;
/// Least share of the proposal that stays uniform, so that no level is missed.
const UNIFORM_SHARE: f64 = 0.1;
/// Draws per bin that are trusted as much as the uniform proposal.
const TRUSTED_DRAWS: f64 = 4.0;

/// Piecewise constant density of the fraction `x ∈ (0, 1)`.
#[derive(Clone, Debug)]
pub(in crate::flow) struct LevelDistribution {
    /// Probability of each bin.
    shares: Vec<f64>,
}

impl LevelDistribution {
    pub fn uniform() -> Self {
        Self {
            shares: vec![1.0 / BINS as f64; BINS],
        }
    }

    /// The density with the given share in each bin, if they are shares of as many bins.
    pub fn from_shares(shares: &[f64]) -> Option<Self> {
        let total: f64 = shares.iter().sum();
        let valid = shares.len() == BINS && (total - 1.0).abs() < 1e-6;
        let valid = valid && shares.iter().all(|share| *share > 0.0);
        valid.then(|| Self {
            shares: shares.to_vec(),
        })
    }

    pub fn shares(&self) -> &[f64] {
        &self.shares
    }

    /// Proportional to the root mean square of the integrand, the proposal of least variance, mixed with
    /// the uniform density: the more, the fewer draws it rests on.
    pub fn proportional(squares: &[(f64, u64)]) -> Self {
        let root = |(sum, count): &(f64, u64)| (sum / (*count).max(1) as f64).sqrt();
        let roots: Vec<f64> = squares.iter().map(root).collect();
        let total: f64 = roots.iter().sum();
        if total == 0.0 {
            return Self::uniform();
        }
        let draws: u64 = squares.iter().map(|(_, count)| count).sum();
        let uniform = TRUSTED_DRAWS / (TRUSTED_DRAWS + draws as f64 / BINS as f64);
        let uniform = uniform.max(UNIFORM_SHARE);
        let share = |root: &f64| uniform / BINS as f64 + (1.0 - uniform) * root / total;
        Self {
            shares: roots.iter().map(share).collect(),
        }
    }

    pub fn bin(fraction: f64) -> usize {
        ((fraction * BINS as f64) as usize).min(BINS - 1)
    }

    pub fn density(&self, fraction: f64) -> f64 {
        self.shares[Self::bin(fraction)] * BINS as f64
    }

    pub fn quantile(&self, quantile: f64) -> f64 {
        let mut rest = quantile;
        for (bin, share) in self.shares.iter().enumerate() {
            if rest < *share || bin + 1 == BINS {
                // Never 0: the integrand divides by the fraction.
                let within = (rest / share).clamp(1e-9, 1.0 - 1e-9);
                return (bin as f64 + within) / BINS as f64;
            }
            rest -= share;
        }
        unreachable!("the last bin takes what is left")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_follow_the_density() {
        let mut squares = vec![(0.0, 10); BINS];
        squares[3] = (40.0, 10);
        squares[20] = (90.0, 10);
        let levels = LevelDistribution::proportional(&squares);
        assert!((levels.shares.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        let draws = 40_000;
        let mut counts = vec![0.0; BINS];
        let mut area = 0.0;
        for k in 0..draws {
            let x = levels.quantile((f64::from(k) + 0.5) / f64::from(draws));
            counts[LevelDistribution::bin(x)] += 1.0 / f64::from(draws);
            area += (levels.density(x) * f64::from(draws)).recip();
        }
        for (count, share) in counts.iter().zip(&levels.shares) {
            assert!((count - share).abs() < 1e-3);
        }
        assert!(
            (area - 1.0).abs() < 1e-3,
            "the reciprocal density integrates to the length: {area}"
        );
    }
}
