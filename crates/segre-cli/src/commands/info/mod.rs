//! `segre info`: what a model or data set is.

mod args;

use std::path::Path;

use anyhow::{Result, ensure};
use segre::data::{self, DataSource, Dataset, Kinds, Layout, RowClasses, Schema};
use segre::evaluation::overview::column_shares;
use segre::run;
use serde_json::json;

pub use self::args::Info;
use crate::args::Common;
use crate::report::json::print_object;
use crate::report::sparkline::{self, sparkline};
use crate::report::table::{Align, Table};
use crate::watched::note_left_out;

/// Most sites to list in text.
const LISTED: usize = 30;

/// Describes a model's folder or a data source.
pub fn run(arguments: &Info, common: &Common) -> Result<()> {
    let folder = Path::new(&arguments.subject);
    let fitted = folder.join(run::CONFIG_FILE).is_file();
    if folder.is_dir() && (fitted || !data::is_picture_folder(folder)) {
        ensure!(
            fitted,
            "{}: not a model folder, {} is missing, and no data, as there is no .png file in it or the folders in it",
            folder.display(),
            run::CONFIG_FILE
        );
        return model(folder, common);
    }
    let source = DataSource::parse(&arguments.subject)?;
    let data = data::read(
        &source,
        &arguments.reading.options(common.seed.unwrap_or(0))?,
    )?;
    let labels = arguments.labels.as_deref();
    let labels = labels.map(|path| RowClasses::read(path, None, &arguments.subject, data.rows()));
    dataset(&arguments.subject, &data, labels.transpose()?, common)
}

fn model(folder: &Path, common: &Common) -> Result<()> {
    let (model, card) = run::load(folder, &common.device.open()?)?;
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
    describe(&card.schema, None);
    note_left_out(&card.schema, common);
    Ok(())
}

fn dataset(name: &str, data: &Dataset, labels: Option<RowClasses>, common: &Common) -> Result<()> {
    let shares = category_shares(data);
    let label_counts = labels.map(|labels| {
        let mut counts = vec![0_u64; labels.names.len()];
        let values = labels.values.iter();
        values.for_each(|&label| counts[usize::from(label)] += 1);
        (labels.names, counts)
    });
    let kinds = match data.schema.layout {
        Layout::Table => Kinds::of_schema(&data.schema),
        _ => Kinds::default(),
    };
    if common.json {
        return print_object(&json!({
            "kind": "data",
            "rows": data.rows(),
            "sites": data.sites(),
            "max_categories": data.schema.max_categories(),
            "uniform_bits_per_dim": data.schema.uniform_bits_per_dim(),
            "category_shares": shares,
            "label_counts": label_counts.as_ref().map(|(_, counts)| counts),
            "label_names": label_counts.as_ref().map(|(names, _)| names),
            "columns_as": kinds.words(),
            "date_formats": kinds.date_formats,
            "schema": data.schema,
        }));
    }
    println!("{name}: {} rows", data.rows());
    describe(&data.schema, sparklines(data).as_deref());
    note_left_out(&data.schema, common);
    if let Some(shares) = shares {
        let names = [
            ("category", Align::Left),
            ("share", Align::Decimal),
            ("", Align::Left),
        ];
        let shown = sparkline::is_shown();
        let mut table = Table::new(&names[..if shown { 3 } else { 2 }]);
        let largest = shares.iter().copied().fold(0.0, f64::max);
        for (label, share) in shares.iter().enumerate().take(LISTED) {
            let name = data.schema.category_name(0, label as u16).into_owned();
            let (share, bar) = (format!("{share:.6}"), sparkline::bar(*share, largest));
            match shown {
                true => table.push([name, share, bar]),
                false => table.push([name, share]),
            }
        }
        print!("{}", table.to_text());
    }
    if let Some((names, counts)) = label_counts {
        let counted = names.iter().zip(counts);
        let counted: Vec<String> = counted
            .map(|(name, count)| format!("{name}: {count}"))
            .collect();
        println!("rows by class: {}", counted.join(", "));
    }
    Ok(())
}

/// The share of every category over all rows and sites of pictures.
fn category_shares(data: &Dataset) -> Option<Vec<f64>> {
    if !matches!(data.schema.layout, Layout::Image { .. }) || data.schema.vocabularies.len() != 1 {
        return None;
    }
    let mut counts = vec![0_u64; data.schema.max_categories()];
    data.labels()
        .iter()
        .for_each(|&label| counts[usize::from(label)] += 1);
    let total = data.labels().len().max(1) as f64;
    Some(
        counts
            .into_iter()
            .map(|count| count as f64 / total)
            .collect(),
    )
}

/// Histograms of a table's columns, where the terminal can show them.
fn sparklines(data: &Dataset) -> Option<Vec<String>> {
    if data.schema.layout != Layout::Table || !sparkline::is_shown() {
        return None;
    }
    let shares = column_shares(data);
    Some(shares.iter().map(|shares| sparkline(shares)).collect())
}

fn describe(schema: &Schema, lines: Option<&[String]>) {
    if schema.has_codings() || lines.is_some() {
        return describe_columns(schema, lines);
    }
    let bits = schema.uniform_bits_per_dim();
    let layout = match schema.layout {
        Layout::Image { .. } => schema.layout.describe(),
        _ => schema.layout.name().to_owned(),
    };
    println!(
        "{layout}, {} sites, uniform {bits:.4} bits/dim",
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

/// The columns of a table: what they hold, how that spreads, and between which ends.
fn describe_columns(schema: &Schema, lines: Option<&[String]>) {
    println!(
        "table, {} columns in {} sites",
        schema.column_count(),
        schema.sites()
    );
    let mut headings = vec![("column", Align::Left), ("holds", Align::Left)];
    headings.extend(lines.map(|_| ("rows", Align::Left)));
    headings.push(("values", Align::Left));
    let mut table = Table::new(&headings);
    for column in 0..schema.column_count() {
        let (name, coding) = schema.column(column);
        let (kind, values) = match coding {
            None => (
                "categories".to_owned(),
                categories(schema, schema.sites_of(column).start),
            ),
            Some(coding) => (coding.kind().to_owned(), coding.summary()),
        };
        match lines {
            Some(lines) => table.push([name.to_owned(), kind, lines[column].clone(), values]),
            None => table.push([name.to_owned(), kind, values]),
        }
    }
    print!("{}", table.to_text());
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
