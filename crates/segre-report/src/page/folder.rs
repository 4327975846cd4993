//! The page of a folder, whatever was written there: looked at once, and drawn from what was stored then.

use std::fs;
use std::hash::{DefaultHasher, Hasher};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use segre::data::Layout;
use segre::energy::ModelSource;
use segre::evaluation::contacts::Structure;
use segre::evaluation::energy::{EnergyTarget, Fitted};
use segre::evaluation::overview::{self, EnergyView, Overview};
use segre::progress::Observer;
use segre::randomized::schema_of;
use segre::recipe::{Facts, Recipe};
use segre::run::{self, Card, ModelCard, Parts, REPORT_FILE, TrainingLog};
use segre::{Device, atomic};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{About, EnergyAbout, Page, energy_page, experiment_page, model_page};

/// An experiment's report.
const EXPERIMENT_FILE: &str = "REPORT.md";

/// What is asked of a page.
#[derive(Clone, Debug)]
pub struct PageOptions {
    /// The energy of a fit to one, where its folder names another or none.
    pub energy: Option<String>,
    /// The structure of an alignment's family, as [`Structure::read`] has it.
    pub contacts: Option<PathBuf>,
    /// Bytes that exact inference may take.
    pub memory: u64,
    /// Seed of samples and noise; that of the fit by default.
    pub seed: Option<u64>,
    /// Where to compute.
    pub device: Device,
    /// Look again, even if that was done.
    pub again: bool,
}

impl Default for PageOptions {
    fn default() -> Self {
        Self {
            energy: None,
            contacts: None,
            memory: 4 << 30,
            seed: None,
            device: Device::flex(),
            again: false,
        }
    }
}

/// What was seen of the parameters in a folder.
#[derive(Serialize, Deserialize)]
struct Stored<T> {
    /// Program that looked.
    version: String,
    /// Of the parameters.
    checksum: u64,
    seed: u64,
    /// The energy, where it was one.
    energy: Option<String>,
    seen: T,
}

/// The page of a folder: of a model, of a fit to an energy, of an experiment. What was seen is stored in the folder, where
/// that can be written, so that a second page is only drawn.
///
/// # Errors
/// Those of reading the folder and its data, and of [`overview::run`] and [`overview::of_energy`].
pub fn page_of_folder(
    folder: &Path,
    options: &PageOptions,
    observer: &mut dyn Observer,
) -> Result<Page> {
    let report = folder.join(EXPERIMENT_FILE);
    if report.exists() && !folder.join(run::CONFIG_FILE).exists() {
        return experiment_page(&report);
    }
    let name = folder
        .canonicalize()
        .unwrap_or_else(|_| folder.to_path_buf());
    let title = name.file_name().unwrap_or_default().to_string_lossy();
    let card = Card::load(folder)?;
    let log = TrainingLog::read(folder).ok();
    let own = match &card {
        Card::Data(card) => card.energy.as_ref(),
        Card::EnergyDataFree(card) => Some(&card.source),
        Card::Randomized(card) => Some(&card.source),
    };
    if let (Card::Data(card), None) = (&card, options.energy.as_ref().or(own)) {
        let seed = options.seed.unwrap_or(card.training.seed);
        let structure = structure(options.contacts.as_deref(), card)?;
        let seen = stored(folder, (seed, None), options.again, || {
            let (model, card) = run::load(folder, &options.device)?;
            let parts = Parts::of_fit(&card)?;
            Ok(overview::run(&model, &parts, seed, observer)?)
        })?;
        let about = About {
            title: title.into_owned(),
            recipe: recipe(card),
            structure,
        };
        return model_page(&about, card, log.as_ref(), &seen);
    }
    let (source, fitted_with) = match &card {
        Card::Data(card) | Card::EnergyDataFree(card) => (&card.source, card.training.seed),
        Card::Randomized(card) => (&card.source, card.training.seed),
    };
    let energy = options.energy.as_ref().or(own).unwrap_or(source);
    let seed = options.seed.unwrap_or(fitted_with);
    let seen = stored(folder, (seed, Some(energy)), options.again, || {
        let parsed = ModelSource::parse(energy)?;
        let model = parsed.load().with_context(|| {
            format!(
                "what the model in {} was fitted to cannot be read",
                folder.display()
            )
        })?;
        let grid = match &parsed {
            ModelSource::Grid(grid) => Some(grid),
            ModelSource::File(_) => None,
        };
        let target = EnergyTarget {
            name: energy,
            model: &model,
            schema: &schema_of(&model, grid)?,
        };
        let fitted = Fitted::load(folder, &options.device)?;
        Ok(overview::of_energy(
            &fitted,
            &target,
            options.memory,
            seed,
            observer,
        )?)
    })?;
    let settings = match &card {
        Card::Data(card) | Card::EnergyDataFree(card) => recipe(card),
        Card::Randomized(card) => serde_json::to_string_pretty(&(&card.model, &card.training))?,
    };
    let about = EnergyAbout {
        title: &title,
        card: &card,
        settings: &settings,
        log: log.as_ref(),
    };
    let view: EnergyView = seen;
    energy_page(&about, &view)
}

/// The page of a model of which everything has been seen.
///
/// # Errors
/// As [`model_page`].
pub fn page_of_seen(
    title: &str,
    card: &ModelCard,
    log: Option<&TrainingLog>,
    seen: &Overview,
) -> Result<Page> {
    let about = About {
        title: title.to_owned(),
        recipe: recipe(card),
        structure: None,
    };
    model_page(&about, card, log, seen)
}

/// The structure that a page is asked to show, of sequences alone.
fn structure(path: Option<&Path>, card: &ModelCard) -> Result<Option<Structure>> {
    let Some(path) = path else {
        return Ok(None);
    };
    let layout = &card.schema.layout;
    ensure!(
        *layout == Layout::Sequence,
        "contacts are for alignments of sequences, not for {} data; leave them out",
        layout.name()
    );
    Ok(Some(Structure::read(path, card.schema.sites())?))
}

fn recipe(card: &ModelCard) -> String {
    let mut facts = Facts::of_schema(&card.schema)
        .with_prior(card.model.prior.energy().cloned())
        .with_classes(card.labels.as_ref().map(|labels| labels.names.len()));
    // Where there are rows, their parts and validations are decided, too; what is written does not hang on how many.
    facts.rows = card.fingerprint.map(|_| 1);
    Recipe::resolved(&card.settings(), &facts).to_toml()
}

/// What was seen of these parameters with this seed, or what `look` sees now.
fn stored<T: Serialize + DeserializeOwned>(
    folder: &Path,
    (seed, energy): (u64, Option<&String>),
    again: bool,
    look: impl FnOnce() -> Result<T>,
) -> Result<T> {
    let (path, checksum) = (folder.join(REPORT_FILE), checksum(folder)?);
    let version = env!("CARGO_PKG_VERSION");
    let former = fs::read(&path).ok().filter(|_| !again);
    let former = former.and_then(|text| serde_json::from_slice::<Stored<T>>(&text).ok());
    let same = |own: &Stored<T>| {
        (
            &own.version[..],
            own.checksum,
            own.seed,
            own.energy.as_ref(),
        ) == (version, checksum, seed, energy)
    };
    if let Some(former) = former.filter(same) {
        return Ok(former.seen);
    }
    let now = Stored {
        version: version.to_owned(),
        checksum,
        seed,
        energy: energy.cloned(),
        seen: look()?,
    };
    // Nothing is lost where a folder cannot be written to: the next page looks again.
    let _ = atomic::write_bytes(&path, &serde_json::to_vec(&now)?);
    Ok(now.seen)
}

fn checksum(folder: &Path) -> Result<u64> {
    let path = folder.join(run::MODEL_FILE);
    let bytes = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut hasher = DefaultHasher::new();
    hasher.write(&bytes);
    Ok(hasher.finish())
}
