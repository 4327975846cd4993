//! The page of a run: one HTML file that needs nothing else, for a browser.
//!
//! | what | file |
//! |---|---|
//! | a folder, whatever it holds | `folder.rs` |
//! | a model of data, section by section | `model.rs`; by kind `table.rs`, `pictures.rs`, `sequences.rs` |
//! | what was fitted to an energy | `energy.rs` |
//! | an experiment's report | `experiment.rs` |
//! | what to type to fit a model again | `repeat.rs` |
//! | charts of all of them | `charts.rs` |
//!
//! A page is data, [`Page`]; `templates/page.html` makes HTML of it, and escapes every text.

mod charts;
mod energy;
mod experiment;
mod folder;
mod model;
mod pictures;
pub mod repeat;
mod sequences;
mod table;

use std::sync::LazyLock;

use anyhow::Result;
use minijinja::Environment;
use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use serde::Serialize;

pub use energy::{EnergyAbout, energy_page};
pub use experiment::experiment_page;
pub use folder::{PageOptions, page_of_folder, page_of_seen};
pub use model::{About, model_page};

use crate::pictures::axis;
use crate::pictures::column::shortened;
use crate::pictures::drawing::Drawing;

/// A page.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Page {
    /// Its name.
    pub title: String,
    /// What it is about, in a sentence.
    pub lead: String,
    /// A few figures that are seen first.
    pub figures: Vec<Headline>,
    /// What follows.
    pub sections: Vec<Section>,
    /// Which program made it.
    pub version: String,
}

/// A figure that is seen first.
#[derive(Clone, Debug, Serialize)]
pub struct Headline {
    /// What it is.
    pub name: String,
    /// The figure with its error and unit.
    pub value: String,
    /// What it is to be compared with.
    pub beside: String,
}

/// A part of a page under a heading.
#[derive(Clone, Debug, Serialize)]
pub struct Section {
    /// The heading.
    pub title: String,
    /// What is to be seen, in a sentence or two.
    pub lead: String,
    /// Charts, tables and texts.
    pub blocks: Vec<Block>,
}

/// What a section shows.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Block {
    /// A chart.
    Chart {
        /// An SVG element.
        svg: String,
        /// What it shows, for those who do not see it.
        alt: String,
        /// A sentence below it; none if empty.
        caption: String,
    },
    /// Small charts side by side, below each other where the screen is narrow.
    Charts {
        /// How they share the width.
        layout: Arrangement,
        /// What their colours mean: names, each with an SVG element.
        key: Vec<(String, String)>,
        /// Each with what it shows.
        charts: Vec<Small>,
    },
    /// A table.
    Table {
        /// Its name.
        caption: String,
        /// Headings, and whether a column holds numbers.
        columns: Vec<(String, bool)>,
        /// Rows of cells.
        rows: Vec<Vec<Cell>>,
    },
    /// A paragraph.
    Text {
        /// It.
        text: String,
    },
    /// What is typed in a terminal.
    Command {
        /// It.
        text: String,
    },
    /// Lines as they are, folded under their name.
    Lines {
        /// The name.
        name: String,
        /// They.
        text: String,
        /// Whether they are shown at first.
        open: bool,
    },
    /// HTML that was made of Markdown by this crate.
    Markdown {
        /// It.
        html: String,
    },
}

/// How charts share the width.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Arrangement {
    /// In columns of one width.
    Columns,
    /// Each as wide as it is.
    Own,
    /// The same, on a light background: they have many colours of their own.
    Plates,
    /// In one row on any screen: what stands in a row belongs together.
    Row,
}

/// A small chart.
#[derive(Clone, Debug, Serialize)]
pub struct Small {
    /// What stands above it; nothing if empty.
    pub title: String,
    /// An SVG element.
    pub svg: String,
    /// What it shows.
    pub alt: String,
    /// A line below it.
    pub caption: String,
}

/// A field of a table.
#[derive(Clone, Debug, Serialize)]
pub struct Cell {
    /// What is read.
    pub text: String,
    /// What rows are sorted by; the text if there is none.
    pub sort: Option<f64>,
    /// What it means, in smaller letters below it; nothing if empty.
    pub note: String,
    /// Whether it is a sequence or a text, of letters of one width.
    pub letters: bool,
}

impl Small {
    fn new(drawing: &Drawing, title: &str, alt: impl Into<String>) -> Self {
        Self {
            title: title.to_owned(),
            svg: drawing.to_svg(),
            alt: alt.into(),
            caption: String::new(),
        }
    }

    fn captioned(self, caption: impl Into<String>) -> Self {
        Self {
            caption: caption.into(),
            ..self
        }
    }
}

/// Letters of a sequence or text that are shown, and of a name.
const LETTERS: usize = 400;
const NAME: usize = 80;

/// A number as [`axis::number`] writes it, whose thousands stay on one line.
fn number(value: f64, decimals: usize) -> String {
    axis::number(value, decimals).replace(' ', "\u{a0}")
}

fn whole(count: usize) -> String {
    number(count as f64, 0)
}

/// A number with its standard error; one that rounds to 0 is not said to be 0.
fn estimate(value: f64, error: f64, decimals: usize) -> String {
    let least = 0.5 * 10f64.powi(-(decimals as i32));
    let error = match error > 0.0 && error < least {
        true => format!("< {}", number(2.0 * least, decimals)),
        false => number(error, decimals),
    };
    format!(
        "{} ±\u{a0}{}",
        number(value, decimals),
        error.replace(' ', "\u{a0}")
    )
}

fn percent(share: f64) -> String {
    format!("{} %", number(100.0 * share, 1))
}

fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|c| c.to_uppercase().to_string());
    format!("{}{}.", first.unwrap_or_default(), letters.as_str())
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::from(text.to_owned())
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self {
            text,
            sort: None,
            note: String::new(),
            letters: false,
        }
    }
}

impl Cell {
    /// A number to so many decimals, or nothing.
    fn number(value: Option<f64>, decimals: usize) -> Self {
        match value {
            Some(value) if value.is_finite() => Self {
                sort: Some(value),
                ..Self::from(number(value, decimals))
            },
            _ => Self::from("–"),
        }
    }

    /// A number with its standard error.
    fn estimate(value: Option<f64>, error: Option<f64>, decimals: usize) -> Self {
        let mut cell = Self::number(value, decimals);
        if let (Some(value), Some(error)) = (cell.sort, error) {
            cell.text = estimate(value, error, decimals);
        }
        cell
    }

    /// A share in per cent.
    fn percent(share: Option<f64>, decimals: usize) -> Self {
        Self::number(share.map(|share| 100.0 * share), decimals)
    }

    /// A name, however long it is.
    fn name(text: &str) -> Self {
        Self::from(shortened(text, NAME))
    }

    /// The cell with what it means.
    fn noted(self, note: &str) -> Self {
        Self {
            note: note.to_owned(),
            ..self
        }
    }
}

impl Block {
    fn chart(drawing: &Drawing, alt: impl Into<String>, caption: impl Into<String>) -> Self {
        Self::Chart {
            svg: drawing.to_svg(),
            alt: alt.into(),
            caption: caption.into(),
        }
    }

    /// Charts without a key of their colours.
    fn charts(layout: Arrangement, charts: Vec<Small>) -> Self {
        let key = Vec::new();
        Self::Charts {
            layout,
            key,
            charts,
        }
    }

    /// A table whose headings say whether their column holds numbers.
    fn table<const N: usize>(
        caption: impl Into<String>,
        headings: [(&str, bool); N],
        rows: Vec<Vec<Cell>>,
    ) -> Self {
        Self::Table {
            caption: caption.into(),
            columns: headings
                .map(|(name, is_number)| (name.to_owned(), is_number))
                .to_vec(),
            rows,
        }
    }

    /// A table of which some columns are shown.
    fn some_columns<const N: usize>(
        caption: String,
        headings: &[(&str, bool); N],
        shown: [bool; N],
        rows: Vec<Vec<Cell>>,
    ) -> Self {
        fn kept<T>(all: impl IntoIterator<Item = T>, shown: &[bool]) -> Vec<T> {
            let each = all.into_iter().zip(shown);
            each.filter_map(|(own, shown)| shown.then_some(own))
                .collect()
        }
        let name = |(name, is_number): &(&str, bool)| ((*name).to_owned(), *is_number);
        Self::Table {
            caption,
            columns: kept(headings.iter().map(name), &shown),
            rows: rows.into_iter().map(|row| kept(row, &shown)).collect(),
        }
    }

    fn text(text: impl Into<String>) -> Self {
        Self::Text { text: text.into() }
    }
}

impl Section {
    fn new(title: &str, lead: impl Into<String>, blocks: Vec<Block>) -> Self {
        Self {
            title: title.to_owned(),
            lead: lead.into(),
            blocks,
        }
    }
}

impl Page {
    /// The page as the text of an HTML file.
    ///
    /// # Errors
    /// None that a page of this crate can have.
    pub fn to_html(&self) -> Result<String> {
        render("page.html", self)
    }
}

/// A template filled in; text is escaped.
pub(crate) fn render(name: &str, data: impl Serialize) -> Result<String> {
    static TEMPLATES: LazyLock<Environment> = LazyLock::new(|| {
        let mut templates = Environment::new();
        // Lines of tags alone leave no lines in the page.
        let syntax = SyntaxConfig::builder()
            .trim_blocks(true)
            .lstrip_blocks(true)
            .build();
        templates.set_syntax(syntax.expect("the usual signs"));
        let sources = [
            ("page.html", include_str!("../../templates/page.html")),
            ("book.html", include_str!("../../templates/book.html")),
            ("head.html", include_str!("../../templates/head.html")),
            ("style.css", include_str!("../../templates/style.css")),
            ("table.js", include_str!("../../templates/table.js")),
        ];
        for (name, source) in sources {
            let added = templates.add_template(name, source);
            added.expect("a template of our own is well formed");
        }
        templates
    });
    Ok(TEMPLATES.get_template(name)?.render(Serde(data))?)
}
