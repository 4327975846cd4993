//! The start of a fit: a new folder with a new run, or the run that is in it.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use clap::Parser;
use segre::data::{self, DataSource, RowClasses};
use segre::flow::saving::{self, LabelSource, ModelCard, SplitConfig, TestData};
use segre::flow::training::{self, Trainer};
use segre::network::NetworkConfig;
use serde_json::{Value, json};

use super::settings::{model_config, training_config};
use super::{CHECKPOINT_FILE, METRICS_FILE};
use crate::args::{Arguments, Command, Common, Fit};
use crate::session::{Parts, check_writable};

/// Reads data, prepares the folder and starts a run.
pub fn begin(
    arguments: &Fit,
    common: &Common,
    device: &segre::Device,
) -> Result<(ModelCard, Parts, Trainer)> {
    let out = &arguments.out;
    if out.exists() && !arguments.force {
        bail!(
            "{} exists; go on with --resume, replace it with --force, or choose another --out",
            out.display()
        );
    }
    // Everything that can be refused is refused before the folder is touched.
    let (card, parts, trainer) = prepare(arguments, common.seed.unwrap_or(0), device)?;
    if out.exists() {
        clear(out)?;
    }
    fs::create_dir_all(out)
        .with_context(|| format!("cannot create {}; choose another --out", out.display()))?;
    check_writable(&out.join(saving::CONFIG_FILE))?;
    saving::save_card(out, &card)?;
    Ok((card, parts, trainer))
}

/// Reads data and makes a run of the arguments, without any folder.
pub fn prepare(
    arguments: &Fit,
    seed: u64,
    device: &segre::Device,
) -> Result<(ModelCard, Parts, Trainer)> {
    let source = DataSource::parse(&arguments.data)?;
    let data = data::read(&source, &arguments.reading.options(seed)?)?;
    prepare_data(arguments, seed, device, source.to_string(), data)
}

/// [`prepare`] with data that are there already; `source` is what the card says of them.
pub fn prepare_data(
    arguments: &Fit,
    seed: u64,
    device: &segre::Device,
    source: String,
    data: data::Dataset,
) -> Result<(ModelCard, Parts, Trainer)> {
    let read_options = arguments.reading.options(seed)?;
    let (test, test_data) = match &arguments.test_data {
        None => (None, None),
        Some(text) => {
            let source = DataSource::parse(text)?;
            let test = data::read_as(&source, &data.schema, &read_options)?;
            let (source, fingerprint) = (source.to_string(), test.fingerprint());
            let known = TestData {
                source,
                fingerprint,
            };
            (Some(test), Some(known))
        }
    };
    let (data, labels) = match &arguments.shown.labels {
        None => (data, None),
        Some(path) => {
            let column = arguments.shown.label_column.clone();
            let classes = RowClasses::read(path, column.as_deref(), &arguments.data, data.rows())?;
            let labels = LabelSource {
                path: path.clone(),
                column,
                fingerprint: classes.fingerprint(),
                names: classes.names,
            };
            (data.with_classes(classes.values), Some(labels))
        }
    };
    let split = SplitConfig {
        seed,
        validation: arguments.validation,
        test: arguments.test,
    };
    let parts = Parts::of(&data, &split, test, read_options.memory)?;
    let mut model = model_config(arguments, &parts)?;
    if let NetworkConfig::Unet(unet) = &mut model.network {
        unet.classes = labels.as_ref().map(|labels| labels.names.len());
    }
    let training = training_config(arguments, &parts, &model.network, seed);
    let trainer = Trainer::new(model.clone(), training.clone(), &parts.train, device)?;
    let card = ModelCard {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        source,
        read_options,
        fingerprint: data.fingerprint(),
        split,
        test_data,
        labels,
        model,
        training,
        schema: data.schema,
    };
    Ok((card, parts, trainer))
}

/// The arguments of a fit written as on the command line, data first.
///
/// # Errors
/// Clap's, if they are none.
pub fn parse(words: &[&str]) -> Result<Fit> {
    let all = [&["segre", "fit", "--out", "."], words].concat();
    match Arguments::try_parse_from(all)?.command {
        Command::Fit(arguments) => Ok(*arguments),
        other => bail!("not a fit: {other:?}"),
    }
}

/// Removes what a former run left, and nothing else.
fn clear(out: &Path) -> Result<()> {
    ensure!(
        out.is_dir(),
        "{} is not a folder; choose another --out",
        out.display()
    );
    let empty = fs::read_dir(out)?.next().is_none();
    let ours = out.join(saving::CONFIG_FILE).is_file();
    ensure!(
        empty || ours,
        "{} is not a model folder; choose another --out",
        out.display()
    );
    for name in [
        saving::CONFIG_FILE,
        saving::MODEL_FILE,
        CHECKPOINT_FILE,
        METRICS_FILE,
        "samples.png",
        "samples.csv",
        "samples.txt",
        "samples.fasta",
        "training.png",
    ] {
        let path = out.join(name);
        if path.exists() {
            fs::remove_file(&path).with_context(|| format!("cannot remove {}", path.display()))?;
        }
    }
    Ok(())
}

/// Takes up the run in the folder with its own settings.
pub fn resume(
    arguments: &Fit,
    common: &Common,
    device: &segre::Device,
) -> Result<(ModelCard, Parts, Trainer)> {
    let out = &arguments.out;
    let mut card = saving::load_card(out)?;
    let source = DataSource::parse(&arguments.data)?.to_string();
    ensure!(
        source == card.source,
        "{} was fitted to {}, not {source}; resume with that data",
        out.display(),
        card.source
    );
    if let Some(seed) = common.seed {
        let own = card.training.seed;
        ensure!(
            seed == own,
            "the run in {} has seed {own}, not {seed}",
            out.display()
        );
    }
    let parts = Parts::of_fit(&card)?;
    refuse_other_settings(arguments, &card, &parts)?;
    let checkpoint = out.join(CHECKPOINT_FILE);
    let mut trainer = match checkpoint.is_file() {
        true => {
            let (model, training) = (card.model.clone(), card.training.clone());
            training::read_checkpoint(&checkpoint, model, training, &parts.train, device)
                .map_err(|error| anyhow::anyhow!("{error}; or start anew with --force"))?
        }
        // Killed before the first checkpoint: the beginning is where it stopped.
        false => Trainer::new(
            card.model.clone(),
            card.training.clone(),
            &parts.train,
            device,
        )?,
    };
    let mut budget = card.training.budget;
    if let Some(steps) = arguments.steps {
        budget.steps = Some(steps);
    }
    if let Some(time) = arguments.time {
        budget.seconds = Some(time.as_secs_f64());
    }
    if budget != card.training.budget {
        trainer.set_budget(budget)?;
        card.training.budget = budget;
        saving::save_card(out, &card)?;
    }
    Ok((card, parts, trainer))
}

/// Refuses settings that are asked for but are not those of the run, which would otherwise be ignored.
fn refuse_other_settings(arguments: &Fit, card: &ModelCard, parts: &Parts) -> Result<()> {
    let out = arguments.out.display();
    let unasked = parse(&[&card.source])?;
    let seed = card.training.seed;
    let settings = |fit: &Fit| -> Result<Value> {
        let test_source = fit.test_data.as_deref().map(DataSource::parse);
        let model = model_config(fit, parts)?;
        Ok(json!({
            "training": training_config(fit, parts, &model.network, seed),
            "model": model,
            "split": SplitConfig { seed: card.split.seed, validation: fit.validation, test: fit.test },
            "test data": test_source.transpose()?.map(|source| source.to_string()),
            "labels": fit.shown.labels,
            "label column": fit.shown.label_column,
            "reading": fit.reading.options(seed)?,
        }))
    };
    let own = json!({
        "model": card.model, "training": card.training, "split": card.split,
        "test data": card.test_data.as_ref().map(|data| &data.source),
        "labels": card.labels.as_ref().map(|labels| &labels.path),
        "label column": card.labels.as_ref().and_then(|labels| labels.column.as_ref()),
        "reading": card.read_options,
    });
    let found = difference(&own, &settings(arguments)?, &settings(&unasked)?);
    if let Some((name, own, asked)) = found {
        bail!(
            "the run in {out} has {name} {own}, not {asked}; leave the option out, or start anew with --force"
        );
    }
    Ok(())
}

/// The first setting whose asked value is neither the default nor the run's own: its name and both values.
fn difference(own: &Value, asked: &Value, unasked: &Value) -> Option<(String, Value, Value)> {
    let Value::Object(fields) = asked else {
        return None;
    };
    fields.iter().find_map(|(name, asked)| {
        let (own, unasked) = (&own[name], &unasked[name]);
        // The budget may be raised.
        if name == "budget" || asked == own || asked == unasked {
            return None;
        }
        match own.is_object() && asked.is_object() {
            true => difference(own, asked, unasked),
            false => Some((name.replace('_', " "), own.clone(), asked.clone())),
        }
    })
}
