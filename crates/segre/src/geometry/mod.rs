//! Geometry of discrete distributions: simplices, their product and its Segre embedding.
//!
//! | map | on one simplex, categories last | on `[batch, sites, categories]` |
//! |---|---|---|
//! | `Π v`, `R_w v`, `exp_w(v)`, `Exp_w(v)`, inverses, Fisher–Rao metric | [`simplex`] | [`AssignmentManifold`] |
//! | labels ↔ points, smoothed corners, reference noise | | [`AssignmentManifold`] |
//! | `T`, `Q`, `M` | | [`segre`] (small cases) |
//!
//! A point `W` of the open simplex has the *e-coordinates* `V = Π log W`, with `W = softmax(V)`.
//! They are an ordinary vector space: the lift `exp_W` is an addition there and the assignment flow
//! `Ẇ = R_W F` is `V̇ = Π F`. All of the library computes in them; points are formed only to be
//! read.

mod assignment;
pub mod segre;
pub mod simplex;

pub use assignment::{AssignmentManifold, PADDING_LOGIT};
