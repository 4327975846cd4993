//! Pairs of places that depend on each other beside a known structure.

use std::path::Path;

use anyhow::{Result, ensure};
use segre::data::Layout;
use segre::evaluation::contacts::{self, ContactReport, Structure};
use segre::flow::Model;
use segre::flow::sampling::SamplingOptions;
use segre::run::{ModelCard, Parts};

use crate::args::Common;
use crate::report::table::{Align, Table};
use crate::watched::sample_with_progress;

/// Samples whose dependences are counted.
const SAMPLES: usize = 10_000;

/// The structure, read before any work.
pub fn structure(path: Option<&Path>, card: &ModelCard) -> Result<Option<Structure>> {
    let Some(path) = path else {
        return Ok(None);
    };
    let schema = &card.schema;
    ensure!(
        schema.layout == Layout::Sequence,
        "--contacts is for alignments of sequences, not for {} data; leave it out",
        schema.layout.name()
    );
    Ok(Some(Structure::read(path, schema.sites())?))
}

/// Draws samples and compares them with the structure.
pub fn compare(
    structure: &Structure,
    model: &Model,
    parts: &Parts,
    options: &SamplingOptions,
    common: &Common,
) -> Result<ContactReport> {
    let samples = sample_with_progress(model, SAMPLES, options, common)?.data;
    Ok(contacts::run(&samples, &parts.train, structure)?)
}

/// Prints the shares of contacts.
pub fn print(found: &ContactReport) {
    let mut table = Table::new(&[
        ("strongest pairs", Align::Decimal),
        ("samples, % contacts", Align::Decimal),
        ("training rows, % contacts", Align::Decimal),
    ]);
    let percent = |share: f64| format!("{:.1}", 100.0 * share);
    for own in &found.precisions {
        let shares = [own.samples, own.train].map(percent);
        let [samples, train] = shares;
        table.push([own.strongest.to_string(), samples, train]);
    }
    print!(
        "\nContacts: {} pairs of {} places {} or more apart, {} % of them nearer than {} Å\n{}",
        found.pairs,
        found.places,
        contacts::APART,
        percent(found.share),
        contacts::NEAR,
        table.to_text()
    );
}
