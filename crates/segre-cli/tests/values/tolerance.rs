//! Results as they are stored, and when they count as the same: words equal, numbers within what processors differ by.

use crate::scenes::Results;

/// Relative difference of numbers that count as the same. Between processors with SSE only and with AVX-512 the results of the
/// list differ by 1e-6 at most, after some tens of steps of training.
const RELATIVE: f64 = 1e-4;
/// The same for numbers that are nearly 0: differences of larger ones.
const ABSOLUTE: f64 = 1e-6;
/// Significant digits that are stored.
const DIGITS: usize = 6;
/// Differences that are named of one result.
const NAMED: usize = 3;
const HEADING: &str = "=== ";

/// All results of a scene as one text, numbers to six digits, without what tells the last bit. Checkpoints are left out:
/// they hold the model four times, and what is resumed from them tells whether they are right.
pub fn stored_form(results: &Results) -> String {
    let mut out = String::new();
    let kept = |name: &str| !name.ends_with("checkpoint.safetensors");
    for (name, text) in results.iter().filter(|(name, _)| kept(name)) {
        out += &format!("{HEADING}{name}\n");
        for line in text.lines() {
            let kept = line.split(" hash:").next().unwrap_or_default();
            for token in tokens(kept) {
                match token {
                    Token::Number(word) => out += &rounded(word),
                    Token::Other(word) => out += word,
                }
            }
            out.push('\n');
        }
    }
    out
}

/// Lines that are not the same, by the name of their result.
pub fn differences(stored: &str, found: &str) -> Vec<String> {
    let (stored, found) = (sections(stored), sections(found));
    let mut out = Vec::new();
    for (name, _) in stored
        .iter()
        .filter(|(name, _)| !found.iter().any(|own| own.0 == *name))
    {
        out.push(format!("{name} is gone"));
    }
    for (name, lines) in &found {
        let Some((_, former)) = stored.iter().find(|own| own.0 == *name) else {
            out.push(format!("{name} is new"));
            continue;
        };
        let pairs = former.iter().zip(lines).filter(|(a, b)| !same(a, b));
        let shown = pairs.clone().take(NAMED);
        out.extend(shown.map(|(a, b)| format!("{name}:\n  stored {a}\n  now    {b}")));
        let more = pairs.count().saturating_sub(NAMED);
        if more > 0 {
            out.push(format!("{name}: {more} more lines"));
        }
        if former.len() != lines.len() {
            let (then, now) = (former.len(), lines.len());
            out.push(format!("{name}: {now} lines, stored are {then}"));
        }
    }
    out
}

fn sections(text: &str) -> Vec<(&str, Vec<&str>)> {
    let mut out: Vec<(&str, Vec<&str>)> = Vec::new();
    for line in text.lines() {
        match (line.strip_prefix(HEADING), out.last_mut()) {
            (Some(name), _) => out.push((name, Vec::new())),
            (None, Some((_, lines))) => lines.push(line),
            (None, None) => {}
        }
    }
    out
}

/// Whether two lines say the same, whatever their spaces.
fn same(a: &str, b: &str) -> bool {
    let (a, b) = (tokens(a), tokens(b));
    a.len() == b.len() && a.iter().zip(&b).all(|(a, b)| a.same(b))
}

enum Token<'a> {
    Number(&'a str),
    Other(&'a str),
}

impl Token<'_> {
    fn same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Other(a), Self::Other(b)) => a.split_whitespace().eq(b.split_whitespace()),
            (Self::Number(a), Self::Number(b)) => a == b || near(a, b),
            _ => false,
        }
    }
}

/// Counts are equal or not; other numbers may differ by the tolerance, and by one in their last printed digit.
fn near(a: &str, b: &str) -> bool {
    let fraction = |text: &str| text.contains(['.', 'e', 'E']);
    let (Ok(x), Ok(y)) = (a.parse::<f64>(), b.parse::<f64>()) else {
        return false;
    };
    let unit = last_digit(a).max(last_digit(b));
    (fraction(a) || fraction(b))
        && (x - y).abs() <= ABSOLUTE + RELATIVE * x.abs().max(y.abs()) + 1.001 * unit
}

/// What one in the last digit is worth.
fn last_digit(text: &str) -> f64 {
    let (number, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let decimals = number.split_once('.').map_or(0, |(_, digits)| digits.len());
    10_f64.powi(exponent.parse::<i32>().unwrap_or(0) - decimals as i32)
}

/// Numbers with a fraction to six significant digits; others as they are.
fn rounded(word: &str) -> String {
    let digits = word.chars().filter(char::is_ascii_digit).count();
    match word.parse::<f64>() {
        Ok(value) if word.contains(['.', 'e', 'E']) && digits > DIGITS => {
            format!("{value:.*e}", DIGITS - 1)
        }
        _ => word.to_owned(),
    }
}

/// Numbers and what is between them; a number within a name is a part of it.
fn tokens(line: &str) -> Vec<Token<'_>> {
    let bytes = line.as_bytes();
    let digit = |place: usize| bytes.get(place).is_some_and(u8::is_ascii_digit);
    let run = |mut place: usize| {
        while digit(place) {
            place += 1;
        }
        place
    };
    let (mut out, mut begun, mut place) = (Vec::new(), 0, 0);
    while place < bytes.len() {
        let signed = place + usize::from(bytes[place] == b'-');
        let inside =
            place > 0 && (bytes[place - 1].is_ascii_alphanumeric() || bytes[place - 1] == b'_');
        if !digit(signed) || inside {
            place += 1;
            continue;
        }
        let mut end = run(signed);
        if bytes.get(end) == Some(&b'.') && digit(end + 1) {
            end = run(end + 1);
        }
        let exponent = end + 1 + usize::from(matches!(bytes.get(end + 1), Some(b'-' | b'+')));
        if matches!(bytes.get(end), Some(b'e' | b'E')) && digit(exponent) {
            end = run(exponent);
        }
        if begun < place {
            out.push(Token::Other(&line[begun..place]));
        }
        out.push(Token::Number(&line[place..end]));
        (begun, place) = (end, end);
    }
    if begun < bytes.len() {
        out.push(Token::Other(&line[begun..]));
    }
    out
}

#[test]
fn numbers_are_compared_and_words_are_equal() {
    assert!(same(
        "bits 1.23456 ± 0.001, 5 rows",
        "bits  1.23457 ± 0.001, 5 rows"
    ));
    assert!(same("-1.00000e-3", "-1.00001e-3"));
    assert!(same("0.0036", "0.0037"), "the last printed digit");
    for (a, b) in [
        ("bits 1.23456", "bits 1.24456"),
        ("1.23456", "-1.23456"),
        ("5 rows", "6 rows"),
        ("r0c1", "r0c2"),
        ("bits 1.2", "nats 1.2"),
        ("1.2", "1.2 1.3"),
    ] {
        assert!(!same(a, b), "{a}, {b}");
    }
    assert_eq!(rounded("0.123456789"), "1.23457e-1");
    assert_eq!(rounded("1234567"), "1234567");
    let found = differences("=== a\n1.5\n=== b\nx\n", "=== a\n1.7\n=== c\nx\n");
    assert_eq!(found.len(), 3, "{found:?}");
}
