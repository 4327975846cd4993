//! Conditions: what a half-known row says of its other columns, by probabilities and by draws.

use std::time::Duration;

use segre::data::PartialDataset;
use segre::progress::Silent;

fn main() -> segre::Result<()> {
    run(Duration::from_secs(10))
}

/// Learns for a time, and asks.
pub fn run(time: Duration) -> segre::Result<()> {
    let chain = segre::read("potts-chain:c=3,n=4")?;
    let model = segre::Fit::new(&chain).time(time).run()?;

    let known = [Some(0), None, None, Some(2)];
    let given = PartialDataset::new(model.schema().clone(), known)?;
    let marginals = model.marginals(&given, &mut Silent)?;
    println!("second site: {:?}", marginals.of(0, 1));
    let draws = model.complete(
        &given.repeat_rows(5),
        &model.sampling_options(),
        &mut Silent,
    )?;
    for row in draws.data.iter() {
        println!("{row:?}");
    }
    Ok(())
}
