//! Ordinary differential equations on e-coordinates: explicit Runge–Kutta methods.
//!
//! A method is a table of numbers ([`Tableau`]); [`integrate`] is the only loop. In e-coordinates
//! these are the geometric (Lie-group) schemes of Zeilmann et al. 2020 on the assignment manifold.

mod error;
mod integrate;
mod step_size;
mod tableau;
mod time_grid;

pub use error::{OdeError, Result};
pub use integrate::{OdeSolution, Stepping, integrate, integrate_observed};
pub use step_size::AdaptiveOptions;
pub use tableau::{Method, Tableau};
pub use time_grid::TimeGrid;
