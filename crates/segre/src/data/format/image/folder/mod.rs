//! A folder of PNG files, one row each, in the order of their names: label maps or grey pictures.

use super::super::input::READABLE;
use super::classes::ClassMap;
use super::error::ImageError;
use super::options::{IgnoreAs, ImageOptions};
use super::portable::{self, Wanted};
use super::resample::resample;
use super::{ImageSize, schema_of, size_of};
use crate::data::dataset::Dataset;
use crate::data::error::Result;
use crate::data::options::ReadOptions;
use crate::data::schema::{Class, Schema, Vocabulary};
use crate::data::store::{Collector, Store};
use crate::file_error::FileError;
use rayon::prelude::*;
use std::path::{Path, PathBuf};

/// End of the names of Cityscapes' label maps; the other files of their folders are none.
const CITYSCAPES: &str = "_gtFine_labelIds.png";
/// Most ids that are taken for classes without being told so.
const MOST_IDS: usize = 64;
/// Folders within folders that are searched.
const DEPTH: usize = 8;
/// Files that are in memory at a time.
const AT_A_TIME: usize = 256;
/// Name of the class of ignored ids.
const IGNORED: &str = "ignored";

/// Whether a folder holds pictures, directly or in the folders in it.
pub(in crate::data) fn has_pictures(folder: &Path) -> bool {
    let mut found = Vec::new();
    collect(folder, DEPTH, &mut found).is_ok() && !found.is_empty()
}

/// Reads all pictures of a folder, into a schema if one is given.
pub(in crate::data) fn read(
    folder: &Path,
    schema: Option<&Schema>,
    reading: &ReadOptions,
) -> Result<Dataset> {
    let options = &reading.images;
    options.check()?;
    let files = files(folder)?;
    let gray = options.gray
        || schema
            .is_some_and(|schema| matches!(schema.vocabularies[..], [Vocabulary::Integers { .. }]));
    refuse_useless(folder, gray, options)?;
    let size = match (options.size, schema.and_then(size_of)) {
        (Some(size), _) | (None, Some(size)) => size,
        (None, None) => portable::size(&files[0])?,
    };
    let reading = Reading {
        options,
        size,
        resize: options.size.is_some(),
        memory: reading.memory,
    };
    let found = match gray {
        true => reading.gray(&files)?,
        false => reading.label_maps(folder, &files, schema)?,
    };
    if let Some(schema) = schema {
        schema.same_as(&found.schema)?;
    }
    Ok(found)
}

/// Refuses options of the other kind of pictures, which would be ignored.
fn refuse_useless(folder: &Path, gray: bool, options: &ImageOptions) -> Result<()> {
    let label_map = [
        ("`classes`", options.classes.is_some()),
        ("`ignore`", !options.ignore.is_empty()),
    ];
    let grey = [
        ("`threshold` or `levels`", options.levels.is_some()),
        ("`invert`", options.invert),
    ];
    let (asked, purpose, remedy) = match gray {
        true => (
            label_map,
            "label maps, not for grey pictures",
            "leave it out, or leave `gray` out",
        ),
        false => (
            grey,
            "grey pictures, and PNG files are read as label maps",
            "add `gray`, or leave it out",
        ),
    };
    match asked.into_iter().find(|(_, asked)| *asked) {
        None => Ok(()),
        Some((option, _)) => Err(ImageError::Useless {
            path: folder.to_path_buf(),
            option,
            purpose,
            remedy,
        }
        .into()),
    }
}

/// The pictures of a folder by name; of a Cityscapes folder the label maps alone.
fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    collect(folder, DEPTH, &mut found)?;
    if found.is_empty() {
        return Err(ImageError::NoPictures {
            path: folder.to_path_buf(),
            legal: READABLE,
        }
        .into());
    }
    let named = |path: &PathBuf| path.to_string_lossy().ends_with(CITYSCAPES);
    if found.iter().any(named) {
        found.retain(named);
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
    Ok(found)
}

/// All PNG files below a folder, each folder's in the order of their names.
fn collect(folder: &Path, depth: usize, found: &mut Vec<PathBuf>) -> Result<()> {
    let fail = |cause| FileError::reading(folder, cause);
    let mut entries = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(fail)? {
        entries.push(entry.map_err(fail)?.path());
    }
    entries.sort_unstable();
    for path in entries {
        let hidden = path
            .file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if hidden {
            continue;
        }
        if path.is_dir() {
            if depth > 0 {
                collect(&path, depth - 1, found)?;
            }
        } else if path
            .extension()
            .is_some_and(|extension| extension.eq_ignore_ascii_case("png"))
        {
            found.push(path);
        }
    }
    Ok(())
}

/// One label map at its size to be.
struct Ids {
    values: Vec<u8>,
    /// The ids of the whole file.
    seen: [bool; 256],
    palette: Option<Vec<[u8; 3]>>,
}

/// How the files of a folder are read.
struct Reading<'a> {
    options: &'a ImageOptions,
    size: ImageSize,
    /// Whether files may have other sizes.
    resize: bool,
    /// Bytes of labels that are held in memory.
    memory: u64,
}

impl Reading<'_> {
    /// Reads files side by side, some at a time, and takes them in in their order; the first file at fault is the
    /// one that is named.
    fn in_order<T: Send>(
        &self,
        files: &[PathBuf],
        read: impl Fn(&Path) -> Result<T> + Sync,
        mut take: impl FnMut(T, &mut Collector) -> Result<()>,
    ) -> Result<Store> {
        let mut labels = Collector::new(self.memory);
        for some in files.chunks(AT_A_TIME) {
            let results: Vec<Result<T>> = some.par_iter().map(|path| read(path)).collect();
            for result in results {
                take(result?, &mut labels)?;
            }
        }
        labels.finish()
    }

    fn check_size(&self, path: &Path, found: ImageSize) -> Result<()> {
        if self.resize || found == self.size {
            return Ok(());
        }
        Err(ImageError::OtherSize {
            path: path.to_path_buf(),
            found,
            expected: self.size,
        }
        .into())
    }

    fn gray(&self, files: &[PathBuf]) -> Result<Dataset> {
        let levels = self.options.levels.unwrap_or_default();
        let mut table = levels.table();
        if self.options.invert {
            table.reverse();
        }
        let read = |path: &Path| {
            let picture = portable::read(path, Wanted::Gray)?;
            self.check_size(path, picture.raster.size)?;
            let values = resample(&picture.raster, self.size, None).unwrap_or_default();
            // The full range of any bit depth is that of eight bits.
            let scale = 255 / picture.largest;
            Ok(values
                .into_iter()
                .map(|value| table[usize::from(value * scale)])
                .collect::<Vec<u16>>())
        };
        let labels = self.in_order(files, read, |row: Vec<u16>, labels| labels.extend(row))?;
        let vocabulary = Vocabulary::Integers {
            count: levels.count(),
        };
        let schema = schema_of(self.size, self.options.pad_to, vocabulary)?;
        Dataset::of_store(schema, labels)
    }

    fn label_maps(
        &self,
        folder: &Path,
        files: &[PathBuf],
        schema: Option<&Schema>,
    ) -> Result<Dataset> {
        let mut ignored = [false; 256];
        self.options
            .ignore
            .iter()
            .for_each(|&id| ignored[usize::from(id)] = true);
        let fill = (self.options.ignore_as == IgnoreAs::Fill).then_some(&ignored);
        // Ids of a saved model without class file are the names of its classes.
        let known = match (&self.options.classes, schema) {
            (Some(map), _) => Some(map.clone()),
            (None, Some(schema)) => Some(map_of(schema)),
            (None, None) => None,
        };
        let read = |path: &Path| {
            let picture = portable::read(path, Wanted::Ids)?;
            let raster = &picture.raster;
            self.check_size(path, raster.size)?;
            let mut seen = [false; 256];
            for (place, &id) in raster.values.iter().enumerate() {
                let new = !std::mem::replace(&mut seen[usize::from(id)], true);
                if new
                    && !ignored[usize::from(id)]
                    && let Some(map) = &known
                    && !map.label_of_id.contains_key(&id)
                {
                    let (row, column) = (place / raster.size.width, place % raster.size.width);
                    let known = map.ids();
                    return Err(ImageError::NoClass {
                        path: path.to_path_buf(),
                        row,
                        column,
                        id,
                        known,
                    }
                    .into());
                }
            }
            let values =
                resample(raster, self.size, fill).ok_or_else(|| ImageError::NothingLabelled {
                    path: path.to_path_buf(),
                })?;
            Ok(Ids {
                values,
                seen,
                palette: picture.palette,
            })
        };
        let (mut seen, mut palette) = ([false; 256], None);
        // Which classes there are is known after the last file.
        let mut labels = self.in_order(files, read, |map: Ids, ids| {
            seen.iter_mut()
                .zip(map.seen)
                .for_each(|(all, own)| *all |= own);
            palette = palette.take().or(map.palette);
            ids.extend(map.values.into_iter().map(u16::from))
        })?;
        let map = match known {
            Some(map) => map,
            None => seen_classes(folder, &seen, palette.as_deref(), &ignored)?,
        };
        let (classes, table) = self.classes(&map, &ignored);
        labels.relabel(|_, id| table[usize::from(id)]);
        let schema = schema_of(
            self.size,
            self.options.pad_to,
            Vocabulary::Classes { classes },
        )?;
        Dataset::of_store(schema, labels)
    }

    /// The classes that are left, ignored ids taken out or made one, and the label of every id.
    fn classes(&self, map: &ClassMap, ignored: &[bool; 256]) -> (Vec<Class>, [u16; 256]) {
        let mut used = vec![false; map.classes.len()];
        let mut named = vec![false; map.classes.len()];
        for (&id, &label) in &map.label_of_id {
            named[usize::from(label)] = true;
            used[usize::from(label)] |= !ignored[usize::from(id)];
        }
        let mut classes = Vec::new();
        let mut new_label = vec![0; map.classes.len()];
        for (label, class) in map.classes.iter().enumerate() {
            if used[label] || !named[label] {
                new_label[label] = classes.len() as u16;
                classes.push(class.clone());
            }
        }
        let mut table = [0; 256];
        for (&id, &label) in &map.label_of_id {
            table[usize::from(id)] = new_label[usize::from(label)];
        }
        if !self.options.ignore.is_empty() && self.options.ignore_as == IgnoreAs::Class {
            // Read into a schema without class file, the class is there already.
            let label = classes
                .iter()
                .position(|class| class.name == IGNORED)
                .unwrap_or(classes.len());
            if label == classes.len() {
                classes.push(Class {
                    name: IGNORED.into(),
                    colour: Some([0; 3]),
                });
            }
            for id in 0..256 {
                if ignored[id] {
                    table[id] = label as u16;
                }
            }
        }
        (classes, table)
    }
}

/// The ids that occur as classes of their own, named by their numbers.
fn seen_classes(
    folder: &Path,
    seen: &[bool; 256],
    palette: Option<&[[u8; 3]]>,
    ignored: &[bool; 256],
) -> Result<ClassMap> {
    let wanted = |&id: &u8| seen[usize::from(id)] && !ignored[usize::from(id)];
    let ids: Vec<u8> = (0..=u8::MAX).filter(wanted).collect();
    if ids.len() > MOST_IDS {
        let (found, limit) = (ids.len(), MOST_IDS);
        return Err(ImageError::TooManyIds {
            path: folder.to_path_buf(),
            found,
            limit,
        }
        .into());
    }
    let class = |&id: &u8| Class {
        name: id.to_string(),
        colour: palette.and_then(|colours| colours.get(usize::from(id)).copied()),
    };
    let classes = ids.iter().map(class).collect();
    Ok(ClassMap {
        classes,
        label_of_id: ids.into_iter().zip(0..).collect(),
    })
}

/// The classes of a schema as [`seen_classes`] made them.
fn map_of(schema: &Schema) -> ClassMap {
    let classes = match &schema.vocabularies[..] {
        [Vocabulary::Classes { classes }] => classes.clone(),
        _ => Vec::new(),
    };
    let ids = classes
        .iter()
        .zip(0_u16..)
        .filter_map(|(class, label)| Some((class.name.parse().ok()?, label)));
    ClassMap {
        label_of_id: ids.collect(),
        classes,
    }
}

#[cfg(test)]
mod tests;
