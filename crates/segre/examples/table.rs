//! A table: learn it within a time, draw rows, score, fill in, predict.

use std::time::Duration;

fn main() -> segre::Result<()> {
    let votes = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/data/votes.csv");
    run(votes, "party", Duration::from_secs(20))
}

/// All of it.
pub fn run(file: &str, column: &str, time: Duration) -> segre::Result<()> {
    let table = segre::read(file)?;
    let model = segre::Fit::new(&table).time(time).run()?;
    let rows = model.sample(1_000)?; // in the table's own columns and words
    let scores = model.log_prob(&table)?; // nats per row, with standard errors
    let report = model.evaluate()?; // of rows that it has not seen, beside simpler models
    let gaps = model.read_partial(file)?; // fields that are empty or ? are unknown
    let whole = model.impute(&gaps)?;
    let predicted = model.predict(&gaps, column)?;
    println!("{} rows drawn, {} filled in", rows.rows(), whole.rows());
    println!("{:?} nats a row; {report:#?}", scores.mean_nats.value);
    println!(
        "{column}: first {}, {:?}",
        predicted.category(0),
        predicted.report
    );
    Ok(())
}
