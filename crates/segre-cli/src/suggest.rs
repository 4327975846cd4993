//! What may have been meant where an option or a command is not known: the one that is a few letters away.

use clap::error::{ContextKind, ContextValue, Error};
use clap::{Command, CommandFactory};

use crate::args::Arguments;

/// Letters added, left out, changed or swapped with the next one that a misspelling may have.
const MOST_EDITS: usize = 2;

/// The error with the nearest name as its only tip; clap does not know `--otu` for `--out` and proposes to pass it as a value.
pub fn with_suggestion(mut error: Error, words: impl Iterator<Item = String>) -> Error {
    let root = Arguments::command();
    let command = command_of(&root, words);
    let of = |error: &Error, kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.clone()),
        _ => None,
    };
    if let Some(unknown) = of(&error, ContextKind::InvalidSubcommand) {
        let names = command
            .get_subcommands()
            .map(|own| own.get_name().to_owned());
        if let Some(name) = nearest(&unknown, names) {
            let value = ContextValue::Strings(vec![name]);
            error.insert(ContextKind::SuggestedSubcommand, value);
        }
    }
    let option = of(&error, ContextKind::InvalidArg);
    if let Some(unknown) = option.filter(|word| word.starts_with("--")) {
        error.remove(ContextKind::Suggested);
        let longs = command.get_arguments().chain(root.get_arguments());
        let longs = longs.filter_map(|own| Some(format!("--{}", own.get_long()?)));
        if let Some(long) = nearest(&unknown, longs) {
            error.insert(ContextKind::SuggestedArg, ContextValue::String(long));
        }
    }
    error
}

/// The words of the command line after the program's name.
pub fn words() -> impl Iterator<Item = String> {
    let words = std::env::args_os().skip(1);
    words.map(|word| word.to_string_lossy().into_owned())
}

/// The command that words lead to, as far as they are commands.
fn command_of(root: &Command, words: impl Iterator<Item = String>) -> &Command {
    words.fold(root, |command, word| {
        command.find_subcommand(word).unwrap_or(command)
    })
}

/// The name that is fewest edits away, if they are few beside its length.
fn nearest(word: &str, names: impl Iterator<Item = String>) -> Option<String> {
    let name = names.map(|name| (strsim::osa_distance(word, &name), name));
    let near = |(edits, name): &(usize, String)| {
        let letters = name.trim_start_matches('-').chars().count();
        *edits <= MOST_EDITS.min(letters / 3)
    };
    name.filter(near).min().map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[test]
    fn misspelt_words_are_answered_with_the_right_ones() {
        for (line, tip) in [
            ("segre fti digits", Some("fit")),
            ("segre smaple run", Some("sample")),
            ("segre energy fti a.uai", Some("fit")),
            ("segre fit digits --otu run", Some("--out")),
            ("segre fit digits --sed 3", Some("--seed")),
            ("segre energy infer a.uai --evidnece b", Some("--evidence")),
            ("segre experiment rum toys", Some("run")),
            ("segre fit digits --flavour red", None),
            ("segre bake bread", None),
        ] {
            let words = || line.split(' ').map(str::to_owned);
            let error = Arguments::try_parse_from(words()).unwrap_err();
            let said = with_suggestion(error, words()).to_string();
            match tip {
                Some(tip) => assert!(said.contains(&format!("'{tip}'")), "{line}: {said}"),
                None => assert!(!said.contains("similar"), "{line}: {said}"),
            }
            assert!(!said.contains("as a value"), "{line}: {said}");
        }
    }
}
