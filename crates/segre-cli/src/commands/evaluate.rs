//! `segre evaluate`: test likelihood beside baselines, and divergence from a known distribution.

use anyhow::Result;
use segre::data::{self, DataSource};
use segre::flow::saving;
use serde::Serialize;

use crate::args::{Common, Evaluate};
use crate::divergence::{DivergenceReport, many_samples, target_of};
use crate::report::json;
use crate::report::table::{Align, Table};
use crate::session::{BaselineScores, Parts, sample_with_progress, score_with_progress};

#[derive(Serialize)]
struct Report {
    bits_per_dim: f64,
    std_error: f64,
    rows: usize,
    baselines: BaselineScores,
    #[serde(flatten)]
    divergence: Option<DivergenceReport>,
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
    let scores = score_with_progress(&model, &data, &arguments.accuracy, seed, common)?;
    let divergence = match target_of(&card.source)? {
        None => None,
        Some(target) => {
            let options = many_samples(&arguments.sampling, seed);
            let samples = sample_with_progress(&model, arguments.samples, &options, common)?;
            Some(DivergenceReport::of(target.as_ref(), &samples)?)
        }
    };
    if common.json {
        return json::print_object(&Report {
            bits_per_dim: scores.bits_per_dim.value,
            std_error: scores.bits_per_dim.std_error,
            rows: data.rows(),
            baselines,
            divergence,
        });
    }
    println!("{} rows, {} sites", data.rows(), data.sites());
    print!("{}", baselines.table(scores.bits_per_dim));
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
    Ok(())
}
