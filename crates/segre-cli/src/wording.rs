//! Words of the library in those of the command line: settings become flags.

use clap::CommandFactory;
use segre::recipe::Recipe;

use crate::args::Arguments;

/// Flags that are not called as their setting.
const OTHER_NAMES: [(&str, &str); 4] = [
    ("constraints", "constraint"),
    ("drop_columns", "drop"),
    ("memory", "data-memory"),
    ("pad_to", "pad"),
];

/// Letters of a word that is shown whole.
const MOST_LETTERS: usize = 1000;

/// A message of the library with flags in place of settings in backticks: `` `ignore_as = class` `` becomes
/// `--ignore-as class`, and what has no flag of its own `--set network.heads=2`. Other words in backticks stay.
pub fn with_flags(message: &str) -> String {
    let mut parts = message.split('`');
    let mut out = parts.next().unwrap_or_default().to_owned();
    while let Some(inside) = parts.next() {
        let Some(after) = parts.next() else {
            out.extend(["`", inside]);
            break;
        };
        match flag_of(inside) {
            Some(flag) => out.push_str(&flag),
            None => out.extend(["`", inside, "`"]),
        }
        out.push_str(after);
    }
    shortened(&out)
}

/// The text with its endless words cut: a damaged file may hold a name of a million letters.
fn shortened(text: &str) -> String {
    let cut = |piece: &str| {
        let letters = piece.chars().count();
        if letters <= MOST_LETTERS {
            return piece.to_owned();
        }
        let start: String = piece.chars().take(MOST_LETTERS / 4).collect();
        let end: String = piece.chars().skip(letters - MOST_LETTERS / 4).collect();
        format!("{start}… ({letters} characters) …{end}")
    };
    text.split_inclusive(char::is_whitespace).map(cut).collect()
}

/// What the command line calls `setting` or `setting = value`, `None` for anything else.
fn flag_of(text: &str) -> Option<String> {
    let (name, value) = match text.split_once(" = ") {
        Some((name, value)) => (name, Some(value)),
        None => (text, None),
    };
    let letters = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if !name.starts_with(|c: char| c.is_ascii_lowercase()) || !name.chars().all(letters) {
        return None;
    }
    if let Some(key) = key_without_flag(name) {
        return Some(match value {
            Some(value) => format!("--set {key}={value}"),
            None => format!("--set {key}"),
        });
    }
    let other = OTHER_NAMES.iter().find(|(setting, _)| *setting == name);
    let flag = other.map_or_else(|| name.replace('_', "-"), |(_, flag)| (*flag).to_owned());
    Some(match value {
        Some(value) => format!("--{flag} {value}"),
        None => format!("--{flag}"),
    })
}

/// The key of a recipe for a setting that `segre fit` has no flag for.
fn key_without_flag(setting: &str) -> Option<String> {
    let command = Arguments::command();
    let flag = setting.replace('_', "-");
    let mut of_fit = command.find_subcommand("fit")?.get_arguments();
    if of_fit.any(|one| one.get_long() == Some(flag.as_str())) {
        return None;
    }
    Recipe::keys().find(|key| {
        key.rsplit_once('.')
            .is_some_and(|(_, name)| name == setting)
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;

    use super::*;

    #[test]
    fn settings_become_flags_and_other_words_stay() {
        for (message, expected) in [
            ("use `ignore_as = class`", "use --ignore-as class"),
            (
                "resize all with `size = 2x3` or remove it",
                "resize all with --size 2x3 or remove it",
            ),
            ("`gray` or `pad_to`", "--gray or --pad"),
            ("use `heads = 2`", "use --set network.heads=2"),
            ("leave `scanlines` out", "leave --set model.scanlines out"),
            ("more memory (`memory`)", "more memory (--data-memory)"),
            ("written by `segre fit`", "written by `segre fit`"),
            ("`Two Words` and one `", "`Two Words` and one `"),
            ("nothing", "nothing"),
        ] {
            assert_eq!(with_flags(message), expected);
        }
    }

    #[test]
    fn endless_words_are_cut() {
        let long = format!("column {:?} is missing", "x".repeat(5000));
        let shown = with_flags(&long);
        assert!(
            shown.len() < 700 && shown.contains("(5003 characters)"),
            "{shown}"
        );
        assert!(shown.starts_with("column \"xxx") && shown.ends_with("x\" is missing"));
    }

    /// Every flag of a command and the commands in it.
    fn flags(command: &clap::Command, found: &mut BTreeSet<String>) {
        let own = command.get_arguments().filter_map(|one| one.get_long());
        found.extend(own.map(|long| format!("--{long}")));
        command
            .get_subcommands()
            .for_each(|inner| flags(inner, found));
    }

    /// What the library's sources say in backticks outside comments.
    fn settings(folder: &Path, found: &mut BTreeSet<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                settings(&path, found);
                continue;
            }
            let text = fs::read_to_string(&path).unwrap();
            let code = text
                .lines()
                .filter(|line| !line.trim_start().starts_with("//"));
            for line in code {
                let inside = line.split('`').skip(1).step_by(2);
                found.extend(inside.filter_map(flag_of));
            }
        }
    }

    #[test]
    fn every_setting_that_the_library_names_has_a_flag() {
        let mut known = BTreeSet::new();
        flags(&Arguments::command(), &mut known);
        let library = Path::new(env!("CARGO_MANIFEST_DIR")).join("../segre/src");
        let mut named = BTreeSet::new();
        settings(&library, &mut named);
        assert!(named.len() > 10, "{named:?}");
        for flag in named {
            let name = flag.split(' ').next().unwrap_or_default();
            assert!(known.contains(name), "{flag} is no flag");
        }
    }
}
