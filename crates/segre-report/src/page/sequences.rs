//! Sections of sequences and texts: samples, places, pairs of places.

use segre::evaluation::overview::SequencesView;

use super::{Block, LETTERS, Section, charts};
use crate::pictures::column::shortened;
use crate::pictures::logo::draw_logo;

pub(super) fn sections(view: &SequencesView) -> Vec<Section> {
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
            Block::chart(&draw_logo(caption, &view.letters, shares), alt, "")
        };
        let blocks = vec![
            logo("training rows", &view.real),
            logo("samples", &view.sampled),
        ];
        let lead = "At every place its letters, as high as their shares of the place's information (Schneider & Stephens 1990).";
        sections.push(Section::new("Places", lead, blocks));
    }
    if !view.real_pairs.is_empty() {
        let drawing = charts::places([&view.real_pairs, &view.sampled_pairs], view.real.len());
        let alt = "Matrices of the dependence of pairs of places, real and sampled";
        let caption = "Mutual information less the product of the places' means (average product correction), nats; for a \
                       protein, strong pairs tend to be in contact.";
        let lead = "Which places depend on each other, in training rows and in samples.";
        sections.push(Section::new(
            "Pairs of places",
            lead,
            vec![Block::chart(&drawing, alt, caption)],
        ));
    }
    sections
}
