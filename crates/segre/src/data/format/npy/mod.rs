//! NumPy integer arrays: `.npy`, and `.npz` archives. The first axis counts rows. Also with unknown elements, and masks.

mod array;
mod header;

use self::array::Array;
use super::input::FileKind;
use crate::data::dataset::Dataset;
use crate::data::error::{DataError, Result};
use crate::data::options::ReadOptions;
use crate::data::partial::PartialDataset;
use crate::data::schema::Schema;
use crate::file_error::FileError;
use crate::stream::{Bounded, unreadable};
use std::io::{Cursor, Read};
use std::path::Path;

/// Labels of which many may be missing without a word.
const FEW_LABELS: usize = 20;

/// Where an array is stored.
#[derive(Clone, Copy)]
pub(in crate::data) enum Stored<'a> {
    /// A `.npy` file.
    Alone(&'a Path),
    /// A `.npz` archive, and the array's name where it is given.
    Archive(&'a Path, Option<&'a str>),
    /// The bytes of a `.npy` file, and what they are called.
    Bytes(&'a Path, &'a [u8]),
}

impl<'a> Stored<'a> {
    /// The place of a file's array, `None` for a file of another kind.
    pub fn of(path: &'a Path, kind: &'a FileKind) -> Option<Self> {
        match kind {
            FileKind::Npy => Some(Self::Alone(path)),
            FileKind::Npz { file, key } => Some(Self::Archive(file, key.as_deref())),
            _ => None,
        }
    }

    fn path(self) -> &'a Path {
        match self {
            Self::Alone(path) | Self::Archive(path, _) | Self::Bytes(path, _) => path,
        }
    }
}

/// Reads an array, into a schema if one is given.
pub(in crate::data) fn read(
    stored: Stored,
    schema: Option<&Schema>,
    options: &ReadOptions,
) -> Result<Dataset> {
    let mut stream = stream(stored)?;
    let (array, file) = Array::open(stored.path(), &mut stream)?;
    array.require_type(&file.dtype(), false)?;
    let row_shape = array.require_rows()?.to_vec();
    if let Some(schema) = schema {
        array.require_shape(schema)?;
    }
    let labels = array.labels(file, schema, options.memory)?;
    array.require_end(&mut stream)?;
    match schema {
        Some(schema) => Dataset::of_store(schema.clone(), labels),
        None => {
            let largest = labels.iter().copied().max().unwrap_or(0);
            let image = row_shape.len() == 2;
            let mut schema = Schema::integers(&row_shape, image, usize::from(largest) + 1);
            schema.notes.extend(gaps(&labels, largest));
            Dataset::of_store(schema, labels)
        }
    }
}

/// A note of labels that do not occur, if they are most of those up to the largest.
fn gaps(labels: &[u16], largest: u16) -> Option<String> {
    let mut seen = vec![false; usize::from(largest) + 1];
    labels
        .iter()
        .for_each(|label| seen[usize::from(*label)] = true);
    let (found, all) = (seen.iter().filter(|seen| **seen).count(), seen.len());
    (all > FEW_LABELS && 2 * found < all).then(|| {
        format!(
            "only {found} of the {all} labels from 0 to {largest} occur, and each is a category; to number those that occur: \
             numpy.unique(array, return_inverse=True)"
        )
    })
}

/// Reads an array of which some elements are unknown: −1, or NaN where the elements are floating-point numbers.
pub(in crate::data) fn read_partial(stored: Stored, schema: &Schema) -> Result<PartialDataset> {
    let mut stream = stream(stored)?;
    let (array, file) = Array::open(stored.path(), &mut stream)?;
    array.require_type(&file.dtype(), true)?;
    array.require_rows()?;
    array.require_shape(schema)?;
    let labels = array.elements(file, |place, number| {
        let unknown = number == -1.0 || number.is_nan();
        let label = || array.label(place, number, Some(schema));
        (!unknown).then(label).transpose()
    })?;
    array.require_end(&mut stream)?;
    PartialDataset::new(schema.clone(), labels)
}

/// The class of every row: an array of one axis, or of rows with one element.
pub(in crate::data) fn read_classes(stored: Stored) -> Result<Option<Vec<u16>>> {
    let mut stream = stream(stored)?;
    let (array, file) = Array::open(stored.path(), &mut stream)?;
    if !matches!(array.shape[..], [_] | [_, 1]) {
        return Ok(None);
    }
    array.require_type(&file.dtype(), false)?;
    let classes = array.elements(file, |place, number| array.label(place, number, None))?;
    array.require_end(&mut stream)?;
    Ok(Some(classes))
}

/// An array of switches, on where an element is not 0, and its shape.
pub(in crate::data) fn read_switches(stored: Stored) -> Result<(Vec<usize>, Vec<bool>)> {
    let mut stream = stream(stored)?;
    let (array, file) = Array::open(stored.path(), &mut stream)?;
    array.require_type(&file.dtype(), true)?;
    let switches = array.elements(file, |_, number| Ok(number != 0.0))?;
    array.require_end(&mut stream)?;
    Ok((array.shape, switches))
}

/// The bytes of a `.npy` file, or of an archive's array.
fn stream(stored: Stored<'_>) -> Result<Box<dyn Read + '_>> {
    let (path, key) = match stored {
        Stored::Archive(path, key) => (path, key),
        Stored::Bytes(_, bytes) => return Ok(Box::new(bytes)),
        Stored::Alone(path) => return Ok(crate::stream::open(path)?),
    };
    let damaged = |cause: std::io::Error| FileError::reading(path, cause);
    let archive = npyz::npz::NpzArchive::open(path);
    let mut archive = archive.map_err(|cause| match damaged(cause) {
        FileError::Damaged { detail, .. } => unreadable(path, detail),
        refused => refused,
    })?;
    let mut keys: Vec<String> = archive.array_names().map(str::to_string).collect();
    keys.sort_unstable();
    let key = choose(path, &keys, key)?;
    // The whole entry at once: reading to its end checks the archive's checksum.
    let mut bytes = Vec::new();
    let size = std::fs::metadata(path).map_err(damaged)?.len();
    let entry = archive
        .zip_archive()
        .by_name(&npyz::npz::file_name_from_array_name(key))
        .map_err(|error| damaged(error.into()))?;
    Bounded::new(entry, size)
        .read_to_end(&mut bytes)
        .map_err(damaged)?;
    Ok(Box::new(Cursor::new(bytes)))
}

/// The array to read: the one asked for, or the only one.
fn choose<'a>(path: &Path, keys: &'a [String], asked: Option<&str>) -> Result<&'a str> {
    let fail = |problem: String| DataError::ArrayChoice {
        path: path.to_path_buf(),
        problem,
        keys: if keys.is_empty() {
            "no array".into()
        } else {
            keys.join(", ")
        },
    };
    let find = |name: &str| keys.iter().map(String::as_str).find(|&key| key == name);
    match (asked, keys) {
        (Some(name), _) => find(name).ok_or_else(|| fail(format!("there is no array {name:?}"))),
        (None, [only]) => Ok(only),
        (None, _) => Err(fail("it is not said which array to read".into())),
    }
}

#[cfg(test)]
mod tests;
