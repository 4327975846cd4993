//! The network: its kind, and the sizes of all but the UNet.

use super::choices::{NetworkChoices, Recipe};
use super::{Facts, NetworkKind, PathKind, unet};
use crate::flow::Head;
use crate::network::{
    CnnConfig, DenseConfig, LinearConfig, NetworkConfig, ResidualConfig, TableConfig,
};

/// Rows below which a network learns them by heart.
const FEW_ROWS: usize = 5_000;
/// Sites up to which a mixture of products carries the strong dependences.
pub(super) const MOST_MIXTURE_SITES: usize = 32;

/// The network that is asked for, or the default for the data.
pub(super) fn kind(recipe: &Recipe, facts: &Facts) -> NetworkKind {
    recipe
        .network
        .kind
        .unwrap_or(match unet::is_default(facts) {
            true => NetworkKind::Unet,
            false if asks_labels_only(recipe, facts) => NetworkKind::Table,
            false => NetworkKind::Residual,
        })
}

/// Whether everything about a table with numbers is asked by the chain rule.
///
/// A network that sees labels only, known or not, does so much less for a row that it is right after a third of the time
/// (Magic, 210 s: a classifier tells samples from rows with a score of 0.84 with the residual network).
fn asks_labels_only(recipe: &Recipe, facts: &Facts) -> bool {
    let masked = matches!(recipe.path.kind, None | Some(PathKind::Masked));
    let posterior = recipe.model.head.unwrap_or_default() == Head::Posterior;
    facts.numbers && masked && posterior && facts.prior.is_none()
}

/// The network with its sizes.
pub(super) fn choose(recipe: &Recipe, facts: &Facts) -> NetworkConfig {
    let own = &recipe.network;
    match kind(recipe, facts) {
        NetworkKind::Unet => NetworkConfig::Unet(unet::choose(own, facts)),
        NetworkKind::Linear => NetworkConfig::Linear(LinearConfig::default()),
        NetworkKind::Dense => {
            let width = own.hidden.unwrap_or(256);
            NetworkConfig::Dense(DenseConfig {
                hidden: vec![width, width],
            })
        }
        NetworkKind::Table => {
            let default = TableConfig::default();
            NetworkConfig::Table(TableConfig {
                hidden: own.hidden.unwrap_or(default.hidden),
                blocks: own.blocks.unwrap_or(default.blocks),
                dropout: own.dropout.unwrap_or(match facts.rows_at_hand() {
                    0..FEW_ROWS => 0.3,
                    _ => default.dropout,
                }),
                ..default
            })
        }
        NetworkKind::Cnn => {
            let default = CnnConfig::default();
            NetworkConfig::Cnn(CnnConfig {
                width: own.hidden.unwrap_or(default.width),
                ..default
            })
        }
        NetworkKind::Residual => {
            let head = recipe.model.head.unwrap_or_default();
            NetworkConfig::Residual(residual(own, head, facts))
        }
    }
}

fn residual(own: &NetworkChoices, head: Head, facts: &Facts) -> ResidualConfig {
    let components = own.components.unwrap_or(match head {
        Head::Posterior => components(facts),
        // Its inputs are points of the flow, not local posteriors.
        Head::Field => 0,
    });
    let hidden = match (components, facts.sites) {
        // The mixture carries the strong dependences; a wide network beside it adds its noise. A rule over
        // many columns, as of a class, needs more of it (nursery: 97.7 % right with 64, 99.0 % with 128).
        (1.., 0..=4) => 64,
        (1.., _) => 128,
        (0, 0..=8) => 256,
        _ => 512,
    };
    ResidualConfig {
        hidden: own.hidden.unwrap_or(hidden),
        blocks: own.blocks.unwrap_or(2),
        site_width: None,
        components,
        affinity: own.affinity.unwrap_or(components > 0),
        // Few rows are learned by heart otherwise; many need all of the network.
        dropout: own.dropout.unwrap_or(match facts.rows_at_hand() {
            0..FEW_ROWS => 0.3,
            FEW_ROWS..20_000 => 0.1,
            _ => 0.0,
        }),
    }
}

/// Components of the mixture of products: for tables and short sequences with rows enough to learn them
/// from (measured: mushroom and nursery gain, car and digits lose), and few for many categories.
///
/// A quarter of the square of the columns: with 128 for its 9 columns nursery is learned by heart (2 000 steps: 1.553
/// bits/dim and 41.0 % of hidden fields hit, with 16 components 1.549 and 44.1 %), while mushroom's 23 want them all
/// (1 500 steps: 0.580 bits/dim, with 16 components 0.603). Tables of up to 4 columns, as the toys are, were measured
/// with up to 128 only. Rows that are drawn as wanted are not learned by heart. What a mixture would carry, the beliefs
/// of a prior do.
fn components(facts: &Facts) -> usize {
    let sites = facts.sites;
    if facts.prior.is_some() || facts.numbers || sites > MOST_MIXTURE_SITES {
        return 0;
    }
    let affordable = 65_536 / (sites * facts.categories);
    match facts.rows {
        None => affordable.clamp(16, 128),
        Some(rows) if facts.is_image() || rows < FEW_ROWS => 0,
        Some(_) => {
            let most = if sites > 4 { sites * sites / 4 } else { 128 };
            affordable.min(most).clamp(16, 128)
        }
    }
}

/// What decides that a network is as it is.
pub(super) fn choices(network: &NetworkConfig) -> NetworkChoices {
    let kind = |kind| NetworkChoices {
        kind: Some(kind),
        ..NetworkChoices::default()
    };
    match network {
        NetworkConfig::Linear(_) => kind(NetworkKind::Linear),
        NetworkConfig::Dense(config) => NetworkChoices {
            hidden: config.hidden.first().copied(),
            ..kind(NetworkKind::Dense)
        },
        NetworkConfig::Cnn(config) => NetworkChoices {
            hidden: Some(config.width),
            ..kind(NetworkKind::Cnn)
        },
        NetworkConfig::Residual(config) => NetworkChoices {
            hidden: Some(config.hidden),
            blocks: Some(config.blocks),
            components: Some(config.components),
            affinity: Some(config.affinity),
            dropout: Some(config.dropout),
            ..kind(NetworkKind::Residual)
        },
        NetworkConfig::Table(config) => NetworkChoices {
            hidden: Some(config.hidden),
            blocks: Some(config.blocks),
            dropout: Some(config.dropout),
            ..kind(NetworkKind::Table)
        },
        NetworkConfig::Unet(config) => NetworkChoices {
            blocks: Some(config.blocks),
            dropout: Some(config.dropout),
            channels: Some(config.channels),
            multipliers: Some(config.multipliers.clone()),
            attention: Some(config.attention.clone()),
            heads: Some(config.heads),
            ..kind(NetworkKind::Unet)
        },
    }
}
