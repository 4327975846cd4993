//! Going on with a run: what must be as it was, what may change.

use serde_json::{Value, json};

use super::card::{Card, ModelCard, save_card};
use super::error::{Result, RunError};
use super::fit::{Fit, Origin};
use super::folder::{CHECKPOINT_FILE, lock_model};
use super::parts::Parts;
use super::training::Run;
use crate::data::{self, DataSource, ReadOptions};
use crate::flow::training::{Trainer, read_checkpoint};
use crate::ranks;
use crate::recipe::{Facts, Recipe};

/// Takes up the run in the folder with its own settings; only budgets may be others.
pub(super) fn resume(fit: &Fit) -> Result<Run> {
    let out = fit.folder()?;
    // The first process keeps the run of all.
    let lock = ranks::is_first().then(|| lock_model(out)).transpose()?;
    let mut card = match Card::load(out)? {
        Card::Data(card) => card,
        other => return Err(other.refused(out)),
    };
    let source = fit.origin.name()?;
    if source != card.source {
        return Err(RunError::OtherData {
            path: out.to_path_buf(),
            own: card.source,
            asked: source,
        });
    }
    let own = card.training.seed;
    if let Some(asked) = fit.recipe.seed.filter(|seed| *seed != own) {
        let path = out.to_path_buf();
        return Err(RunError::OtherSeed { path, own, asked });
    }
    let rows = match &fit.origin {
        Origin::Source(..) => data::read(&DataSource::parse(&card.source)?, &card.read_options)?,
        Origin::Data(_) => fit.origin.rows()?,
    };
    let (parts, _) = Parts::of_card(&card, rows, None)?;
    refuse_other_settings(fit, &card, &parts)?;
    let checkpoint = out.join(CHECKPOINT_FILE);
    let (model, training) = (card.model.clone(), card.training.clone());
    let mut trainer = match checkpoint.is_file() {
        true => read_checkpoint(&checkpoint, model, training, &parts.train, &fit.device)
            .map_err(|error| RunError::Checkpoint(Box::new(error.into())))?,
        // Killed before the first checkpoint: the beginning is where it stopped.
        false => Trainer::new(model, training, &parts.train, &fit.device)?,
    };
    let (mut budget, former) = (card.training.budget, card.training.budget);
    if let Some(steps) = fit.recipe.training.steps {
        budget.steps = Some(steps);
    }
    if let Some(time) = fit.recipe.training.time {
        budget.seconds = Some(time.as_secs_f64());
    }
    if budget != card.training.budget {
        trainer.set_budget(budget)?;
        card.training.budget = budget;
    }
    // All have read the folder before the first one writes to it.
    ranks::any(false);
    let out = ranks::is_first().then(|| out.to_path_buf());
    if let Some(out) = out.as_ref().filter(|_| card.training.budget != former) {
        save_card(out, card.clone())?;
    }
    Ok(Run {
        _lock: lock,
        out,
        card,
        parts,
        trainer,
    })
}

/// Refuses settings that are asked for but are not those of the run, which would otherwise be ignored.
fn refuse_other_settings(fit: &Fit, card: &ModelCard, parts: &Parts) -> Result<()> {
    let seed = card.training.seed;
    // The classes are those of the run in any case.
    let facts = Facts::of(&parts.train)
        .with_prior(card.model.prior.energy().cloned())
        .with_classes(None);
    let asked = asked(fit, seed, &facts)?;
    let unasked = unasked(seed, &facts)?;
    let labels = card.labels.as_ref();
    let own = json!({
        "model": card.model, "training": card.training, "split": card.split,
        "test data": card.test_data.as_ref().map(|data| &data.source),
        "labels": labels.map(|labels| &labels.path),
        "label column": labels.and_then(|labels| labels.column.as_ref()),
        "reading": card.read_options,
    });
    match difference(&own, &asked, &unasked) {
        None => Ok(()),
        Some((name, own, asked)) => Err(RunError::OtherSetting {
            path: fit.folder()?.to_path_buf(),
            name,
            own: own.to_string(),
            asked: asked.to_string(),
        }),
    }
}

/// All settings that follow from what is asked for, by name.
fn asked(fit: &Fit, seed: u64, facts: &Facts) -> Result<Value> {
    let recipe = Recipe {
        seed: Some(seed),
        ..fit.recipe.clone()
    };
    let settings = recipe.resolve(facts)?;
    let test_data = fit
        .test_data
        .as_deref()
        .map(DataSource::parse)
        .transpose()?;
    let options = ReadOptions {
        builtin_seed: seed,
        ..fit.origin.read_options().clone()
    };
    Ok(json!({
        "model": settings.model, "training": settings.training, "split": settings.split,
        "test data": test_data.map(|source| source.to_string()),
        "labels": fit.labels, "label column": fit.label_column, "reading": options,
    }))
}

/// The settings of whoever asks for nothing.
fn unasked(seed: u64, facts: &Facts) -> Result<Value> {
    let nothing = Fit::to_source("", &ReadOptions::default());
    asked(&nothing, seed, facts)
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
