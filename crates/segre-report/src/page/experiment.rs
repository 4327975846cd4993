//! The page of an experiment: its report, with the pictures in it.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use base64::{Engine, engine::general_purpose::STANDARD};
use pulldown_cmark::{Alignment, CowStr, Event, Options, Parser, Tag, TagEnd};

use crate::markdown::html;

use super::{Block, Cell, Page, Section};

/// The page of a report in Markdown whose pictures lie beside it.
///
/// # Errors
/// If the report or a picture that it names cannot be read.
pub fn experiment_page(report: &Path) -> Result<Page> {
    let text =
        fs::read_to_string(report).with_context(|| format!("cannot read {}", report.display()))?;
    let folder = report.parent().unwrap_or(Path::new("."));
    let (mut page, mut events, mut heading) = (Page::default(), Vec::new(), None);
    let mut table: Option<Reading> = None;
    page.version = env!("CARGO_PKG_VERSION").to_owned();
    page.lead = "An experiment: what was found, beside what is published.".to_owned();
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
            Event::Start(Tag::Table(alignments)) => {
                flush(&mut page, &mut events);
                table = Some(Reading::new(&alignments));
            }
            Event::End(TagEnd::Table) => {
                if page.sections.is_empty() {
                    page.sections.push(Section::new("About", "", Vec::new()));
                }
                if let (Some(read), Some(section)) = (table.take(), page.sections.last_mut()) {
                    section.blocks.push(read.block(&section.title));
                }
            }
            Event::End(TagEnd::TableHead | TagEnd::TableRow) => {
                table.iter_mut().for_each(Reading::end_row);
            }
            Event::Start(Tag::TableCell) => {
                table
                    .iter_mut()
                    .for_each(|table| table.row.push(String::new()));
            }
            Event::Text(text) | Event::Code(text) if table.is_some() => {
                let cell = table.as_mut().and_then(|table| table.row.last_mut());
                cell.into_iter().for_each(|cell| cell.push_str(&text));
            }
            Event::Html(text) | Event::InlineHtml(text) if table.is_some() => {
                let cell = table.as_mut().and_then(|table| table.row.last_mut());
                cell.into_iter().for_each(|cell| cell.push_str(&text));
            }
            // What is bold or a link in a cell is text.
            _ if table.is_some() => {}
            // Reports are Markdown; what looks like HTML in them is text.
            Event::Html(text) | Event::InlineHtml(text) => events.push(Event::Text(text)),
            other => events.push(other),
        }
    }
    flush(&mut page, &mut events);
    Ok(page)
}

/// A table that is being read.
struct Reading {
    /// Whether a column holds numbers.
    numbers: Vec<bool>,
    row: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Reading {
    fn new(alignments: &[Alignment]) -> Self {
        Self {
            numbers: alignments
                .iter()
                .map(|of| *of == Alignment::Right)
                .collect(),
            row: Vec::new(),
            rows: Vec::new(),
        }
    }

    fn end_row(&mut self) {
        self.rows.push(std::mem::take(&mut self.row));
    }

    fn block(mut self, section: &str) -> Block {
        let headings = match self.rows.is_empty() {
            true => Vec::new(),
            false => self.rows.remove(0),
        };
        // `0.25 ± 0.01` is sorted as 0.25, `≤ 3 %` as text.
        let cell = |text: String| Cell {
            sort: text
                .split(' ')
                .next()
                .and_then(|number| number.parse().ok()),
            ..Cell::from(text)
        };
        Block::Table {
            caption: match section {
                "Results" => "Figures".to_owned(),
                section => section.to_owned(),
            },
            columns: headings.into_iter().zip(self.numbers).collect(),
            rows: self
                .rows
                .into_iter()
                .map(|row| row.into_iter().map(cell).collect())
                .collect(),
        }
    }
}

/// Puts what was read under the last heading.
fn flush(page: &mut Page, events: &mut Vec<Event>) {
    if events.is_empty() {
        return;
    }
    if page.sections.is_empty() {
        page.sections.push(Section::new("About", "", Vec::new()));
    }
    let html = html(events.drain(..));
    if let Some(section) = page.sections.last_mut() {
        section.blocks.push(Block::Markdown { html });
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
        let text = "# toys\n\nWhat it is.\n\n## Results\n\n| a | b |\n|--:|---|\n| 0.5 ± 0.1 | *x* <script>x</script> |\n\n![p](p.png)\n";
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
        assert!(html.contains("data-sort=\"0.5\"") && html.contains("x &lt;script&gt;x"));
        assert!(html.contains("<table>") && html.contains("data:image/png;base64,AQID"));
        assert!(!html.contains("<script>x") && html.contains("&lt;script&gt;x"));
        fs::write(&report, "![p](../p.png)").unwrap();
        assert!(experiment_page(&report).is_err());
    }
}
