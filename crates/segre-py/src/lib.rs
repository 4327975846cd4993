//! The Python module `segre._segre`: the library's calls for Python, without logic of their own. What people use is the
//! package around it, `python/segre/`.
//!
//! Tables cross the border as Arrow streams, arrays as the bytes of `.npy` files, reports as JSON.

mod data;
mod energy;
mod errors;
mod fit;
mod model;
mod prediction;
mod rows;
mod settings;
mod work;

use pyo3::prelude::*;
use segre_kernels::allocator::{Allocator, keep_memory};

/// What tensors free is kept for the next step: see there.
#[global_allocator]
static ALLOCATOR: Allocator = Allocator;

/// The module.
#[pymodule]
fn _segre(module: &Bound<'_, PyModule>) -> PyResult<()> {
    keep_memory();
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_class::<data::Data>()?;
    module.add_class::<energy::Energy>()?;
    module.add_class::<energy::Randomized>()?;
    module.add_class::<model::Fitted>()?;
    module.add_class::<model::Gaps>()?;
    module.add_class::<prediction::Predicted>()?;
    module.add_class::<rows::Rows>()?;
    module.add_function(wrap_pyfunction!(fit::fit, module)?)?;
    module.add_function(wrap_pyfunction!(fit::load, module)?)?;
    module.add_function(wrap_pyfunction!(fit::quality, module)?)?;
    module.add_function(wrap_pyfunction!(work::set_threads, module)?)?;
    module.add_function(wrap_pyfunction!(work::has_threads, module)?)?;
    Ok(())
}
