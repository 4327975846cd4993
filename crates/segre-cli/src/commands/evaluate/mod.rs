//! `segre evaluate`: test likelihood beside baselines, divergence from a known distribution, outliers.

mod images;
mod outlier_pictures;
mod outliers;

use std::f64::consts::LN_2;

use anyhow::{Result, ensure};
use segre::data::{self, DataSource, Divergence};
use segre::flow::saving;
use serde::Serialize;

use self::images::ImageReport;
use self::outliers::{Judge, OutlierReport};
use crate::args::{Common, Evaluate};
use crate::divergence::{DivergenceReport, many_samples, target_of};
use crate::report::json;
use crate::report::table::{Align, Table};
use crate::session::{
    BaselineScores, Parts, sample_with_progress, sampling_options, score_if_bounded,
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
    images::refuse_early(checks, !arguments.outliers.ood.is_empty(), &card)?;
    let parts = Parts::of_fit(&card)?;
    let data = match &arguments.data {
        None => parts.test.clone(),
        Some(text) => data::read_as(
            &DataSource::parse(text)?,
            model.schema(),
            &card.read_options,
        )?,
    };
    let seed = common.seed.unwrap_or(card.training.seed);
    let outliers = outliers::read(&arguments.outliers, &card, &data, seed)?;
    ensure!(
        outliers.is_empty() || model.has_bound(),
        "--ood judges rows by their likelihood, which this path has no bound of; fit another path"
    );
    let baselines = BaselineScores::fit(&parts, &data)?;
    let scores = score_if_bounded(&model, &data, &arguments.accuracy, seed, common)?;
    let bits = scores.map(|scores| scores.bits_per_dim);
    let target = target_of(&card.source)?;
    let sites = data.sites() as f64;
    let entropy = target
        .as_ref()
        .map(|target| target.entropy() / (sites * LN_2));
    let divergence = match target.filter(|target| Divergence::is_possible(target.as_ref())) {
        None => None,
        Some(target) => {
            let options = many_samples(&arguments.sampling, card.training.conditional, seed);
            let samples = sample_with_progress(&model, arguments.samples, &options, common)?;
            Some(DivergenceReport::of(target.as_ref(), &samples)?)
        }
    };
    let images = match checks.nearest.is_some() || checks.map_statistics {
        false => ImageReport::default(),
        true => {
            let given = images::given(checks, &model, &card)?;
            let sampled = match given {
                Some(data) => data,
                None => {
                    let conditional = card.training.conditional;
                    let options = sampling_options(&arguments.sampling, conditional, seed);
                    sample_with_progress(&model, checks.images, &options, common)?.data
                }
            };
            ImageReport::of(checks, &sampled, &parts, &data)?
        }
    };
    let folder = checks.out_dir.as_deref();
    let outliers = match outliers.is_empty() {
        true => None,
        false => Some(OutlierReport::of(
            &arguments.outliers,
            folder,
            &Judge::new(&model, &parts.train, seed, common),
            &parts,
            &data,
            outliers,
        )?),
    };
    if common.json {
        return json::print_object(&Report {
            bits_per_dim: bits.map(|bits| bits.value),
            std_error: bits.map(|bits| bits.std_error),
            rows: data.rows(),
            baselines,
            target_entropy: entropy,
            divergence,
            images,
            outliers,
        });
    }
    println!("{} rows, {} sites", data.rows(), data.sites());
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
    images.print(checks);
    if let Some(outliers) = &outliers {
        outliers.print(folder);
    }
    Ok(())
}
