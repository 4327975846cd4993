//! The page of what was fitted to an energy.

use anyhow::Result;
use segre::evaluation::overview::{EnergyView, Figure};

use super::{Block, Cell, Headline, Page, Section, charts, whole};
use crate::pictures::axis::number;
use crate::pictures::scatter::draw_scatter;

/// Samples whose energies are drawn, as the overview has them.
const SHOWN: usize = 20_000;

/// The page of a fit to an energy.
///
/// # Errors
/// None that a view can have.
pub fn energy_page(
    title: &str,
    (version, seed): (&str, u64),
    settings: &str,
    view: &EnergyView,
) -> Result<Page> {
    let row = |figure: &Figure| {
        vec![
            Cell::from(figure.name.clone()),
            Cell::estimate(Some(figure.value), figure.std_error, 4),
            Cell::number(figure.target, 4),
        ]
    };
    let headings = [
        ("figure", false),
        ("this model", true),
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
    let mut lead = format!(
        "The target's are by {against}; errors are standard errors. Of KL the target's is what as many exact samples would get."
    );
    if let Some(log_z) = view.log_z {
        lead += &format!(" Its log Z is {}.", number(log_z, 4));
    }
    let mut sections = vec![Section::new("Figures", lead, vec![figures])];
    let scatter = draw_scatter("probability, target", "share of samples", &view.marginals);
    let alt = "Probabilities of states: of samples against those of the target";
    let caption = "Every point is a state of a variable.";
    let mut blocks = vec![Block::chart(&scatter, alt, caption)];
    if !view.pairs.is_empty() {
        let drawing = draw_scatter(
            "covariance, exact samples",
            "covariance, samples",
            &view.pairs,
        );
        let alt = "Covariances of pairs of variables: of samples against those of exact samples";
        let caption = match view.all_pairs {
            true => "Every point is a pair of variables: the covariance of their states.",
            false => {
                "Every point is a pair of variables that share a factor: the covariance of their states."
            }
        };
        blocks.push(Block::chart(&drawing, alt, caption));
    }
    let lead = "On the grey line the fit agrees with its target: in single variables, and in correlations of two.";
    sections.push(Section::new("Marginals and correlations", lead, blocks));
    if !view.edges.is_empty() {
        let [own, exact] = &view.energies;
        let shown = view.samples.min(SHOWN) as f64;
        let drawing = charts::energies(&view.edges, [own, exact], shown)?;
        let alt = "Histogram of the energies of samples and of exact samples";
        let lead = "Whether samples are as low in energy as they should be, and as spread. Where no sample is, a line runs \
                    along the foot.";
        sections.push(Section::new(
            "Energies",
            lead,
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
        format!("Segre {version}, seed {seed}."),
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
            "A {} fitted to the energy {} of {} variables and {} factors.",
            match &view.method[..] {
                "randomized" => "randomised assignment flow",
                _ => "network",
            },
            view.energy,
            whole(view.variables),
            whole(view.factors)
        ),
        figures: view.figures.iter().take(3).map(headline).collect(),
        sections,
        version: version.to_owned(),
    })
}
