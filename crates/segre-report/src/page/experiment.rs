//! The page of an experiment: its report, with the pictures in it.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use base64::{Engine, engine::general_purpose::STANDARD};
use pulldown_cmark::{CowStr, Event, Options, Parser, Tag, TagEnd, html};

use super::{Block, Page, Section};

/// The page of a report in Markdown whose pictures lie beside it.
///
/// # Errors
/// If the report or a picture that it names cannot be read.
pub fn experiment_page(report: &Path) -> Result<Page> {
    let text =
        fs::read_to_string(report).with_context(|| format!("cannot read {}", report.display()))?;
    let folder = report.parent().unwrap_or(Path::new("."));
    let (mut page, mut events, mut heading) = (Page::default(), Vec::new(), None);
    page.version = env!("CARGO_PKG_VERSION").to_owned();
    for event in Parser::new_ext(&text, Options::ENABLE_TABLES) {
        match event {
            Event::Start(Tag::Heading { level, .. }) if level as usize <= 2 => {
                heading = Some((level as usize, String::new()));
            }
            Event::End(TagEnd::Heading(level)) if level as usize <= 2 => {
                let (level, name) = heading.take().unwrap_or_default();
                match level {
                    1 => page.title = name,
                    _ => {
                        flush(&mut page, &mut events);
                        page.sections.push(Section::new(&name, "", Vec::new()));
                    }
                }
            }
            Event::Text(text) | Event::Code(text) if heading.is_some() => {
                if let Some((_, name)) = &mut heading {
                    name.push_str(&text);
                }
            }
            Event::Start(Tag::Image {
                link_type,
                dest_url,
                title,
                id,
            }) => events.push(Event::Start(Tag::Image {
                link_type,
                dest_url: CowStr::from(embedded(folder, &dest_url)?),
                title,
                id,
            })),
            // Reports are Markdown; what looks like HTML in them is text.
            Event::Html(text) | Event::InlineHtml(text) => events.push(Event::Text(text)),
            other => events.push(other),
        }
    }
    flush(&mut page, &mut events);
    Ok(page)
}

/// Puts what was read under the last heading.
fn flush(page: &mut Page, events: &mut Vec<Event>) {
    if events.is_empty() {
        return;
    }
    let mut text = String::new();
    html::push_html(&mut text, events.drain(..));
    if page.sections.is_empty() {
        page.sections.push(Section::new("About", "", Vec::new()));
    }
    if let Some(section) = page.sections.last_mut() {
        section.blocks.push(Block::Markdown { html: text });
    }
}

/// A picture of the folder as an address of its own.
fn embedded(folder: &Path, name: &str) -> Result<String> {
    let path = folder.join(name);
    let inside = Path::new(name)
        .components()
        .all(|part| matches!(part, std::path::Component::Normal(_)));
    anyhow::ensure!(inside, "{name}: a report's pictures lie in its folder");
    let bytes = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(format!("data:image/png;base64,{}", STANDARD.encode(bytes)))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn reports_become_sections_with_their_pictures() {
        let folder = tempfile::tempdir().unwrap();
        let report = folder.path().join("REPORT.md");
        let text = "# toys\n\nWhat it is.\n\n## Results\n\n| a | b |\n|---|---|\n| 1 | <script>x</script> |\n\n![p](p.png)\n";
        fs::write(&report, text).unwrap();
        assert!(
            experiment_page(&report)
                .unwrap_err()
                .to_string()
                .contains("p.png")
        );
        fs::write(folder.path().join("p.png"), [1, 2, 3]).unwrap();
        let page = experiment_page(&report).unwrap();
        assert_eq!(page.title, "toys");
        let titles: Vec<&str> = page.sections.iter().map(|own| &own.title[..]).collect();
        assert_eq!(titles, ["About", "Results"]);
        let html = page.to_html().unwrap();
        assert!(html.contains("<table>") && html.contains("data:image/png;base64,AQID"));
        assert!(!html.contains("<script>x") && html.contains("&lt;script&gt;x"));
        fs::write(&report, "![p](../p.png)").unwrap();
        assert!(experiment_page(&report).is_err());
    }
}
