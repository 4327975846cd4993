//! Classes of label maps: which ids belong to which class, with names and colours.

use super::error::ImageError;
use crate::data::error::{DataError, Result};
use crate::data::schema::Class;
use crate::file_error::FileError;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

/// From ids of label maps to classes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClassMap {
    /// The classes, by label.
    pub classes: Vec<Class>,
    /// The label of every id that has a class.
    pub label_of_id: BTreeMap<u8, u16>,
}

/// A known mapping: its name, its classes with colours, and the class of the ids 0, 1, 2, ….
struct Known {
    name: &'static str,
    classes: &'static [(&'static str, [u8; 3])],
    of_id: &'static [u16],
}

const KNOWN: [Known; 2] = [
    // Ids, categories and colours of Cordts et al., The Cityscapes dataset, 2016; categories in the order
    // of torchvision.
    Known {
        name: "cityscapes8",
        classes: &[
            ("void", [0, 0, 0]),
            ("flat", [128, 64, 128]),
            ("construction", [70, 70, 70]),
            ("object", [153, 153, 153]),
            ("nature", [107, 142, 35]),
            ("sky", [70, 130, 180]),
            ("human", [220, 20, 60]),
            ("vehicle", [0, 0, 142]),
        ],
        of_id: &[
            0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 5, 6, 6, 7, 7, 7,
            7, 7, 7, 7, 7,
        ],
    },
    // Classes of Badrinarayanan, Kendall and Cipolla, SegNet, 2017, on Brostow et al., 2009.
    Known {
        name: "camvid12",
        classes: &[
            ("sky", [128, 128, 128]),
            ("building", [128, 0, 0]),
            ("pole", [192, 192, 128]),
            ("road", [128, 64, 128]),
            ("pavement", [60, 40, 222]),
            ("tree", [128, 128, 0]),
            ("sign", [192, 128, 128]),
            ("fence", [64, 64, 128]),
            ("car", [64, 0, 128]),
            ("pedestrian", [64, 64, 0]),
            ("bicyclist", [0, 128, 192]),
            ("unlabelled", [0, 0, 0]),
        ],
        of_id: &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11],
    },
];

impl ClassMap {
    /// The classes of a name (`cityscapes8`, `camvid12`) or of a file.
    ///
    /// A file is a table with the columns `id`, `class` and, if wanted, `colour` (or `color`) as `#rrggbb`:
    /// one line for every id. Ids of one class name belong to one class; classes are numbered as they first
    /// occur, and a class has the colour that the first of its lines with a colour gives.
    ///
    /// # Errors
    /// [`ImageError::UnknownClasses`], [`ImageError::ClassField`], [`ImageError::DuplicateId`],
    /// [`DataError::MissingColumn`], [`DataError::NoData`].
    pub fn load(name: &str) -> Result<Self> {
        if let Some(known) = KNOWN.iter().find(|known| known.name == name) {
            return Ok(known.map());
        }
        let path = Path::new(name);
        if !path.is_file() {
            let known = KNOWN.map(|known| known.name).join(", ");
            return Err(ImageError::UnknownClasses {
                name: name.to_string(),
                known,
            }
            .into());
        }
        read(path)
    }

    /// The ids that have a class, for messages.
    pub(super) fn ids(&self) -> String {
        ranges(self.label_of_id.keys().copied())
    }
}

impl Known {
    fn map(&self) -> ClassMap {
        let class = |(name, colour): &(&str, [u8; 3])| Class {
            name: (*name).to_string(),
            colour: Some(*colour),
        };
        ClassMap {
            classes: self.classes.iter().map(class).collect(),
            label_of_id: (0..).zip(self.of_id.iter().copied()).collect(),
        }
    }
}

/// Ascending numbers in a few words: `0–33, 255`.
pub(super) fn ranges(numbers: impl Iterator<Item = u8>) -> String {
    let mut parts: Vec<(u8, u8)> = Vec::new();
    for number in numbers {
        match parts.last_mut() {
            Some((_, last)) if last.checked_add(1) == Some(number) => *last = number,
            _ => parts.push((number, number)),
        }
    }
    let write = |(first, last): &(u8, u8)| match first == last {
        true => first.to_string(),
        false => format!("{first}–{last}"),
    };
    parts.iter().map(write).collect::<Vec<_>>().join(", ")
}

fn read(path: &Path) -> Result<ClassMap> {
    let text = crate::stream::read_text(path)?;
    let mut reader = csv::ReaderBuilder::new()
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let unreadable = |error: csv::Error| FileError::Damaged {
        path: path.to_path_buf(),
        detail: error.to_string(),
    };
    let header = reader.headers().map_err(unreadable)?.clone();
    let column = |names: &[&str]| {
        header
            .iter()
            .position(|name| names.contains(&name.to_lowercase().as_str()))
    };
    let required = |name: &str| {
        column(&[name]).ok_or_else(|| DataError::MissingColumn {
            path: path.to_path_buf(),
            column: name.to_string(),
        })
    };
    let (id_at, class_at) = (required("id")?, required("class")?);
    let colour_at = column(&["colour", "color"]);
    let mut map = ClassMap {
        classes: Vec::new(),
        label_of_id: BTreeMap::new(),
    };
    let mut lines: BTreeMap<u8, u64> = BTreeMap::new();
    for record in reader.records() {
        let record = record.map_err(unreadable)?;
        let line = record.position().map_or(0, csv::Position::line);
        let fault = |column: &'static str, value: &str, expected: &str| ImageError::ClassField {
            path: path.to_path_buf(),
            line,
            column,
            value: value.to_string(),
            expected: expected.to_string(),
        };
        let field = |at: usize| record.get(at).unwrap_or_default();
        let (id, name) = (field(id_at), field(class_at));
        let id: u8 = id
            .parse()
            .map_err(|_| fault("id", id, "an integer from 0 to 255"))?;
        if let Some(first) = lines.insert(id, line) {
            return Err(ImageError::DuplicateId {
                path: path.to_path_buf(),
                line,
                id,
                first,
            }
            .into());
        }
        if name.is_empty() {
            return Err(fault("class", name, "the name of a class").into());
        }
        let written = colour_at.map(field).filter(|text| !text.is_empty());
        let colour = match written {
            None => None,
            Some(text) => {
                Some(colour(text).ok_or_else(|| fault("colour", text, "written as #rrggbb"))?)
            }
        };
        let label = match map.classes.iter().position(|class| class.name == name) {
            Some(label) => label,
            None => {
                map.classes.push(Class {
                    name: name.to_string(),
                    colour: None,
                });
                map.classes.len() - 1
            }
        };
        let class = &mut map.classes[label];
        class.colour = class.colour.or(colour);
        map.label_of_id.insert(id, label as u16);
    }
    if map.classes.is_empty() {
        return Err(DataError::NoData {
            path: path.to_path_buf(),
            what: "there is no class",
        });
    }
    Ok(map)
}

/// `#rrggbb`.
fn colour(text: &str) -> Option<[u8; 3]> {
    let digits = text
        .strip_prefix('#')
        .filter(|digits| digits.len() == 6 && digits.is_ascii())?;
    let channel = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).ok();
    Some([channel(0)?, channel(2)?, channel(4)?])
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn load(text: &str) -> Result<ClassMap> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("classes.csv");
        std::fs::write(&path, text).unwrap();
        ClassMap::load(path.to_str().unwrap())
    }

    #[test]
    fn ids_of_one_name_are_one_class() {
        let map =
            load("id,class,color\n7,road,\n3,sky,#0080ff\n\n9,road,#010203\n255,none,\n").unwrap();
        let names: Vec<_> = map
            .classes
            .iter()
            .map(|class| class.name.as_str())
            .collect();
        assert_eq!(names, ["road", "sky", "none"]);
        assert_eq!(map.classes[0].colour, Some([1, 2, 3]));
        assert_eq!(map.classes[1].colour, Some([0, 128, 255]));
        assert_eq!(map.classes[2].colour, None);
        assert_eq!(
            map.label_of_id,
            BTreeMap::from([(3, 1), (7, 0), (9, 0), (255, 2)])
        );
        assert_eq!(map.ids(), "3, 7, 9, 255");
    }

    #[test]
    fn faults_of_a_class_file_have_a_line() {
        let fail = |text: &str| load(text).unwrap_err().to_string();
        for (text, fragments) in [
            (
                "id,class\n1,a\n2,b\n1,c\n",
                ["classes.csv:4:", "id 1", "line 2"],
            ),
            (
                "id,class\n1,a\n256,b\n",
                ["classes.csv:3:", "\"256\"", "0 to 255"],
            ),
            (
                "id,class\n1,\n",
                ["classes.csv:2:", "class is \"\"", "name"],
            ),
            ("id,class\n1\n", ["classes.csv:2:", "class is \"\"", "name"]),
            (
                "id,class,colour\n1,a,red\n",
                ["classes.csv:2:", "\"red\"", "#rrggbb"],
            ),
            ("id,name\n1,a\n", ["classes.csv", "\"class\"", "missing"]),
            ("id,class\n", ["classes.csv", "no class", "at least"]),
        ] {
            let message = fail(text);
            assert!(
                fragments.iter().all(|part| message.contains(part)),
                "{message}"
            );
            assert!(!message.contains('\n'), "{message}");
        }
        let unknown = ClassMap::load("cityscapes9").unwrap_err().to_string();
        assert!(unknown.contains("cityscapes8, camvid12"), "{unknown}");
    }

    /// The 34 ids in the eight categories, counted.
    #[test]
    fn the_categories_of_cityscapes_are_complete() {
        let map = ClassMap::load("cityscapes8").unwrap();
        assert_eq!(map.ids(), "0–33");
        let mut counts = [0; 8];
        map.label_of_id
            .values()
            .for_each(|&label| counts[usize::from(label)] += 1);
        assert_eq!(counts, [7, 4, 6, 4, 2, 1, 2, 8]);
        for (id, name) in [
            (4, "void"),
            (7, "flat"),
            (13, "construction"),
            (19, "object"),
            (22, "nature"),
            (23, "sky"),
            (25, "human"),
            (33, "vehicle"),
        ] {
            assert_eq!(
                map.classes[usize::from(map.label_of_id[&id])].name,
                name,
                "{id}"
            );
        }
        assert_eq!(ClassMap::load("camvid12").unwrap().classes.len(), 12);
    }
}
