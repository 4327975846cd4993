//! The χ² distribution: how much of a normal distribution lies within a ball around its mean.

/// `P(‖X‖² > x)` for a standard normal `X` of `degrees` dimensions.
///
/// The regularised incomplete gamma function `Q(degrees/2, x/2)`: a power series below its mean, a continued
/// fraction above.
///
/// Source: Abramowitz & Stegun 6.5.29, 6.5.31 and 26.4.19.
pub(super) fn survival(degrees: usize, x: f64) -> f64 {
    if x <= 0.0 || degrees == 0 {
        return if x < 0.0 || degrees > 0 { 1.0 } else { 0.0 };
    }
    let (shape, half) = (degrees as f64 / 2.0, x / 2.0);
    let front = (shape * half.ln() - half - log_gamma_of_half(degrees)).exp();
    if half < shape + 1.0 {
        let (mut term, mut sum, mut place) = (shape.recip(), shape.recip(), shape);
        while term > sum * f64::EPSILON {
            place += 1.0;
            term *= half / place;
            sum += term;
        }
        return 1.0 - front * sum;
    }
    // The continued fraction by the modified Lentz method.
    let mut b = half + 1.0 - shape;
    let mut c = f64::MAX;
    let mut d = b.recip();
    let mut fraction = d;
    for step in 1..10_000 {
        let a = -f64::from(step) * (f64::from(step) - shape);
        b += 2.0;
        d = (a * d + b).recip();
        c = b + a / c;
        fraction *= c * d;
        if (c * d - 1.0).abs() < f64::EPSILON {
            break;
        }
    }
    front * fraction
}

/// The squared radius of the ball that holds all but `tail` of the mass: the inverse of [`survival`].
pub(super) fn squared_radius(degrees: usize, tail: f64) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    while survival(degrees, high) > tail {
        high *= 2.0;
    }
    for _ in 0..200 {
        let middle = 0.5 * (low + high);
        match survival(degrees, middle) > tail {
            true => low = middle,
            false => high = middle,
        }
    }
    0.5 * (low + high)
}

/// `log Γ(degrees/2)`, by the recurrence from `Γ(1) = 1` and `Γ(1/2) = √π`.
fn log_gamma_of_half(degrees: usize) -> f64 {
    let (first, from) = match degrees.is_multiple_of(2) {
        true => (0.0, 2),
        false => (0.5 * std::f64::consts::PI.ln(), 1),
    };
    let factors = (from..degrees).step_by(2).map(|k| (k as f64 / 2.0).ln());
    first + factors.sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_met() {
        // Two dimensions: exp(−x/2). Others: the usual tables of critical values.
        for x in [0.01_f64, 0.5, 3.0, 20.0, 80.0] {
            let exact = (-x / 2.0).exp();
            assert!((survival(2, x) / exact - 1.0).abs() < 1e-12, "{x}");
            let four = exact * (1.0 + x / 2.0);
            assert!((survival(4, x) / four - 1.0).abs() < 1e-12, "{x}");
        }
        for (degrees, x, tail) in [
            (1, 3.841_459, 0.05),
            (1, 6.634_897, 0.01),
            (3, 7.814_728, 0.05),
            (9, 2.087_901, 0.99),
            (100, 124.342_113, 0.05),
        ] {
            let found = survival(degrees, x);
            assert!((found - tail).abs() < 1e-7, "{degrees}, {x}: {found}");
            let back = squared_radius(degrees, tail);
            assert!((back - x).abs() < 1e-5, "{degrees}, {tail}: {back}");
        }
    }
}
