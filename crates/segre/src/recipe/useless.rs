//! Decisions that a fit has no use for: they are refused, because they would be ignored.

use super::NetworkKind::{Cnn, Dense, Residual, Table, Unet};
use super::choices::Recipe;
use super::{Conditional, Facts, PathKind, RecipeError, Result, model, network};
use crate::flow::Head;

const OF_UNET: &str = "`network = unet`; add that, or leave it out";
const OF_RESIDUAL: &str = "`network = residual`; add that, or leave it out";
const OF_BLOCKS: &str = "`network = residual`, table or unet; add that, or leave it out";
const OF_WIDTH: &str = "`network = residual`, table, dense or cnn (the unet has `channels`); add that, or leave it out";
const OF_TREES: &str = "`head = posterior` with another network than table, fitted to data and not started from an energy; leave it out";
const OF_FIELD: &str = "`path = infinite` with `head = field`; add both, or leave it out";
const OF_DATA: &str = "a fit to data, not to an energy alone; leave it out";

/// Refuses the first decision that means nothing to the network, path or kind of fit that is chosen.
pub(super) fn refuse(recipe: &Recipe, facts: &Facts) -> Result<()> {
    let Recipe {
        training,
        model,
        path,
        network: own,
        split,
        ..
    } = recipe;
    let kind = network::kind(recipe, facts);
    let (unet, residual) = (kind == Unet, kind == Residual);
    let in_blocks = matches!(kind, Residual | Table | Unet);
    let posterior = model.head.unwrap_or_default() == Head::Posterior;
    let path_kind = model::path_kind(recipe, facts);
    let field = path_kind == PathKind::Infinite && !posterior;
    let data = facts.rows.is_some();
    let scanlines = model.scanlines == Some(true);
    // To want none is no mistake anywhere.
    let trees = model.trees == Some(true);
    let head = model.head.unwrap_or_default();
    let can_have_trees = model::can_have_trees(head, kind == Table, facts);
    // What is decided, whether it is, whether that has a use, and with what it would have.
    let table = [
        ("preset", own.preset.is_some(), unet, OF_UNET),
        ("channels", own.channels.is_some(), unet, OF_UNET),
        ("multipliers", own.multipliers.is_some(), unet, OF_UNET),
        ("attention", own.attention.is_some(), unet, OF_UNET),
        ("heads", own.heads.is_some(), unet, OF_UNET),
        ("scanlines", model.scanlines.is_some(), unet, OF_UNET),
        ("precision", training.precision.is_some(), unet, OF_UNET),
        (
            "labels",
            facts.classes.is_some(),
            unet,
            "`network = unet`, which needs images; add that, or leave the labels out",
        ),
        (
            "scanlines",
            scanlines,
            posterior,
            "`head = posterior`, whose logits it starts; leave one of them out",
        ),
        (
            "scanlines",
            scanlines,
            facts.prior.is_none(),
            "a fit that does not start from the beliefs of an energy, which say more; leave it out",
        ),
        ("trees", trees, can_have_trees, OF_TREES),
        (
            "trees",
            trees,
            !scanlines,
            "a fit without `scanlines`, from which it would start too; leave one of them out",
        ),
        (
            "hidden",
            own.hidden.is_some(),
            matches!(kind, Residual | Table | Dense | Cnn),
            OF_WIDTH,
        ),
        ("blocks", own.blocks.is_some(), in_blocks, OF_BLOCKS),
        ("dropout", own.dropout.is_some(), in_blocks, OF_BLOCKS),
        (
            "components",
            own.components.is_some(),
            residual,
            OF_RESIDUAL,
        ),
        ("affinity", own.affinity.is_some(), residual, OF_RESIDUAL),
        // What a posterior predicts does not depend on how its path runs through the levels.
        ("rate", path.rate.is_some(), field, OF_FIELD),
        ("time_shape", path.time_shape.is_some(), field, OF_FIELD),
        ("time_rate", path.time_rate.is_some(), field, OF_FIELD),
        ("end_time", path.end_time.is_some(), field, OF_FIELD),
        (
            "conditional = none",
            training.conditional == Some(Conditional::None),
            path_kind != PathKind::Masked,
            "another path than masked, which learns all conditionals; choose one, or leave it out",
        ),
        // A network that learns from its own rows shows labels in all of them, and its bound says which model is kept.
        ("conditional", training.conditional.is_some(), data, OF_DATA),
        ("validations", training.validations.is_some(), data, OF_DATA),
        (
            "validation_rows",
            training.validation_rows.is_some(),
            data,
            OF_DATA,
        ),
        ("patience", training.patience.is_some(), data, OF_DATA),
        ("validation", split.validation.is_some(), data, OF_DATA),
        ("test", split.test.is_some(), data, OF_DATA),
    ];
    let useless = |(_, given, has_use, _): &(_, bool, bool, _)| *given && !*has_use;
    match table.into_iter().find(useless) {
        Some((setting, _, _, needs)) => Err(RecipeError::Useless { setting, needs }),
        None => Ok(()),
    }
}
