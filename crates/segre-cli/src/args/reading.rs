//! Arguments that say how data are read.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, anyhow, ensure};
use clap::{Args, ValueEnum};
use segre::data::{
    ClassMap, ColumnKind, IgnoreAs, ImageOptions, ImageSize, Kinds, Levels, MISSING_WORDS, Missing,
    ReadOptions, Unseen,
};

use super::names::{self, Names};
use super::{at_least_one, memory};

/// How data files are read.
#[derive(Debug, Args)]
#[command(next_help_heading = "Reading data")]
pub struct Reading {
    /// Tables: what to do with missing fields (`?`, empty, NA)
    #[arg(
        hide_short_help = true,
        long,
        value_name = "WHAT",
        default_value = "category"
    )]
    pub missing: MissingFields,
    /// Tables: the first row is data, not names
    #[arg(hide_short_help = true, long)]
    pub no_header: bool,
    /// Tables: words that mean that a field is missing, comma-separated; empty fields always are
    /// [default: ?,NA,N/A,n/a,NaN,nan,NULL,null,<NA>,#N/A]
    #[arg(hide_short_help = true, long, value_name = "WORDS", value_parser = names::names)]
    pub missing_words: Option<Names>,
    /// Tables: columns to leave out, comma-separated (in double quotes if a name holds a comma)
    #[arg(hide_short_help = true, long, value_name = "NAMES", value_parser = names::names)]
    pub drop: Vec<Names>,
    /// Tables: the only columns to read, comma-separated
    #[arg(hide_short_help = true, long, value_name = "NAMES", value_parser = names::names)]
    pub columns: Vec<Names>,
    /// Tables: what columns hold, as age=number,zip=category,id=leave-out (else found out; also date), or a .json file that says so,
    /// as `segre info --json` prints it or SDV's metadata
    #[arg(
        hide_short_help = true,
        long,
        value_name = "NAME=KIND|FILE",
        value_parser = names::names
    )]
    pub columns_as: Vec<Names>,
    /// Tables: the column that says what each row weighs; it is no part of the model
    #[arg(hide_short_help = true, long, value_name = "COLUMN")]
    pub weights: Option<String>,
    /// Tables: what holds in every row and must hold in what is drawn, as 'start <= end' or 'age >= 18'; may be repeated
    #[arg(hide_short_help = true, long = "constraint", value_name = "INEQUALITY")]
    pub constraints: Vec<String>,
    /// Text: characters in a window
    #[arg(hide_short_help = true, long, value_name = "N", default_value_t = 64, value_parser = at_least_one)]
    pub text_window: usize,
    /// Tables, arrays and pictures: memory that a text, labels (two bytes each) or a column's numbers (eight) may take; more are kept
    /// in a temporary file (in TMPDIR), which needs their size twice
    #[arg(hide_short_help = true, long, value_name = "SIZE", default_value = "4GiB", value_parser = memory)]
    pub data_memory: u64,
    #[command(flatten)]
    pub pictures: PictureReading,
}

/// How pictures are read.
#[derive(Debug, Args)]
#[command(next_help_heading = "Reading pictures")]
pub struct PictureReading {
    /// Folders of PNG files: grey pictures, not label maps
    #[arg(hide_short_help = true, long)]
    pub gray: bool,
    /// Grey pictures: dark is ink, that is 255 − value in place of the value
    #[arg(hide_short_help = true, long)]
    pub invert: bool,
    /// Grey pictures: two labels, 1 above this fraction of the range [default: 0.5]
    #[arg(
        hide_short_help = true,
        allow_negative_numbers = true,
        long,
        value_name = "FRACTION",
        conflicts_with = "levels"
    )]
    pub threshold: Option<f64>,
    /// Grey pictures: this many equal levels
    #[arg(hide_short_help = true, long, value_name = "L")]
    pub levels: Option<usize>,
    /// Height and width to bring all pictures to: the nearest pixel, centres at half integers
    #[arg(hide_short_help = true, long, value_name = "HxW", value_parser = size)]
    pub size: Option<ImageSize>,
    /// Height and width that a network may pad pictures to; padding is neither scored nor written
    #[arg(hide_short_help = true, long, value_name = "HxW", value_parser = size)]
    pub pad: Option<ImageSize>,
    /// Label maps: cityscapes8, camvid12, or a table with the columns id, class and colour (#rrggbb)
    /// [default: every id is a class]
    #[arg(hide_short_help = true, long, value_name = "NAME|FILE")]
    pub classes: Option<String>,
    /// Label maps: ids that mean nothing, comma-separated
    #[arg(
        hide_short_help = true,
        long,
        value_name = "IDS",
        value_delimiter = ','
    )]
    pub ignore: Vec<u8>,
    /// Label maps: what becomes of ignored pixels
    #[arg(
        hide_short_help = true,
        long,
        value_name = "HOW",
        default_value = "class",
        requires = "ignore"
    )]
    pub ignore_as: Ignored,
}

/// What to do with missing fields.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum MissingFields {
    /// A category of its own
    Category,
    /// Leave the row out
    Drop,
}

/// What becomes of values that the fit's data did not have.
#[derive(Clone, Copy, Debug, Args)]
pub struct UnseenValues {
    /// Tables: what becomes of values that the fit has not seen
    #[arg(long, value_name = "WHAT", default_value = "error")]
    pub unseen: UnseenName,
}

/// The same by name.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum UnseenName {
    /// The file is refused, with the first of them
    Error,
    /// They count as missing
    Missing,
    /// Their rows are left out
    Skip,
}

impl UnseenValues {
    /// What the library calls it.
    pub fn choice(self) -> Unseen {
        match self.unseen {
            UnseenName::Error => Unseen::Error,
            UnseenName::Missing => Unseen::Missing,
            UnseenName::Skip => Unseen::SkipRow,
        }
    }
}

/// What to do with ignored pixels.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Ignored {
    /// One class of their own
    Class,
    /// The class of the nearest pixel that is not ignored
    Fill,
}

impl Reading {
    /// The library's options.
    ///
    /// # Errors
    /// If the file of classes cannot be read.
    pub fn options(&self, seed: u64) -> Result<ReadOptions> {
        let (files, words) = self.columns_as();
        let mut known = Kinds::default();
        for file in files {
            let found = Kinds::load(Path::new(&file)).context("--columns-as")?;
            known.kinds.extend(found.kinds);
            known.date_formats.extend(found.date_formats);
        }
        Ok(ReadOptions {
            missing: match self.missing {
                MissingFields::Category => Missing::Category,
                MissingFields::Drop => Missing::DropRows,
            },
            has_header: !self.no_header,
            missing_words: match &self.missing_words {
                Some(words) => names::all(std::slice::from_ref(words)),
                None => MISSING_WORDS.map(str::to_owned).to_vec(),
            },
            drop_columns: names::all(&self.drop),
            only_columns: (!self.columns.is_empty()).then(|| names::all(&self.columns)),
            columns_as: kinds_of(words)?,
            kinds: known.kinds,
            date_formats: known.date_formats,
            weights: self.weights.clone(),
            constraints: self.constraints.clone(),
            text_window: self.text_window,
            images: self.pictures.options()?,
            memory: self.data_memory,
            builtin_seed: seed,
            ..ReadOptions::default()
        })
    }
}

impl Reading {
    /// The files and the single words that say what columns hold.
    fn columns_as(&self) -> (Vec<String>, Vec<String>) {
        let words = names::all(&self.columns_as).into_iter();
        words.partition(|word| !word.contains('=') && word.ends_with(".json"))
    }
}

/// `age=number`: columns, and what they hold. A name may hold `=` itself.
fn kinds_of(words: Vec<String>) -> Result<BTreeMap<String, ColumnKind>> {
    let kind = |word: String| -> Result<(String, ColumnKind)> {
        let refused = |problem: String| {
            anyhow!(
                "--columns-as: {problem}; write NAME=KIND or FILE.json; kinds are {}",
                ColumnKind::NAMES
            )
        };
        let (name, kind) = names::pair(&word, true).map_err(refused)?;
        Ok((name, kind.parse().map_err(refused)?))
    };
    words.into_iter().map(kind).collect()
}

impl PictureReading {
    fn options(&self) -> Result<ImageOptions> {
        Ok(ImageOptions {
            gray: self.gray,
            invert: self.invert,
            levels: match (self.threshold, self.levels) {
                (Some(threshold), _) => Some(Levels::Threshold(threshold)),
                (None, levels) => levels.map(Levels::Equal),
            },
            size: self.size,
            pad_to: self.pad,
            classes: self.classes.as_deref().map(ClassMap::load).transpose()?,
            ignore: self.ignore.clone(),
            ignore_as: match self.ignore_as {
                Ignored::Class => IgnoreAs::Class,
                Ignored::Fill => IgnoreAs::Fill,
            },
        })
    }
}

/// `64x128`: height, then width.
fn size(text: &str) -> Result<ImageSize> {
    let parts = text.split_once(['x', '×']);
    let (height, width) = parts.context("write a size as 64x128, height before width")?;
    let length = |text: &str| -> Result<usize> {
        let length = text
            .parse()
            .context("write a size as 64x128, height before width")?;
        ensure!(
            (1..=65_536).contains(&length),
            "height and width must be from 1 to 65536"
        );
        Ok(length)
    };
    Ok(ImageSize {
        height: length(height)?,
        width: length(width)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The options with which a page says that data were read are those that they were read with.
    #[test]
    fn what_a_page_says_reads_the_same() {
        use clap::Parser;
        use segre_report::page::repeat::{Script, reading};
        #[derive(Parser)]
        struct Line {
            #[command(flatten)]
            reading: Reading,
        }
        let options = |words: &[String]| {
            let line = ["segre".to_owned()]
                .into_iter()
                .chain(words.iter().cloned());
            Line::parse_from(line).reading.options(0).unwrap()
        };
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).display().to_string();
        let own = "id,class,colour\n4,road,#804080\n1,\"a, b\",\n2,road,\n";
        std::fs::write(path("own.csv"), own).unwrap();
        let kinds = r##"{"columns_as": {"zip": "category"}, "date_formats": {"day": "%d.%m.%Y"}}"##;
        std::fs::write(path("own.json"), kinds).unwrap();
        let lines = [
            "",
            "--no-header --missing drop --missing-words none --text-window 9",
            "--missing-words  --drop a,\"b,_c\" --columns x,y --weights w --constraint a<=b --constraint b>=2",
            "--columns-as OWN.json --columns-as a=b=number,\"c,d\"=date",
            "--gray --invert --threshold 0.3 --size 4x6 --pad 8x8",
            "--levels 5 --classes camvid12 --ignore 0,7 --ignore-as fill",
            "--classes OWN.csv --ignore 255",
        ];
        for line in lines {
            let word = |word: &str| {
                let word = word.replace("OWN.csv", &path("own.csv"));
                word.replace("OWN.json", &path("own.json"))
                    .replace('_', " ")
            };
            let words: Vec<String> = line.split(' ').map(word).collect();
            let asked = options(if line.is_empty() { &[] } else { &words });
            let mut said = Script::default();
            reading(&mut said, &asked);
            for (name, text) in &said.files {
                std::fs::write(path(name), text).unwrap();
                let file = said.words.iter_mut().filter(|word| word == name);
                file.for_each(|word| *word = path(name));
            }
            assert_eq!(options(&said.words), asked, "{line}: {:?}", said.words);
        }
    }

    #[test]
    fn sizes_have_the_height_first() {
        let found = size("64x128").unwrap();
        assert_eq!((found.height, found.width), (64, 128));
        assert_eq!(found.to_string(), "64x128");
        for bad in ["", "64", "64x", "x64", "0x4", "4x-1", "4x4x4", "1x70000"] {
            assert!(size(bad).is_err(), "{bad}");
        }
    }
}
