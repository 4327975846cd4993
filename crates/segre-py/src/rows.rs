//! Rows that were drawn or filled in, on their way to Python.

use std::sync::Arc;

use arrow_array::{ArrayRef, StructArray};
use arrow_schema::Field;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyCapsule};
use pyo3_arrow::ffi::{ArrayIterator, to_stream_pycapsule};
use segre::data::{Dataset, Layout, Schema, record_batch};

/// Rows of a model: an Arrow stream for tables, labels for pictures and arrays.
#[pyclass(frozen)]
pub struct Rows {
    pub(crate) data: Arc<Dataset>,
    /// Notes of them that were told before they were drawn.
    told: usize,
}

impl Rows {
    /// Rows that come from a schema.
    pub(crate) fn new(data: Dataset, from: &Schema) -> Self {
        let (data, told) = (Arc::new(data), from.notes.len());
        Self { data, told }
    }
}

/// Numbers as bytes in the machine's order.
pub fn bytes<'py, T: bytemuck::NoUninit>(py: Python<'py>, numbers: &[T]) -> Bound<'py, PyBytes> {
    PyBytes::new(py, bytemuck::cast_slice(numbers))
}

#[pymethods]
impl Rows {
    fn __len__(&self) -> usize {
        self.data.rows()
    }

    /// What is to be said of how they were drawn.
    fn notes(&self) -> Vec<String> {
        let notes = self.data.schema.notes.iter();
        notes.skip(self.told).cloned().collect()
    }

    /// Whether the rows are those of a table.
    fn is_table(&self) -> bool {
        matches!(self.data.schema.layout, Layout::Table)
    }

    /// The rows as an Arrow stream of one batch.
    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyCapsule>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        let data = &self.data;
        let batch = py.detach(|| record_batch(data));
        let schema = batch.schema();
        let fields = Field::new_struct("", schema.fields().clone(), false);
        let field = fields.with_metadata(schema.metadata().clone());
        let rows: ArrayRef = Arc::new(StructArray::from(batch));
        let reader = ArrayIterator::new([Ok(rows)], Arc::new(field));
        Ok(to_stream_pycapsule(py, Box::new(reader), requested_schema)?)
    }

    /// The labels as 16-bit integers in the machine's order of bytes, and their shape `[rows, …]`.
    fn labels<'py>(&self, py: Python<'py>) -> (Bound<'py, PyBytes>, Vec<usize>) {
        let rows = std::iter::once(self.data.rows());
        let shape = rows.chain(self.data.schema.row_shape()).collect();
        (bytes(py, self.data.labels()), shape)
    }
}
