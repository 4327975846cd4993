//! The model around its network: head, path, and what it starts from.

use super::choices::{ModelChoices, PathChoices, Recipe};
use super::{Facts, NetworkKind, PathKind, network, unet};
use crate::data::Layout;
use crate::flow::{Head, ModelConfig, PriorConfig};
use crate::network::NetworkConfig;
use crate::path::{
    DiscretePath, EGeodesic, GaussianPath, InfiniteTime, ProbabilityPath, SimplexPath,
    TimeDistribution,
};

/// Fewest rows that a tree of hidden states is learned from by default, and the most sites.
const FEWEST_TREE_ROWS: usize = 500;
const MOST_TREE_SITES: usize = 1024;

pub(super) fn choose(recipe: &Recipe, facts: &Facts, network: NetworkConfig) -> ModelConfig {
    ModelConfig {
        head: recipe.model.head.unwrap_or_default(),
        path: path(recipe, facts),
        prior: prior(recipe, facts, &network),
        network,
    }
}

/// What is known before anything is learned: the most that there is.
fn prior(recipe: &Recipe, facts: &Facts, network: &NetworkConfig) -> PriorConfig {
    match &facts.prior {
        Some(energy) => PriorConfig::Pairwise(energy.clone()),
        None if trees(recipe, facts, network) => PriorConfig::Trees,
        None if unet::scanlines(recipe, facts, network) => PriorConfig::Scanlines,
        None => PriorConfig::Marginals,
    }
}

/// Whether the posteriors start from a tree of hidden states: those of tables too wide for a mixture of products, with rows enough
/// to learn from.
///
/// Nats a row of the test rows of three binary sets, of the tree alone and of the network that corrects it, beside the network alone
/// after four minutes: dna (1 600 rows) 79.8, 78.5 after 1 000 steps, 85.1; accidents 26.8, 26.7 after 500, 27.5; plants 12.6, 12.5
/// after 700, 12.7.
fn trees(recipe: &Recipe, facts: &Facts, network: &NetworkConfig) -> bool {
    let wide = (network::MOST_MIXTURE_SITES + 1..=MOST_TREE_SITES).contains(&facts.sites);
    let default = facts.layout == Layout::Table && wide && facts.rows_at_hand() >= FEWEST_TREE_ROWS;
    let head = recipe.model.head.unwrap_or_default();
    let of_labels = matches!(network, NetworkConfig::Table(_));
    can_have_trees(head, of_labels, facts) && recipe.model.trees.unwrap_or(default)
}

/// Whether a tree of hidden states has a use: a posterior corrects it, it has rows to learn from, and nothing better is known.
pub(super) fn can_have_trees(head: Head, of_labels: bool, facts: &Facts) -> bool {
    head == Head::Posterior && !of_labels && facts.rows.is_some() && facts.prior.is_none()
}

fn path(recipe: &Recipe, facts: &Facts) -> ProbabilityPath {
    let own = &recipe.path;
    match path_kind(recipe, facts) {
        PathKind::Infinite => {
            let default = InfiniteTime::default();
            let training_times = match default.training_times {
                TimeDistribution::Gamma { shape, rate } => TimeDistribution::Gamma {
                    shape: own.time_shape.unwrap_or(shape),
                    rate: own.time_rate.unwrap_or(rate),
                },
                TimeDistribution::Uniform => TimeDistribution::Uniform,
            };
            GaussianPath::InfiniteTime(InfiniteTime {
                rate: own.rate.unwrap_or(default.rate),
                training_times,
                end_time: own.end_time.unwrap_or(default.end_time),
            })
            .into()
        }
        PathKind::EGeodesic => GaussianPath::EGeodesic(EGeodesic::default()).into(),
        PathKind::Linear => SimplexPath::Linear.into(),
        PathKind::Dirichlet => SimplexPath::Dirichlet.into(),
        PathKind::GreatCircle => SimplexPath::GreatCircle.into(),
        PathKind::Masked => DiscretePath::Masked.into(),
    }
}

/// The path that is asked for, or the default.
///
/// The levels of the masked path are 0 and ∞ only, those of the chain rule. Where rows are drawn by that rule the network
/// need learn nothing else (`ising:3x8` without data after 576 steps: an effective sample size of 71 %, else 41 %),
/// and given such evidence the beliefs of a prior are nearly exact. Tables with numbers are wide, and everything about them
/// is asked by the chain rule: what is learned of other levels would be time lost (Adult, 45 s: 1.859 bits/dim, else
/// 1.901).
pub(super) fn path_kind(recipe: &Recipe, facts: &Facts) -> PathKind {
    // A field has no chain rule.
    let numbers = facts.numbers && recipe.model.head != Some(Head::Field);
    let of_labels = recipe.network.kind == Some(NetworkKind::Table);
    let by_chain_rule = facts.rows.is_none() || facts.prior.is_some() || numbers || of_labels;
    recipe.path.kind.unwrap_or(match by_chain_rule {
        true => PathKind::Masked,
        false => PathKind::Infinite,
    })
}

/// What decides that a model is as it is.
pub(super) fn choices(model: &ModelConfig, facts: &Facts) -> (ModelChoices, PathChoices) {
    let kind = |kind| PathChoices {
        kind: Some(kind),
        ..PathChoices::default()
    };
    let path = match &model.path {
        ProbabilityPath::Gaussian(GaussianPath::InfiniteTime(path))
            if model.head == Head::Field =>
        {
            let (time_shape, time_rate) = match path.training_times {
                TimeDistribution::Gamma { shape, rate } => (Some(shape), Some(rate)),
                TimeDistribution::Uniform => (None, None),
            };
            PathChoices {
                rate: Some(path.rate),
                time_shape,
                time_rate,
                end_time: Some(path.end_time),
                ..kind(PathKind::Infinite)
            }
        }
        ProbabilityPath::Gaussian(GaussianPath::InfiniteTime(_)) => kind(PathKind::Infinite),
        ProbabilityPath::Gaussian(GaussianPath::EGeodesic(_)) => kind(PathKind::EGeodesic),
        ProbabilityPath::Simplex(SimplexPath::Linear) => kind(PathKind::Linear),
        ProbabilityPath::Simplex(SimplexPath::Dirichlet) => kind(PathKind::Dirichlet),
        ProbabilityPath::Simplex(SimplexPath::GreatCircle) => kind(PathKind::GreatCircle),
        ProbabilityPath::Discrete(DiscretePath::Masked) => kind(PathKind::Masked),
    };
    let is_unet = matches!(model.network, NetworkConfig::Unet(_));
    let of_labels = matches!(model.network, NetworkConfig::Table(_));
    let can_have_trees = can_have_trees(model.head, of_labels, facts);
    let model = ModelChoices {
        head: Some(model.head),
        scanlines: is_unet.then_some(model.prior == PriorConfig::Scanlines),
        trees: can_have_trees.then_some(model.prior == PriorConfig::Trees),
    };
    (model, path)
}
