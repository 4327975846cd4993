//! Axes: round tick values, their labels, and the map from values to pixels.

/// A closed interval of values shown along a side of a picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Range {
    /// Smallest value shown.
    pub low: f64,
    /// Largest value shown.
    pub high: f64,
}

impl Range {
    /// The interval from `low` to `high`, widened where it would be empty.
    pub fn new(low: f64, high: f64) -> Self {
        if high > low {
            return Self { low, high };
        }
        let margin = if low == 0.0 { 0.5 } else { 0.05 * low.abs() };
        Self {
            low: low - margin,
            high: low + margin,
        }
    }

    /// The interval widened by these fractions of its length below and above.
    pub fn padded(self, below: f64, above: f64) -> Self {
        let length = self.high - self.low;
        Self {
            low: self.low - below * length,
            high: self.high + above * length,
        }
    }

    /// Where a value lies: 0 at the low end, 1 at the high end.
    pub fn fraction(&self, value: f64) -> f64 {
        (value - self.low) / (self.high - self.low)
    }

    /// Whether a value is shown.
    pub fn contains(&self, value: f64) -> bool {
        (self.low..=self.high).contains(&value)
    }

    /// Round values in the interval, at most `most` + 1, with labels of equal precision.
    ///
    /// The distance of two ticks is 1, 2 or 5 times a power of ten.
    pub fn ticks(&self, most: usize) -> Vec<(f64, String)> {
        let rough = (self.high - self.low) / most.max(1) as f64;
        let power = 10_f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0]
            .into_iter()
            .map(|factor| factor * power)
            .find(|step| *step >= rough * (1.0 - 1e-9))
            .unwrap_or(10.0 * power);
        let decimals = (-(step.log10() + 1e-9).floor()).max(0.0) as usize;
        let tolerance = 1e-9 * (self.high - self.low) / step;
        let first = (self.low / step - tolerance).ceil() as i64;
        let last = (self.high / step + tolerance).floor() as i64;
        (first..=last)
            .map(|index| index as f64 * step)
            .map(|value| (value, number(value, decimals)))
            .collect()
    }
}

/// A number with a fixed count of decimals, thousands set apart by a space: `12 000`, `0.25`.
pub fn number(value: f64, decimals: usize) -> String {
    let plain = format!("{:.decimals$}", value.abs());
    let (whole, rest) = plain.split_at(plain.find('.').unwrap_or(plain.len()));
    let mut grouped = String::new();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) && whole.len() > 4 {
            grouped.push(' ');
        }
        grouped.push(digit);
    }
    let zero = plain.chars().all(|letter| matches!(letter, '0' | '.'));
    let sign = if value < 0.0 && !zero { "−" } else { "" };
    format!("{sign}{grouped}{rest}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(low: f64, high: f64, most: usize) -> Vec<String> {
        Range::new(low, high)
            .ticks(most)
            .into_iter()
            .map(|(_, label)| label)
            .collect()
    }

    #[test]
    fn ticks_are_round_and_inside() {
        assert_eq!(
            labels(0.0, 1.0, 5),
            ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]
        );
        assert_eq!(labels(1.93, 2.46, 6), ["2.0", "2.1", "2.2", "2.3", "2.4"]);
        assert_eq!(
            labels(0.0, 23_000.0, 5),
            ["0", "5000", "10 000", "15 000", "20 000"]
        );
        assert_eq!(labels(-0.03, 0.03, 3), ["−0.02", "0.00", "0.02"]);
        assert_eq!(labels(0.0, 0.0031, 4), ["0.000", "0.001", "0.002", "0.003"]);
    }

    #[test]
    fn every_range_has_a_few_ticks() {
        for exponent in -8..9 {
            for mantissa in [1.0, 1.3, 2.0, 3.7, 5.0, 9.9] {
                let high = mantissa * 10_f64.powi(exponent);
                let ticks = Range::new(0.0, high).ticks(5);
                assert!((2..=6).contains(&ticks.len()), "{high}: {ticks:?}");
                assert!(ticks.iter().all(|(value, _)| *value <= high * (1.0 + 1e-9)));
            }
        }
    }

    #[test]
    fn an_empty_range_is_widened() {
        for value in [0.0, 2.5, -3.0] {
            let range = Range::new(value, value);
            assert!(range.low < value && value < range.high);
            assert_eq!(range.fraction(value), 0.5);
        }
    }

    #[test]
    fn thousands_are_set_apart() {
        assert_eq!(number(1234.0, 0), "1234");
        assert_eq!(number(1_234_567.0, 0), "1 234 567");
        assert_eq!(number(-12_345.678, 1), "−12 345.7");
        assert_eq!(number(-0.0001, 2), "0.00");
    }
}
