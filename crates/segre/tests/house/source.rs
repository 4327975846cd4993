//! Rust sources as this test sees them: code without comments, string literals and tests, the literals beside it.

use std::fs;
use std::path::{Path, PathBuf};

/// A source file without its tests.
pub struct Source {
    /// Its place below the folder that was read.
    pub path: PathBuf,
    /// Code; string literals are empty and comments are gone.
    pub code: String,
    /// Contents of the string literals.
    pub literals: Vec<String>,
}

impl Source {
    /// The names of the modules from the crate's root to the file's own.
    pub fn module(&self) -> Vec<String> {
        let mut names: Vec<String> = self
            .path
            .with_extension("")
            .iter()
            .map(|name| name.to_string_lossy().into_owned())
            .collect();
        names.pop_if(|last| ["mod", "lib", "main"].contains(&last.as_str()));
        names
    }

    /// All paths that start at the crate's root, said with `crate` or with as many `super` as that takes.
    pub fn paths(&self) -> Vec<Vec<String>> {
        let (module, mut found) = (self.module(), Vec::new());
        for (word, root) in [("crate", Vec::new()), ("super", module)] {
            for (place, _) in self.code.match_indices(word) {
                let before = &self.code[..place];
                let after = &self.code[place + word.len()..];
                let whole = !before.ends_with(|c: char| c.is_alphanumeric() || c == '_');
                if whole && !before.ends_with("::") && after.trim_start().starts_with("::") {
                    let mut prefix = root.clone();
                    if word == "super" {
                        prefix.pop();
                    }
                    follow(&after.trim_start()[2..], &prefix, &mut found);
                }
            }
        }
        found
    }
}

/// Collects the paths of a tree of names, as `a::{b, c::d}`, below a prefix.
fn follow(text: &str, prefix: &[String], found: &mut Vec<Vec<String>>) {
    let text = text.trim_start();
    if let Some(inside) = text.strip_prefix('{') {
        let (mut depth, mut start) = (0, 0);
        for (place, c) in inside.char_indices() {
            match c {
                '{' => depth += 1,
                '}' if depth > 0 => depth -= 1,
                ',' | '}' if depth == 0 => {
                    follow(&inside[start..place], prefix, found);
                    start = place + 1;
                    if c == '}' {
                        break;
                    }
                }
                _ => {}
            }
        }
        return;
    }
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_');
    let (name, rest) = text.split_at(end.unwrap_or(text.len()));
    if name.is_empty() {
        return;
    }
    let mut path = prefix.to_vec();
    if name == "super" {
        path.pop();
    } else {
        path.push(name.to_owned());
    }
    match rest.trim_start().strip_prefix("::") {
        Some(rest) => follow(rest, &path, found),
        None => found.push(path),
    }
}

/// All sources in a folder but files of tests.
pub fn sources(root: &Path) -> Vec<Source> {
    let (mut folders, mut found) = (vec![root.to_path_buf()], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            match path.extension() {
                None if name != "tests" => folders.push(path),
                Some(end) if end == "rs" && name != "tests.rs" => found.push(read(&path, root)),
                _ => {}
            }
        }
    }
    assert!(found.len() > 20, "no sources in {}", root.display());
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

fn read(path: &Path, root: &Path) -> Source {
    let (code, literals) = split(&fs::read_to_string(path).unwrap());
    let (code, tests) = without_tests(&code);
    let outside = |place: &usize| !tests.iter().any(|test| test.contains(place));
    let literals = literals.into_iter().filter(|(place, _)| outside(place));
    Source {
        path: path.strip_prefix(root).unwrap().to_path_buf(),
        code,
        literals: literals.map(|(_, text)| text).collect(),
    }
}

/// Code without comments and contents of literals, and the string literals with their places in it.
fn split(text: &str) -> (String, Vec<(usize, String)>) {
    let (mut code, mut literals) = (String::new(), Vec::new());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if rest.starts_with("//") {
            rest = &rest[rest.find('\n').unwrap_or(rest.len())..];
        } else if rest.starts_with("/*") {
            rest = &rest[rest.find("*/").map_or(rest.len(), |end| end + 2)..];
        } else if c == '"' || rest.starts_with("r\"") || rest.starts_with("r#") {
            let inside = rest.trim_start_matches('r');
            let hashes = inside.len() - inside.trim_start_matches('#').len();
            let Some(body) = inside[hashes..].strip_prefix('"') else {
                // A raw identifier.
                code.push('r');
                rest = &rest[1..];
                continue;
            };
            let end = format!("\"{}", "#".repeat(hashes));
            let length = if c == 'r' {
                body.find(&end)
            } else {
                end_of_string(body)
            };
            let length = length.unwrap_or(body.len());
            literals.push((code.len(), body[..length].to_owned()));
            code.push_str("\"\"");
            rest = &body[(length + end.len()).min(body.len())..];
        } else if c == '\'' {
            // A character, or the start of a lifetime.
            let inside = &rest[1..];
            let length = match inside.strip_prefix('\\') {
                Some(escaped) => escaped[1..].find('\'').map(|end| end + 2),
                None => {
                    let width = inside.chars().next().map_or(0, char::len_utf8);
                    inside[width..].starts_with('\'').then_some(width)
                }
            };
            code.push('\'');
            rest = &inside[length.map_or(0, |length| length + 1)..];
        } else {
            code.push(c);
            rest = &rest[c.len_utf8()..];
        }
    }
    (code, literals)
}

/// Where an ordinary string ends.
fn end_of_string(body: &str) -> Option<usize> {
    let mut escaped = false;
    body.char_indices().find_map(|(place, c)| {
        let ends = c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        ends.then_some(place)
    })
}

/// Code with the items of tests blanked, and where they are.
fn without_tests(code: &str) -> (String, Vec<std::ops::Range<usize>>) {
    const MARK: &str = "#[cfg(test)]";
    let (mut out, mut tests) = (code.to_owned(), Vec::new());
    for (start, _) in code.match_indices(MARK) {
        let (mut depth, mut end) = (0, code.len());
        for (place, c) in code[start + MARK.len()..].char_indices() {
            match c {
                '{' => depth += 1,
                '}' => depth -= 1,
                _ => {}
            }
            if depth == 0 && (c == ';' || c == '}') {
                end = start + MARK.len() + place + 1;
                break;
            }
        }
        let blank = " ".repeat(end - start);
        out.replace_range(start..end, &blank);
        tests.push(start..end);
    }
    (out, tests)
}

#[test]
fn comments_literals_and_tests_are_told_from_code() {
    let text = r##"//! crate::no
use crate::{one::Two, three::{four, five}}; // "no"
fn f<'a>(c: char, s: &'a str) -> bool { c == '"' || s == "a \" --b" || s == r#"raw "c""# }
#[cfg(test)]
mod tests { use crate::six; fn g() -> &'static str { "no" } }
fn h() { super::super::seven::eight(); super::own(); }
"##;
    let (code, literals) = split(text);
    let (code, tests) = without_tests(&code);
    let said: Vec<_> = literals
        .iter()
        .filter(|(place, _)| !tests.iter().any(|test| test.contains(place)))
        .map(|(_, text)| text.as_str())
        .collect();
    assert_eq!(said, ["a \\\" --b", "raw \"c\""]);
    let source = Source {
        path: "a/b.rs".into(),
        code,
        literals: vec![],
    };
    let paths: Vec<String> = source.paths().iter().map(|path| path.join("::")).collect();
    let expected = [
        "one::Two",
        "three::four",
        "three::five",
        "seven::eight",
        "a::own",
    ];
    assert_eq!(paths, expected);
}
