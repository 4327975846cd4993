//! Tensors in one file, written atomically: safetensors with a checksum, and a text beside them.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use safetensors::tensor::{Dtype, TensorView};
use safetensors::{SafeTensors, serialize};

use super::parameters::Values;
use crate::atomic;
use crate::file_error::FileError;

/// Tensors by name, and a text beside them.
pub(crate) struct TensorFile {
    pub tensors: BTreeMap<String, Values>,
    pub header: String,
}

/// The one metadata key of a tensor file: checksum, a space, header. One only, because the format's
/// writer puts several in random order, and equal models shall be equal files.
const METADATA_KEY: &str = "segre";

/// Writes a safetensors file with a checksum of its contents.
pub(crate) fn write_tensors(path: &Path, file: &TensorFile) -> Result<(), FileError> {
    let bytes: Vec<(&String, &Values, Vec<u8>)> = file
        .tensors
        .iter()
        .map(|(name, tensor)| {
            let bytes = tensor
                .values
                .iter()
                .flat_map(|value| value.to_le_bytes())
                .collect();
            (name, tensor, bytes)
        })
        .collect();
    let mut checksum = flate2::Crc::new();
    checksum.update(file.header.as_bytes());
    for (name, _, bytes) in &bytes {
        checksum.update(name.as_bytes());
        checksum.update(bytes);
    }
    let views = bytes.iter().map(|(name, tensor, bytes)| {
        let view = TensorView::new(Dtype::F32, tensor.shape.clone(), bytes);
        (
            name.as_str(),
            view.expect("a parameter has as many values as its shape says"),
        )
    });
    let metadata = format!("{} {}", checksum.sum(), file.header);
    let metadata = std::collections::HashMap::from([(METADATA_KEY.to_owned(), metadata)]);
    let contents = serialize(views, Some(metadata)).expect("views and metadata can be serialised");
    atomic::write_bytes(path, &contents)
}

/// Reads what [`write_tensors`] wrote.
pub(crate) fn read_tensors(path: &Path) -> Result<TensorFile, FileError> {
    let contents = fs::read(path).map_err(|cause| FileError::reading(path, cause))?;
    let damaged = |detail: String| FileError::Damaged {
        path: path.to_path_buf(),
        detail,
    };
    let (_, metadata) =
        SafeTensors::read_metadata(&contents).map_err(|error| damaged(error.to_string()))?;
    let file = SafeTensors::deserialize(&contents).map_err(|error| damaged(error.to_string()))?;
    let extra = metadata.metadata().clone().unwrap_or_default();
    let metadata = extra
        .get(METADATA_KEY)
        .and_then(|text| text.split_once(' '));
    let Some((expected, header)) = metadata else {
        return Err(damaged("the checksum is missing".to_owned()));
    };
    let mut views: Vec<(String, TensorView)> = file.tensors();
    views.sort_by(|a, b| a.0.cmp(&b.0));
    let mut checksum = flate2::Crc::new();
    checksum.update(header.as_bytes());
    let mut tensors = BTreeMap::new();
    for (name, view) in views {
        checksum.update(name.as_bytes());
        checksum.update(view.data());
        if view.dtype() != Dtype::F32 {
            return Err(damaged(format!("{name} holds {:?}, not F32", view.dtype())));
        }
        let values = view
            .data()
            .as_chunks::<4>()
            .0
            .iter()
            .map(|b| f32::from_le_bytes(*b));
        let values = Values {
            shape: view.shape().to_vec(),
            values: values.collect(),
        };
        tensors.insert(name, values);
    }
    if expected != checksum.sum().to_string() {
        return Err(damaged("the checksum is wrong".to_owned()));
    }
    Ok(TensorFile {
        tensors,
        header: header.to_owned(),
    })
}
