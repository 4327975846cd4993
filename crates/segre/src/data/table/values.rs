//! Values of a typed column in the spelling of a schema: `1.0` for `1`, `2024-03-01` for `01.03.2024`.

use std::collections::HashMap;

use super::coding::Values;
use super::frame::FrameColumn;
use super::number::Notation;
use crate::data::schema::{Schema, Vocabulary};

/// What a text is as the column writes it.
type Spell<'a> = Box<dyn Fn(&str) -> Option<String> + 'a>;

/// The words of a table's column as a schema's column writes their values; those that it does not have stay as they are.
pub fn as_written(schema: &Schema, column: usize, found: &FrameColumn) -> Vec<String> {
    let (_, coding) = schema.column(column);
    let site = schema.sites_of(column).start;
    let spell: Spell = match coding.map(|coding| &coding.values) {
        Some(Values::Numbers { notation, .. }) => Box::new(|word| notation.rewrite(word)),
        Some(Values::Words(words)) => Box::new(spelling(words.iter().map(String::as_str))),
        None => match schema.vocabulary(site) {
            Vocabulary::Integers { .. } => {
                Box::new(|word| word.strip_suffix(".0").map(str::to_owned))
            }
            vocabulary => Box::new(spelling(vocabulary.words().unwrap_or_default().into_iter())),
        },
    };
    let words = found.words.iter();
    words
        .map(|word| spell(word).unwrap_or_else(|| word.to_owned()))
        .collect()
}

/// How some words spell a value.
pub(super) fn spelling<'a>(
    known: impl Iterator<Item = &'a str> + Clone,
) -> impl Fn(&str) -> Option<String> {
    let moments = Notation::find(known.clone()).filter(Notation::is_moment);
    let keys = known.map(|word| (key(word), word.to_owned()));
    let keys: HashMap<String, String> = keys.collect();
    move |word| match &moments {
        Some(notation) => notation.rewrite(word),
        None => keys.get(&key(word)).cloned(),
    }
}

/// What words of one value have in common: the number, or the letters.
fn key(word: &str) -> String {
    // Whole numbers beyond 2⁵³ are told apart by their digits alone.
    match (word.parse::<i128>(), word.parse::<f64>()) {
        (Ok(number), _) => number.to_string(),
        (_, Ok(number)) => number.to_string(),
        _ => word.to_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_value_has_one_spelling() {
        let spell = spelling(["False", "True"].into_iter());
        assert_eq!(spell("true").as_deref(), Some("True"));
        assert_eq!(spell("1"), None);
        let spell = spelling(["1", "2", "x"].into_iter());
        assert_eq!(spell("2.0").as_deref(), Some("2"));
        let spell = spelling(["01.02.2024"].into_iter());
        assert_eq!(spell("2024-02-01").as_deref(), Some("01.02.2024"));
    }
}
