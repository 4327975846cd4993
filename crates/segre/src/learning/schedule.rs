//! The learning rate over a run: linear warm-up, then a cosine to zero.

use super::OptimizerConfig;

impl OptimizerConfig {
    /// The learning rate at a step (from 0) and a fraction of the budget.
    pub fn learning_rate_at(&self, step: u64, progress: f64) -> f64 {
        let warmup = (step + 1) as f64 / self.warmup_steps.max(1) as f64;
        let cosine = 0.5 * (1.0 + (std::f64::consts::PI * progress.clamp(0.0, 1.0)).cos());
        self.learning_rate * warmup.min(1.0) * cosine
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schedule_warms_up_and_ends_at_zero() {
        let config = OptimizerConfig::default();
        assert!((config.learning_rate_at(0, 0.0) - 1e-5).abs() < 1e-12);
        assert!((config.learning_rate_at(99, 0.0) - 1e-3).abs() < 1e-12);
        assert!((config.learning_rate_at(500, 0.5) - 5e-4).abs() < 1e-12);
        assert!(config.learning_rate_at(900, 1.0).abs() < 1e-12);
    }
}
