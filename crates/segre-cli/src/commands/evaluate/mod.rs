//! `segre evaluate`: test likelihood beside baselines, imputation, contacts, divergence from a known distribution, outliers,
//! quality.

mod args;
mod classifier;
mod contacts;
mod images;
mod outliers;
mod quality;

use anyhow::{Result, ensure};
use segre::data::{self, DataSource, Dataset};
use segre::evaluation::conditionals::{self, ConditionalReport};
use segre::evaluation::contacts::ContactReport;
use segre::evaluation::detection::{OutlierOptions, OutlierReport};
use segre::evaluation::divergence::{self, Divergence, DivergenceReport, many_samples};
use segre::evaluation::imputation::{self, ImputationOptions, ImputationReport};
use segre::evaluation::scores::{self, ScoreReport};
use segre::progress::{Observer, Silent};
use segre::run::{self, Parts};
use serde::Serialize;

pub use self::args::Evaluate;
use self::args::ImageChecks;
use self::images::ImageReport;
use self::quality::Judged;
use crate::args::Common;
use crate::conditionals as compared;
use crate::report::evaluation::{print_divergence, print_imputation, print_outliers, print_scores};
use crate::report::json;
use crate::watched::{sample_with_progress, warn_unconditional};

#[derive(Serialize)]
struct Report {
    #[serde(flatten)]
    scores: ScoreReport,
    #[serde(flatten)]
    divergence: Option<DivergenceReport>,
    /// Conditionals of a known target, where they are asked for.
    #[serde(flatten)]
    conditionals: Option<ConditionalReport>,
    /// Hidden cells filled in, where that is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    imputation: Option<ImputationReport>,
    /// Pairs of places beside a structure, where one is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    contacts: Option<ContactReport>,
    /// Of sampled images, where they are asked for.
    #[serde(flatten)]
    images: ImageReport,
    /// Of other data, where there are any.
    #[serde(skip_serializing_if = "Option::is_none")]
    outliers: Option<OutlierReport>,
}

/// Evaluates a model.
pub fn run(arguments: &Evaluate, common: &Common) -> Result<()> {
    let (model, card) = run::load(&arguments.model, &common.device.open()?)?;
    let (checks, asked) = (&arguments.images, &arguments.conditionals);
    quality::refuse_early(&arguments.quality, &card)?;
    images::refuse_early(checks, !arguments.outliers.ood.is_empty(), &model, &card)?;
    let structure = contacts::structure(arguments.contacts.as_deref(), &card)?;
    let labels = classifier::label_file(&checks.classifier);
    let (parts, names) = Parts::of_fit_with_labels(&card, labels)?;
    let (train, validation) = (&parts.train, &parts.validation);
    let data = match &arguments.data {
        None => parts.test.clone(),
        Some(text) => data::read_as(
            &DataSource::parse(text)?,
            model.schema(),
            &card.read_options,
        )?,
    };
    let seed = common.seed.unwrap_or(card.training.seed);
    if arguments.quality.quality {
        let (checks, options) = (&arguments.quality, arguments.sampling.options(seed));
        let judged = Judged::of(checks, (&model, &card), (&parts, &data), &options, common)?;
        if common.json {
            return json::print_object(&judged);
        }
        judged.print();
        return Ok(());
    }
    let source = DataSource::parse(&card.source)?;
    let target = source.known_distribution();
    let target = target.as_deref();
    if let Some(wanted) = asked.conditionals {
        ensure!(
            target.is_some(),
            "--conditionals {wanted}: the distribution of {} is not known; use --impute on data, or a built-in distribution",
            card.source
        );
    }
    if arguments.impute.is_some() || asked.conditionals.is_some() {
        warn_unconditional(&model, common);
    }
    let names = names.as_deref();
    let classifier = classifier::open(&checks.classifier, &parts, names, &data, seed, common)?;
    let others = outliers::read(&arguments.outliers, &card, &data, seed)?;
    ensure!(
        others.is_empty() || model.has_bound(),
        "--ood judges rows by their likelihood, which this path has no bound of; fit another path"
    );
    let scored = match arguments.rows {
        Some(most) => &data.spread(most),
        None => &data,
    };
    let options = arguments.accuracy.options(scored.rows(), seed);
    let score = |observer: &mut dyn Observer| {
        scores::run(
            &model, train, validation, scored, target, &options, observer,
        )
    };
    let scores = match model.has_bound() {
        true => common.watch(
            |bar| score(bar),
            |found| format!("{} rows, {} evaluations", found.rows, found.evaluations),
        )?,
        false => score(&mut Silent)?,
    };
    let conditionals = match (asked.conditionals, target) {
        (Some(patterns), Some(target)) => {
            let rows = conditionals::fresh_rows(&source, &card.read_options, patterns, seed)?;
            let log_pmf = |row: &[u16]| target.log_pmf(row);
            let found = compared::compare(&model, &log_pmf, &rows, asked, seed, common)?;
            Some(found)
        }
        _ => None,
    };
    let imputation = match arguments.impute {
        None => None,
        Some(hidden_share) => {
            let options = ImputationOptions { hidden_share, seed };
            let found = common.watch(
                |bar| imputation::run(&model, train, validation, &data, &options, bar),
                |_| format!("{} rows", data.rows()),
            )?;
            Some(found)
        }
    };
    let options = arguments.sampling.options(seed);
    let divergence = match target.filter(|target| Divergence::is_possible(*target)) {
        None => None,
        Some(target) => {
            let options = many_samples(options.clone());
            let samples = sample_with_progress(&model, arguments.samples, &options, common)?;
            Some(divergence::run(target, &samples)?)
        }
    };
    let contacts = match &structure {
        None => None,
        Some(own) => Some(contacts::compare(own, &model, &parts, &options, common)?),
    };
    let (of_model, of_data) = ((&model, &card), (&parts, &data));
    let classifier = classifier.as_ref();
    let images = ImageReport::of(checks, classifier, of_model, of_data, &options, common)?;
    let folder = checks.out_dir.as_deref();
    let outliers = match others.is_empty() {
        true => None,
        false => {
            let rows = arguments.outliers.ood_rows;
            let options = OutlierOptions { rows, seed };
            let found = outliers::look_at(others, folder, &model, of_data, &options, common)?;
            Some(found)
        }
    };
    let report = Report {
        scores,
        divergence,
        conditionals,
        imputation,
        contacts,
        images,
        outliers,
    };
    if common.json {
        return json::print_object(&report);
    }
    report.print(&data, checks);
    Ok(())
}

impl Report {
    /// Prints everything for the terminal; `data` are those that are evaluated.
    fn print(&self, data: &Dataset, checks: &ImageChecks) {
        print_scores(&self.scores, data);
        if let Some(found) = &self.divergence {
            print_divergence(found);
        }
        if let Some(found) = &self.conditionals {
            compared::print(found);
        }
        if let Some(found) = &self.imputation {
            print_imputation(found);
        }
        if let Some(found) = &self.contacts {
            contacts::print(found);
        }
        self.images.print(checks);
        if let Some(found) = &self.outliers {
            print_outliers(found);
            if let Some(folder) = &checks.out_dir {
                outliers::print_files(folder);
            }
        }
    }
}
