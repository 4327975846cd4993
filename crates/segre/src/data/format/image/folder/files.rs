//! Which files of a folder are pictures to read, and which are not.

use super::super::super::input::READABLE;
use super::super::error::ImageError;
use crate::data::error::Result;
use crate::file_error::FileError;
use std::path::{Path, PathBuf};

/// End of the names of Cityscapes' label maps; the other files of their folders are none.
const CITYSCAPES: &str = "_gtFine_labelIds.png";
/// Folders within folders that are searched.
const DEPTH: usize = 8;

/// Whether a folder holds pictures, directly or in the folders in it.
pub(in crate::data) fn has_pictures(folder: &Path) -> bool {
    let mut found = Found::default();
    found.collect(folder, DEPTH).is_ok() && !found.pictures.is_empty()
}

/// The pictures of a folder by name, of a Cityscapes folder the label maps alone; and what is not read.
pub(super) fn files(folder: &Path) -> Result<(Vec<PathBuf>, Option<String>)> {
    let mut all = Found::default();
    all.collect(folder, DEPTH)?;
    let mut found = all.pictures;
    let mut others = all.others;
    if found.is_empty() {
        return Err(ImageError::NoPictures {
            path: folder.to_path_buf(),
            legal: READABLE,
        }
        .into());
    }
    let named = |path: &PathBuf| path.to_string_lossy().ends_with(CITYSCAPES);
    if found.iter().any(named) {
        others.extend(found.extract_if(.., |path| !named(path)));
        // <part>/<city>/<file>: below all parts the test part, whose maps say nothing, would be mixed in.
        let part = |path: &PathBuf| {
            let below: Vec<_> = path.strip_prefix(folder).ok()?.components().collect();
            (below.len() > 2).then(|| below[0].as_os_str().to_string_lossy().into_owned())
        };
        let mut parts: Vec<String> = found.iter().filter_map(part).collect();
        parts.dedup();
        if !parts.is_empty() {
            let parts = parts.join(", ");
            return Err(ImageError::SeveralParts {
                path: folder.to_path_buf(),
                parts,
            }
            .into());
        }
    }
    let note = others.first().map(|first| {
        let (count, name) = (others.len(), first.file_name().unwrap_or_default());
        format!(
            "{}: {} files are read, {count} others are not, as {:?}",
            folder.display(),
            found.len(),
            name.to_string_lossy()
        )
    });
    Ok((found, note))
}

/// What a folder holds.
#[derive(Default)]
struct Found {
    /// Its PNG files, each folder's in the order of their names.
    pictures: Vec<PathBuf>,
    /// What else there is, but for hidden files.
    others: Vec<PathBuf>,
}

impl Found {
    fn collect(&mut self, folder: &Path, depth: usize) -> Result<()> {
        let fail = |cause| FileError::reading(folder, cause);
        let mut entries = Vec::new();
        for entry in std::fs::read_dir(folder).map_err(fail)? {
            entries.push(entry.map_err(fail)?.path());
        }
        entries.sort_unstable();
        for path in entries {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let png = name.to_lowercase().ends_with(".png");
            match (name.starts_with('.'), path.is_dir()) {
                (true, _) => {}
                (false, true) if depth > 0 => self.collect(&path, depth - 1)?,
                (false, false) if png => self.pictures.push(path),
                _ => self.others.push(path),
            }
        }
        Ok(())
    }
}
