//! Sections of sequences and texts: samples, places, pairs of places.

use anyhow::Result;
use segre::evaluation::contacts::{self, ContactReport, Precision, Structure};
use segre::evaluation::overview::SequencesView;

use super::{Arrangement, Block, Cell, LETTERS, Section, Small, charts, number, percent, whole};
use crate::pictures::column::shortened;
use crate::pictures::logo::{Logo, draw_logos};

/// Places of a logo that are read on a phone.
const PLACES: usize = 20;

/// The sections of a view that rests on so many training rows and samples.
pub(super) fn sections(
    view: &SequencesView,
    rows: [usize; 2],
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
        let [real, sampled] = view.information(rows);
        // One scale for all, up to a round half bit.
        let most = real.iter().chain(&sampled).copied().fold(0.1, f64::max);
        let most = (2.0 * most).ceil() / 2.0;
        let logo = |before: usize| {
            let piece = before..(before + PLACES).min(view.real.len());
            let (first, last) = (before + 1, piece.end);
            let logos = [
                Logo {
                    name: "training rows",
                    shares: &view.real[piece.clone()],
                    information: &real[piece.clone()],
                },
                Logo {
                    name: "samples",
                    shares: &view.sampled[piece.clone()],
                    information: &sampled[piece],
                },
            ];
            let alt = format!(
                "Sequence logos of places {first} to {last}: of training rows, and of samples below them"
            );
            Small::new(&draw_logos(&view.letters, &logos, most, before), "", alt)
        };
        let starts = (0..view.real.len()).step_by(PLACES);
        let charts = starts.map(logo).collect();
        let blocks = vec![Block::charts(Arrangement::Plates, charts)];
        let lead = "Sequence logos (Schneider & Stephens 1990). A stack is as high as what its place tells: the relative entropy \
                    of its letters to those of all places together, in bits, less what so few rows show by chance. Each \
                    letter has its share of it.";
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
