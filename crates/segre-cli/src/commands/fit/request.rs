//! What the arguments of a fit ask for: data and recipe.

use anyhow::Result;
use segre::Device;
use segre::recipe::{
    ModelChoices, NetworkChoices, PathChoices, Recipe, SplitChoices, TrainingChoices,
};

use super::args::Fit;
use crate::args::Common;

/// The fit that the arguments ask for, still without a folder.
pub fn fit_of(arguments: &Fit, common: &Common, device: &Device) -> Result<segre::Fit<'static>> {
    let recipe = arguments.recipe.and(options(arguments, common.seed))?;
    let images = &arguments.images;
    // The seed of built-in distributions is the recipe's.
    let reading = arguments.reading.options(recipe.seed())?;
    Ok(segre::Fit::to_source(&arguments.data, &reading)
        .recipe(recipe)
        .test_data(arguments.parts.test_data.as_deref())
        .labels(images.labels.as_deref(), images.label_column.as_deref())
        .resume(arguments.resume)
        .force(arguments.force)
        .device(device))
}

/// What options decide.
fn options(arguments: &Fit, seed: Option<u64>) -> Recipe {
    let Fit {
        training,
        model,
        images,
        parts,
        ..
    } = arguments;
    Recipe {
        seed,
        training: TrainingChoices {
            steps: training.steps,
            time: training.time,
            batch_size: training.batch_size,
            learning_rate: training.learning_rate,
            conditional: training.conditional.map(Into::into),
            flip: images.flip.then_some(true),
            precision: images.precision.map(Into::into),
            ..TrainingChoices::default()
        },
        model: ModelChoices {
            head: model.head.map(Into::into),
            ..ModelChoices::default()
        },
        path: PathChoices {
            kind: model.path.map(Into::into),
            ..PathChoices::default()
        },
        network: NetworkChoices {
            kind: model.network.map(Into::into),
            hidden: model.hidden,
            blocks: model.blocks,
            dropout: model.dropout,
            preset: images.preset.map(Into::into),
            channels: images.channels,
            ..NetworkChoices::default()
        },
        split: SplitChoices {
            validation: parts.validation,
            test: parts.test,
        },
    }
}
