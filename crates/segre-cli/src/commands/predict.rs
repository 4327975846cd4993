//! `segre predict`: a column from the others, with probabilities, and accuracy where the truth is known.

use std::io;

use anyhow::{Result, anyhow, ensure};
use segre::atomic::{self, check_writable};
use segre::data::{self, DataSource, MissingIs};
use segre::evaluation::prediction;
use segre::run;

use crate::args::{Common, Predict};
use crate::report::json;
use crate::session::{marginals_with_progress, warn_unconditional};

/// Predicts a column and writes the predictions.
pub fn run(arguments: &Predict, common: &Common) -> Result<()> {
    let (model, card) = run::load(&arguments.model, &common.device.open()?)?;
    let schema = model.schema();
    let mut names = schema.sites.iter().map(|site| &site.name);
    let target = names
        .position(|name| *name == arguments.target)
        .ok_or_else(|| {
            let names: Vec<&str> = schema.sites.iter().map(|site| site.name.as_str()).collect();
            anyhow!(
                "{:?} is no column of the model; its columns are {}",
                arguments.target,
                names.join(", ")
            )
        })?;
    let source = DataSource::parse(&arguments.data)?;
    // Fields may be missing for a reason: where the fit had a category for them, they are as known as any other.
    let options = &card.read_options;
    let rows = data::read_partial(&source, schema, options, MissingIs::Learned)?;
    let rows = rows.without(|row, site| {
        site == target && rows.label(row, site) == schema.missing_category(site)
    });
    if let Some(out) = &arguments.out {
        let csv = out.extension().is_some_and(|extension| extension == "csv");
        ensure!(
            csv,
            "{}: predictions are written as .csv; change the name",
            out.display()
        );
        check_writable(out)?;
    }
    warn_unconditional(&card, common);
    let given = rows.without(|_, site| site == target);
    let marginals = marginals_with_progress(&model, &given, common)?;
    if let Some(out) = &arguments.out {
        atomic::write(out, |file| {
            let mut table = csv::Writer::from_writer(file);
            let categories = (0..).take(schema.cardinality(target));
            let categories: Vec<String> = categories
                .map(|label| schema.category_name(target, label).into_owned())
                .collect();
            let heads = categories.iter().map(|category| format!("p({category})"));
            table.write_record(
                ["row".to_owned(), arguments.target.clone()]
                    .into_iter()
                    .chain(heads),
            )?;
            for row in 0..rows.rows() {
                let label = marginals.most_probable(row, target);
                let chances = marginals.of(row, target).iter().map(|p| format!("{p:.6}"));
                let first = [row.to_string(), categories[usize::from(label)].clone()];
                table.write_record(first.into_iter().chain(chances))?;
            }
            table.flush().map_err(io::Error::other)
        })?;
    }
    let report = prediction::run(&marginals, &rows, target);
    if common.json {
        return json::print_object(&report);
    }
    match (report.accuracy, report.log_loss) {
        (Some(accuracy), Some(loss)) => println!(
            "{}: accuracy {:.2} %, log loss {loss:.4} nats, over {} rows",
            arguments.target,
            100.0 * accuracy,
            report.known
        ),
        _ => println!(
            "{}: {} rows, none with a known target",
            arguments.target, report.rows
        ),
    }
    Ok(())
}
