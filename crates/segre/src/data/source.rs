//! Where data come from: the name of a built-in with parameters, or the path of a file.

use super::builtin::{BuiltIn, KnownDistribution};
use super::format::input::split_key;
use crate::data::error::{DataError, Result};
use crate::data::names::meant;
use crate::stream::is_standard;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::path::{Path, PathBuf};

/// A data argument: `digits`, `product:c=160,n=4`, `table.csv`, `arrays.npz:key`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DataSource {
    /// Data or a distribution that comes with the library.
    BuiltIn(BuiltIn),
    /// A file; `FILE.npz:KEY` names one array of an archive.
    File(PathBuf),
}

impl DataSource {
    /// Understands a data argument.
    ///
    /// A built-in's name goes before a file of that name; write `./digits` for the file.
    ///
    /// # Errors
    /// [`DataError::UnknownSource`], [`ParameterError::Unknown`](crate::ParameterError::Unknown),
    /// [`ParameterError::Bad`](crate::ParameterError::Bad).
    pub fn parse(text: &str) -> Result<Self> {
        let (name, parameters) = text.split_once(':').unwrap_or((text, ""));
        if let Some(built_in) = BuiltIn::parse(name, parameters)? {
            return Ok(Self::BuiltIn(built_in));
        }
        let path = PathBuf::from(text);
        let file = split_key(&path).map_or_else(|| path.clone(), |(file, _)| file);
        if path.exists() || file.exists() || is_standard(&path) {
            return Ok(Self::File(path));
        }
        let files = siblings(&file);
        let files = files.iter().map(String::as_str);
        Err(DataError::UnknownSource {
            name: text.to_string(),
            built_ins: BuiltIn::NAMES.join(", "),
            hint: meant(name, BuiltIn::NAMES.into_iter().chain(files)),
        })
    }

    /// The distribution that the data are drawn from, if it is known.
    pub fn known_distribution(&self) -> Option<Box<dyn KnownDistribution>> {
        match self {
            Self::BuiltIn(built_in) => built_in.known_distribution(),
            Self::File(_) => None,
        }
    }
}

/// The names beside a file that is not there, as it would be written.
fn siblings(file: &Path) -> Vec<String> {
    let folder = file.parent().unwrap_or(Path::new(""));
    let read = match folder.as_os_str().is_empty() {
        true => std::fs::read_dir("."),
        false => std::fs::read_dir(folder),
    };
    let entries = read.into_iter().flatten().flatten();
    let paths = entries.map(|entry| folder.join(entry.file_name()));
    paths.map(|path| path.display().to_string()).collect()
}

impl fmt::Display for DataSource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BuiltIn(built_in) => built_in.fmt(formatter),
            Self::File(path) => path.display().fmt(formatter),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::setting::ParameterError;

    #[test]
    fn parameters_are_read_and_written_back() {
        for text in [
            "digits",
            "pinwheel",
            "eight-gaussians:rows=500",
            "coupled-binary",
            "product:c=160,n=4,seed=0",
            "product:c=5,n=2,seed=7,rows=10",
        ] {
            let source = DataSource::parse(text).expect("legal");
            assert_eq!(source.to_string(), text);
        }
        let DataSource::BuiltIn(BuiltIn::Product {
            categories,
            sites,
            seed,
            rows,
        }) = DataSource::parse("product: n=3 , c=9").expect("legal")
        else {
            panic!("a product was asked for");
        };
        assert_eq!((categories, sites, seed, rows), (9, 3, 0, None));
    }

    #[test]
    fn bad_arguments_name_what_is_legal() {
        let message = |text: &str| DataSource::parse(text).expect_err("illegal").to_string();
        let unknown = message("pinwheeel");
        assert!(
            unknown.contains("pinwheel") && unknown.contains("no such file"),
            "{unknown}"
        );
        let parameter = message("product:d=3");
        assert!(
            parameter.contains("\"d\"") && parameter.contains("seed"),
            "{parameter}"
        );
        for text in [
            "product:c=many",
            "product:c",
            "product:c=1",
            "product:n=0",
            "pinwheel:rows=0",
        ] {
            assert!(
                matches!(
                    DataSource::parse(text),
                    Err(DataError::Parameter(ParameterError::Bad { .. }))
                ),
                "{text}"
            );
        }
        assert!(matches!(
            DataSource::parse("product:c=65535,n=100000"),
            Err(DataError::Parameter(ParameterError::Bad { .. }))
        ));
        assert!(matches!(
            DataSource::parse("digits:rows=5"),
            Err(DataError::Parameter(ParameterError::Unknown { .. }))
        ));
        assert!(DataSource::parse("product:c=3,c=4").is_err());
    }

    #[test]
    fn files_and_arrays_in_archives_must_exist() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("a.npz");
        std::fs::write(&path, "").expect("writable");
        let text = format!("{}:key", path.display());
        assert_eq!(DataSource::parse(&text).expect("exists").to_string(), text);
        let missing = format!("{}x", path.display());
        assert!(matches!(
            DataSource::parse(&missing),
            Err(DataError::UnknownSource { .. })
        ));
    }
}
