//! A run of an experiment: its folder, its cells, its progress, and how it goes on after an interruption.

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use segre::atomic::check_writable;
use segre::progress::{Control, Event, Observer, Progress};
use segre::run::{FolderLock, is_left_over};
use segre::{Device, atomic};

use super::results::{CSV_FILE, JSON_FILE, Measured, REPORT_FILE, Results, Row, Settings, Summary};
use super::write_up::{WriteUp, markdown, terminal_table};
use super::{Definition, RunArguments};
use crate::args::Common;
use crate::interrupt;
use crate::report::json::print_object;
use crate::report::progress::{Bar, Display};
use segre_report::pictures::drawing::Drawing;

/// An experiment under way.
pub struct Run {
    name: &'static str,
    folder: PathBuf,
    device: Device,
    display: Display,
    quick: bool,
    model: Option<PathBuf>,
    seeds: Vec<u64>,
    results: Results,
    bar: Option<Bar>,
    planned: usize,
    /// Cells that are done, those of a former run included.
    done: usize,
    started: Instant,
    _lock: FolderLock,
}

impl Run {
    /// Prepares the folder; everything that can be refused is refused before it is touched.
    pub fn begin(
        definition: &Definition,
        arguments: &RunArguments,
        common: &Common,
    ) -> Result<Self> {
        ensure!(
            arguments.model.is_none() || definition.name == super::likelihood::DEFINITION.name,
            "--model is for the experiment likelihood, not for {}; leave it out",
            definition.name
        );
        let device = common.device.open()?;
        let folder = match &arguments.out {
            Some(folder) => folder.clone(),
            None => Path::new("experiments").join(definition.name),
        };
        if arguments.resume || arguments.force {
            FolderLock::refuse_taken(&folder)?;
        }
        let former = match arguments.resume {
            true => Some(Results::read(&folder)?),
            false => None,
        };
        let seeds = seeds(definition, arguments, common, former.as_ref())?;
        let mut results = Results {
            experiment: definition.name.to_owned(),
            about: definition.about.to_owned(),
            source: definition.source.to_owned(),
            quantity: definition.quantity.to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            command: command(&folder, definition, arguments, &seeds),
            quick: arguments.quick,
            seeds: seeds.clone(),
            columns: Vec::new(),
            rows: Vec::new(),
            summary: Vec::new(),
            files: Vec::new(),
        };
        let mut lock = None;
        if arguments.resume {
            lock = Some(FolderLock::take(&folder)?);
            // What another process may have measured before the folder was ours.
            let former = Results::read(&folder)?;
            former.check_same(&results, &folder)?;
            results.seeds.extend(former.seeds);
            results.seeds.sort_unstable();
            results.seeds.dedup();
            results.columns = former.columns;
            results.rows = former.rows;
            results.summary = former.summary;
            results.files = former.files;
        } else if !is_empty(&folder)? {
            match arguments.force {
                true => {
                    readable(&folder)?;
                    lock = Some(FolderLock::take(&folder)?);
                    clear(&folder)?;
                }
                false => bail!(
                    "{} is not empty; go on with --resume, replace it with --force, or choose another --out",
                    folder.display()
                ),
            }
        }
        fs::create_dir_all(&folder)
            .with_context(|| format!("cannot create {}; choose another --out", folder.display()))?;
        let lock = match lock {
            Some(lock) => lock,
            None => FolderLock::take(&folder)?,
        };
        check_writable(&folder.join(JSON_FILE))?;
        results.write(&folder)?;
        Ok(Self {
            name: definition.name,
            folder,
            device,
            display: common.display(),
            quick: arguments.quick,
            model: arguments.model.clone(),
            seeds,
            results,
            bar: None,
            planned: 0,
            done: 0,
            started: Instant::now(),
            _lock: lock,
        })
    }

    /// Whether a rough version is asked for.
    pub fn quick(&self) -> bool {
        self.quick
    }

    /// The fitted model that is to be measured too.
    pub fn model(&self) -> Option<PathBuf> {
        self.model.clone()
    }

    /// `quick` if a rough version is asked for, else `full`.
    pub fn choose<T>(&self, quick: T, full: T) -> T {
        if self.quick { quick } else { full }
    }

    /// The seeds to repeat every cell with.
    pub fn seeds(&self) -> Vec<u64> {
        self.seeds.clone()
    }

    /// Means over the seeds of what is measured so far, in the order of the cells.
    pub fn summary(&self) -> &[Summary] {
        &self.results.summary
    }

    /// Says how many cells there will be, for the progress and its end.
    pub fn plan(&mut self, cells: usize) {
        self.planned = cells;
        let mut bar = Bar::new(self.display);
        let done = self.results.rows.len().min(cells) as f64 / cells.max(1) as f64;
        bar.show(&Progress::part(self.name, done), String::new);
        self.bar = Some(bar);
    }

    /// Measures one cell and stores it at once; a cell that is there already is left as it is.
    ///
    /// # Errors
    /// What measuring fails with; after Ctrl-C a line that tells how to go on.
    pub fn cell(
        &mut self,
        settings: &[(&str, &str)],
        seed: u64,
        measure: impl FnOnce(&mut Cell) -> Result<Measured>,
    ) -> Result<()> {
        let own: Settings = settings
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        if self.results.find(&own, seed).is_some() {
            self.done += 1;
            return Ok(());
        }
        self.refuse_if_interrupted()?;
        let values: Vec<&str> = settings.iter().map(|(_, value)| *value).collect();
        let label = format!("{}, seed {seed}", values.join(", "));
        let start = Instant::now();
        let mut cell = Cell {
            folder: &self.folder,
            device: &self.device,
            seed,
            label: format!("cell {} of {}: {label}", self.done + 1, self.planned),
            bar: self.bar.as_mut(),
            name: self.name,
            before: self.done,
            planned: self.planned,
            files: Vec::new(),
        };
        let measured = measure(&mut cell);
        let files = cell.files;
        let measured = match measured {
            Ok(measured) => measured,
            Err(error) => {
                // Whatever the work said when it was stopped, this is what the user wants to know.
                self.refuse_if_interrupted()?;
                return Err(error);
            }
        };
        let seconds = start.elapsed().as_secs_f64();
        let note = format!("{label}: {:.5} in {seconds:.1} s", measured.value);
        let row = Row {
            settings: own,
            seed,
            measured,
            seconds,
        };
        self.results.push(row, settings);
        self.remember(files);
        self.results.write(&self.folder)?;
        self.done += 1;
        if let Some(bar) = &mut self.bar {
            bar.note(&note);
        }
        Ok(())
    }

    fn refuse_if_interrupted(&self) -> Result<()> {
        ensure!(
            !interrupt::asked(),
            "stopped with {} of {} cells measured; go on with: {} --resume",
            self.results.rows.len(),
            self.planned,
            self.results.command
        );
        Ok(())
    }

    fn remember(&mut self, files: Vec<String>) {
        for file in files {
            if !self.results.files.contains(&file) {
                self.results.files.push(file);
            }
        }
    }

    /// A file in the folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Reads a file that a cell has written, perhaps in a former run.
    pub fn read(&self, name: &str) -> Result<String> {
        let path = self.folder.join(name);
        fs::read_to_string(&path)
            .with_context(|| format!("cannot read {}; start anew with --force", path.display()))
    }

    /// Writes a picture into the folder.
    pub fn picture(&mut self, name: &str, drawing: &Drawing) -> Result<()> {
        drawing.write_png(&self.folder.join(name))?;
        self.remember(vec![name.to_owned()]);
        Ok(())
    }

    /// Writes any other file into the folder.
    pub fn write(&mut self, name: &str, contents: &[u8]) -> Result<()> {
        atomic::write_bytes(&self.folder.join(name), contents)?;
        self.remember(vec![name.to_owned()]);
        Ok(())
    }

    /// Writes the report and prints the summary.
    pub fn finish(mut self, write_up: &WriteUp, common: &Common) -> Result<()> {
        if let Some(bar) = self.bar.take() {
            let (cells, seconds) = (
                self.results.rows.len(),
                self.started.elapsed().as_secs_f64(),
            );
            bar.finish(&format!("{cells} cells, {seconds:.0} s"));
        }
        let report = markdown(&self.results, write_up);
        self.results.write(&self.folder)?;
        atomic::write_bytes(&self.folder.join(REPORT_FILE), report.as_bytes())?;
        if common.json {
            return print_object(&self.results);
        }
        println!("{}", self.results.quantity);
        print!("{}", terminal_table(&self.results, write_up));
        println!(
            "results, pictures and {REPORT_FILE} are in {}",
            self.folder.display()
        );
        Ok(())
    }
}

/// A cell being measured: what training and sampling need of the run.
pub struct Cell<'a> {
    folder: &'a Path,
    pub device: &'a Device,
    pub seed: u64,
    label: String,
    bar: Option<&'a mut Bar>,
    name: &'static str,
    before: usize,
    planned: usize,
    files: Vec<String>,
}

impl<'a> Cell<'a> {
    /// Tells the done fraction of this cell and what is going on.
    pub fn tell(&mut self, fraction: f64, doing: impl FnOnce() -> String) {
        let cells = self.before as f64 + fraction.clamp(0.0, 1.0);
        let told = Progress::part(self.name, cells / self.planned.max(1) as f64);
        let label = &self.label;
        if let Some(bar) = &mut self.bar {
            bar.show(&told, || format!("{label} · {}", doing()));
        }
    }

    /// Who watches a part of this cell's work, from one fraction of it to another.
    pub fn watch(&mut self, part: Range<f64>, doing: &'static str) -> Watch<'_, 'a> {
        Watch {
            cell: self,
            part,
            doing,
        }
    }

    /// Writes data that a picture needs into the folder.
    pub fn write(&mut self, name: &str, contents: &[u8]) -> Result<()> {
        atomic::write_bytes(&self.folder.join(name), contents)?;
        self.files.push(name.to_owned());
        Ok(())
    }
}

/// Shows a part of a cell's work as such.
pub struct Watch<'c, 'a> {
    cell: &'c mut Cell<'a>,
    part: Range<f64>,
    doing: &'static str,
}

impl Observer for Watch<'_, '_> {
    fn tell(&mut self, progress: &Progress) -> Control {
        let Range { start, end } = self.part;
        let (fraction, doing) = (start + (end - start) * progress.fraction, self.doing);
        self.cell.tell(fraction, || match progress.event {
            Event::Step { step, loss, .. } => format!("{doing}, step {step}, loss {loss:.4}"),
            _ => doing.to_owned(),
        });
        interrupt::control()
    }
}

/// The seeds that are asked for; a run that goes on has its own, and further ones are counted from its first.
fn seeds(
    definition: &Definition,
    arguments: &RunArguments,
    common: &Common,
    former: Option<&Results>,
) -> Result<Vec<u64>> {
    let own = former.map_or(&[][..], |former| &former.seeds);
    if common.seed.is_none() && arguments.seeds.is_none() && !own.is_empty() {
        return Ok(own.to_vec());
    }
    let first = common.seed.or(own.first().copied()).unwrap_or(0);
    let count = arguments
        .seeds
        .unwrap_or_else(|| usual_seeds(definition, arguments));
    let last = first
        .checked_add(count - 1)
        .context("--seed and --seeds lead beyond the largest seed")?;
    Ok((first..=last).collect())
}

/// How many seeds are measured if nothing else is asked for.
fn usual_seeds(definition: &Definition, arguments: &RunArguments) -> u64 {
    if arguments.quick { 1 } else { definition.seeds }
}

/// The command that makes this run, and goes on with it when `--resume` is added.
fn command(
    folder: &Path,
    definition: &Definition,
    arguments: &RunArguments,
    seeds: &[u64],
) -> String {
    let mut command = format!("segre experiment run {}", definition.name);
    if arguments.out.is_some() {
        command += &format!(" --out {}", folder.display());
    }
    if let Some(model) = &arguments.model {
        command += &format!(" --model {}", model.display());
    }
    if arguments.quick {
        command += " --quick";
    }
    // Seeds that were added later may leave gaps, which no command says at once; going on knows them all the same.
    if let (Some(first), Some(last)) = (seeds.first(), seeds.last())
        && last - first + 1 == seeds.len() as u64
    {
        if seeds.len() as u64 != usual_seeds(definition, arguments) {
            command += &format!(" --seeds {}", seeds.len());
        }
        if *first > 0 {
            command += &format!(" --seed {first}");
        }
    }
    command
}

fn is_empty(folder: &Path) -> Result<bool> {
    if !folder.exists() {
        return Ok(true);
    }
    ensure!(
        folder.is_dir(),
        "{} is not a folder; choose another --out",
        folder.display()
    );
    let left = |entry: std::io::Result<fs::DirEntry>| {
        entry.is_ok_and(|entry| is_left_over(&entry.file_name().to_string_lossy()))
    };
    Ok(fs::read_dir(folder)?.all(left))
}

/// The results in a folder that is to be replaced.
fn readable(folder: &Path) -> Result<Results> {
    Results::read(folder).with_context(|| {
        format!(
            "{} is not the folder of an experiment; choose another --out",
            folder.display()
        )
    })
}

/// Removes what a former run left, and nothing else.
fn clear(folder: &Path) -> Result<()> {
    let former = readable(folder)?;
    let fixed = [REPORT_FILE, CSV_FILE, JSON_FILE].map(str::to_owned);
    for name in former.files.iter().chain(&fixed) {
        // A damaged list must not lead out of the folder.
        ensure!(
            Path::new(name).file_name() == Some(name.as_ref()),
            "{name:?} in {} is no file name",
            folder.join(JSON_FILE).display()
        );
        let path = folder.join(name);
        if path.exists() {
            fs::remove_file(&path).with_context(|| format!("cannot remove {}", path.display()))?;
        }
    }
    Ok(())
}
