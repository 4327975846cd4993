//! Sections of sequences and texts: samples, places, pairs of places.

use anyhow::Result;
use segre::evaluation::contacts::{self, ContactReport, Precision, Structure};
use segre::evaluation::overview::SequencesView;

use super::{Arrangement, Block, Cell, LETTERS, Section, Small, charts, percent, whole};
use crate::pictures::axis::number;
use crate::pictures::column::shortened;
use crate::pictures::logo::draw_logos;

/// Places of a logo that are read on a phone.
const PLACES: usize = 20;

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
        let both = view.real.chunks(PLACES).zip(view.sampled.chunks(PLACES));
        let logo = |(piece, (real, sampled)): (usize, (&[_], &[_]))| {
            let before = piece * PLACES;
            let logos = [("training rows", real), ("samples", sampled)];
            let (first, last) = (before + 1, before + real.len());
            let alt = format!(
                "Sequence logos of places {first} to {last}: of training rows, and of samples below them"
            );
            Small::new(&draw_logos(&view.letters, &logos, before), "", alt)
        };
        let charts = both.enumerate().map(logo).collect();
        let blocks = vec![Block::charts(Arrangement::Plates, charts)];
        let lead = format!(
            "A stack is as high as what its place tells: log₂ of {} letters less its entropy, in bits. Each letter has its \
             share of it (Schneider & Stephens 1990).",
            view.letters.len()
        );
        sections.push(Section::new("Places", lead, blocks));
    }
    if !view.real_pairs.is_empty() {
        let both = [&view.real_pairs[..], &view.sampled_pairs[..]];
        let mut lead = "Which places depend on each other, in training rows and in as many samples: mutual information \
                        less the product of the places' means (average product correction), nats. In a protein, strong pairs \
                        tend to be in contact."
            .to_owned();
        if let Some(agreement) = view.agreement {
            lead += &format!(
                " Both agree with a correlation of {}.",
                number(agreement, 3)
            );
        }
        let mut blocks = vec![charts::places(both, view.real.len(), structure)];
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
