//! The quality report of a table for the terminal.

use segre::evaluation::quality::{Compared, QualityReport};

use super::table::{Align, Table};

/// Columns and pairs that are named: the worst.
const SHOWN: usize = 5;

/// Prints every number beside those of a perfect and of a copying model, and the worst columns and pairs.
pub fn print_quality(found: &QualityReport, origin: &str) {
    println!(
        "{} synthetic rows ({origin}), {} training rows, {} held-out rows\n",
        found.synthetic_rows, found.training_rows, found.held_out_rows
    );
    let mut table = Table::new(&[
        ("", Align::Left),
        ("synthetic", Align::Decimal),
        ("a perfect model", Align::Decimal),
        ("a copying model", Align::Decimal),
    ]);
    let mut row = |name: &str, measure: &Compared| {
        let number = |value: Option<f64>| value.map_or("–".into(), |value| format!("{value:.4}"));
        let mut value = number(measure.value);
        if let Some(error) = measure.std_error {
            value += &format!(" ± {error:.4}");
        }
        let (perfect, copying) = (number(measure.perfect), number(measure.copying));
        table.push([name.into(), value, perfect, copying]);
    };
    row("column shapes", &found.column_shapes);
    row("column pair trends", &found.column_pair_trends);
    row("the same over all pairs", &found.all_column_pairs);
    row("overall", &found.overall);
    row("classifier two-sample test", &found.two_sample.score);
    if let Some(useful) = &found.usefulness {
        let name = format!("{} of {} trained on them", useful.measure, useful.target);
        row(&name, &useful.synthetic);
    }
    let privacy = &found.privacy;
    row(
        "share nearer to training rows",
        &privacy.share_nearer_training,
    );
    row("share of copies", &privacy.share_copies);
    row("membership attack, AUC", &privacy.membership_auc);
    print!("{}", table.to_text());

    let mut columns: Vec<_> = found
        .columns
        .iter()
        .filter_map(|own| Some((own.score?, own.column.clone())))
        .collect();
    worst("column shapes", &mut columns);
    let mut pairs: Vec<_> = found
        .pairs
        .iter()
        .filter(|pair| pair.counts)
        .filter_map(|pair| Some((pair.score?, pair.columns.join(" × "))))
        .collect();
    worst("column pair trends", &mut pairs);
    println!(
        "\nclassifiers: {} rows of either kind; distances: {} synthetic rows to {} training and as many held-out rows",
        found.two_sample.rows, privacy.compared_rows, privacy.reference_rows
    );
    println!("{}", found.verdict);
}

/// Prints the lowest scores with their names.
fn worst(what: &str, scores: &mut [(f64, String)]) {
    scores.sort_by(|a, b| a.0.total_cmp(&b.0));
    let shown: Vec<String> = scores
        .iter()
        .take(SHOWN)
        .map(|(score, name)| format!("{name} {score:.4}"))
        .collect();
    if !shown.is_empty() {
        println!("lowest {what}: {}", shown.join(", "));
    }
}
