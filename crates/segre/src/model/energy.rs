//! Models of an energy, learned from samples of it or from the energy alone.

use std::path::Path;

use burn::tensor::Device;

use super::Model;
use crate::data::Layout;
use crate::energy::{EnergyModel, GridModel};
use crate::error::Result;
use crate::flow::training::Ending;
use crate::neural::pairwise_prior;
use crate::progress::{Observer, Part};
use crate::randomized::{self, RandomizedFlow, schema_of};
use crate::recipe::energy::RandomizedRecipe;
use crate::recipe::{self, Recipe};
use crate::run::{DataFreeRun, Fit, RandomizedRun, SamplesWanted, energy_samples};

/// What is asked of a fit to an energy; the default decides nothing.
#[derive(Clone, Debug)]
pub struct EnergyFit {
    /// What is decided of network and training.
    pub recipe: Recipe,
    /// Learn from the energy alone, without samples.
    pub data_free: bool,
    /// Where samples come from, and how many: see [`SamplesWanted`].
    pub samples_from: Option<String>,
    /// Number of samples; by default by the number of variables.
    pub samples: Option<usize>,
    /// Bytes that exact samples may take.
    pub memory: u64,
}

impl Default for EnergyFit {
    fn default() -> Self {
        Self {
            recipe: Recipe::default(),
            data_free: false,
            samples_from: None,
            samples: None,
            memory: 4 << 30,
        }
    }
}

impl Model {
    /// Fits a network to an energy, which is its prior where belief propagation can use it; and whether the observer has stopped
    /// the fit, whose model so far it is then. A fit without samples that is stopped has none.
    ///
    /// # Errors
    /// As [`energy_samples`], [`Fit::start`] and [`DataFreeRun::train`].
    pub fn of_energy(
        energy: &EnergyModel,
        grid: Option<&GridModel>,
        source: &str,
        asked: &EnergyFit,
        observer: &mut dyn Observer,
    ) -> Result<(Self, bool)> {
        let (schema, prior) = (schema_of(energy, grid)?, pairwise_prior(energy));
        if asked.data_free {
            let recipe = &asked.recipe;
            let run = DataFreeRun::new(recipe, prior, source, &schema, &Device::flex())?;
            let mut card = run.card().clone();
            let flow = run.train(energy, observer)?.best_model()?;
            // The prior has the temperature of the last round.
            card.model.clone_from(flow.config());
            let parts = None;
            return Ok((Self { flow, card, parts }, false));
        }
        let recipe = Recipe::of_energy_samples().and(asked.recipe.clone());
        let count = asked.samples;
        let wanted = SamplesWanted {
            from: asked.samples_from.as_deref(),
            count: count.unwrap_or_else(|| recipe::energy::samples(energy.variables())),
            memory: asked.memory,
            seed: recipe.seed(),
        };
        let drawing = &mut Part::new(&mut *observer, "sample", 0.0..0.1);
        let mut samples = energy_samples(energy, &schema, &wanted, drawing)?.data;
        if grid.is_none() {
            samples.schema.layout = Layout::Table;
        }
        let data = samples.into();
        let fit = Fit::new(&data).recipe(recipe).prior(prior);
        let mut run = fit.samples_of(source).start()?;
        let ended = run.train(&mut Part::new(observer, "fit", 0.1..1.0))?;
        Ok((Self::of(run)?, ended == Ending::Stopped))
    }
}

/// Fits a randomised assignment flow to an energy, kept in a folder if there is one (a former run there is replaced if `force` says
/// so); and whether the observer has stopped the fit, whose model so far it is then. What is asked of network and training is in the
/// recipe, of `asked` only the samples count.
///
/// # Errors
/// As [`RandomizedRun::new`], [`energy_samples`] and [`RandomizedRun::train`].
pub fn randomized_of_energy(
    energy: &EnergyModel,
    grid: Option<&GridModel>,
    source: &str,
    recipe: &RandomizedRecipe,
    asked: &EnergyFit,
    out: Option<(&Path, bool)>,
    observer: &mut dyn Observer,
) -> Result<(RandomizedFlow, bool)> {
    let schema = schema_of(energy, grid)?;
    let mut run = RandomizedRun::new(recipe, energy, source, &schema)?;
    if run.card().training.objective.needs_samples() {
        let count = asked.samples;
        let wanted = SamplesWanted {
            from: asked.samples_from.as_deref(),
            count: count.unwrap_or_else(|| recipe::energy::samples(energy.variables())),
            memory: asked.memory,
            seed: run.card().training.seed,
        };
        let drawing = &mut Part::new(&mut *observer, "sample", 0.0..0.1);
        run = run.learning_from(energy_samples(energy, &schema, &wanted, drawing)?);
    }
    if let Some((folder, force)) = out {
        run = run.kept_in(folder, force)?;
    }
    let ended = run.train(energy, &mut Part::new(observer, "fit", 0.1..1.0))?;
    Ok((run.model(), ended == randomized::Ending::Stopped))
}
