//! `segre evaluate`: test likelihood beside baselines, and divergence from a known distribution.

use anyhow::Result;
use segre::data::{self, DataSource, Divergence};
use segre::flow::saving;
use serde::Serialize;

use crate::args::{Common, Evaluate};
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
    #[serde(flatten)]
    divergence: Option<DivergenceReport>,
}

#[derive(Serialize)]
struct DivergenceReport {
    /// `KL(model ‖ target)` in nats; for independent sites the mean over sites.
    kl: f64,
    /// What a perfect sampler has with as many samples.
    kl_floor: f64,
    /// What a uniform sampler has.
    kl_uniform: f64,
    total_variation: f64,
    samples: u64,
    function_evaluations: usize,
}

/// Evaluates a model.
pub fn run(arguments: &Evaluate, common: &Common) -> Result<()> {
    let (model, card) = saving::load(&arguments.model, &common.device.open()?)?;
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
    let baselines = BaselineScores::fit(&parts, &data)?;
    let scores = score_if_bounded(&model, &data, &arguments.accuracy, seed, common)?;
    let bits = scores.map(|scores| scores.bits_per_dim);
    let target = match DataSource::parse(&card.source)? {
        DataSource::BuiltIn(built_in) => built_in.known_distribution(),
        DataSource::File(_) => None,
    };
    let divergence = match target {
        None => None,
        Some(target) => {
            let mut options = sampling_options(&arguments.sampling, &card, seed);
            // Small states: larger batches use the processor better.
            options.batch = options.batch.max(4096);
            let samples = sample_with_progress(&model, arguments.samples, &options, common)?;
            let found = Divergence::estimate(target.as_ref(), &samples.data)?;
            Some(DivergenceReport {
                kl: found.kl,
                kl_floor: found.kl_floor,
                kl_uniform: found.kl_uniform,
                total_variation: found.total_variation,
                samples: found.samples as u64,
                function_evaluations: samples.function_evaluations,
            })
        }
    };
    if common.json {
        return json::print_object(&Report {
            bits_per_dim: bits.map(|bits| bits.value),
            std_error: bits.map(|bits| bits.std_error),
            rows: data.rows(),
            baselines,
            divergence,
        });
    }
    println!("{} rows, {} sites", data.rows(), data.sites());
    print!("{}", baselines.table(bits));
    if let Some(found) = divergence {
        let mut table = Table::new(&[("KL(· ‖ target), nats", Align::Left), ("", Align::Decimal)]);
        let rows = [
            ("segre", found.kl),
            ("perfect sampler (floor)", found.kl_floor),
            ("uniform sampler", found.kl_uniform),
            ("total variation of segre", found.total_variation),
        ];
        for (name, value) in rows {
            table.push([name.into(), format!("{value:.5}")]);
        }
        print!("\n{} samples\n{}", found.samples, table.to_text());
    }
    Ok(())
}
