//! Times as they are written: `90s`, `10m`, `1h` or a number of seconds.

use std::fmt;
use std::time::Duration;

use serde::de::Visitor;
use serde::{Deserializer, Serializer};

use super::{RecipeError, Result};

/// Seconds beyond which nobody waits.
const MOST_SECONDS: f64 = 1e7;

/// `90s`, `10m`, `1h` or a number of seconds.
///
/// # Errors
/// [`RecipeError::BadTime`] for another unit, for what is no number, and for times that are not positive.
pub fn parse_time(text: &str) -> Result<Duration> {
    let bad = |problem| RecipeError::BadTime {
        found: text.to_owned(),
        problem,
    };
    let unit_at = text
        .find(|c: char| c.is_ascii_alphabetic())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(unit_at);
    let seconds = match unit {
        "" | "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        _ => return Err(bad("the units of time are s, m or h")),
    };
    let number = number.trim().parse::<f64>();
    let number = number.map_err(|_| bad("write a time as 90s, 10m or 1h"))?;
    of_seconds(number * seconds).ok_or_else(|| bad("it must be positive and at most 1e7 seconds"))
}

fn of_seconds(seconds: f64) -> Option<Duration> {
    let legal = seconds > 0.0 && seconds <= MOST_SECONDS;
    legal.then(|| Duration::from_secs_f64(seconds))
}

/// The shortest way to write a time exactly.
fn write_time(time: &Duration) -> String {
    let seconds = time.as_secs();
    match (time.subsec_nanos(), seconds % 3600, seconds % 60) {
        (0, 0, _) => format!("{}h", seconds / 3600),
        (0, _, 0) => format!("{}m", seconds / 60),
        _ => format!("{}s", time.as_secs_f64()),
    }
}

pub(super) fn serialize<S: Serializer>(
    time: &Option<Duration>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match time {
        Some(time) => serializer.serialize_some(&write_time(time)),
        None => serializer.serialize_none(),
    }
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Duration>, D::Error> {
    deserializer.deserialize_any(Time).map(Some)
}

struct Time;

impl Visitor<'_> for Time {
    type Value = Duration;

    fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str("a number of seconds or a time like \"10m\"")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Duration, E> {
        parse_time(text).map_err(E::custom)
    }

    fn visit_f64<E: serde::de::Error>(self, seconds: f64) -> Result<Duration, E> {
        of_seconds(seconds)
            .ok_or_else(|| E::custom("a time must be positive and at most 1e7 seconds"))
    }

    fn visit_i64<E: serde::de::Error>(self, seconds: i64) -> Result<Duration, E> {
        self.visit_f64(seconds as f64)
    }

    fn visit_u64<E: serde::de::Error>(self, seconds: u64) -> Result<Duration, E> {
        self.visit_f64(seconds as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_units() {
        let seconds = |text| parse_time(text).map(|time| time.as_secs_f64());
        assert_eq!(seconds("90s"), Ok(90.0));
        assert_eq!(seconds("1.5m"), Ok(90.0));
        assert_eq!(seconds("2h"), Ok(7200.0));
        assert_eq!(seconds("7"), Ok(7.0));
        for bad in ["", "ten", "5d", "-3s", "0", "nan", "inf", "1e8"] {
            assert!(parse_time(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_time_that_is_written_is_read_again() {
        for (seconds, text) in [
            (90.0, "90s"),
            (120.0, "2m"),
            (7200.0, "2h"),
            (0.25, "0.25s"),
        ] {
            let time = Duration::from_secs_f64(seconds);
            assert_eq!(write_time(&time), text);
            assert_eq!(parse_time(text), Ok(time));
        }
    }
}
