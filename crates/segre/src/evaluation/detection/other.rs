//! Data from elsewhere, read as if they were the model's own.

use crate::data::{self, DataSource, Dataset, ImageSize, Layout, ReadOptions, Schema};
use crate::evaluation::error::Result;

/// Reads other data into the schema of a model by the options of its fit. Pictures are brought to the model's size, inverted if
/// dark is ink in one of the two.
///
/// # Errors
/// As [`data::read_as`].
pub fn read_other(
    source: &DataSource,
    schema: &Schema,
    options: &ReadOptions,
    invert: bool,
) -> Result<Dataset> {
    let mut options = options.clone();
    if let Layout::Image { height, width, .. } = schema.layout {
        options.images.size = Some(ImageSize { height, width });
        options.images.invert ^= invert;
    }
    Ok(data::read_as(source, schema, &options)?)
}
