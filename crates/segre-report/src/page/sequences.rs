//! Sections of sequences and texts: samples, places, pairs of places.

use anyhow::Result;
use segre::evaluation::contacts::{self, ContactReport, Precision, Structure};
use segre::evaluation::overview::SequencesView;

use super::{Block, Cell, LETTERS, Section, charts, percent, whole};
use crate::pictures::column::shortened;
use crate::pictures::logo::draw_logo;

pub(super) fn sections(
    view: &SequencesView,
    structure: Option<&Structure>,
) -> Result<Vec<Section>> {
    let shown: Vec<String> = view
        .samples
        .iter()
        .map(|text| shortened(text, LETTERS))
        .collect();
    let mut sections = vec![Section::new(
        "Samples",
        "What the model draws.",
        vec![Block::Lines {
            name: format!("{} samples", shown.len()),
            text: shown.join("\n"),
            open: true,
        }],
    )];
    if !view.letters.is_empty() {
        let logo = |caption: &str, shares| {
            let alt = format!("Sequence logo, {caption}");
            Block::chart(&draw_logo(caption, &view.letters, shares), alt, "").on_plate()
        };
        let blocks = vec![
            logo("training rows", &view.real),
            logo("samples", &view.sampled),
        ];
        let lead = "At every place its letters, as high as their shares of the place's information (Schneider & Stephens 1990).";
        sections.push(Section::new("Places", lead, blocks));
    }
    if !view.real_pairs.is_empty() {
        let both = [&view.real_pairs[..], &view.sampled_pairs[..]];
        let drawing = charts::places(both, view.real.len(), structure);
        let alt = match structure {
            Some(_) => {
                "Matrices of the dependence of pairs of places, real and sampled, and of their contacts"
            }
            None => "Matrices of the dependence of pairs of places, real and sampled",
        };
        let caption = "Mutual information less the product of the places' means (average product correction), nats; for a \
                       protein, strong pairs tend to be in contact.";
        let lead = "Which places depend on each other, in training rows and in samples.";
        let mut blocks = vec![Block::chart(&drawing, alt, caption)];
        if let Some(structure) = structure {
            let [real, sampled] = both;
            let found = contacts::of_couplings([sampled, real], structure)?;
            blocks.extend(of_contacts(&found));
        }
        sections.push(Section::new("Pairs of places", lead, blocks));
    }
    Ok(sections)
}

/// How many of the strongest pairs are in contact.
fn of_contacts(found: &ContactReport) -> [Block; 2] {
    let row = |own: &Precision| {
        vec![
            Cell::number(Some(own.strongest as f64), 0),
            Cell::percent(Some(own.samples), 1),
            Cell::percent(Some(own.train), 1),
        ]
    };
    let headings = [
        ("strongest pairs", true),
        ("of samples", true),
        ("of training rows", true),
    ];
    let text = format!(
        "Of the {} pairs that are {} or more places apart, {} are in contact: nearer than {} Å in the structure.",
        whole(found.pairs),
        contacts::APART,
        percent(found.share),
        contacts::NEAR
    );
    let rows = found.precisions.iter().map(row).collect();
    [
        Block::text(text),
        Block::table("Contacts among them, %", headings, rows),
    ]
}
