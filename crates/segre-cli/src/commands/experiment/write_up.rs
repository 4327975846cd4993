//! What is written about an experiment: its table beside published values, its notes and pictures.

use super::results::{Results, Settings, Summary};
use crate::report::table::{Align, Table, estimate};

/// What an experiment has to say beside its numbers.
#[derive(Debug, Default)]
pub struct WriteUp {
    /// Published values: the settings they are for (those named), and the value with its unit.
    pub published: Vec<(Settings, String)>,
    /// Further columns of the rows to show in the table: name and heading.
    pub shown: Vec<(&'static str, &'static str)>,
    /// What the experiment does, and what to note, in Markdown.
    pub notes: String,
    /// Pictures: file name and caption.
    pub pictures: Vec<(String, String)>,
}

impl WriteUp {
    /// Adds a published value for all cells with these settings.
    pub fn publish(&mut self, settings: &[(&str, &str)], value: &str) {
        let own = settings
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        self.published.push((own.collect(), value.to_owned()));
    }

    fn published(&self, settings: &Settings) -> String {
        let holds = |(own, _): &&(Settings, String)| {
            own.iter()
                .all(|(name, value)| settings.get(name) == Some(value))
        };
        let found = self.published.iter().find(holds);
        found.map(|(_, value)| value.clone()).unwrap_or_default()
    }
}

/// A number short enough for a table: `0.0042`, `2.9e-6`, `12.3`.
fn short(value: f64) -> String {
    match value.abs() {
        0.0 => "0".into(),
        size if size < 1e-3 => format!("{value:.1e}"),
        size if size < 10.0 => format!("{value:.4}"),
        size if size < 1000.0 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}

/// Mean with the deviation over seeds, or with the standard error if there is one seed only.
fn value(summary: &Summary) -> String {
    match summary.sigma.or(summary.std_error) {
        None => short(summary.mean),
        error => estimate(summary.mean, error),
    }
}

fn optional(value: Option<f64>) -> String {
    value.map(short).unwrap_or_default()
}

/// The summary for a terminal.
pub fn terminal_table(results: &Results, write_up: &WriteUp) -> String {
    let mut table = Table::new(&[
        ("setting", Align::Left),
        ("value", Align::Decimal),
        ("floor", Align::Decimal),
        ("uniform", Align::Decimal),
        ("evaluations", Align::Decimal),
        ("published", Align::Left),
    ]);
    for summary in &results.summary {
        let values = results
            .columns
            .iter()
            .filter_map(|name| summary.settings.get(name));
        let values: Vec<&str> = values.map(String::as_str).collect();
        table.push([
            values.join(" · "),
            value(summary),
            optional(summary.floor),
            optional(summary.uniform),
            optional(summary.function_evaluations),
            write_up.published(&summary.settings),
        ]);
    }
    table.to_text()
}

/// The report.
pub fn markdown(results: &Results, write_up: &WriteUp) -> String {
    let mut text = format!(
        "# {}\n\n{}. Source: {}.\n\n```sh\n{}\n```\n\n",
        results.experiment, results.about, results.source, results.command
    );
    text += &format!(
        "Segre {}; seeds {}.",
        results.version,
        results
            .seeds
            .iter()
            .map(u64::to_string)
            .collect::<Vec<_>>()
            .join(", ")
    );
    if results.quick {
        text += " This is the `--quick` version: the values are rough.";
    }
    text += &format!("\n\n## Results\n\n{}", markdown_table(results, write_up));
    text += "\nValue: mean ± standard deviation over the seeds (with one seed: ± standard error of the \
             estimate). Floor: a perfect sampler with as many samples. Every cell is a row of \
             `results.csv`.\n";
    if !write_up.notes.is_empty() {
        text += &format!("\n## Notes\n\n{}\n", write_up.notes.trim());
    }
    for (file, caption) in &write_up.pictures {
        text += &format!("\n![{caption}]({file})\n\n*{caption}*\n");
    }
    text
}

fn markdown_table(results: &Results, write_up: &WriteUp) -> String {
    let summaries = &results.summary;
    let mut headings: Vec<String> = results.columns.clone();
    headings.push(results.quantity.clone());
    let with_error = summaries.iter().any(|summary| summary.std_error.is_some());
    if with_error {
        headings.push("standard error".into());
    }
    headings.extend(
        write_up
            .shown
            .iter()
            .map(|(_, heading)| (*heading).to_owned()),
    );
    headings.extend(["published", "evaluations", "seconds"].map(str::to_owned));
    let settings = results.columns.len();
    let mut lines = vec![headings];
    for summary in summaries {
        let setting = |name| summary.settings.get(name).cloned().unwrap_or_default();
        let mut cells: Vec<String> = results.columns.iter().map(setting).collect();
        cells.push(value(summary));
        if with_error {
            cells.push(optional(summary.std_error));
        }
        let further = write_up.shown.iter();
        cells.extend(further.map(|(name, _)| optional(summary.further.get(*name).copied())));
        cells.push(write_up.published(&summary.settings));
        cells.push(optional(summary.function_evaluations));
        cells.push(format!("{:.1}", summary.seconds));
        lines.push(cells);
    }
    let width = lines[0].len();
    lines.extend(reference_lines(summaries, &results.columns, width));
    let mut text = String::new();
    for (index, cells) in lines.iter().enumerate() {
        let cells: Vec<String> = cells.iter().map(|cell| cell.replace('|', "\\|")).collect();
        text += &format!("| {} |\n", cells.join(" | "));
        if index == 0 {
            let rule = (0..width).map(|k| if k < settings { "---|" } else { "---:|" });
            text += &format!("|{}\n", rule.collect::<String>());
        }
    }
    text
}

/// Floor and uniform sampler as lines of the table, once for every different pair of them.
fn reference_lines(summaries: &[Summary], columns: &[String], width: usize) -> Vec<Vec<String>> {
    let mut lines: Vec<Vec<String>> = Vec::new();
    for summary in summaries {
        // The settings that all cells with this target share say whose lines they are.
        let same: Vec<&Summary> = summaries
            .iter()
            .filter(|other| other.uniform == summary.uniform)
            .collect();
        let pairs = [
            ("*perfect sampler (floor)*", summary.floor),
            ("*uniform sampler*", summary.uniform),
        ];
        for (name, value) in pairs {
            let Some(value) = value else { continue };
            let shared = |column: &String| {
                let own = summary.settings.get(column);
                same.iter().all(|other| other.settings.get(column) == own)
            };
            // The name takes the place of the method: the first setting in which these cells differ.
            let place = columns.iter().position(|column| !shared(column));
            let place = place.unwrap_or(0);
            let mut cells = vec![String::new(); width];
            if same.len() < summaries.len() {
                for (cell, column) in cells.iter_mut().zip(columns).filter(|(_, c)| shared(c)) {
                    *cell = summary.settings.get(column).cloned().unwrap_or_default();
                }
            }
            cells[place] = name.to_owned();
            cells[columns.len()] = short(value);
            if !lines.contains(&cells) {
                lines.push(cells);
            }
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        let shown = [0.0, 2.93e-6, 0.004_25, 1.5, 12.34, 512_000.0].map(short);
        assert_eq!(shown, ["0", "2.9e-6", "0.0043", "1.5000", "12.3", "512000"]);
    }

    #[test]
    fn published_values_belong_to_the_settings_that_they_name() {
        let mut write_up = WriteUp::default();
        write_up.publish(&[("c", "160"), ("path", "linear")], "0.3");
        write_up.publish(&[("c", "160")], "0.12–0.14");
        let settings = |c: &str, path: &str| -> Settings {
            [("c", c), ("path", path)]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into()
        };
        assert_eq!(write_up.published(&settings("160", "linear")), "0.3");
        assert_eq!(
            write_up.published(&settings("160", "infinite")),
            "0.12–0.14"
        );
        assert_eq!(write_up.published(&settings("5", "linear")), "");
    }
}
