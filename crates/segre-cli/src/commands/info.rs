//! `segre info`: what a model or data set is.

use std::path::Path;

use anyhow::Result;
use segre::data::{self, DataSource, Dataset, Schema};
use segre::flow::saving;
use serde_json::json;

use crate::args::{Common, Info};
use crate::report::json::print_object;

/// Most sites to list in text.
const LISTED: usize = 30;

/// Describes a model's folder or a data source.
pub fn run(arguments: &Info, common: &Common) -> Result<()> {
    let folder = Path::new(&arguments.subject);
    if folder.is_dir() {
        return model(folder, common);
    }
    let source = DataSource::parse(&arguments.subject)?;
    let data = data::read(
        &source,
        &arguments.reading.options(common.seed.unwrap_or(0)),
    )?;
    dataset(&arguments.subject, &data, common)
}

fn model(folder: &Path, common: &Common) -> Result<()> {
    let (model, card) = saving::load(folder, &common.device.open()?)?;
    if common.json {
        return print_object(&json!({
            "kind": "model",
            "parameters": model.parameters(),
            "source": card.source,
            "model": card.model,
            "training": card.training,
            "schema": card.schema,
            "version": card.version,
        }));
    }
    println!(
        "model of {}, {} parameters, Segre {}",
        card.source,
        model.parameters(),
        card.version
    );
    println!("{}", serde_json::to_string_pretty(&card.model)?);
    describe(&card.schema);
    Ok(())
}

fn dataset(name: &str, data: &Dataset, common: &Common) -> Result<()> {
    if common.json {
        return print_object(&json!({
            "kind": "data",
            "rows": data.rows(),
            "sites": data.sites(),
            "max_categories": data.schema.max_categories(),
            "uniform_bits_per_dim": data.schema.uniform_bits_per_dim(),
            "schema": data.schema,
        }));
    }
    println!("{name}: {} rows", data.rows());
    describe(&data.schema);
    Ok(())
}

fn describe(schema: &Schema) {
    let bits = schema.uniform_bits_per_dim();
    println!(
        "{}, {} sites, uniform {bits:.4} bits/dim",
        schema.layout.name(),
        schema.sites()
    );
    if schema.vocabularies.len() == 1 {
        println!("every site: {}", categories(schema, 0));
        return;
    }
    for (site, description) in schema.sites.iter().enumerate().take(LISTED) {
        println!("  {}: {}", description.name, categories(schema, site));
    }
    if schema.sites() > LISTED {
        println!("  … and {} more", schema.sites() - LISTED);
    }
}

fn categories(schema: &Schema, site: usize) -> String {
    const SHOWN: usize = 8;
    let count = schema.cardinality(site);
    let names: Vec<String> = (0..count.min(SHOWN))
        .map(|label| format!("{:?}", schema.category_name(site, label as u16)))
        .collect();
    let more = if count > SHOWN { ", …" } else { "" };
    format!("{count} categories {}{more}", names.join(" "))
}
