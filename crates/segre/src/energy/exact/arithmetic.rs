//! The numbers of a table: weights themselves, or their logarithms where weights would underflow.

/// How entries are multiplied and added.
pub(super) trait Arithmetic: Copy + Send + Sync + 'static {
    /// The neutral element of `plus`.
    const ZERO: f64;
    /// The neutral element of `times`.
    const ONE: f64;
    /// An entry from the logarithm of a weight.
    fn from_log(log: f64) -> f64;
    /// The logarithm of the weight.
    fn to_log(entry: f64) -> f64;
    /// `a b`.
    fn times(a: f64, b: f64) -> f64;
    /// `a + b`.
    fn plus(a: f64, b: f64) -> f64;
    /// `a / b`, and zero where `b` is zero: there `a` is zero too.
    fn over(a: f64, b: f64) -> f64;
    /// The weight's share of a total that is not zero.
    fn share(entry: f64, total: f64) -> f64;
    /// The smallest non-zero entry below which a result may have lost digits or vanished.
    fn smallest_safe() -> f64;
}

/// Weights: fast, for tables whose entries span less than the range of floating-point numbers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Linear;

impl Arithmetic for Linear {
    const ZERO: f64 = 0.0;
    const ONE: f64 = 1.0;

    fn from_log(log: f64) -> f64 {
        log.exp()
    }

    fn to_log(entry: f64) -> f64 {
        entry.ln()
    }

    fn times(a: f64, b: f64) -> f64 {
        a * b
    }

    fn plus(a: f64, b: f64) -> f64 {
        a + b
    }

    fn over(a: f64, b: f64) -> f64 {
        if b == 0.0 { 0.0 } else { a / b }
    }

    fn share(entry: f64, total: f64) -> f64 {
        entry / total
    }

    fn smallest_safe() -> f64 {
        // Subnormal numbers begin at 2e-308; sixteen digits above them nothing has been lost.
        1e-290
    }
}

/// Logarithms of weights: about twenty times slower, for any weights.
#[derive(Clone, Copy, Debug)]
pub(super) struct Logarithmic;

impl Arithmetic for Logarithmic {
    const ZERO: f64 = f64::NEG_INFINITY;
    const ONE: f64 = 0.0;

    fn from_log(log: f64) -> f64 {
        log
    }

    fn to_log(entry: f64) -> f64 {
        entry
    }

    fn times(a: f64, b: f64) -> f64 {
        a + b
    }

    fn plus(a: f64, b: f64) -> f64 {
        let (large, small) = if a > b { (a, b) } else { (b, a) };
        match small == f64::NEG_INFINITY {
            true => large,
            false => large + (small - large).exp().ln_1p(),
        }
    }

    fn over(a: f64, b: f64) -> f64 {
        match b == f64::NEG_INFINITY {
            true => f64::NEG_INFINITY,
            false => a - b,
        }
    }

    fn share(entry: f64, total: f64) -> f64 {
        (entry - total).exp()
    }

    fn smallest_safe() -> f64 {
        f64::NEG_INFINITY
    }
}
