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
    if let Some((value, std_error)) = bits_per_dim {
        text += &advice(scores, value, std_error).unwrap_or_default();
    }
    if scores.chow_liu.is_none() {
        text += &format!(
            "no Chow–Liu tree: there is none above {} sites, nor where it takes more than a part of the time\n",
            Baselines::MOST_TREE_SITES
        );
    }
    text
}

/// Standard errors by which a model is worse than a baseline beyond doubt.
const BEYOND_DOUBT: f64 = 3.0;

/// What to do about a model that is worse than a baseline.
fn advice(scores: &BaselineScores, value: f64, std_error: f64) -> Option<String> {
    let named = scores.named().into_iter();
    let best = named.min_by(|a, b| a.1.total_cmp(&b.1));
    let (name, best) = best.filter(|(_, best)| value > best + BEYOND_DOUBT * std_error + 1e-9)?;
    Some(format!(
        "the model is worse than the baseline {name} by {:.4} bits/dim: give it more time (fit with --resume and a larger --time), \
         more rows, or leave columns out that say little and have very many values (--drop; segre info shows them)\n",
        value - best
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_that_is_worse_than_a_baseline_is_told_what_helps() {
        let scores = BaselineScores {
            uniform: 3.0,
            independent: 2.0,
            chow_liu: Some(1.5),
            pixel_context: None,
        };
        assert!(
            baseline_table(&scores, Some((1.6, 0.01))).contains("worse than the baseline Chow")
        );
        for fine in [1.4, 1.52] {
            assert!(!baseline_table(&scores, Some((fine, 0.01))).contains("worse than"));
        }
    }
}
