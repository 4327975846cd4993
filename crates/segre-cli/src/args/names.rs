//! Lists on the command line: separated by commas; what holds a comma itself stands in double quotes, as in a table.

use csv::{ReaderBuilder, StringRecord};

/// Some words of one argument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names(Vec<String>);

/// Reads `a,b` and `"a, b",c`.
pub fn names(text: &str) -> Result<Names, String> {
    let mut reader = ReaderBuilder::new()
        .has_headers(false)
        .from_reader(text.as_bytes());
    let mut record = StringRecord::new();
    match reader.read_record(&mut record) {
        Ok(true) => Ok(Names(
            record.iter().map(|name| name.trim().to_owned()).collect(),
        )),
        Ok(false) => Ok(Names(Vec::new())),
        Err(error) => Err(error.to_string()),
    }
}

/// All words of an argument that may be repeated.
pub fn all(lists: &[Names]) -> Vec<String> {
    lists.iter().flat_map(|list| list.0.clone()).collect()
}

/// `name=value` pairs of an argument; a name may hold `=` itself where `last` says that the last one counts.
///
/// # Errors
/// With the word that has none.
pub fn pair(word: &str, last: bool) -> Result<(String, String), String> {
    let parts = if last {
        word.rsplit_once('=')
    } else {
        word.split_once('=')
    };
    let (name, value) = parts.ok_or_else(|| format!("{word:?} is no NAME=VALUE"))?;
    let unquoted = value
        .strip_prefix('"')
        .and_then(|value| value.strip_suffix('"'));
    Ok((name.to_owned(), unquoted.unwrap_or(value).to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commas_within_quotes_separate_nothing() {
        let found = |text: &str| all(&[names(text).unwrap()]);
        assert_eq!(found("a,b"), ["a", "b"]);
        assert_eq!(found("\"income, yearly\",b"), ["income, yearly", "b"]);
        assert_eq!(found("a, b"), ["a", "b"]);
        assert_eq!(found("c"), ["c"]);
        assert!(found("").is_empty());
    }

    #[test]
    fn pairs_have_a_name_and_a_value() {
        let of = |name: &str, value: &str| Ok((name.to_owned(), value.to_owned()));
        assert_eq!(pair("income=>50K", false), of("income", ">50K"));
        assert_eq!(pair("income=\">50K\"", false), of("income", ">50K"));
        assert_eq!(pair("a=b=c", false), of("a", "b=c"));
        assert_eq!(pair("a=b=number", true), of("a=b", "number"));
        assert!(pair("a", false).is_err());
    }
}
