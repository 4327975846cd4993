//! A folder of PNG files, one row each, in the order of their names: label maps or grey pictures.

mod files;

pub(in crate::data) use self::files::has_pictures;

use self::files::files;
use super::classes::ClassMap;
use super::error::ImageError;
use super::options::{IgnoreAs, ImageOptions, Levels};
use super::portable::{self, Wanted};
use super::resample::resample;
use super::{ImageSize, Raster, schema_of, size_of};
use crate::data::dataset::Dataset;
use crate::data::error::Result;
use crate::data::options::ReadOptions;
use crate::data::schema::{Class, Schema, Vocabulary};
use crate::data::store::{Collector, Store};
use rayon::prelude::*;
use std::path::{Path, PathBuf};

/// Most ids that are taken for classes without being told so.
const MOST_IDS: usize = 64;
/// Files that are in memory at a time.
const AT_A_TIME: usize = 256;
/// Name of the class of ignored ids.
const IGNORED: &str = "ignored";

/// Reads all pictures of a folder, into a schema if one is given.
pub(in crate::data) fn read(
    folder: &Path,
    schema: Option<&Schema>,
    reading: &ReadOptions,
) -> Result<Dataset> {
    let options = &reading.images;
    options.check()?;
    let (files, notes) = files(folder)?;
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
    let mut found = match gray {
        true => reading.gray(&files)?,
        false => reading.label_maps(folder, &files, schema)?,
    };
    if let Some(schema) = schema {
        schema.same_as(&found.schema)?;
    }
    found.schema.notes.extend(notes);
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

/// One label map at its size to be.
struct Ids {
    path: PathBuf,
    values: Vec<u8>,
    /// The ids of the whole file.
    seen: [bool; 256],
    palette: Option<Vec<[u8; 3]>>,
}

/// The colours of the ids that occur, where files have some.
struct Palette([Option<[u8; 3]>; 256]);

impl Palette {
    /// Adds the colours of a file; the first id that has another one already.
    fn add(&mut self, map: &Ids) -> Option<u8> {
        let mut other = None;
        for id in (0..=u8::MAX).filter(|id| map.seen[usize::from(*id)]) {
            let own = map.palette.as_ref();
            let own = own.and_then(|colours| colours.get(usize::from(id)));
            let known = &mut self.0[usize::from(id)];
            match (own, *known) {
                (Some(own), Some(known)) if *own != known => _ = other.get_or_insert(id),
                _ => *known = known.or(own.copied()),
            }
        }
        other
    }
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
            let values = values.into_iter().map(|value| value * scale).collect();
            Ok(Raster {
                size: self.size,
                values,
            })
        };
        let mut grey = 0;
        let labels = self.in_order(files, read, |row: Raster, labels| {
            grey += row.grey();
            labels.extend(row.values.iter().map(|value| table[usize::from(*value)]))
        })?;
        let vocabulary = Vocabulary::Integers {
            count: levels.count(),
        };
        let mut schema = schema_of(self.size, self.options.pad_to, vocabulary)?;
        schema.notes.extend(Levels::note(self.options.levels, grey));
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
                path: path.to_path_buf(),
                values,
                seen,
                palette: picture.palette,
            })
        };
        let (mut seen, mut palette, mut note) = ([false; 256], Palette([None; 256]), None);
        // Which classes there are is known after the last file.
        let mut labels = self.in_order(files, read, |map: Ids, ids| {
            seen.iter_mut()
                .zip(map.seen)
                .for_each(|(all, own)| *all |= own);
            if let Some(id) = palette.add(&map) {
                note.get_or_insert_with(|| {
                    format!(
                        "{}: id {id} has another colour than in the files before it; ids tell classes, not colours, so all \
                         files must have one palette",
                        map.path.display()
                    )
                });
            }
            ids.extend(map.values.into_iter().map(u16::from))
        })?;
        let map = match known {
            Some(map) => map,
            None => seen_classes(folder, &seen, &palette, &ignored)?,
        };
        let (classes, table) = self.classes(&map, &ignored);
        labels.relabel(|_, id| table[usize::from(id)]);
        let mut schema = schema_of(
            self.size,
            self.options.pad_to,
            Vocabulary::Classes { classes },
        )?;
        schema.notes = note.into_iter().collect();
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
    palette: &Palette,
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
        colour: palette.0[usize::from(id)],
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
