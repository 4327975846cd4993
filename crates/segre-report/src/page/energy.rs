//! The page of what was fitted to an energy.

use anyhow::Result;
use segre::evaluation::overview::{EnergyView, Figure};

use super::{Block, Cell, Headline, Page, Section, charts};
use crate::pictures::axis::number;
use crate::pictures::colour::{BLUE, VERMILION};
use crate::pictures::scatter::draw_scatter;

/// The page of a fit to an energy.
///
/// # Errors
/// None that a view can have.
pub fn energy_page(title: &str, version: &str, settings: &str, view: &EnergyView) -> Result<Page> {
    let row = |figure: &Figure| {
        vec![
            Cell::from(figure.name.clone()),
            Cell::number(Some(figure.value), 4),
            Cell::number(figure.std_error, 4),
            Cell::number(figure.target, 4),
        ]
    };
    let headings = [
        ("figure", false),
        ("this model", true),
        ("± standard error", true),
        ("the target", true),
    ];
    let figures = Block::table(
        format!(
            "Figures of {} samples, nats",
            number(view.samples as f64, 0)
        ),
        headings,
        view.figures.iter().map(row).collect(),
    );
    let against = match &view.target[..] {
        "exact" => "exact inference".to_owned(),
        chain => format!("a long chain ({chain}), as exact inference would take too much memory"),
    };
    let lead = format!(
        "The target's are by {against}. Of KL the target's is what as many exact samples would get."
    );
    let mut sections = vec![Section::new("Figures", lead, vec![figures])];
    let scatter = draw_scatter("target", "samples", &view.marginals);
    let alt = "Probabilities of states: of samples against those of the target";
    sections.push(Section::new(
        "Marginals",
        "Every point is a state of a variable: its probability under the target, and its share of the samples.",
        vec![Block::chart(&scatter, alt, "")],
    ));
    let names = [("samples", VERMILION), ("exact samples", BLUE)];
    let series: Vec<_> = names
        .into_iter()
        .zip(&view.energies)
        .filter(|(_, shares)| !shares.is_empty())
        .map(|((name, colour), shares)| charts::outline(name, colour, &view.edges, shares))
        .collect();
    if !view.edges.is_empty() {
        let drawing = charts::lines("Energies", "energy", "share of samples", series)?;
        let alt = "Histogram of the energies of samples and of exact samples";
        let lead = "Whether samples are as low in energy as they should be, and as spread.";
        sections.push(Section::new(
            "Energies",
            lead,
            vec![Block::chart(&drawing, alt, "")],
        ));
    }
    if !view.pairs.is_empty() {
        let drawing = draw_scatter("exact samples", "samples", &view.pairs);
        let alt = "Covariances of pairs of variables: of samples against those of exact samples";
        sections.push(Section::new(
            "Correlations of pairs",
            "Every point is a pair of variables that share a factor: the covariance of their states.",
            vec![Block::chart(&drawing, alt, "")],
        ));
    }
    let lines = Block::Lines {
        name: "Settings".to_owned(),
        text: settings.to_owned(),
        open: false,
    };
    sections.push(Section::new(
        "Settings",
        format!("Segre {version}."),
        vec![lines],
    ));
    let headline = |figure: &Figure| Headline {
        name: figure.name.clone(),
        value: match figure.std_error {
            Some(error) => format!("{} ± {}", number(figure.value, 4), number(error, 4)),
            None => number(figure.value, 4),
        },
        beside: figure.target.map_or_else(String::new, |target| {
            format!("target: {}", number(target, 4))
        }),
    };
    Ok(Page {
        title: title.to_owned(),
        lead: format!(
            "A {} model of the energy {} of {} variables and {} factors.",
            view.method, view.energy, view.variables, view.factors
        ),
        figures: view.figures.iter().take(3).map(headline).collect(),
        sections,
        version: version.to_owned(),
    })
}
