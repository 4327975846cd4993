//! An energy: a randomised flow learns an Ising model from exact samples, and its samples are compared with it.

use segre::data::Dataset;
use segre::energy::{ModelSource, exact::ExactPlan};
use segre::progress::Silent;
use segre::randomized::{Comparison, Trainer, schema_of};
use segre::recipe::energy::RandomizedRecipe;

fn main() -> segre::Result<()> {
    run(3_000, 100_000)
}

/// All of it.
pub fn run(steps: u64, samples: usize) -> segre::Result<()> {
    let energy = ModelSource::parse("ising:3x8")?.load()?;
    let (schema, plan) = (schema_of(&energy, None)?, ExactPlan::new(&energy)?);
    let labels = plan.sample_labels(samples, 0, &mut Silent)?;
    let exact = Dataset::new(schema.clone(), labels)?;

    let (model, training) = RandomizedRecipe::default().steps(steps).resolve(&schema);
    let mut trainer = Trainer::new(model, training, schema, Some(&energy))?;
    trainer.run((&exact).into(), &mut |_| Ok(()), &mut Silent)?;
    let drawn = trainer.averaged_model().sample(samples, 1, &mut Silent)?;
    let truth = plan.infer(&mut Silent)?;
    let found = Comparison::of(&drawn, &energy, truth.log_z, &truth.marginals);
    println!("{found:#?}");
    Ok(())
}
