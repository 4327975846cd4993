//! Tables in plain text for the terminal.
//!
//! Ours because columns line up at the decimal point of values with errors, which libraries for tables do not know.

/// How the cells of a column line up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    /// At the left edge.
    Left,
    /// At the decimal point, or where it would be.
    Decimal,
}

/// A table with a heading for every column.
#[derive(Clone, Debug)]
pub struct Table {
    headings: Vec<String>,
    alignments: Vec<Align>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// An empty table with these columns.
    pub fn new(columns: &[(&str, Align)]) -> Self {
        Self {
            headings: columns
                .iter()
                .map(|(heading, _)| (*heading).to_owned())
                .collect(),
            alignments: columns.iter().map(|(_, align)| *align).collect(),
            rows: Vec::new(),
        }
    }

    /// Appends a row.
    ///
    /// # Panics
    /// If the number of cells is not the number of columns.
    pub fn push<const COLUMNS: usize>(&mut self, cells: [String; COLUMNS]) {
        assert_eq!(COLUMNS, self.headings.len(), "cells in a row of the table");
        // A line break in a cell would tear the table apart.
        self.rows.push(
            cells
                .map(|cell| cell.replace(['\n', '\r', '\t'], " "))
                .into(),
        );
    }

    /// The table for a terminal: columns two spaces apart, a rule under the headings, no spaces at
    /// line ends. Widths count characters.
    pub fn to_text(&self) -> String {
        let columns: Vec<Vec<String>> = (0..self.headings.len()).map(|c| self.column(c)).collect();
        let rule = columns
            .iter()
            .map(|cells| "─".repeat(width(&cells[0])))
            .collect();
        let line = |row: usize| columns.iter().map(|cells| cells[row].clone()).collect();
        let lines: Vec<Vec<String>> = [line(0), rule]
            .into_iter()
            .chain((1..=self.rows.len()).map(line))
            .collect();
        let mut text = String::new();
        for cells in lines {
            text.push_str(cells.join("  ").trim_end());
            text.push('\n');
        }
        text
    }

    /// Heading and cells of a column, all padded to one width.
    fn column(&self, column: usize) -> Vec<String> {
        let cells: Vec<&str> = self.rows.iter().map(|row| row[column].as_str()).collect();
        let decimal = self.alignments[column] == Align::Decimal;
        // Before and after the place of the decimal point.
        let parts: Vec<(&str, &str)> = cells
            .into_iter()
            .map(|cell| {
                if decimal {
                    cell.split_at(point(cell))
                } else {
                    ("", cell)
                }
            })
            .collect();
        let before = parts.iter().map(|(head, _)| width(head)).max().unwrap_or(0);
        let after = parts.iter().map(|(_, tail)| width(tail)).max().unwrap_or(0);
        let heading = &self.headings[column];
        let total = (before + after).max(width(heading));
        let left = total - before - after;
        let heading = if decimal {
            format!("{heading:>total$}")
        } else {
            format!("{heading:<total$}")
        };
        let body = parts.into_iter().map(|(head, tail)| {
            let cell = format!("{head:>before$}{tail:<after$}");
            if decimal {
                format!("{}{cell}", " ".repeat(left))
            } else {
                format!("{cell:<total$}")
            }
        });
        std::iter::once(heading).chain(body).collect()
    }
}

/// Where the decimal point of the first number is, or the place after its last digit.
fn point(cell: &str) -> usize {
    let number = cell.find(' ').map_or(cell, |end| &cell[..end]);
    number.find('.').unwrap_or(number.len())
}

fn width(text: &str) -> usize {
    text.chars().count()
}

/// `1.9532 ± 0.0041`: the standard error with two significant digits, the value with as many
/// decimals; four decimals where there is no error or it is zero but for rounding.
pub fn estimate(value: f64, std_error: Option<f64>) -> String {
    match std_error {
        Some(error) if error.is_finite() && error >= 1e-12 => {
            let decimals = (1.0 - error.log10().floor()).clamp(0.0, 10.0) as usize;
            format!("{} ± {error:.decimals$}", rounded(value, decimals))
        }
        Some(0.0..1e-12) | None => rounded(value, 4),
        Some(error) => format!("{} ± {error}", rounded(value, 4)),
    }
}

/// A number with so many decimals, and without the sign of one that is 0 by them: no `-0.0000`.
pub fn rounded(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    let nothing = text.bytes().all(|byte| b"-0.".contains(&byte));
    match text.strip_prefix('-') {
        Some(rest) if nothing => rest.to_owned(),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> Table {
        let mut table = Table::new(&[
            ("model", Align::Left),
            ("bits/dim", Align::Decimal),
            ("remarks", Align::Left),
        ]);
        let row = |cells: [&str; 3]| cells.map(str::to_owned);
        table.push(row(["Segre", "1.9532 ± 0.0041", "10.4 % below the tree"]));
        table.push(row(["independent sites", "12.42", ""]));
        table.push(row(["uniform", "4", "a | b"]));
        table
    }

    #[test]
    fn text_lines_up_at_the_decimal_point() {
        let expected = "\
model                      bits/dim  remarks
─────────────────  ────────────────  ─────────────────────
Segre               1.9532 ± 0.0041  10.4 % below the tree
independent sites  12.42
uniform             4                a | b
";
        assert_eq!(example().to_text(), expected);
    }

    #[test]
    fn an_estimate_has_the_digits_its_error_allows() {
        assert_eq!(estimate(1.953_24, Some(0.004_12)), "1.9532 ± 0.0041");
        assert_eq!(estimate(1.953_24, Some(0.12)), "1.95 ± 0.12");
        assert_eq!(estimate(1953.24, Some(12.3)), "1953 ± 12");
        assert_eq!(estimate(0.5, None), "0.5000");
        assert_eq!(estimate(0.5, Some(0.0)), "0.5000");
        assert_eq!(estimate(0.5, Some(1e-16)), "0.5000");
        assert_eq!(estimate(0.5, Some(f64::NAN)), "0.5000 ± NaN");
        assert_eq!(estimate(-0.003, Some(0.012)), "-0.003 ± 0.012");
        assert_eq!(estimate(-0.00003, Some(0.0)), "0.0000");
        assert_eq!(rounded(-2e-16, 6), "0.000000");
        assert_eq!(rounded(-0.6, 0), "-1");
    }

    #[test]
    fn a_line_break_does_not_tear_the_table() {
        let mut table = Table::new(&[("name", Align::Left)]);
        table.push(["a\nb".to_owned()]);
        assert_eq!(table.to_text().lines().count(), 3);
    }
}
