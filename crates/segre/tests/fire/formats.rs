//! Valid files of every format, and what is tried with damaged ones.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use segre::data::{
    self, ClassMap, DataSource, ImageOptions, MissingIs, ReadOptions, RowClasses, Schema, SiteMask,
};
use segre::recipe::Recipe;
use segre::{Fit, Model};

/// A format.
pub struct Format {
    pub name: String,
    /// The file that is damaged.
    pub file: PathBuf,
    /// What it may hold.
    pub valid: Vec<Vec<u8>>,
    /// Whether that is compressed by gzip.
    pub packed: bool,
    /// So many times fewer inputs, where each takes long.
    pub effort: u64,
    /// Reads it in every way that there is; what is said against it.
    pub attempt: Box<dyn Fn() -> Vec<String>>,
}

fn options() -> ReadOptions {
    ReadOptions {
        text_window: 4,
        ..ReadOptions::default()
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// What is said of a file of data: read anew, into the schema of the first valid file, and with unknown labels.
fn of_data(path: &Path, valid: Vec<Vec<u8>>, options: ReadOptions) -> Format {
    of_source(path, path, valid, options)
}

/// The same of a file that is read with its folder.
fn of_source(read: &Path, path: &Path, valid: Vec<Vec<u8>>, options: ReadOptions) -> Format {
    let own = path.to_path_buf();
    let source = DataSource::File(read.to_path_buf());
    put(path, &valid[0]);
    let schema = data::read(&source, &options).unwrap().schema;
    let attempt = move || {
        let tried = [
            data::read(&source, &options).map(drop),
            data::read_as(&source, &schema, &options).map(drop),
            data::read_partial(&source, &schema, &options, MissingIs::Unknown).map(drop),
        ];
        let failed = tried.into_iter().filter_map(Result::err);
        // What differs between data and schema is said of the data, which have no name there.
        failed
            .map(|error| match &error {
                data::DataError::SchemaMismatch { .. } => format!("{}: {error}", own.display()),
                _ => error.to_string(),
            })
            .collect()
    };
    Format {
        name: path.file_name().unwrap().to_string_lossy().into_owned(),
        file: path.to_path_buf(),
        packed: false,
        effort: 1,
        attempt: Box::new(attempt),
        valid,
    }
}

fn put(path: &Path, bytes: &[u8]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

fn other(
    name: &str,
    file: PathBuf,
    valid: Vec<Vec<u8>>,
    attempt: impl Fn(&Path) -> Result<(), String> + 'static,
) -> Format {
    let path = file.clone();
    Format {
        name: name.to_owned(),
        file,
        valid,
        packed: false,
        effort: 1,
        attempt: Box::new(move || attempt(&path).err().into_iter().collect()),
    }
}

/// A `.npy` file.
fn npy(version: u8, descr: &str, fortran: &str, shape: &str, bytes: &[u8]) -> Vec<u8> {
    let header = format!("{{'descr': {descr}, 'fortran_order': {fortran}, 'shape': {shape}, }}\n");
    let mut file = b"\x93NUMPY".to_vec();
    file.extend([version, 0]);
    let length = (header.len() as u32).to_le_bytes();
    file.extend(&length[..if version == 1 { 2 } else { 4 }]);
    file.extend(header.as_bytes());
    file.extend(bytes);
    file
}

fn arrays() -> Vec<Vec<u8>> {
    let bytes: Vec<u8> = (0..24).map(|value| value % 3).collect();
    let wide: Vec<u8> = bytes
        .iter()
        .flat_map(|value| u32::from(*value).to_le_bytes())
        .collect();
    let real: Vec<u8> = bytes
        .iter()
        .flat_map(|value| f32::from(*value).to_le_bytes())
        .collect();
    vec![
        npy(1, "'|u1'", "False", "(4, 2, 3)", &bytes),
        npy(1, "'<i4'", "True", "(4, 2L, 3)", &wide),
        npy(2, "'<f4'", "False", "(4, 2, 3)", &real),
        npy(
            3,
            "[('a', '|u1'), ('b', '|u1', (2,))]",
            "False",
            "(8,)",
            &bytes,
        ),
    ]
}

fn picture(kind: png::ColorType, depth: png::BitDepth, packed: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, 4, 2);
    encoder.set_color(kind);
    encoder.set_depth(depth);
    if kind == png::ColorType::Indexed {
        encoder.set_palette((0..48).collect::<Vec<u8>>());
    }
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(packed).unwrap();
    writer.finish().unwrap();
    bytes
}

fn idx(rows: u8) -> Vec<u8> {
    let mut bytes = vec![0, 0, 8, 3, 0, 0, 0, rows, 0, 0, 0, 2, 0, 0, 0, 2];
    bytes.extend((0..4 * rows).map(|value| value.wrapping_mul(37)));
    bytes
}

const TABLES: [&str; 4] = [
    "colour,size,\"a \"\"b\"\", c\"\nred,1,x\n\"blue, dark\",2.5,?\ngreen,,y\nred,3,x\n",
    "colour;size;\"a \"\"b\"\", c\"\r\nred;1,5;x\r\nblue, dark;2,5;y\r\n",
    "when,number\n2024-01-02,1\n2024-02-03,-2\n2023-12-31,1e3\n2024-05-05,4\n",
    "id,text\n1,a\n2,b\n3,c\n",
];
const ALIGNMENTS: [&str; 3] = [
    ">one\nACGT\nAC\n>two x\nAC-TAC\n",
    ">one\r\nacgtac\r\n>two\r\nAC.*nX\r\n",
    ">one\nACGTAC\n\n>two\nAcgCG-TAC\n",
];

/// All formats, with files in a folder.
pub fn all(folder: &Path) -> Vec<Format> {
    let texts = |texts: &[&str]| {
        texts
            .iter()
            .map(|text| text.as_bytes().to_vec())
            .collect::<Vec<_>>()
    };
    let at = |name: &str| folder.join(name);
    let gray = ReadOptions {
        images: ImageOptions {
            gray: true,
            ..ImageOptions::default()
        },
        ..options()
    };
    let maps = vec![
        picture(
            png::ColorType::Indexed,
            png::BitDepth::Four,
            &[0x12, 0x01, 0x00, 0x21],
        ),
        picture(
            png::ColorType::Grayscale,
            png::BitDepth::Eight,
            &[0, 1, 2, 0, 1, 1, 2, 2],
        ),
        picture(png::ColorType::Grayscale, png::BitDepth::One, &[0x50, 0xa0]),
    ];
    let mut formats = vec![
        of_data(&at("a.csv"), texts(&TABLES), options()),
        of_data(&at("a.tsv"), texts(&["a\tb\nx\t1\ny\t2\n"]), options()),
        of_data(&at("a.fasta"), texts(&ALIGNMENTS[..2]), options()),
        of_data(&at("a.a3m"), texts(&ALIGNMENTS), options()),
        of_data(
            &at("a.txt"),
            texts(&[
                "some text, and more of it\nin two lines",
                "naïve “text”\r\nabc\r\n",
            ]),
            options(),
        ),
        of_data(&at("a.npy"), arrays(), options()),
        of_source(&at("a.npz:x"), &at("a.npz"), archives(), options()),
        of_data(&at("images.idx"), vec![idx(3), idx(1)], options()),
    ];
    for (name, valid) in [
        ("a.csv.gz", texts(&TABLES)),
        ("a.npy.gz", arrays()),
        ("images.idx.gz", vec![idx(3)]),
    ] {
        let valid = valid.iter().map(|bytes| gzip(bytes)).collect();
        formats.push(Format {
            packed: true,
            effort: 2,
            ..of_data(&at(name), valid, options())
        });
    }
    for (name, options) in [("maps", options()), ("gray", gray)] {
        let valid = maps[usize::from(name == "gray")..].to_vec();
        let own = of_source(&at(name), &at(name).join("a.png"), valid, options);
        formats.push(Format {
            name: format!("{name}/a.png"),
            ..own
        });
    }
    formats.extend(typed(folder));
    formats.extend(beside(folder, &maps));
    formats.extend(models(folder));
    formats
}

fn archives() -> Vec<Vec<u8>> {
    let archive = |method| {
        let mut bytes = std::io::Cursor::new(Vec::new());
        let mut archive = npyz::npz::NpzWriter::new(&mut bytes);
        use npyz::WriterBuilder;
        for name in ["x", "y"] {
            let options = npyz::zip::write::FileOptions::default().compression_method(method);
            let array = archive.array::<u8>(name, options).unwrap();
            let mut array = array.default_dtype().shape(&[4, 2, 3]).begin_nd().unwrap();
            array.extend((0..24).map(|value| value % 3)).unwrap();
            array.finish().unwrap();
        }
        drop(archive);
        bytes.into_inner()
    };
    use npyz::zip::CompressionMethod::{Deflated, Stored};
    vec![archive(Stored), archive(Deflated)]
}

#[cfg(feature = "arrow")]
fn typed(folder: &Path) -> Vec<Format> {
    let table = folder.join("typed.csv");
    put(&table, TABLES[0].as_bytes());
    let data = data::read(&DataSource::File(table), &options()).unwrap();
    let format = |name: &str| {
        let path = folder.join(name);
        data::write(&data, &path).unwrap();
        let valid = vec![fs::read(&path).unwrap()];
        of_data(&path, valid, options())
    };
    vec![format("a.parquet"), format("a.arrow")]
}

#[cfg(not(feature = "arrow"))]
fn typed(_: &Path) -> Vec<Format> {
    Vec::new()
}

/// What is given beside data: masks, classes, recipes.
fn beside(folder: &Path, maps: &[Vec<u8>]) -> Vec<Format> {
    let pictures = folder.join("pictures.npy");
    put(
        &pictures,
        &npy(1, "'|u1'", "False", "(1, 2, 4)", &[0, 1, 0, 1, 2, 0, 1, 2]),
    );
    let schema: Schema = data::read(&DataSource::File(pictures), &options())
        .unwrap()
        .schema;
    let masks = |name: &str, valid: Vec<Vec<u8>>| {
        let schema = schema.clone();
        other(name, folder.join(name), valid, move |path| {
            SiteMask::read(path, &schema)
                .map(drop)
                .map_err(|error| error.to_string())
        })
    };
    let mask: Vec<u8> = (0..8).map(|value| value % 2).collect();
    let labels = b"\0\0\x08\x01\0\0\0\x04\0\x01\x02\0".to_vec();
    vec![
        masks("mask.npy", vec![npy(1, "'|b1'", "False", "(2, 4)", &mask)]),
        masks("mask.png", maps.to_vec()),
        other(
            "labels.idx",
            folder.join("labels.idx"),
            vec![labels],
            |path| {
                RowClasses::read(path, None, "a.idx", 4)
                    .map(drop)
                    .map_err(|error| error.to_string())
            },
        ),
        other(
            "classes.csv",
            folder.join("classes.csv"),
            vec![b"id,class,colour\n7,road,#ff0080\n3,sky,\n9,road,\n".to_vec()],
            |path| {
                ClassMap::load(&path.to_string_lossy())
                    .map(drop)
                    .map_err(|error| error.to_string())
            },
        ),
        other(
            "recipe.toml",
            folder.join("recipe.toml"),
            vec![
                b"seed = 3\n[network]\nkind = \"dense\"\nhidden = 16\n[training]\nsteps = 10\n"
                    .to_vec(),
            ],
            |path| {
                let Ok(text) = fs::read_to_string(path) else {
                    return Ok(());
                };
                Recipe::parse(&text, "recipe.toml")
                    .map(drop)
                    .map_err(|error| error.to_string())
            },
        ),
    ]
}

/// The files of a model's folder: it is loaded, a row drawn from it, its run taken up.
fn models(folder: &Path) -> Vec<Format> {
    let table = folder.join("votes.csv");
    let rows: String = (0..40)
        .map(|row| ["a,x\n", "b,y\n", "a,y\n"][row % 3])
        .collect();
    put(&table, format!("one,two\n{rows}").as_bytes());
    let source = table.to_string_lossy().into_owned();
    let own = folder.join("model");
    let recipe = Recipe::parse(
        "[network]\nkind = \"residual\"\nhidden = 4\nblocks = 1\n[training]\nsteps = 2\n",
        "r",
    )
    .unwrap();
    let fit = Fit::to_source(&source, &options())
        .recipe(recipe.clone())
        .out(&own);
    fit.run().unwrap();
    ["config.json", "model.safetensors", "checkpoint.safetensors"]
        .map(|name| {
            let valid = vec![fs::read(own.join(name)).unwrap()];
            let (own, source, recipe) = (own.clone(), source.clone(), recipe.clone());
            // Each has a folder of its own, in which the other files are whole.
            let there = folder.join(format!("model-{name}"));
            fs::create_dir_all(&there).unwrap();
            for file in fs::read_dir(&own).unwrap().flatten() {
                fs::copy(file.path(), there.join(file.file_name())).unwrap();
            }
            let checkpoint = name == "checkpoint.safetensors";
            let format = other(
                &format!("model/{name}"),
                there.join(name),
                valid,
                move |path| {
                    let folder = path.parent().unwrap();
                    if checkpoint {
                        let fit = Fit::to_source(&source, &options())
                            .recipe(recipe.clone())
                            .out(folder);
                        return fit
                            .resume(true)
                            .start()
                            .map(drop)
                            .map_err(|error| error.to_string());
                    }
                    let model = Model::load(folder).map_err(|error| error.to_string())?;
                    model
                        .sample(1)
                        .map(drop)
                        .map_err(|error| format!("{}: {error}", path.display()))
                },
            );
            Format {
                effort: 10,
                ..format
            }
        })
        .into()
}
