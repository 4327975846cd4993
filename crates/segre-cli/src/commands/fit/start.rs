//! The start of a fit: a new folder with a new run, or the run that is in it.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use segre::data::{self, DataSource, ReadOptions, RowClasses};
use segre::flow::saving::{self, LabelSource, ModelCard, TestData};
use segre::flow::training::{self, Trainer};
use segre::recipe::{Facts, Recipe, Settings};
use serde_json::{Value, json};

use super::request::Request;
use super::{CHECKPOINT_FILE, METRICS_FILE};
use crate::session::{Parts, check_writable};

/// Reads data, prepares the folder and starts a run.
pub fn begin(request: &Request, device: &segre::Device) -> Result<(ModelCard, Parts, Trainer)> {
    let out = &request.out;
    if out.exists() && !request.force {
        bail!(
            "{} exists; go on with --resume, replace it with --force, or choose another --out",
            out.display()
        );
    }
    // Everything that can be refused is refused before the folder is touched.
    let (card, parts) = prepare(request)?;
    let (model, training) = (card.model.clone(), card.training.clone());
    let trainer = Trainer::new(model, training, &parts.train, device)?;
    if out.exists() {
        clear(out)?;
    }
    fs::create_dir_all(out)
        .with_context(|| format!("cannot create {}; choose another --out", out.display()))?;
    check_writable(&out.join(saving::CONFIG_FILE))?;
    saving::save_card(out, &card)?;
    Ok((card, parts, trainer))
}

/// All settings that a fit would have.
pub fn resolved(request: &Request) -> Result<Recipe> {
    let (card, _) = prepare(request)?;
    card.model.validate()?;
    card.model.check_sites(&card.schema)?;
    card.training.validate()?;
    Ok(Recipe::resolved(&Settings {
        model: card.model,
        training: card.training,
        split: card.split,
    }))
}

/// Reads data and says what is to be done with them, without any folder.
fn prepare(request: &Request) -> Result<(ModelCard, Parts)> {
    let source = DataSource::parse(&request.data)?;
    let data = data::read(&source, &request.reading)?;
    let read_options = request.reading.clone();
    let (test, test_data) = match &request.test_data {
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
    let (data, labels) = match &request.labels {
        None => (data, None),
        Some(path) => {
            let column = request.label_column.clone();
            let classes = RowClasses::read(path, column.as_deref(), &request.data, data.rows())?;
            let labels = LabelSource {
                path: path.clone(),
                column,
                fingerprint: classes.fingerprint(),
                names: classes.names,
            };
            (data.with_classes(classes.values), Some(labels))
        }
    };
    let recipe = &request.recipe;
    let parts = Parts::of(&data, &recipe.split_config(), test, read_options.memory)?;
    let facts = Facts::of(&parts.train)
        .with_prior(request.prior.clone())
        .with_classes(labels.as_ref().map(|labels| labels.names.len()));
    let Settings {
        model,
        training,
        split,
    } = recipe.resolve(&facts)?;
    let card = ModelCard {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        source: source.to_string(),
        read_options,
        fingerprint: data.fingerprint(),
        split,
        test_data,
        labels,
        model,
        training,
        schema: data.schema,
    };
    Ok((card, parts))
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
pub fn resume(request: &Request, device: &segre::Device) -> Result<(ModelCard, Parts, Trainer)> {
    let out = &request.out;
    let mut card = saving::load_card(out)?;
    let source = DataSource::parse(&request.data)?.to_string();
    ensure!(
        source == card.source,
        "{} was fitted to {}, not {source}; resume with that data",
        out.display(),
        card.source
    );
    if let Some(seed) = request.recipe.seed {
        let own = card.training.seed;
        ensure!(
            seed == own,
            "the run in {} has seed {own}, not {seed}",
            out.display()
        );
    }
    let parts = Parts::of_fit(&card)?;
    refuse_other_settings(request, &card, &parts)?;
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
    if let Some(steps) = request.recipe.training.steps {
        budget.steps = Some(steps);
    }
    if let Some(time) = request.recipe.training.time {
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
fn refuse_other_settings(request: &Request, card: &ModelCard, parts: &Parts) -> Result<()> {
    let out = request.out.display();
    let seed = card.training.seed;
    // The classes are those of the run in any case.
    let facts = Facts::of(&parts.train)
        .with_prior(card.model.prior.clone())
        .with_classes(None);
    let asked = settings(request, seed, &facts)?;
    let unasked = settings(&Request::default(), seed, &facts)?;
    let labels = card.labels.as_ref();
    let own = json!({
        "model": card.model, "training": card.training, "split": card.split,
        "test data": card.test_data.as_ref().map(|data| &data.source),
        "labels": labels.map(|labels| &labels.path),
        "label column": labels.and_then(|labels| labels.column.as_ref()),
        "reading": card.read_options,
    });
    if let Some((name, own, asked)) = difference(&own, &asked, &unasked) {
        bail!(
            "the run in {out} has {name} {own}, not {asked}; leave the option out, or start anew with --force"
        );
    }
    Ok(())
}

/// All settings that follow from a request, by name.
fn settings(request: &Request, seed: u64, facts: &Facts) -> Result<Value> {
    let recipe = Recipe {
        seed: Some(seed),
        ..request.recipe.clone()
    };
    let settings = recipe.resolve(facts)?;
    let test_data = request.test_data.as_deref().map(DataSource::parse);
    Ok(json!({
        "model": settings.model, "training": settings.training, "split": settings.split,
        "test data": test_data.transpose()?.map(|source| source.to_string()),
        "labels": request.labels, "label column": request.label_column,
        "reading": ReadOptions { builtin_seed: seed, ..request.reading.clone() },
    }))
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
