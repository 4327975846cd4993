//! The results of an experiment: one row per measured cell, their files, and their mean over seeds.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use segre::atomic;
use segre::evaluation::divergence::DivergenceReport;
use serde::{Deserialize, Deserializer, Serialize};

/// What is measured in one cell.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// The experiment's quantity.
    #[serde(deserialize_with = "finite_or_infinite")]
    pub value: f64,
    /// Standard error of the value within the cell; what seeds add is seen in the summary.
    pub std_error: Option<f64>,
    /// The value of a perfect method, such as the floor of a perfect sampler.
    pub floor: Option<f64>,
    /// The value of a uniform sampler.
    pub uniform: Option<f64>,
    /// Evaluations of the network per sample.
    pub function_evaluations: Option<usize>,
    /// Whatever else is worth a column.
    pub further: BTreeMap<String, f64>,
}

impl Measured {
    /// The divergence as the value.
    pub fn of(found: &DivergenceReport) -> Self {
        Self {
            value: found.kl,
            std_error: Some(found.kl_std_error),
            floor: Some(found.kl_floor),
            uniform: Some(found.kl_uniform),
            function_evaluations: Some(found.function_evaluations),
            further: BTreeMap::new(),
        }
        .and("total_variation", found.total_variation)
        .and("samples", found.samples as f64)
    }

    /// With one more column; a value that is not finite leaves its field empty.
    #[must_use]
    pub fn and(mut self, name: &str, value: f64) -> Self {
        if value.is_finite() {
            self.further.insert(name.to_owned(), value);
        }
        self
    }
}

/// JSON knows no infinity: it is written as `null`.
fn finite_or_infinite<'de, D: Deserializer<'de>>(input: D) -> Result<f64, D::Error> {
    Ok(Option::<f64>::deserialize(input)?.unwrap_or(f64::INFINITY))
}

/// Names and values of what tells the cells of an experiment apart, but for the seed.
pub type Settings = BTreeMap<String, String>;

/// A measured cell.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    pub settings: Settings,
    pub seed: u64,
    #[serde(flatten)]
    pub measured: Measured,
    /// Wall time of the cell.
    pub seconds: f64,
}

/// The cells of equal settings over all seeds: means, and the standard deviation of the value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    pub settings: Settings,
    pub seeds: usize,
    #[serde(deserialize_with = "finite_or_infinite")]
    pub mean: f64,
    /// Standard deviation over seeds, none for one seed.
    pub sigma: Option<f64>,
    /// Root mean square of the standard errors within the cells.
    pub std_error: Option<f64>,
    pub floor: Option<f64>,
    pub uniform: Option<f64>,
    pub function_evaluations: Option<f64>,
    pub seconds: f64,
    pub further: BTreeMap<String, f64>,
}

/// Everything that is measured in a run, as in `results.json`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Results {
    pub experiment: String,
    pub about: String,
    pub source: String,
    pub quantity: String,
    pub version: String,
    pub command: String,
    pub quick: bool,
    pub seeds: Vec<u64>,
    /// Names of the settings in their order.
    pub columns: Vec<String>,
    pub rows: Vec<Row>,
    pub summary: Vec<Summary>,
    /// Pictures and data beside this file.
    pub files: Vec<String>,
}

pub const JSON_FILE: &str = "results.json";
pub const CSV_FILE: &str = "results.csv";
pub const REPORT_FILE: &str = "REPORT.md";

impl Results {
    /// Reads the results of a former run.
    pub fn read(folder: &Path) -> Result<Self> {
        let path = folder.join(JSON_FILE);
        let text = fs::read_to_string(&path).with_context(|| {
            format!(
                "{} has no results to go on with; leave --resume out",
                folder.display()
            )
        })?;
        serde_json::from_str(&text).with_context(|| {
            format!(
                "{} is damaged; start anew with --force or another --out",
                path.display()
            )
        })
    }

    /// Refuses to mix results that are not of one experiment.
    pub fn check_same(&self, other: &Self, folder: &Path) -> Result<()> {
        let word = |quick: bool| if quick { "with" } else { "without" };
        let folder = folder.display();
        ensure!(
            self.experiment == other.experiment,
            "{folder} holds {}, not {}; choose another --out",
            self.experiment,
            other.experiment
        );
        ensure!(
            self.quick == other.quick,
            "the run in {folder} is one {} --quick; resume it so, or start anew with --force",
            word(self.quick)
        );
        ensure!(
            self.version == other.version,
            "the run in {folder} is by version {}, this is {}; start anew with --force",
            self.version,
            other.version
        );
        Ok(())
    }

    /// The row of a cell, if it is measured.
    pub fn find(&self, settings: &Settings, seed: u64) -> Option<&Row> {
        let same = |row: &&Row| row.settings == *settings && row.seed == seed;
        self.rows.iter().find(same)
    }

    /// Adds a row and brings the summary up to date.
    pub fn push(&mut self, row: Row, order: &[(&str, &str)]) {
        for (name, _) in order {
            if !self.columns.iter().any(|known| known == name) {
                self.columns.push((*name).to_owned());
            }
        }
        self.rows.push(row);
        self.summarise();
    }

    fn summarise(&mut self) {
        let mut groups: Vec<Vec<&Row>> = Vec::new();
        for row in &self.rows {
            match groups
                .iter_mut()
                .find(|group| group[0].settings == row.settings)
            {
                Some(group) => group.push(row),
                None => groups.push(vec![row]),
            }
        }
        self.summary = groups.iter().map(|group| summary(group)).collect();
    }

    /// Writes `results.json` and `results.csv`.
    pub fn write(&self, folder: &Path) -> Result<()> {
        let text = serde_json::to_string_pretty(self)? + "\n";
        atomic::write_bytes(&folder.join(JSON_FILE), text.as_bytes())?;
        atomic::write_bytes(&folder.join(CSV_FILE), &self.to_csv()?)?;
        Ok(())
    }

    /// One line per cell: settings, seed, what was measured.
    fn to_csv(&self) -> Result<Vec<u8>> {
        let mut further: Vec<&str> = Vec::new();
        for name in self.rows.iter().flat_map(|row| row.measured.further.keys()) {
            if !further.contains(&name.as_str()) {
                further.push(name);
            }
        }
        let mut writer = csv::Writer::from_writer(Vec::new());
        let fixed = [
            "seed",
            "value",
            "std_error",
            "floor",
            "uniform",
            "function_evaluations",
            "seconds",
        ];
        let settings = self.columns.iter().map(String::as_str);
        writer.write_record(settings.chain(fixed).chain(further.iter().copied()))?;
        let optional =
            |value: Option<f64>| value.map(|value| value.to_string()).unwrap_or_default();
        for row in &self.rows {
            let setting = |name: &String| row.settings.get(name).cloned().unwrap_or_default();
            let measured = &row.measured;
            let values = [
                row.seed.to_string(),
                measured.value.to_string(),
                optional(measured.std_error),
                optional(measured.floor),
                optional(measured.uniform),
                optional(measured.function_evaluations.map(|count| count as f64)),
                format!("{:.3}", row.seconds),
            ];
            let others = further
                .iter()
                .map(|name| optional(measured.further.get(*name).copied()));
            writer.write_record(self.columns.iter().map(setting).chain(values).chain(others))?;
        }
        writer.into_inner().context("cannot write the table")
    }
}

fn summary(group: &[&Row]) -> Summary {
    let number = group.len() as f64;
    let mean_of = |value: &dyn Fn(&Row) -> Option<f64>| -> Option<f64> {
        let values: Vec<f64> = group.iter().filter_map(|row| value(row)).collect();
        (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
    };
    let mean = group.iter().map(|row| row.measured.value).sum::<f64>() / number;
    let squares: f64 = group
        .iter()
        .map(|row| (row.measured.value - mean).powi(2))
        .sum();
    let names: BTreeSet<&String> = group
        .iter()
        .flat_map(|row| row.measured.further.keys())
        .collect();
    Summary {
        settings: group[0].settings.clone(),
        seeds: group.len(),
        mean,
        sigma: (group.len() > 1).then(|| (squares / (number - 1.0)).sqrt()),
        std_error: mean_of(&|row| row.measured.std_error.map(|error| error * error)).map(f64::sqrt),
        floor: mean_of(&|row| row.measured.floor),
        uniform: mean_of(&|row| row.measured.uniform),
        function_evaluations: mean_of(&|row| row.measured.function_evaluations.map(|n| n as f64)),
        seconds: group.iter().map(|row| row.seconds).sum::<f64>() / number,
        further: names
            .into_iter()
            .filter_map(|name| {
                let mean = mean_of(&|row| row.measured.further.get(name).copied());
                mean.map(|mean| (name.clone(), mean))
            })
            .collect(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn row(path: &str, seed: u64, value: f64) -> Row {
        Row {
            settings: [("path".to_owned(), path.to_owned())].into(),
            seed,
            measured: Measured {
                value,
                std_error: Some(0.1),
                ..Measured::default()
            }
            .and("extra", 2.0 * value),
            seconds: 1.0,
        }
    }

    fn results() -> Results {
        let mut results = Results {
            experiment: "e".into(),
            about: String::new(),
            source: String::new(),
            quantity: "KL, nats".into(),
            version: "1".into(),
            command: String::new(),
            quick: false,
            seeds: vec![0, 1],
            columns: Vec::new(),
            rows: Vec::new(),
            summary: Vec::new(),
            files: Vec::new(),
        };
        for (path, seed, value) in [("a, b", 0, 1.0), ("c", 0, f64::INFINITY), ("a, b", 1, 3.0)] {
            results.push(row(path, seed, value), &[("path", path)]);
        }
        results
    }

    #[test]
    fn the_summary_is_mean_and_deviation_over_seeds() {
        let results = results();
        assert_eq!(results.summary.len(), 2);
        let first = &results.summary[0];
        assert_eq!(
            (first.seeds, first.mean, first.further["extra"]),
            (2, 2.0, 4.0)
        );
        assert!((first.sigma.unwrap() - 2_f64.sqrt()).abs() < 1e-12);
        assert!((first.std_error.unwrap() - 0.1).abs() < 1e-12);
        assert_eq!(results.summary[1].sigma, None);
    }

    #[test]
    fn rows_survive_the_file_also_infinite_ones() {
        let folder = tempfile::tempdir().unwrap();
        let written = results();
        written.write(folder.path()).unwrap();
        let read = Results::read(folder.path()).unwrap();
        assert_eq!(read.rows, written.rows);
        assert_eq!(read.columns, written.columns);
        let csv = fs::read_to_string(folder.path().join(CSV_FILE)).unwrap();
        let lines: Vec<&str> = csv.lines().collect();
        assert_eq!(
            lines[0],
            "path,seed,value,std_error,floor,uniform,function_evaluations,seconds,extra"
        );
        assert_eq!(lines[1], "\"a, b\",0,1,0.1,,,,1.000,2");
        assert!(lines[2].starts_with("c,0,inf,"), "{}", lines[2]);
    }

    #[test]
    fn other_experiments_are_not_gone_on_with() {
        let own = results();
        for change in [
            |other: &mut Results| other.experiment = "f".into(),
            |other: &mut Results| other.quick = true,
            |other: &mut Results| other.version = "2".into(),
        ] {
            let mut other = own.clone();
            change(&mut other);
            assert!(own.check_same(&other, Path::new("x")).is_err());
        }
        assert!(own.check_same(&own, Path::new("x")).is_ok());
    }
}
