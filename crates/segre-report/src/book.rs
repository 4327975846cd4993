//! The documents as a site: every Markdown page as an HTML file, with one list of pages and the look of a run's page.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use pulldown_cmark::{CowStr, Event, HeadingLevel, Options, Parser, Tag, TagEnd};
use serde::Serialize;

use crate::markdown::html;
use crate::page::render;

/// A page of the site.
#[derive(Serialize)]
struct Leaf {
    title: String,
    html: String,
    pages: Vec<Link>,
    version: &'static str,
}

/// A line of the list of pages.
#[derive(Clone, Serialize)]
struct Link {
    title: String,
    file: String,
    current: bool,
}

/// Writes the site of a project: `README.md` as its first page, the pages of `docs/`, and the architecture and changes.
///
/// # Errors
/// If a page or a picture cannot be read, or a link leads nowhere; the message names page and link.
pub fn write_book(project: &Path, out: &Path) -> Result<Vec<PathBuf>> {
    let mut sources: BTreeMap<PathBuf, String> = BTreeMap::new();
    sources.insert("README.md".into(), "index.html".to_owned());
    for name in ["ARCHITECTURE.md", "CHANGELOG.md"] {
        sources.insert(name.into(), name.to_lowercase().replace(".md", ".html"));
    }
    let docs = project.join("docs");
    let entries = fs::read_dir(&docs).with_context(|| format!("cannot read {}", docs.display()))?;
    for entry in entries {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if let Some(stem) = name.strip_suffix(".md") {
            let file = match stem {
                "README" => "documents.html".to_owned(),
                stem => format!("{stem}.html"),
            };
            sources.insert(Path::new("docs").join(&name), file);
        }
    }
    let mut texts = Vec::new();
    for (source, file) in &sources {
        let path = project.join(source);
        let text =
            fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let first = text.lines().find_map(|line| line.strip_prefix("# "));
        let title = first.unwrap_or(file).replace('`', "");
        texts.push((source, file, title, text));
    }
    let titles: BTreeMap<&str, &str> = texts
        .iter()
        .filter_map(|(source, _, title, _)| Some((source.file_name()?.to_str()?, &title[..])))
        .collect();
    // As the list of documents has them: that is what readers look for first.
    let list = texts
        .iter()
        .find(|(source, ..)| source.ends_with("docs/README.md"));
    let list = list.map_or("", |(.., text)| text);
    let mut order: Vec<usize> = (0..texts.len()).collect();
    order.sort_by_key(
        |place| match (&texts[*place].1[..], texts[*place].0.file_name()) {
            ("index.html", _) => 0,
            ("documents.html", _) => 1,
            (_, Some(name)) => list
                .find(&format!("({})", name.to_string_lossy()))
                .unwrap_or(usize::MAX),
            (_, None) => usize::MAX,
        },
    );
    fs::create_dir_all(out).with_context(|| format!("cannot create {}", out.display()))?;
    let mut written = Vec::new();
    for (source, file, title, text) in &texts {
        let folder = source.parent().unwrap_or(Path::new(""));
        let html = page_of(text, &titles, |link| {
            target(project, out, folder, link, &sources)
        })
        .with_context(|| format!("{}", source.display()))?;
        let link = |(_, other, title, _): &(&PathBuf, &String, String, String)| Link {
            title: title.clone(),
            file: (*other).clone(),
            current: other == file,
        };
        let leaf = Leaf {
            title: title.clone(),
            html,
            pages: order.iter().map(|place| link(&texts[*place])).collect(),
            version: env!("CARGO_PKG_VERSION"),
        };
        let path = out.join(file);
        fs::write(&path, render("book.html", &leaf)?)
            .with_context(|| format!("cannot write {}", path.display()))?;
        written.push(path);
    }
    Ok(written)
}

/// Where a link leads on the site: to another page, to a picture that is copied, or out of it.
fn target(
    project: &Path,
    out: &Path,
    folder: &Path,
    link: &str,
    sources: &BTreeMap<PathBuf, String>,
) -> Result<String> {
    if link.contains("://") || link.starts_with('#') {
        return Ok(link.to_owned());
    }
    let (name, anchor) = link.split_once('#').unwrap_or((link, ""));
    let mut path = PathBuf::new();
    for part in folder.join(name).components() {
        match part {
            std::path::Component::ParentDir => {
                path.pop();
            }
            part => path.push(part),
        }
    }
    if let Some(file) = sources.get(&path) {
        let anchor = if anchor.is_empty() {
            String::new()
        } else {
            format!("#{anchor}")
        };
        return Ok(format!("{file}{anchor}"));
    }
    let source = project.join(&path);
    if path.extension().is_some_and(|extension| extension == "png") {
        let name = path.file_name().unwrap_or_default();
        fs::copy(&source, out.join(name))
            .with_context(|| format!("cannot copy {}", source.display()))?;
        return Ok(name.to_string_lossy().into_owned());
    }
    if !source.exists() {
        bail!("the link {link} leads nowhere");
    }
    // Sources lie beside the site's folder only in a clone; their names are what a reader needs.
    Ok("#".to_owned())
}

/// The HTML of a page; headings can be linked to by their words, as on the usual hosts, and pages that are named by their
/// files are called by their titles.
fn page_of(
    text: &str,
    titles: &BTreeMap<&str, &str>,
    target: impl Fn(&str) -> Result<String>,
) -> Result<String> {
    let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH;
    let mut events: Vec<Event> = Vec::new();
    let mut heading: Option<(usize, HeadingLevel, String)> = None;
    let mut linked = false;
    for event in Parser::new_ext(text, options) {
        match event {
            Event::Start(Tag::Link { .. }) => linked = true,
            Event::End(TagEnd::Link) => linked = false,
            _ => {}
        }
        let event = match event {
            Event::Start(Tag::Link {
                link_type,
                dest_url,
                title,
                id,
            }) => Event::Start(Tag::Link {
                link_type,
                dest_url: CowStr::from(target(&dest_url)?),
                title,
                id,
            }),
            Event::Start(Tag::Image {
                link_type,
                dest_url,
                title,
                id,
            }) => Event::Start(Tag::Image {
                link_type,
                dest_url: CowStr::from(target(&dest_url)?),
                title,
                id,
            }),
            Event::Start(Tag::Heading { level, .. }) => {
                heading = Some((events.len(), level, String::new()));
                event
            }
            Event::End(TagEnd::Heading(_)) => {
                if let Some((place, level, words)) = heading.take() {
                    events[place] = Event::Start(Tag::Heading {
                        level,
                        id: Some(CowStr::from(anchor(&words))),
                        classes: Vec::new(),
                        attrs: Vec::new(),
                    });
                }
                event
            }
            Event::Text(ref words) if linked && titles.contains_key(&words[..]) => {
                Event::Text(CowStr::from(titles[&words[..]].to_owned()))
            }
            Event::Text(ref words) | Event::Code(ref words) => {
                if let Some((_, _, said)) = &mut heading {
                    said.push_str(words);
                }
                event
            }
            other => other,
        };
        events.push(event);
    }
    Ok(html(events.into_iter()))
}

/// A heading's words as the end of an address.
fn anchor(heading: &str) -> String {
    let lower = heading.to_lowercase();
    let kept = lower.chars().filter_map(|c| match c {
        ' ' => Some('-'),
        c if c.is_alphanumeric() || c == '-' || c == '_' => Some(c),
        _ => None,
    });
    kept.collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_documents_of_this_project_are_a_site() {
        let project = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let out = tempfile::tempdir().unwrap();
        let pages = write_book(&project, out.path()).unwrap();
        assert!(pages.len() > 10, "{pages:?}");
        let index = fs::read_to_string(out.path().join("index.html")).unwrap();
        assert!(index.contains("href=\"tables.html\"") && index.contains("aria-current"));
        // Pages stand as the list of documents has them, and are called by their titles.
        let place = |file: &str| index.find(&format!("<a href=\"{file}\"")).unwrap();
        assert!(place("index.html") < place("tour.html"));
        assert!(place("tour.html") < place("architecture.html"));
        let mathematics = fs::read_to_string(out.path().join("mathematics.html")).unwrap();
        assert!(mathematics.contains("<a href=\"papers.html\">The papers</a>"));
        assert!(out.path().join("digits.png").exists());
        // Every link within the site has its page and its heading.
        for page in &pages {
            let text = fs::read_to_string(page).unwrap();
            for link in text.split("href=\"").skip(1) {
                let link = &link[..link.find('"').unwrap()];
                if link.contains("://") || link.starts_with("data:") || link == "#" {
                    continue;
                }
                let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
                let own = if file.is_empty() {
                    page.clone()
                } else {
                    out.path().join(file)
                };
                let found = fs::read_to_string(&own).unwrap();
                let there = anchor.is_empty() || found.contains(&format!("id=\"{anchor}\""));
                assert!(there, "{}: {link}", page.display());
            }
        }
    }

    #[test]
    fn links_that_lead_nowhere_are_refused() {
        let project = tempfile::tempdir().unwrap();
        fs::create_dir(project.path().join("docs")).unwrap();
        for name in ["README.md", "ARCHITECTURE.md", "CHANGELOG.md"] {
            fs::write(project.path().join(name), "# One\n").unwrap();
        }
        fs::write(project.path().join("docs/a.md"), "# A\n\n[x](gone.md)\n").unwrap();
        let out = project.path().join("site");
        let error = format!("{:#}", write_book(project.path(), &out).unwrap_err());
        assert!(
            error.contains("docs/a.md") && error.contains("gone.md"),
            "{error}"
        );
    }
}
