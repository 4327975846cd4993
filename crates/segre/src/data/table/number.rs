//! How numbers and moments are written: texts to whole multiples of a resolution, and back.

use jiff::SignedDuration;
use jiff::civil::{Date, DateTime, Time};
use serde::{Deserialize, Serialize};

use super::decimal::{LARGEST, Number};

/// How the fields of a column are written. Every number is a whole multiple of a resolution, its unit, so that nothing is
/// rounded on the way, and what is drawn looks like what was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Notation {
    /// Decimal numbers; the unit is `10^−places`.
    Decimal {
        /// Most places after the point.
        places: u8,
        /// Fewest: zeros at the end are written up to here.
        least: u8,
        /// Whether the point is a comma.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        comma: bool,
    },
    /// Dates, times of day, or both; the unit is a number of seconds from 1970 on or from midnight on, where the pattern has
    /// fractions a fraction of one.
    Moment {
        /// In the notation of `strftime`.
        pattern: String,
        /// Seconds of a unit.
        seconds: u32,
    },
}

/// Patterns of moments, and the seconds between two neighbours. Where day and month cannot be told apart, the first that
/// fits all fields wins.
const PATTERNS: [(&str, u32); 24] = [
    ("%Y-%m-%d", 86_400),
    ("%Y/%m/%d", 86_400),
    ("%d.%m.%Y", 86_400),
    ("%m/%d/%Y", 86_400),
    ("%d/%m/%Y", 86_400),
    ("%d-%m-%Y", 86_400),
    ("%d %b %Y", 86_400),
    ("%Y-%m-%d %H:%M", 60),
    ("%Y-%m-%dT%H:%M", 60),
    ("%Y-%m-%d %H:%M:%S", 1),
    ("%Y-%m-%dT%H:%M:%S", 1),
    ("%Y-%m-%dT%H:%M:%SZ", 1),
    ("%Y-%m-%d %H:%M:%S%.3f", 1),
    ("%Y-%m-%d %H:%M:%S%.6f", 1),
    ("%Y-%m-%d %H:%M:%S%.9f", 1),
    ("%d.%m.%Y %H:%M", 60),
    ("%d.%m.%Y %H:%M:%S", 1),
    ("%m/%d/%Y %H:%M", 60),
    ("%m/%d/%Y %H:%M:%S", 1),
    ("%H:%M", 60),
    ("%H:%M:%S", 1),
    ("%H:%M:%S%.3f", 1),
    ("%H:%M:%S%.6f", 1),
    ("%H:%M:%S%.9f", 1),
];

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Date,
    Both,
    Time,
}

impl Notation {
    /// The notation that all of the texts are written in, `None` if there is none.
    pub fn find<'a>(words: impl Iterator<Item = &'a str> + Clone) -> Option<Self> {
        words.clone().next()?;
        Self::decimal(words.clone()).or_else(|| Self::moment(words))
    }

    fn decimal<'a>(words: impl Iterator<Item = &'a str> + Clone) -> Option<Self> {
        let comma = words.clone().any(|word| word.contains(','));
        // `1,234` may be a thousand: where all commas have three digits behind them nobody can tell.
        let mut fractions = words.clone().filter_map(|word| word.split_once(','));
        if comma && fractions.all(|(_, fraction)| fraction.len() == 3) {
            return None;
        }
        let (mut places, mut least, mut largest) = (0, usize::MAX, 0.0_f64);
        for word in words {
            if comma && word.contains('.') {
                return None;
            }
            let number = Number::parse(word, if comma { ',' } else { '.' })?;
            places = places.max(number.places());
            least = least.min(number.written_places());
            largest = largest.max(number.value.abs());
        }
        // What does not fit in 64 bits loses places that 64-bit numbers do not have either.
        while places > 0 && largest * 10_f64.powi(places as i32) > LARGEST as f64 {
            places -= 1;
        }
        (largest * 10_f64.powi(places as i32) <= LARGEST as f64).then_some(Self::Decimal {
            places: places as u8,
            least: least.min(places) as u8,
            comma,
        })
    }

    fn moment<'a>(words: impl Iterator<Item = &'a str> + Clone) -> Option<Self> {
        // Most columns of words are told by their first.
        let fits = |notation: &Self, word: &str| {
            let units = notation.units(word);
            units.is_some_and(|units| notation.write(units) == word)
        };
        PATTERNS.iter().find_map(|&(pattern, seconds)| {
            let pattern = pattern.to_owned();
            let notation = Self::Moment { pattern, seconds };
            let all = words.clone().all(|word| fits(&notation, word));
            all.then_some(notation)
        })
    }

    /// Moments of a format as `strftime` has it, with `%f` for the fractions of a second as in Python; `None` if it has no moments.
    pub fn of_format(format: &str) -> Option<Self> {
        let pattern = format.replace(".%f", "%.6f");
        let day = pattern.contains("%Y") || pattern.contains("%y");
        let time = ["%H", "%I", "%T", "%R"]
            .iter()
            .any(|own| pattern.contains(own));
        let to_the_second = ["%S", "%T"].iter().any(|own| pattern.contains(own));
        let seconds = match (day, time, to_the_second) {
            (false, false, _) => return None,
            (_, false, _) => 86_400,
            (_, true, false) => 60,
            (_, true, true) => 1,
        };
        let notation = Self::Moment { pattern, seconds };
        // What is written must be read again: a day without its month is no date.
        let moment = notation.write(0);
        (notation.units(&moment) == Some(0)).then_some(notation)
    }

    /// The format of moments.
    pub fn pattern(&self) -> Option<&str> {
        match self {
            Self::Moment { pattern, .. } => Some(pattern),
            Self::Decimal { .. } => None,
        }
    }

    /// The same moments from year to second, where there is a day and no fraction of a second.
    pub fn sortable(&self) -> Option<Self> {
        let Self::Moment { pattern, seconds } = self else {
            return None;
        };
        let written = match *seconds {
            _ if kind_of(pattern) == Kind::Time || fraction_of(pattern) > 0 => return None,
            86_400 => "%Y-%m-%d",
            60 => "%Y-%m-%d %H:%M:00",
            _ => "%Y-%m-%d %H:%M:%S",
        };
        Some(Self::Moment {
            pattern: written.to_owned(),
            seconds: *seconds,
        })
    }

    /// The number of units that a text stands for, `None` if it is not written so.
    pub fn units(&self, word: &str) -> Option<i64> {
        match self {
            Self::Decimal { places, comma, .. } => {
                let number = Number::parse(word, if *comma { ',' } else { '.' })?;
                number.units(usize::from(*places))
            }
            Self::Moment { pattern, seconds } => {
                let seconds = i64::from(*seconds);
                let since = |moment: DateTime| {
                    moment.duration_since(DateTime::constant(1970, 1, 1, 0, 0, 0, 0))
                };
                let passed = match kind_of(pattern) {
                    Kind::Date => since(
                        Date::strptime(pattern, word)
                            .ok()?
                            .to_datetime(Time::midnight()),
                    ),
                    Kind::Both => since(DateTime::strptime(pattern, word).ok()?),
                    Kind::Time => Time::strptime(pattern, word)
                        .ok()?
                        .duration_since(Time::midnight()),
                };
                match fraction_of(pattern) {
                    0 => Some(passed.as_secs().div_euclid(seconds)),
                    digits => {
                        let nanoseconds = passed.as_nanos();
                        let units = nanoseconds.div_euclid(i128::from(nanoseconds_of(digits)));
                        i64::try_from(units)
                            .ok()
                            .filter(|units| units.abs() <= LARGEST)
                    }
                }
            }
        }
    }

    /// How a value is written here that is written in another way elsewhere; `None` if it is no number of units.
    pub fn rewrite(&self, word: &str) -> Option<String> {
        if self.units(word).is_some() {
            return Some(word.to_owned());
        }
        match self {
            Self::Decimal { comma, .. } => {
                let written = comma.then(|| word.replace('.', ","))?;
                self.units(&written).is_some().then_some(written)
            }
            Self::Moment { pattern, .. } => {
                let other = Self::moment(std::iter::once(word))?;
                let Self::Moment { pattern: found, .. } = &other else {
                    return None;
                };
                let is_time = |pattern: &str| kind_of(pattern) == Kind::Time;
                if is_time(found) != is_time(pattern) {
                    return None;
                }
                let nanoseconds = i128::from(other.units(word)?) * other.nanoseconds();
                let own = self.nanoseconds();
                let units = i64::try_from(nanoseconds.div_euclid(own)).ok()?;
                (nanoseconds.rem_euclid(own) == 0).then(|| self.write(units))
            }
        }
    }

    /// Nanoseconds of a unit of moments with a day and without fractions of a second; `None` of others.
    pub fn day_unit(&self) -> Option<i128> {
        self.sortable().map(|own| own.nanoseconds())
    }

    /// Nanoseconds of a unit of moments.
    pub(super) fn nanoseconds(&self) -> i128 {
        match self {
            Self::Decimal { .. } => 1,
            Self::Moment { pattern, seconds } => match fraction_of(pattern) {
                0 => i128::from(*seconds) * i128::from(nanoseconds_of(0)),
                digits => i128::from(nanoseconds_of(digits)),
            },
        }
    }

    /// The text of a number of units.
    pub fn write(&self, units: i64) -> String {
        match self {
            Self::Decimal {
                places,
                least,
                comma,
            } => {
                let (places, least) = (usize::from(*places), usize::from(*least));
                let digits = format!("{:0width$}", units.unsigned_abs(), width = places + 1);
                let (whole, fraction) = digits.split_at(digits.len() - places);
                let short = fraction.trim_end_matches('0').len().max(least);
                let sign = if units < 0 { "-" } else { "" };
                match &fraction[..short] {
                    "" => format!("{sign}{whole}"),
                    fraction => {
                        format!("{sign}{whole}{}{fraction}", if *comma { ',' } else { '.' })
                    }
                }
            }
            Self::Moment { pattern, seconds } => {
                let passed = match fraction_of(pattern) {
                    0 => SignedDuration::from_secs(units.saturating_mul(i64::from(*seconds))),
                    digits => {
                        let of_second = nanoseconds_of(0) / nanoseconds_of(digits);
                        let rest = units.rem_euclid(of_second) * nanoseconds_of(digits);
                        let seconds = SignedDuration::from_secs(units.div_euclid(of_second));
                        seconds.saturating_add(SignedDuration::from_nanos(rest))
                    }
                };
                let moment = DateTime::constant(1970, 1, 1, 0, 0, 0, 0).saturating_add(passed);
                moment.strftime(pattern).to_string()
            }
        }
    }

    /// The text of a number between units: with two places more than the column's, or the nearest moment.
    pub fn write_between(&self, units: f64) -> String {
        match self {
            Self::Decimal { places, comma, .. } => {
                let places = usize::from(*places);
                let text = format!("{:.*}", places + 2, units * 10_f64.powi(-(places as i32)));
                match comma {
                    true => text.replace('.', ","),
                    false => text,
                }
            }
            Self::Moment { .. } => self.write(units.round() as i64),
        }
    }

    /// The value of a unit: `10^−places`, or its days (of dates) or seconds.
    pub fn unit(&self) -> f64 {
        match self {
            Self::Decimal { places, .. } => 10_f64.powi(-i32::from(*places)),
            Self::Moment {
                seconds: 86_400, ..
            } => 1.0,
            Self::Moment { seconds, pattern } => {
                f64::from(*seconds) * 10_f64.powi(-(fraction_of(pattern) as i32))
            }
        }
    }

    /// Whether dates or times are written.
    pub fn is_moment(&self) -> bool {
        matches!(self, Self::Moment { .. })
    }

    /// Whether moments with a day are written.
    pub fn has_day(&self) -> bool {
        matches!(self, Self::Moment { pattern, .. } if kind_of(pattern) != Kind::Time)
    }

    /// Whether only whole numbers are written.
    pub fn is_integer(&self) -> bool {
        matches!(self, Self::Decimal { places: 0, .. })
    }
}

fn kind_of(pattern: &str) -> Kind {
    let day = pattern.contains("%Y") || pattern.contains("%y");
    let time = ["%H", "%I", "%T", "%R"]
        .iter()
        .any(|own| pattern.contains(own));
    match (day, time) {
        (true, false) => Kind::Date,
        (true, true) => Kind::Both,
        _ => Kind::Time,
    }
}

/// Digits behind the seconds.
fn fraction_of(pattern: &str) -> u32 {
    match pattern.split_once("%.") {
        Some((_, rest)) if rest.starts_with('3') => 3,
        Some((_, rest)) if rest.starts_with('6') => 6,
        Some(_) => 9,
        None => 0,
    }
}

/// Nanoseconds of a unit with so many digits behind the seconds.
fn nanoseconds_of(digits: u32) -> i64 {
    10_i64.pow(9 - digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(words: &[&str]) -> Option<Notation> {
        Notation::find(words.iter().copied())
    }

    fn decimal(places: u8, least: u8) -> Option<Notation> {
        let comma = false;
        Some(Notation::Decimal {
            places,
            least,
            comma,
        })
    }

    #[test]
    fn numbers_are_told_by_all_fields() {
        assert_eq!(find(&["1", "-20", "0"]), decimal(0, 0));
        assert_eq!(find(&["1.50", "2.25"]), decimal(2, 2));
        assert_eq!(find(&["1.0", "0.125", "1e-5"]), decimal(5, 0));
        assert_eq!(find(&["22.820999999999998", "6.85"]), decimal(3, 2));
        assert_eq!(find(&["3,5", "4"]).map(|n| n.write(35)), Some("3,5".into()));
        for codes in [
            &["007", "12"][..],
            &["1", "x"],
            &["+1"],
            &["-"],
            &["."],
            &["1e"],
            &["inf"],
            &["1,5", "1.5"],
            &["987", "1,234"],
            &[],
        ] {
            assert_eq!(find(codes), None, "{codes:?}");
        }
    }

    #[test]
    fn what_is_read_is_written_again() {
        let columns = [
            &["0", "-7", "123456789012"][..],
            &["0.50", "-0.05", "12.00"],
            &["0.5", "-0.05", "12.0"],
            &["2024-02-29", "1969-12-31"],
            &["29.02.2024", "01.01.1970"],
            &["2024-02-29 23:59:01", "1960-01-01 00:00:00"],
            &["09:30", "23:59"],
            &["2024-02-29 23:59:01.250", "1960-01-01 00:00:00.001"],
            &["2024-02-29 23:59:01.000001", "1969-12-31 23:59:59.999999"],
            &["00:00:00.000000001"],
        ];
        for words in columns {
            let notation = find(words).expect("a notation");
            for word in words {
                let units = notation.units(word).expect("a number");
                assert_eq!(notation.write(units), *word, "{notation:?}");
            }
        }
    }

    #[test]
    fn days_and_months_are_told_apart_by_all_fields() {
        let pattern = |words: &[&str]| match find(words) {
            Some(Notation::Moment { pattern, .. }) => pattern,
            other => panic!("{other:?}"),
        };
        assert_eq!(pattern(&["01/02/2020", "12/31/2020"]), "%m/%d/%Y");
        assert_eq!(pattern(&["01/02/2020", "31/12/2020"]), "%d/%m/%Y");
        assert_eq!(find(&["2020-02-30"]), None);
        assert_eq!(find(&["2020-2-3"]), None);
    }

    #[test]
    fn formats_of_other_programs_are_understood() {
        for (format, text) in [
            ("%d/%m/%y", "29/02/24"),
            ("%Y-%m-%d %H:%M:%S.%f", "2024-02-29 23:59:01.000001"),
            ("%I:%M %p", "11:30 PM"),
            ("%B %d, %Y", "February 29, 2024"),
        ] {
            let notation = Notation::of_format(format).expect(format);
            let units = notation.units(text).expect(text);
            assert_eq!(notation.write(units), text, "{format}");
        }
        for no_format in ["", "%d", "%Y", "day"] {
            assert_eq!(Notation::of_format(no_format), None, "{no_format}");
        }
    }

    #[test]
    fn equal_values_are_written_as_the_column_writes_them() {
        let german = find(&["29.02.2024", "01.01.1970"]).expect("dates");
        assert_eq!(german.rewrite("2024-03-01").as_deref(), Some("01.03.2024"));
        let midnight = "2024-03-01 00:00:00";
        assert_eq!(german.rewrite(midnight).as_deref(), Some("01.03.2024"));
        for no_day in ["2024-03-01 12:00:00", "12:00", "spring"] {
            assert_eq!(german.rewrite(no_day), None);
        }
        let comma = find(&["3,5", "4"]).expect("numbers");
        assert_eq!(comma.rewrite("4.25").as_deref(), Some("4,25"));
    }

    #[test]
    fn numbers_beyond_64_bits_lose_places_that_they_do_not_have() {
        let notation = find(&["123456789.123456789", "0.1"]).expect("a notation");
        assert_eq!(
            notation.units("0.1").map(|units| notation.write(units)),
            Some("0.1".into())
        );
        assert_eq!(find(&["1e300"]), None);
    }
}
