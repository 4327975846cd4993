//! Names of columns in messages: all of them in a line, and the one that may have been meant.

use super::error::DataError;

/// Similarity (Jaro–Winkler) from which a name may be a misspelling of another.
const SIMILAR: f64 = 0.85;
/// Names of a line.
const SHOWN: usize = 20;

impl DataError {
    /// That a name is no column of a model that has these.
    pub(crate) fn no_such_column<'a>(
        name: &str,
        columns: impl Iterator<Item = &'a str> + Clone,
    ) -> Self {
        Self::NoSuchColumn {
            name: name.to_owned(),
            columns: listed(columns.clone()),
            hint: meant(name, columns),
        }
    }
}

/// Some names in a line; those with commas in quotes, as lists of names are read.
pub(in crate::data) fn listed<'a>(names: impl Iterator<Item = &'a str> + Clone) -> String {
    let quoted = |name: &str| match name.contains([',', '"']) {
        true => format!("\"{}\"", name.replace('"', "\"\"")),
        false => name.to_owned(),
    };
    let some: Vec<String> = names.clone().take(SHOWN).map(quoted).collect();
    match names.count().saturating_sub(SHOWN) {
        0 => some.join(", "),
        more => format!("{} and {more} more", some.join(", ")),
    }
}

/// `; did you mean …?`, or nothing where no name is like the one that was given.
pub(in crate::data) fn meant<'a>(name: &str, names: impl Iterator<Item = &'a str>) -> String {
    let likeness = |other: &str| match other.to_lowercase() == name.to_lowercase() {
        true => 2.0,
        // The part before or after a comma.
        false if other.split(',').any(|part| part.trim() == name) => 1.0,
        false => strsim::jaro_winkler(other, name),
    };
    let best = names.map(|other| (likeness(other), other));
    let best = best.max_by(|a, b| a.0.total_cmp(&b.0));
    match best.filter(|(likeness, _)| *likeness >= SIMILAR) {
        Some((_, other)) => {
            let other = listed(std::iter::once(other));
            let quotes = if other.contains('"') {
                ", in double quotes"
            } else {
                ""
            };
            format!("; did you mean {other}{quotes}?")
        }
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_that_was_meant_is_like_the_one_that_was_given() {
        let names = ["region", "age", "income, yearly"];
        let meant = |name: &str| meant(name, names.into_iter());
        assert_eq!(meant("Region"), "; did you mean region?");
        assert_eq!(meant("regoin"), "; did you mean region?");
        assert_eq!(
            meant("income"),
            "; did you mean \"income, yearly\", in double quotes?"
        );
        assert_eq!(meant("zip"), "");
    }

    #[test]
    fn long_lists_are_cut() {
        let names: Vec<String> = (0..30).map(|k| k.to_string()).collect();
        let line = listed(names.iter().map(String::as_str));
        assert!(line.starts_with("0, 1,") && line.ends_with("19 and 10 more"));
        assert_eq!(listed(["a", "b, c"].into_iter()), "a, \"b, c\"");
    }
}
