//! Data sets back to files in the user's own vocabulary; a file appears whole or not at all.

use crate::atomic::{self, PartialFile};
use crate::data::dataset::Dataset;
use crate::data::error::{DataError, Result};
use crate::data::schema::{Layout, Vocabulary};
use crate::data::table::Fields;
use crate::stream::is_standard;
use npyz::WriterBuilder;
use std::io::{self, Write};
use std::path::Path;

/// The extensions that [`write()`] takes for data of a layout, for messages.
pub fn writable(layout: &Layout) -> &'static str {
    match layout {
        #[cfg(feature = "arrow")]
        Layout::Table | Layout::Image { .. } | Layout::Array { .. } => {
            ".npz, .npy, .csv, .tsv, .parquet, .arrow, .feather"
        }
        #[cfg(not(feature = "arrow"))]
        Layout::Table | Layout::Image { .. } | Layout::Array { .. } => ".npz, .npy, .csv, .tsv",
        Layout::Sequence => ".fasta, .fa, .npz, .npy, .csv, .tsv",
        Layout::Text => ".txt, .npz, .npy",
    }
}

/// Writes a data set in the format of the file's extension, replacing a file that is there; `-` is standard output, as `.csv`.
///
/// * `.npz` (array `samples`), `.npy`: labels as 16-bit integers, `[rows, …]` with the row's shape.
/// * `.csv`, `.tsv`: a header of site names, then categories as text, quoted where needed.
/// * `.parquet`, `.arrow`, `.feather`: a column of its own type for each column, those of the data where they had some.
/// * `.fasta`, `.fa`: records `sample_1`, `sample_2`, … of sequences.
/// * `.txt`: windows of text, one a line if none has a line break, else with a blank line between.
///
/// Read back into the same schema, all but texts with line breaks give the same labels.
///
/// # Errors
/// [`DataError::WriteFormat`] if the extension does not suit the layout, [`FileError::Io`](crate::FileError::Io).
pub fn write(data: &Dataset, path: &Path) -> Result<()> {
    let extension = path.extension().unwrap_or_default().to_string_lossy();
    let extension = match is_standard(path) {
        true => "csv".to_owned(),
        false => extension.to_lowercase(),
    };
    let layout = &data.schema.layout;
    let refused = || DataError::WriteFormat {
        path: path.to_path_buf(),
        layout: layout.name(),
        legal: writable(layout),
    };
    let legal = writable(layout)
        .split(", ")
        .any(|known| known[1..] == extension);
    let spelled_by_characters = || {
        data.schema
            .vocabularies
            .iter()
            .all(|vocabulary| match vocabulary {
                Vocabulary::Integers { .. } | Vocabulary::Classes { .. } => false,
                Vocabulary::Words { categories } => {
                    categories.iter().all(|word| word.chars().count() == 1)
                }
            })
    };
    if !legal || (matches!(&extension[..], "fasta" | "fa" | "txt") && !spelled_by_characters()) {
        return Err(refused());
    }
    #[cfg(feature = "arrow")]
    if matches!(&extension[..], "parquet" | "arrow" | "feather") {
        return super::arrow::write(data, path, extension == "parquet");
    }
    Ok(atomic::write(path, |file| match &extension[..] {
        "npz" => write_npz(data, file),
        "npy" => write_npy(data, file),
        "csv" => write_table(data, b',', file),
        "tsv" => write_table(data, b'\t', file),
        "txt" => write_text(data, file),
        _ => write_fasta(data, file),
    })?)
}

/// The shape of the whole array, `[rows, …]`.
fn array_shape(data: &Dataset) -> Vec<u64> {
    let lengths = std::iter::once(data.rows()).chain(data.schema.row_shape());
    lengths.map(|length| length as u64).collect()
}

fn write_npy(data: &Dataset, file: &mut PartialFile) -> io::Result<()> {
    let options = npyz::WriteOptions::<u16>::new().default_dtype();
    let mut array = options.shape(&array_shape(data)).writer(file).begin_nd()?;
    array.extend(data.labels().iter().copied())?;
    array.finish()
}

fn write_npz(data: &Dataset, file: &mut PartialFile) -> io::Result<()> {
    let mut archive = npyz::npz::NpzWriter::new(file);
    // A fixed date, so that equal samples give equal files.
    let options = npyz::zip::write::FileOptions::default()
        .last_modified_time(npyz::zip::DateTime::default())
        .large_file(data.labels().len() > (1 << 30));
    let array = archive.array::<u16>("samples", options)?;
    let mut array = array.default_dtype().shape(&array_shape(data)).begin_nd()?;
    array.extend(data.labels().iter().copied())?;
    array.finish()?;
    archive.zip_writer().finish()?;
    Ok(())
}

fn write_table(data: &Dataset, delimiter: u8, file: &mut PartialFile) -> io::Result<()> {
    let mut table = csv::WriterBuilder::new()
        .delimiter(delimiter)
        .from_writer(file);
    let schema = &data.schema;
    let fields = Fields::of(data);
    let columns = fields.columns().iter();
    table.write_record(columns.map(|column| schema.name_of(*column)))?;
    for row in 0..data.rows() {
        for field in fields.row(row) {
            table.write_field(field.as_ref())?;
        }
        table.write_record(None::<&[u8]>)?;
    }
    table.flush()
}

fn write_fasta(data: &Dataset, file: &mut PartialFile) -> io::Result<()> {
    for (row, number) in data.iter().zip(1_u64..) {
        writeln!(file, ">sample_{number}\n{}", spell(data, row))?;
    }
    Ok(())
}

fn write_text(data: &Dataset, file: &mut PartialFile) -> io::Result<()> {
    let windows: Vec<String> = data.iter().map(|row| spell(data, row)).collect();
    let end = if windows.iter().any(|window| window.contains('\n')) {
        "\n\n"
    } else {
        "\n"
    };
    windows
        .iter()
        .try_for_each(|window| write!(file, "{window}{end}"))
}

/// The row's categories one after the other.
fn spell(data: &Dataset, row: &[u16]) -> String {
    row.iter()
        .enumerate()
        .map(|(site, &label)| data.schema.category_name(site, label))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::schema::{Schema, Site};
    use crate::data::{DataSource, ReadOptions, read_as};
    use crate::file_error::FileError;
    use std::fs;

    fn words(list: &[&str]) -> Vocabulary {
        Vocabulary::Words {
            categories: list.iter().map(|word| (*word).to_string()).collect(),
        }
    }

    fn shared(layout: Layout, sites: usize, list: &[&str]) -> Schema {
        let names = (0..sites).map(|site| format!("site {site}")).collect();
        Schema::shared(layout, names, words(list))
    }

    fn table() -> Dataset {
        let site = |name: &str, vocabulary| Site {
            name: name.into(),
            vocabulary,
        };
        let schema = Schema::new(
            Layout::Table,
            vec![site("a, b", 0), site("quo\"te", 1), site("n", 2)],
            vec![
                words(&["x,y", "tab\there", "?"]),
                words(&["line\nbreak", "\"q\""]),
                Vocabulary::Integers { count: 300 },
            ],
        );
        Dataset::new(schema, vec![0, 0, 299, 1, 1, 0, 2, 0, 17]).unwrap()
    }

    #[test]
    fn what_is_written_reads_back() {
        let letters = ["-", "A", "C"];
        let sets = [
            table(),
            Dataset::new(Schema::integers(&[2, 3], true, 17), (0..12).collect()).unwrap(),
            Dataset::new(Schema::integers(&[2, 1, 3], false, 12), (0..12).collect()).unwrap(),
            Dataset::new(shared(Layout::Sequence, 2, &letters), vec![0, 1, 2, 0]).unwrap(),
            Dataset::new(
                shared(Layout::Text, 3, &[" ", "a", "é"]),
                vec![0, 1, 2, 2, 0, 0],
            )
            .unwrap(),
        ];
        let folder = tempfile::tempdir().unwrap();
        for data in &sets {
            for extension in writable(&data.schema.layout).split(", ") {
                let path = folder.path().join(format!("out{extension}"));
                write(data, &path).unwrap();
                let source = DataSource::File(path);
                let mut back = read_as(&source, &data.schema, &ReadOptions::default()).unwrap();
                // Some files have types, which the data had not.
                back.schema.types = data.schema.types.clone();
                assert_eq!(&back, data, "{extension}");
            }
        }
        // Nothing but the finished files is left.
        assert!(fs::read_dir(folder.path()).unwrap().all(|entry| {
            entry
                .unwrap()
                .file_name()
                .to_string_lossy()
                .starts_with("out")
        }));
    }

    #[test]
    fn equal_data_give_equal_archives_with_the_layouts_shape() {
        let folder = tempfile::tempdir().unwrap();
        let data = Dataset::new(Schema::integers(&[2, 3], true, 17), (0..12).collect()).unwrap();
        let bytes = |name: &str| {
            let path = folder.path().join(name);
            write(&data, &path).unwrap();
            fs::read(path).unwrap()
        };
        assert_eq!(bytes("a.npz"), bytes("b.npz"));
        let written = bytes("a.npy");
        let file = npyz::NpyFile::new(&written[..]).unwrap();
        assert_eq!(file.shape(), [2, 2, 3]);
        assert_eq!(file.into_vec::<u16>().unwrap(), data.labels());
    }

    #[test]
    fn text_windows_with_line_breaks_stand_apart() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.txt");
        let schema = shared(Layout::Text, 2, &["\n", "a", "b"]);
        write(
            &Dataset::new(schema.clone(), vec![1, 0, 2, 1]).unwrap(),
            &path,
        )
        .unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "a\n\n\nba\n\n");
        write(&Dataset::new(schema, vec![1, 1, 2, 1]).unwrap(), &path).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "aa\nba\n");
    }

    #[test]
    fn unsuitable_files_are_refused_and_nothing_is_left() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a.fasta", "a.txt", "a.png", "a", "a.csv.gz"] {
            let error = write(&table(), &folder.path().join(name)).unwrap_err();
            assert!(
                matches!(error, DataError::WriteFormat { legal, .. } if legal.contains(".csv"))
            );
        }
        let long = Dataset::new(shared(Layout::Sequence, 1, &["AB"]), vec![0]).unwrap();
        assert!(write(&long, &folder.path().join("a.fasta")).is_err());
        let nowhere = folder.path().join("missing").join("a.csv");
        assert!(matches!(
            write(&table(), &nowhere),
            Err(DataError::File(FileError::Io {
                action: "write",
                ..
            }))
        ));
        // A folder stands where the file should go: the rename fails, the folder stays.
        fs::create_dir(folder.path().join("b.csv")).unwrap();
        assert!(write(&table(), &folder.path().join("b.csv")).is_err());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
