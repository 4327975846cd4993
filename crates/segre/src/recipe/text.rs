//! Recipes as text: TOML with an explanation of every key, whole files and single assignments.

use serde_json::Value;

use super::keys::KEYS;
use super::{Recipe, RecipeError, Result};

const HEADING: &str = "\
# Recipe of a fit. Every key may be left out: what is not decided is chosen by the data.
# Keys behind a # are not decided, or mean nothing to this fit.

";

impl Recipe {
    /// All keys, dotted: `network.hidden`.
    pub fn keys() -> impl Iterator<Item = String> {
        KEYS.iter().map(dotted)
    }

    /// Reads a recipe; `name` is what messages call the text.
    ///
    /// # Errors
    /// [`RecipeError::Unreadable`] with line, key and what is legal.
    pub fn parse(text: &str, name: &str) -> Result<Self> {
        toml::from_str(text).map_err(|error| {
            let Some(span) = error.span() else {
                return unreadable(format!("{name}: "), error);
            };
            let line = text[..span.start].matches('\n').count();
            let found = text.lines().nth(line).unwrap_or_default().trim();
            unreadable(format!("{name}:{}: {found}: ", line + 1), error)
        })
    }

    /// The decisions of assignments like `network.hidden=64`: a dotted key and a TOML value, where a word needs no
    /// quotes. Of two with one key the later counts.
    ///
    /// # Errors
    /// [`RecipeError::NoAssignment`], [`RecipeError::UnknownKey`], and [`RecipeError::Unreadable`] for a value that
    /// the key cannot have.
    pub fn of_assignments<T: AsRef<str>>(texts: impl IntoIterator<Item = T>) -> Result<Self> {
        let mut all = toml::Table::new();
        for text in texts {
            let text = text.as_ref();
            let assigned = text.split_once('=');
            let (key, value) =
                assigned.ok_or_else(|| RecipeError::NoAssignment(text.to_owned()))?;
            let (key, value) = (key.trim(), value.trim());
            let known = KEYS.iter().find(|known| dotted(known) == key);
            let (section, name, _) = known.ok_or_else(|| unknown(key))?;
            let value = value
                .parse()
                .unwrap_or_else(|_| toml::Value::String(value.to_owned()));
            let section = match *section {
                "" => Some(&mut all),
                section => all
                    .entry(section)
                    .or_insert_with(|| toml::Table::new().into())
                    .as_table_mut(),
            };
            section.and_then(|section| section.insert((*name).to_owned(), value));
        }
        let read = toml::Value::from(all).try_into();
        read.map_err(|error| unreadable(String::new(), error))
    }

    /// The recipe as TOML that [`parse`](Self::parse) reads, with an explanation of every key.
    #[must_use]
    pub fn to_toml(&self) -> String {
        let values = serde_json::to_value(self).unwrap_or_default();
        let mut text = HEADING.to_owned();
        let mut last = "";
        for (section, key, explanation) in KEYS {
            let value = match section {
                "" => &values[key],
                section => &values[section][key],
            };
            if section != last {
                text += &format!("\n[{section}]\n");
                last = section;
            }
            text += &format!("# {explanation}\n");
            // Numbers, words, truth values and lists of numbers are written alike in JSON and TOML.
            text += &match value {
                Value::Null => format!("# {key} =\n"),
                value => format!("{key} = {value}\n"),
            };
        }
        text
    }
}

fn dotted((section, key, _): &(&str, &str, &str)) -> String {
    match *section {
        "" => (*key).to_owned(),
        section => format!("{section}.{key}"),
    }
}

fn unknown(key: &str) -> RecipeError {
    let meant = KEYS.iter().filter(|(_, name, _)| *name == key);
    let meant: Vec<String> = meant.map(dotted).collect();
    let legal = match meant.is_empty() {
        true => Recipe::keys().collect(),
        false => meant,
    };
    RecipeError::UnknownKey {
        key: key.to_owned(),
        legal: legal.join(", "),
    }
}

/// One line, in which only settings have backticks.
fn unreadable(place: String, mut error: toml::de::Error) -> RecipeError {
    error.set_input(None);
    let text = error.to_string().replace('`', "'");
    let mut problem = text.lines().collect::<Vec<_>>().join(", ");
    for (type_name, words) in [
        ("expected usize", "expected a whole number"),
        ("expected u64", "expected a whole number"),
        ("expected u32", "expected a whole number"),
        ("expected f64", "expected a number"),
        ("expected a sequence", "expected a list"),
    ] {
        problem = problem.replace(type_name, words);
    }
    RecipeError::Unreadable { place, problem }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::{NetworkKind, PathKind};

    const TEXT: &str =
        "seed = 3\n[training]\ntime = \"2m\"\n[network]\nkind = \"unet\"\nmultipliers = [1, 2]\n";

    /// All keys decided, floats that have no short form and a seed beyond what TOML promises included.
    fn whole() -> Recipe {
        let decisions = [
            "seed=9223372036854775807",
            "training.steps=5",
            "training.time=1.5m",
            "training.batch_size=8",
            "training.learning_rate=1e-7",
            "training.weight_decay=0.30000000000000004",
            "training.conditional=any",
            "training.flip=true",
            "training.precision=bf16",
            "training.validations=3",
            "training.validation_rows=4",
            "training.patience=2",
            "model.head=field",
            "model.scanlines=false",
            "model.trees=false",
            "path.kind=great-circle",
            "path.rate=1",
            "path.time_shape=2",
            "path.time_rate=0.5",
            "path.end_time=1e300",
            "network.kind=cnn",
            "network.hidden=1",
            "network.blocks=2",
            "network.components=0",
            "network.affinity=false",
            "network.dropout=0",
            "network.preset=tiny",
            "network.channels=2",
            "network.multipliers=[1, 2]",
            "network.attention=[]",
            "network.heads=1",
            "split.validation=0.2",
            "split.test=0.3",
        ];
        assert_eq!(decisions.len(), KEYS.len());
        Recipe {
            seed: Some(u64::MAX),
            ..Recipe::of_assignments(decisions).expect("legal values")
        }
    }

    fn assigned(text: &str) -> Recipe {
        Recipe::of_assignments([text]).expect(text)
    }

    #[test]
    fn a_recipe_is_read_as_it_was_written() {
        for recipe in [
            Recipe::default(),
            whole(),
            Recipe::parse(TEXT, "r").expect("legal"),
        ] {
            let text = recipe.to_toml();
            assert_eq!(Recipe::parse(&text, "r").as_ref(), Ok(&recipe), "{text}");
        }
        let (whole, empty) = (whole().to_toml(), Recipe::default().to_toml());
        assert!(!whole.lines().any(|line| line.ends_with(" =")), "{whole}");
        for (_, key, explanation) in KEYS {
            assert!(
                empty.contains(&format!("# {explanation}\n# {key} =\n")),
                "{empty}"
            );
        }
    }

    #[test]
    fn later_decisions_go_before_earlier_ones() {
        let file = Recipe::parse(TEXT, "r").expect("legal");
        let set = assigned("network.kind = cnn");
        let steps = assigned("training.steps=7");
        let all = file.clone().and(set).and(steps).and(Recipe::default());
        assert_eq!(
            (all.seed, all.network.kind),
            (Some(3), Some(NetworkKind::Cnn))
        );
        assert_eq!(all.network.multipliers, file.network.multipliers);
        assert_eq!((all.training.steps, all.training.time), (Some(7), None));
        assert_eq!(whole().and(file.clone()).and(whole()), whole());
        assert_eq!(Recipe::default().and(whole()), whole());
    }

    #[test]
    fn faults_are_told_with_line_key_and_what_is_legal() {
        for (text, fragments) in [
            (
                "seed = 1\n[network]\nhiden = 4\n",
                ["r.toml:3:", "'hiden'", "'hidden'"],
            ),
            (
                "[network]\nkind = \"unett\"\n",
                ["r.toml:2:", "'unett'", "'unet'"],
            ),
            ("[nets]\nhidden = 4\n", ["r.toml:1:", "'nets'", "'network'"]),
            (
                "[network]\nhidden = \"big\"\n",
                ["r.toml:2:", "\"big\"", "hidden"],
            ),
            ("[network]\n\nhidden 3\n", ["r.toml:3:", "expected", "="]),
            (
                "[training]\ntime = \"5d\"\n",
                ["r.toml:2:", "5d", "s, m or h"],
            ),
            ("[training]\ntime = -5\n", ["r.toml:2:", "positive", "time"]),
        ] {
            let said = Recipe::parse(text, "r.toml").expect_err(text).to_string();
            for fragment in fragments {
                assert!(said.contains(fragment), "{text}: {said}");
            }
            assert!(!said.contains(['`', '\n']), "{said}");
        }
        for (text, fragments) in [
            ("hidden", ["network.hidden=64", "hidden"]),
            ("hidden=4", ["hidden", "network.hidden"]),
            ("network.width=4", ["network.width", "split.test"]),
            ("network.hidden=big", ["\"big\"", "hidden"]),
            ("path.kind=straight", ["'straight'", "'masked'"]),
            ("network.multipliers=1,2", ["\"1,2\"", "a list"]),
            ("training.steps=-1", ["-1", "steps"]),
        ] {
            let said = Recipe::of_assignments([text]).expect_err(text).to_string();
            for fragment in fragments {
                assert!(said.contains(fragment), "{text}: {said}");
            }
        }
        let masked = assigned("path.kind=\"masked\"");
        assert_eq!(masked.path.kind, Some(PathKind::Masked));
    }
}
