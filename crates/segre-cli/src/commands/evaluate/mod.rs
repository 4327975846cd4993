//! `segre evaluate`: test likelihood beside baselines, imputation, divergence from a known distribution, outliers.

mod classes;
mod classes_report;
mod images;
mod imputation;
mod maps;
mod nearest;
mod outlier_pictures;
mod outliers;

use std::f64::consts::LN_2;

use anyhow::{Result, ensure};
use segre::data::{self, DataSource, Dataset, ReadOptions};
use segre::evaluation::divergence::Divergence;
use segre::flow::saving::{self, ModelCard};
use serde::Serialize;

use self::classes::Judge;
use self::images::ImageReport;
use self::imputation::ImputationReport;
use self::outliers::OutlierReport;
use crate::args::{Common, Evaluate};
use crate::conditionals::ConditionalReport;
use crate::divergence::{DivergenceReport, many_samples, target_of};
use crate::report::json;
use crate::report::table::{Align, Table};
use crate::session::{
    BaselineScores, Parts, sample_with_progress, sampling_options, score_if_bounded,
    warn_unconditional,
};

#[derive(Serialize)]
struct Report {
    /// Absent for a path without a likelihood bound.
    #[serde(skip_serializing_if = "Option::is_none")]
    bits_per_dim: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    std_error: Option<f64>,
    rows: usize,
    baselines: BaselineScores,
    /// Of a known target, bits per dimension.
    #[serde(skip_serializing_if = "Option::is_none")]
    target_entropy: Option<f64>,
    #[serde(flatten)]
    divergence: Option<DivergenceReport>,
    /// Conditionals of a known target, where they are asked for.
    #[serde(flatten)]
    conditionals: Option<ConditionalReport>,
    /// Hidden cells filled in, where that is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    imputation: Option<ImputationReport>,
    /// Of sampled images, where they are asked for.
    #[serde(flatten)]
    images: ImageReport,
    /// Of other data, where there are any.
    #[serde(skip_serializing_if = "Option::is_none")]
    outliers: Option<OutlierReport>,
}

/// Evaluates a model.
pub fn run(arguments: &Evaluate, common: &Common) -> Result<()> {
    let (model, card) = saving::load(&arguments.model, &common.device.open()?)?;
    let checks = &arguments.images;
    images::refuse_early(checks, !arguments.outliers.ood.is_empty(), &model, &card)?;
    let labels = classes::label_file(&checks.classifier);
    let (parts, names) = Parts::of_fit_with_labels(&card, labels)?;
    let data = match &arguments.data {
        None => parts.test.clone(),
        Some(text) => data::read_as(
            &DataSource::parse(text)?,
            model.schema(),
            &card.read_options,
        )?,
    };
    let seed = common.seed.unwrap_or(card.training.seed);
    let target = target_of(&card.source)?;
    if let Some(wanted) = arguments.conditionals.conditionals {
        ensure!(
            target.is_some(),
            "--conditionals {wanted}: the distribution of {} is not known; use --impute on data, or a built-in distribution",
            card.source
        );
    }
    if arguments.impute.is_some() || arguments.conditionals.conditionals.is_some() {
        warn_unconditional(&card, common);
    }
    let names = names.as_deref();
    let judge = Judge::open(&checks.classifier, &parts, names, &data, seed, common)?;
    let outliers = outliers::read(&arguments.outliers, &card, &data, seed)?;
    ensure!(
        outliers.is_empty() || model.has_bound(),
        "--ood judges rows by their likelihood, which this path has no bound of; fit another path"
    );
    let scored = match arguments.rows {
        Some(most) => &data.spread(most),
        None => &data,
    };
    let baselines = BaselineScores::fit(&parts, scored)?;
    let scores = score_if_bounded(&model, scored, &arguments.accuracy, seed, common)?;
    let bits = scores.map(|scores| scores.bits_per_dim);
    let sites = data.sites() as f64;
    let entropy = target
        .as_ref()
        .map(|target| target.entropy() / (sites * LN_2));
    let conditionals = match (arguments.conditionals.conditionals, &target) {
        (Some(patterns), Some(target)) => {
            let rows = fresh_rows(&card, patterns, seed)?;
            let (log_pmf, checks) = (|row: &[u16]| target.log_pmf(row), &arguments.conditionals);
            let found = ConditionalReport::of(&model, &log_pmf, &rows, checks, seed, common)?;
            Some(found)
        }
        _ => None,
    };
    let imputation = match arguments.impute {
        None => None,
        Some(share) => Some(ImputationReport::of(
            share, &model, &parts, &data, seed, common,
        )?),
    };
    let divergence = match target.filter(|target| Divergence::is_possible(target.as_ref())) {
        None => None,
        Some(target) => {
            let options = many_samples(sampling_options(
                &arguments.sampling,
                card.training.conditional,
                seed,
            ));
            let samples = sample_with_progress(&model, arguments.samples, &options, common)?;
            Some(DivergenceReport::of(target.as_ref(), &samples)?)
        }
    };
    let options = sampling_options(&arguments.sampling, card.training.conditional, seed);
    let (of_model, data_of) = ((&model, &card), (&parts, &data));
    let images = ImageReport::of(checks, judge.as_ref(), of_model, data_of, &options, common)?;
    let folder = checks.out_dir.as_deref();
    let outliers = match outliers.is_empty() {
        true => None,
        false => Some(OutlierReport::of(
            &arguments.outliers,
            folder,
            &outliers::Judge::new(&model, &parts.train, seed, common),
            &parts,
            &data,
            outliers,
        )?),
    };
    if common.json {
        return json::print_object(&Report {
            bits_per_dim: bits.map(|bits| bits.value),
            std_error: bits.map(|bits| bits.std_error),
            rows: scored.rows(),
            baselines,
            target_entropy: entropy,
            divergence,
            conditionals,
            imputation,
            images,
            outliers,
        });
    }
    let (rows, all) = (scored.rows(), data.rows());
    let of_all = (rows < all).then(|| format!(" of {all}"));
    println!(
        "{rows}{} rows, {} sites",
        of_all.unwrap_or_default(),
        data.sites()
    );
    print!("{}", baselines.table(bits));
    if let Some(entropy) = entropy {
        println!("entropy of the known target: {entropy:.5} bits/dim");
    }
    if let Some(found) = divergence {
        let mut table = Table::new(&[("KL(· ‖ target), nats", Align::Left), ("", Align::Decimal)]);
        table.push([
            "segre".into(),
            format!("{:.5} ± {:.5}", found.kl, found.kl_std_error),
        ]);
        let rows = [
            ("perfect sampler (floor)", found.kl_floor),
            ("uniform sampler", found.kl_uniform),
            ("total variation of segre", found.total_variation),
        ];
        for (name, value) in rows {
            table.push([name.into(), format!("{value:.5}")]);
        }
        print!("\n{} samples\n{}", found.samples, table.to_text());
    }
    if let Some(found) = conditionals {
        found.print();
    }
    if let Some(found) = imputation {
        found.print();
    }
    images.print(checks);
    if let Some(outliers) = &outliers {
        outliers.print(folder);
    }
    Ok(())
}

/// Rows of a fit's built-in distribution that the fit has not seen.
fn fresh_rows(card: &ModelCard, count: usize, seed: u64) -> Result<Dataset> {
    let options = ReadOptions {
        // Far from the seeds that people use.
        builtin_seed: !seed,
        builtin_rows: Some(count),
        ..card.read_options.clone()
    };
    let rows = data::read(&DataSource::parse(&card.source)?, &options)?;
    // A source may say itself how many rows it has.
    Ok(rows.select(&(0..count.min(rows.rows())).collect::<Vec<_>>()))
}
