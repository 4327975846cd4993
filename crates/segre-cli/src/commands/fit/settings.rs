//! The settings of a fit: what the command line leaves open is chosen by the data.

use anyhow::Result;
use segre::data::Layout;
use segre::flow::training::TrainingConfig;
use segre::flow::{Head, ModelConfig};
use segre::learning::OptimizerConfig;
use segre::network::{CnnConfig, DenseConfig, LinearConfig, NetworkConfig, ResidualConfig};
use segre::path::{
    DiscretePath, EGeodesic, GaussianPath, InfiniteTime, ProbabilityPath, SimplexPath,
    TimeDistribution,
};

use super::unet;
use crate::args::{ConditionalName, Fit, HeadName, NetworkName, PathName};
use crate::session::Parts;

/// The model's settings, what is not given chosen by the data.
///
/// # Errors
/// If an option is given that the network has no use for.
pub fn model_config(arguments: &Fit, parts: &Parts) -> Result<ModelConfig> {
    let sites = parts.train.sites();
    let name = unet::network_name(arguments, &parts.train);
    unet::refuse_useless(arguments, name)?;
    let network = match name {
        NetworkName::Unet => NetworkConfig::Unet(unet::unet_config(arguments, &parts.train)),
        NetworkName::Linear => NetworkConfig::Linear(LinearConfig::default()),
        NetworkName::Dense => {
            let width = arguments.hidden.unwrap_or(256);
            NetworkConfig::Dense(DenseConfig {
                hidden: vec![width, width],
            })
        }
        NetworkName::Cnn => {
            let default = CnnConfig::default();
            NetworkConfig::Cnn(CnnConfig {
                width: arguments.hidden.unwrap_or(default.width),
                ..default
            })
        }
        NetworkName::Residual => {
            let components = arguments.components.unwrap_or(match arguments.head {
                HeadName::Posterior => components(parts),
                // Its inputs are points of the flow, not local posteriors.
                HeadName::Field => 0,
            });
            let hidden = match (components, sites) {
                // The mixture carries the strong dependences; a wide network beside it adds its noise. A rule over
                // many columns, as of a class, needs more of it (nursery: 97.7 % right with 64, 99.0 % with 128).
                (1.., 0..=4) => 64,
                (1.., _) => 128,
                (0, 0..=8) => 256,
                _ => 512,
            };
            NetworkConfig::Residual(ResidualConfig {
                hidden: arguments.hidden.unwrap_or(hidden),
                blocks: arguments.blocks.unwrap_or(2),
                site_width: None,
                components,
                affinity: arguments.affinity.unwrap_or(components > 0),
                // Few rows are learned by heart otherwise; many need all of the network.
                dropout: arguments.dropout.unwrap_or(match parts.train.rows() {
                    0..5_000 => 0.3,
                    5_000..20_000 => 0.1,
                    _ => 0.0,
                }),
            })
        }
    };
    let path: ProbabilityPath = match arguments.path {
        PathName::Infinite => GaussianPath::InfiniteTime(InfiniteTime {
            rate: arguments.rate,
            training_times: TimeDistribution::Gamma {
                shape: arguments.time_shape,
                rate: arguments.time_rate,
            },
            end_time: arguments.end_time,
        })
        .into(),
        PathName::EGeodesic => GaussianPath::EGeodesic(EGeodesic::default()).into(),
        PathName::Linear => SimplexPath::Linear.into(),
        PathName::Dirichlet => SimplexPath::Dirichlet.into(),
        PathName::GreatCircle => SimplexPath::GreatCircle.into(),
        PathName::Masked => DiscretePath::Masked.into(),
    };
    let head = match arguments.head {
        HeadName::Posterior => Head::Posterior,
        HeadName::Field => Head::Field,
    };
    let scanlines = unet::scanlines(arguments, name, &parts.train);
    Ok(ModelConfig {
        head,
        path,
        network,
        prior: arguments.prior.clone(),
        scanlines,
    })
}

/// Components of the mixture of products: for tables and short sequences with rows enough to learn them
/// from (measured: mushroom and nursery gain, car and digits lose), and few for many categories.
///
/// A quarter of the square of the columns: with 128 for its 9 columns nursery is learned by heart (2 000 steps: 1.553
/// bits/dim and 41.0 % of hidden fields hit, with 16 components 1.549 and 44.1 %), while mushroom's 23 want them all
/// (1 500 steps: 0.580 bits/dim, with 16 components 0.603). Tables of up to 4 columns, as the toys are, were measured
/// with up to 128 only.
fn components(parts: &Parts) -> usize {
    let (sites, rows) = (parts.train.sites(), parts.train.rows());
    let image = matches!(parts.train.schema.layout, Layout::Image { .. });
    if image || sites > 32 || rows < 5_000 {
        return 0;
    }
    let most = if sites > 4 { sites * sites / 4 } else { 128 };
    (65_536 / (sites * parts.train.schema.max_categories()))
        .min(most)
        .clamp(16, 128)
}

/// The run's settings.
pub fn training_config(
    arguments: &Fit,
    parts: &Parts,
    network: &NetworkConfig,
    seed: u64,
) -> TrainingConfig {
    let default = TrainingConfig::default();
    let sites = parts.train.sites();
    let is_unet = matches!(network, NetworkConfig::Unet(_));
    let budget = match (arguments.steps, arguments.time) {
        (None, None) if unet::is_long(network, &parts.train) => segre::learning::Budget {
            steps: None,
            seconds: Some(unet::LONG_RUN),
        },
        (None, None) => default.budget,
        (steps, time) => segre::learning::Budget {
            steps,
            seconds: time.map(|time| time.as_secs_f64()),
        },
    };
    let batch_size = arguments.batch_size.unwrap_or(match is_unet {
        true => unet::batch_size(sites),
        false => (8192 / sites).clamp(128, 512),
    });
    let learning_rate = match is_unet {
        true => unet::learning_rate(batch_size),
        false => default.optimizer.learning_rate,
    };
    TrainingConfig {
        seed,
        budget,
        // On tables it costs the joint distribution nothing that can be measured.
        conditional: arguments.conditional.map_or(
            arguments.head == HeadName::Posterior
                && matches!(arguments.path, PathName::Infinite | PathName::EGeodesic)
                && parts.train.schema.layout == Layout::Table,
            |which| which == ConditionalName::Any,
        ),
        batch_size,
        flip: arguments.shown.flip,
        precision: arguments.unet.precision.map(Into::into).unwrap_or_default(),
        optimizer: OptimizerConfig {
            learning_rate: arguments.learning_rate.unwrap_or(learning_rate),
            weight_decay: arguments.weight_decay,
            ..default.optimizer
        },
        patience: arguments.patience,
        validations: arguments.validations.unwrap_or(match is_unet {
            true => unet::VALIDATIONS,
            false => default.validations,
        }),
        // A row of few sites says little and costs little; one of many categories costs much.
        validation_rows: match is_unet {
            true => unet::validation_rows(sites),
            false => validation_rows(sites, parts.train.schema.max_categories()),
        },
    }
}

/// Rows of a validation: what fits a cost, within limits.
fn validation_rows(sites: usize, categories: usize) -> usize {
    let by_sites = (16_384 / sites).clamp(512, 4096);
    let by_values = 1_048_576 / (sites * categories);
    by_values.clamp(256, by_sites)
}
