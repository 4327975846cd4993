//! Decimal numbers as texts have them: their digits, how many of them mean something, and whole multiples of a resolution.

/// Decimal places beyond which a text shows the arithmetic of 64 bits rather than a measurement.
const SURE_PLACES: usize = 9;
/// Significant digits that such a text is taken for.
const SIGNIFICANT: usize = 13;
/// Largest number of units: sums and midpoints of two stay within 64 bits.
pub const LARGEST: i64 = i64::MAX / 4;

/// A decimal number as it is written.
pub struct Number<'a> {
    pub value: f64,
    whole: &'a str,
    fraction: &'a str,
    negative: bool,
    /// Whether there is an exponent, which the digits do not show.
    scientific: bool,
}

impl<'a> Number<'a> {
    /// Reads digits with at most one point and an exponent. What begins with further zeros is no number but a code, as `007`.
    pub fn parse(word: &'a str, point: char) -> Option<Self> {
        let (negative, digits) = match word.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, word),
        };
        let (mantissa, exponent) = match digits.find(['e', 'E']) {
            Some(place) => (&digits[..place], Some(&digits[place + 1..])),
            None => (digits, None),
        };
        let (whole, fraction) = mantissa.split_once(point).unwrap_or((mantissa, ""));
        let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let exponent_is_number = exponent.is_none_or(|text| {
            let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
            !digits.is_empty() && is_digits(digits)
        });
        let legal = is_digits(whole)
            && is_digits(fraction)
            && !(whole.is_empty() && fraction.is_empty())
            && !(whole.len() > 1 && whole.starts_with('0'))
            && exponent_is_number;
        if !legal {
            return None;
        }
        let value: f64 = match point {
            '.' => word.parse().ok()?,
            _ => word.replace(point, ".").parse().ok()?,
        };
        value.is_finite().then_some(Self {
            value,
            whole,
            fraction,
            negative,
            scientific: exponent.is_some(),
        })
    }

    /// Places that are written.
    pub fn written_places(&self) -> usize {
        if self.scientific {
            0
        } else {
            self.fraction.len()
        }
    }

    /// Places that are meant: `22.820999999999998` is 22.821.
    pub fn places(&self) -> usize {
        if !self.scientific && self.fraction.len() <= SURE_PLACES {
            return self.fraction.trim_end_matches('0').len();
        }
        if self.value == 0.0 {
            return 0;
        }
        // d.ddde±x: places are the digits behind the first, less the exponent.
        let rounded = format!("{:.*e}", SIGNIFICANT - 1, self.value.abs());
        let (digits, exponent) = rounded.split_once('e').expect("an exponent");
        let exponent: i64 = exponent.parse().expect("a number");
        let behind = digits
            .trim_end_matches('0')
            .trim_end_matches('.')
            .len()
            .saturating_sub(2);
        usize::try_from(behind as i64 - exponent).unwrap_or(0)
    }

    /// The nearest multiple of `10^−places`.
    pub fn units(&self, places: usize) -> Option<i64> {
        if self.scientific || self.fraction.len() > places {
            let units = (self.value * 10_f64.powi(places as i32)).round();
            return (units.abs() <= LARGEST as f64).then_some(units as i64);
        }
        let digits = |text: &str| {
            if text.is_empty() {
                Some(0)
            } else {
                text.parse::<i64>().ok()
            }
        };
        let scale = |places: usize| 10_i64.checked_pow(places as u32);
        let whole = digits(self.whole)?.checked_mul(scale(places)?)?;
        let fraction = digits(self.fraction)?.checked_mul(scale(places - self.fraction.len())?)?;
        let units = whole.checked_add(fraction)?;
        (units <= LARGEST).then_some(if self.negative { -units } else { units })
    }
}
