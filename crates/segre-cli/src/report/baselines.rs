//! A model's likelihood beside those of the baselines, as a table.

use segre::evaluation::baseline::{BaselineScores, Baselines};

use super::table::{Align, Table, estimate};

/// The model, if it has a score in bits per dimension and its standard error, and the baselines.
pub fn baseline_table(scores: &BaselineScores, bits_per_dim: Option<(f64, f64)>) -> String {
    let columns = [
        ("model", Align::Left),
        ("bits/dim", Align::Decimal),
        ("", Align::Left),
    ];
    let mut table = Table::new(&columns);
    if let Some((value, std_error)) = bits_per_dim {
        let (name, best) = scores.best();
        let gain = 100.0 * (1.0 - value / best);
        let beside = match best.abs() < 1e-9 {
            // Every row is alike: there is nothing to be below of.
            true => String::new(),
            false if gain >= 0.0 => format!("{gain:.1} % below {name}"),
            false => format!("{:.1} % above {name}", -gain),
        };
        table.push(["segre".into(), estimate(value, Some(std_error)), beside]);
    }
    for (name, value) in scores.named() {
        table.push([name.into(), estimate(value, None), String::new()]);
    }
    let mut text = table.to_text();
    if scores.chow_liu.is_none() {
        text += &format!(
            "no Chow–Liu tree above {} sites\n",
            Baselines::MOST_TREE_SITES
        );
    }
    text
}
