//! The page of what was fitted to an energy.

use anyhow::Result;
use segre::evaluation::overview::{EnergyView, Figure};
use segre::run::{Card, TrainingLog};

use super::model::course;
use super::{Block, Cell, Headline, Page, Section, charts, estimate, number, repeat, whole};
use crate::pictures::curve::{Horizontal, Width, draw_losses, draw_training};
use crate::pictures::scatter::draw_scatter;

/// Samples whose energies are drawn, as the overview has them.
const SHOWN: usize = 20_000;

/// What a page says of where a fit to an energy is from.
pub struct EnergyAbout<'a> {
    /// Name of the page.
    pub title: &'a str,
    /// Its settings.
    pub card: &'a Card,
    /// The same to be read.
    pub settings: &'a str,
    /// Its training.
    pub log: Option<&'a TrainingLog>,
}

/// The page of a fit to an energy.
///
/// # Errors
/// None that a view can have.
pub fn energy_page(about: &EnergyAbout, view: &EnergyView) -> Result<Page> {
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
    let error = |(name, error): &(String, f64)| {
        vec![Cell::from(name.clone()), Cell::number(Some(*error), 4)]
    };
    let errors = Block::table(
        "Mean error of the marginals",
        [("by", false), ("error", true)],
        view.marginal_errors.iter().map(error).collect(),
    );
    let against = match &view.target[..] {
        "exact" => "exact inference".to_owned(),
        chain => format!("a long chain ({chain}), as exact inference would take too much memory"),
    };
    let mut lead = format!(
        "The target's are by {against}; errors are standard errors. KL(model : target), the Kullback–Leibler divergence, is 0 for a perfect \
         fit; the target's is what as many exact samples would get. \
         Mean field and belief propagation approximate the same energy, without a fit."
    );
    if let Some(log_z) = view.log_z {
        lead += &format!(" The energy's log Z is {}.", number(log_z, 4));
    }
    let mut sections = vec![Section::new("Figures", lead, vec![figures, errors])];
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
    sections.extend(training(about)?);
    let (version, seed, budget, script) = match about.card {
        Card::Data(card) | Card::EnergyDataFree(card) => (
            &card.version,
            card.training.seed,
            &card.training.budget,
            match about.card {
                Card::Data(_) => repeat::of_data(card, about.settings),
                _ => Some(repeat::of_energy(card, about.settings)),
            },
        ),
        Card::Randomized(card) => (
            &card.version,
            card.training.seed,
            &card.training.budget,
            Some(repeat::of_randomized(card)),
        ),
    };
    let settings = repeat::section((version, seed), budget, script.as_ref(), about.settings);
    sections.push(settings);
    let headline = |figure: &Figure| Headline {
        name: figure.name.clone(),
        value: match figure.std_error {
            Some(error) => estimate(figure.value, error, 4),
            None => number(figure.value, 4),
        },
        beside: figure.target.map_or_else(String::new, |target| {
            format!("target: {}", number(target, 4))
        }),
    };
    Ok(Page {
        title: about.title.to_owned(),
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
        version: version.clone(),
    })
}

/// How the training went, as the kind of fit has it.
fn training(about: &EnergyAbout) -> Result<Option<Section>> {
    let Some(log) = about.log.filter(|log| {
        !log.losses.is_empty() || !log.rounds.is_empty() || !log.validations.is_empty()
    }) else {
        return Ok(None);
    };
    let mut blocks = Vec::new();
    let mut lead = course(log);
    match about.card {
        Card::Data(card) => {
            let bounded = card.model.validated_by_bound();
            let none: [(&str, f64); 0] = [];
            let drawing = draw_training(log, Horizontal::Steps, &none, bounded, Width::Narrow)?;
            let alt = "Training loss and validation score by step";
            blocks.push(Block::chart(&drawing, alt, ""));
        }
        Card::Randomized(_) => {
            let alt = "Training loss by step";
            blocks.push(Block::chart(
                &draw_losses(&log.losses, "loss, nats")?,
                alt,
                "",
            ));
        }
        Card::EnergyDataFree(_) => {
            let alt = "Training loss by step";
            let losses = draw_losses(&log.losses, "loss, nats per site")?;
            blocks.push(Block::chart(&losses, alt, ""));
            let alt = "Inverse temperature and effective share of draws by step";
            blocks.push(Block::chart(&charts::rounds(&log.rounds)?, alt, ""));
            lead += " The network learns from rows that it draws itself, weighted, of an energy whose inverse temperature rises \
                     to 1, the energy itself; the effective share says how many of the draws the weights leave.";
        }
    }
    Ok(Some(Section::new("Training", lead, blocks)))
}
