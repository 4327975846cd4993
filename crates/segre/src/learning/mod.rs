//! What every fit shares, whatever it learns: arithmetic of Adam, schedule, budget, order of data, parameters,
//! tensor files.
//!
//! | task | file |
//! |---|---|
//! | Adam, clipping, average of the parameters | `adam.rs`; on graphics processors `resident.rs` |
//! | learning rate over a run | `schedule.rs` |
//! | when training ends | `budget.rs` |
//! | in which order rows are visited | `order.rs` |
//! | parameters and gradients by name | `parameters.rs` |
//! | tensors in a file with a checksum | `tensor_file.rs` |

mod adam;
mod budget;
mod error;
mod order;
pub mod parameters;
mod resident;
mod schedule;
mod tensor_file;

pub use adam::OptimizerConfig;
pub(crate) use adam::{Optimizer, Slot, Update};
pub use budget::Budget;
pub use error::{LearningError, Result};
pub(crate) use order::DataOrder;
pub(crate) use tensor_file::{TensorFile, read_tensors, write_tensors};
