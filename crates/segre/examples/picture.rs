//! Pictures: learn digits with all their conditionals, then draw the lower halves of some given the upper ones.

use std::time::Duration;

use segre::data::{PartialDataset, Region, SiteMask};
use segre::recipe::{Conditional, Recipe};

fn main() -> segre::Result<()> {
    run(Duration::from_secs(90))
}

/// All of it.
pub fn run(time: Duration) -> segre::Result<()> {
    let digits = segre::read("digits")?;
    let recipe = Recipe::default().conditional(Conditional::Any).time(time);
    let model = segre::Fit::new(&digits).recipe(recipe).run()?;

    let some = PartialDataset::hiding(&digits.spread(5), |_, _| false);
    let lower = SiteMask::region(Region::LowerHalf, model.schema())?;
    let drawn = model.impute(&lower.hide(&some)?)?;
    for line in drawn.iter().flat_map(|picture| picture.chunks(8)) {
        let ink = |grey: &u16| [' ', '·', '▒', '█'][usize::from(*grey) * 3 / 16];
        println!("{}", line.iter().map(ink).collect::<String>());
    }
    Ok(())
}
