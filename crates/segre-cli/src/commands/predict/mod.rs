//! `segre predict`: a column from the others, with probabilities, and accuracy where the truth is known.

mod args;

use std::io;
use std::path::Path;

use anyhow::{Result, ensure};
use segre::Model;
use segre::atomic::{self, check_writable};
use segre::data::{INTERVAL, MissingIs};
use segre::model::Prediction;

pub use self::args::Predict;
use crate::args::{Common, outlet};
use crate::report::json;
use crate::watched::{note_reading, note_unknown_columns, warn_unconditional};

/// Predicts a column and writes the predictions.
pub fn run(arguments: &Predict, common: &Common) -> Result<()> {
    let model = Model::load_on(&arguments.model, &common.device.open()?)?;
    let model = model.with_unseen(arguments.unseen.choice());
    let (target, to) = (&arguments.target, arguments.out.as_deref());
    outlet::check(to, common)?;
    if model.schema().derived_named(target).is_none() {
        model.schema().column_named(target)?;
    }
    // Fields may be missing for a reason: where the fit had a category for them, they are as known as any other.
    let rows = model.read_gaps(&arguments.data, MissingIs::Learned)?;
    note_reading(&rows.schema, common);
    let rows = arguments.given.and(&model, rows)?;
    note_unknown_columns(&rows, Some(target), common);
    if let Some(out) = &arguments.out {
        let csv = outlet::extension(out) == "csv";
        ensure!(
            csv,
            "{}: predictions are written as .csv; change the name",
            out.display()
        );
        check_writable(out)?;
    }
    warn_unconditional(model.flow(), common);
    let predicted = common.watch(
        |bar| model.predict_with(&rows, target, bar),
        |_| format!("{} rows", rows.rows()),
    )?;
    if let Some(out) = &arguments.out {
        write(&predicted, rows.rows(), out)?;
    }
    let report = &predicted.report;
    if common.json {
        return json::print_object(report);
    }
    if let Some(numbers) = report.numbers {
        let line = format!(
            "{target}: RMSE {:.4}, MAE {:.4}, R² {:.4}, {:.1} % within their {:.0} % intervals, over {} rows",
            numbers.rmse,
            numbers.mae,
            numbers.r2,
            100.0 * numbers.coverage,
            100.0 * INTERVAL,
            report.known
        );
        outlet::say(to, common, &line);
        return Ok(());
    }
    let line = match (report.accuracy, report.log_loss) {
        (Some(accuracy), Some(loss)) => format!(
            "{target}: accuracy {:.2} %, log loss {loss:.4} nats, over {} rows",
            100.0 * accuracy,
            report.known
        ),
        _ => format!("{target}: {} rows, none with a known target", report.rows),
    };
    outlet::say(to, common, &line);
    Ok(())
}

/// A line a row: the most probable category and the probabilities of all, or of a number its median, mean and interval.
fn write(predicted: &Prediction, rows: usize, out: &Path) -> Result<()> {
    atomic::write(out, |file| {
        let mut table = csv::Writer::from_writer(file);
        if let Some(notation) = predicted.notation() {
            table.write_record(["row", &predicted.column, "mean", "low", "high"])?;
            for row in 0..rows {
                let spread = predicted.spread(row).expect("a column of numbers");
                let (low, high) = spread.interval;
                let [median, low, high] =
                    [spread.median, low, high].map(|number| notation.write(number));
                let mean = notation.write_between(spread.mean);
                table.write_record([row.to_string(), median, mean, low, high])?;
            }
            return table.flush().map_err(io::Error::other);
        }
        let heads = predicted.categories.iter();
        let heads = heads.map(|category| format!("p({category})"));
        let first = ["row".to_owned(), predicted.column.clone()];
        table.write_record(first.into_iter().chain(heads))?;
        for row in 0..rows {
            let chances = predicted.probabilities(row).iter();
            let chances = chances.map(|p| format!("{p:.6}"));
            let first = [row.to_string(), predicted.category(row).to_owned()];
            table.write_record(first.into_iter().chain(chances))?;
        }
        table.flush().map_err(io::Error::other)
    })?;
    Ok(())
}
