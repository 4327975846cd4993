//! The documents: what they link to is there, and the program understands the commands that they show.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A document, its words apart from its code.
struct Document {
    path: PathBuf,
    /// Lines outside of fences.
    prose: Vec<String>,
    /// Lines inside of fences, with the language of the fence.
    code: Vec<(String, String)>,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// README, ARCHITECTURE and CHANGELOG, and the pages of `docs`.
fn documents() -> Vec<Document> {
    let mut paths: Vec<_> = ["README.md", "ARCHITECTURE.md", "CHANGELOG.md"]
        .map(|name| root().join(name))
        .into();
    for entry in fs::read_dir(root().join("docs")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|end| end == "md") {
            paths.push(path);
        }
    }
    paths.into_iter().map(Document::read).collect()
}

impl Document {
    fn read(path: PathBuf) -> Self {
        let text = fs::read_to_string(&path).unwrap();
        let (mut prose, mut code, mut fence) = (Vec::new(), Vec::new(), None);
        for line in text.lines() {
            match (line.trim_start().strip_prefix("```"), &fence) {
                (Some(language), None) => fence = Some(language.to_owned()),
                (Some(_), Some(_)) => fence = None,
                (None, Some(language)) => code.push((language.clone(), line.to_owned())),
                (None, None) => prose.push(line.to_owned()),
            }
        }
        assert!(fence.is_none(), "{}: an open fence", path.display());
        Self { path, prose, code }
    }

    /// What stands in `](…)`.
    fn links(&self) -> impl Iterator<Item = &str> {
        let lines = self.prose.iter();
        lines.flat_map(|line| {
            let ends = line.split("](").skip(1);
            ends.filter_map(|rest| rest.split_once(')').map(|(target, _)| target))
        })
    }

    /// What stands between backticks, and the words of its code.
    fn words(&self) -> impl Iterator<Item = &str> {
        let spans = self.prose.iter();
        let spans = spans.flat_map(|line| line.split('`').skip(1).step_by(2));
        let code = self.code.iter();
        spans.chain(code.flat_map(|(_, line)| line.split_whitespace()))
    }

    fn headings(&self) -> impl Iterator<Item = &str> {
        let lines = self.prose.iter().filter(|line| line.starts_with('#'));
        lines.map(|line| line.trim_start_matches('#').trim())
    }

    /// The commands of `segre` in its shell code, without comments and redirections, lines that go on joined.
    fn commands(&self) -> Vec<String> {
        let shell = self.code.iter().filter(|(language, _)| language == "sh");
        let text: String = shell.map(|(_, line)| format!("{line}\n")).collect();
        let text = text.replace("\\\n", " ");
        let lines = text.lines().map(|line| {
            let command = line.split(" #").next().unwrap_or_default();
            command.split(" > ").next().unwrap_or_default().trim()
        });
        let built = "cargo build --release --workspace && target/release/segre ";
        let starts = ["segre ", "target/release/segre ", built];
        lines
            .filter_map(|line| {
                let rest = starts.iter().find_map(|start| line.strip_prefix(start));
                rest.map(str::to_owned)
            })
            .collect()
    }
}

/// The anchor that a heading gets: lower case, hyphens for spaces, no other punctuation.
fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter_map(|c| match c {
        ' ' => Some('-'),
        c if c.is_alphanumeric() || c == '-' || c == '_' => Some(c),
        _ => None,
    });
    kept.flat_map(char::to_lowercase).collect()
}

#[test]
fn links_lead_somewhere() {
    let mut broken = Vec::new();
    for document in documents() {
        for link in document.links() {
            if link.contains("://") {
                continue;
            }
            let (file, place) = link.split_once('#').unwrap_or((link, ""));
            let target = match file {
                "" => document.path.clone(),
                file => document.path.parent().unwrap().join(file),
            };
            let found = target.exists()
                && (place.is_empty()
                    || Document::read(target)
                        .headings()
                        .any(|h| anchor(h) == place));
            if !found {
                broken.push(format!("{}: {link}", document.path.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn paths_that_are_named_are_there() {
    let mut missing = Vec::new();
    for document in documents() {
        for word in document.words() {
            let word = word.trim_end_matches([',', ';', ':', '.', '/']);
            let ours = ["crates/", "benches/", "docs/"];
            let plain = |c: char| c.is_ascii_alphanumeric() || "_-./".contains(c);
            if ours.iter().any(|start| word.starts_with(start))
                && word.chars().all(plain)
                && !root().join(word).exists()
            {
                missing.push(format!("{}: {word}", document.path.display()));
            }
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
}

#[test]
fn sections_that_the_sources_cite_are_there() {
    let mathematics = Document::read(root().join("docs/mathematics.md"));
    let numbers: Vec<_> = mathematics
        .headings()
        .filter_map(|heading| heading.split(' ').next())
        .map(|number| number.trim_end_matches('.'))
        .collect();
    let mut folders = vec![root().join("crates")];
    let (mut cited, mut missing) = (0, Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                for rest in text.split("docs/mathematics.md §").skip(1) {
                    let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.');
                    let number = rest[..end.unwrap_or(rest.len())].trim_end_matches('.');
                    // This file says how citations begin, and cites nothing.
                    if number.is_empty() {
                        continue;
                    }
                    cited += 1;
                    if !numbers.contains(&number) {
                        missing.push(format!("{}: §{number}", path.display()));
                    }
                }
            }
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
    assert!(
        cited > 30,
        "only {cited} citations found: do they look otherwise now?"
    );
}

/// With `--help` at its end a command line is read, word by word, and nothing is done.
#[test]
fn commands_that_are_shown_are_understood() {
    let mut refused = Vec::new();
    let mut seen = 0;
    for document in documents() {
        for command in document.commands() {
            let words = command.split_whitespace().chain(["--help"]);
            let run = Command::new(env!("CARGO_BIN_EXE_segre"))
                .args(words)
                .output()
                .unwrap();
            seen += 1;
            if !run.status.success() {
                let reason = String::from_utf8_lossy(&run.stderr).into_owned();
                refused.push(format!(
                    "{}: segre {command}\n{reason}",
                    document.path.display()
                ));
            }
        }
    }
    assert!(refused.is_empty(), "{}", refused.join("\n"));
    assert!(seen > 30, "only {seen} commands found");
}

#[test]
fn every_key_of_a_recipe_is_explained() {
    let page = fs::read_to_string(root().join("docs/recipes.md")).unwrap();
    let run = Command::new(env!("CARGO_BIN_EXE_segre"))
        .args(["fit", "digits", "--print-recipe"])
        .output()
        .unwrap();
    let text = String::from_utf8(run.stdout).unwrap();
    let (mut section, mut keys) = (String::new(), Vec::new());
    for line in text.lines() {
        let key = line.trim_start_matches("# ").split_once(" =");
        if let Some(name) = line.strip_prefix('[') {
            section = format!("{}.", name.trim_end_matches(']'));
        } else if let Some((key, _)) = key.filter(|(key, _)| !key.contains(' ')) {
            keys.push(format!("`{section}{key}`"));
        }
    }
    assert!(keys.len() > 20, "{text}");
    keys.retain(|key| !page.contains(key));
    assert!(keys.is_empty(), "{keys:?}");
}
