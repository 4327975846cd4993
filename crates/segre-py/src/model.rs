//! Fits and fitted models.

use std::collections::BTreeMap;
use std::path::PathBuf;

use pyo3::prelude::*;
use segre::data::MissingIs;
use segre::flow::sampling::SamplingOptions;
use segre::flow::training::Ending;
use segre::model::Filling;
use segre::recipe::Recipe;
use segre::{Fit, Model};
use serde_json::json;

use crate::data::{Data, options};
use crate::errors::raise;
use crate::rows::Rows;
use crate::work::{Ended, watch, watch_all};

/// A fitted model.
#[pyclass(frozen)]
pub struct Fitted {
    model: Model,
}

/// Rows of which some labels are unknown, in a model's columns.
#[pyclass(frozen)]
pub struct Gaps {
    rows: segre::data::PartialDataset,
}

#[pymethods]
impl Gaps {
    fn __len__(&self) -> usize {
        self.rows.rows()
    }

    /// Number of unknown labels.
    fn unknown(&self) -> usize {
        self.rows.unknown()
    }
}

/// Learns from data; the model, and what stopped the fit if something did.
///
/// `settings` are assignments of a recipe (`network.hidden=64`), the later going before the earlier.
#[pyfunction]
#[allow(clippy::too_many_arguments, reason = "keywords in Python")]
pub fn fit(
    py: Python<'_>,
    data: &Data,
    settings: Vec<String>,
    recipe: Option<(String, String)>,
    reading: &str,
    columns_as: BTreeMap<String, String>,
    out: Option<PathBuf>,
    force: bool,
    resume: bool,
    callback: Option<Py<PyAny>>,
) -> PyResult<(Fitted, Option<Py<PyAny>>)> {
    let mut options = options(reading, columns_as)?;
    let ended = watch(py, callback.as_ref(), |observer| {
        let file = match &recipe {
            Some((text, name)) => Recipe::parse(text, name)?,
            None => Recipe::default(),
        };
        let recipe = file.and(Recipe::of_assignments(&settings)?);
        options.builtin_seed = recipe.seed();
        let data = data.read(&options)?;
        let fit = Fit::new(&data).recipe(recipe).force(force).resume(resume);
        let fit = match &out {
            Some(folder) => fit.out(folder),
            None => fit,
        };
        let mut run = fit.start()?;
        let ended = run.train(observer)?;
        let model = Model::of(run)?;
        Ok((model, ended == Ending::Stopped))
    })?;
    match ended {
        Ended::Done((model, _)) => Ok((Fitted { model }, None)),
        Ended::Stopped(error, found) => {
            let (model, _) = found.map_err(raise)?;
            Ok((Fitted { model }, Some(error.into_value(py).into_any())))
        }
    }
}

/// Reads a model from its folder.
#[pyfunction]
pub fn load(py: Python<'_>, folder: PathBuf) -> PyResult<Fitted> {
    let model = watch_all(py, None, |_| Model::load(&folder))?;
    Ok(Fitted { model })
}

#[pymethods]
impl Fitted {
    /// What the model is, as JSON: columns, layout, settings, what was left out.
    fn describe(&self) -> String {
        let (schema, card) = (self.model.schema(), self.model.card());
        let columns = (0..schema.column_count()).map(|column| {
            let (name, coding) = schema.column(column);
            let site = schema.sites_of(column).start;
            let categories = match coding {
                Some(_) => None,
                None => Some(
                    (0..)
                        .take(schema.cardinality(site))
                        .map(|label| schema.category_name(site, label).into_owned())
                        .collect::<Vec<_>>(),
                ),
            };
            let kind = coding.map_or("categories", segre::data::Coding::kind);
            let summary = coding.map(segre::data::Coding::summary);
            json!({"name": name, "kind": kind, "summary": summary, "categories": categories})
        });
        json!({
            "columns": columns.collect::<Vec<_>>(),
            "layout": schema.layout.name(),
            "shape": schema.row_shape(),
            "left_out": schema.left_out,
            "notes": schema.notes,
            "types": schema.types,
            "source": card.source,
            "seed": card.training.seed,
            "network": card.model.network,
            "training": card.training,
            "parameters": self.model.flow().parameters(),
            "knows_conditionals": self.model.knows_conditionals(),
            "version": card.version,
        })
        .to_string()
    }

    /// Draws rows.
    fn sample(
        &self,
        py: Python<'_>,
        count: usize,
        seed: Option<u64>,
        callback: Option<Py<PyAny>>,
    ) -> PyResult<Rows> {
        let options = self.drawing(seed);
        let drawn = watch_all(py, callback.as_ref(), |observer| {
            self.model.draw(count, &options, observer)
        })?;
        Ok(Rows::new(drawn.data))
    }

    /// Draws what is unknown of every row, together, given what is known, so many times.
    fn complete(
        &self,
        py: Python<'_>,
        gaps: &Gaps,
        draws: usize,
        seed: Option<u64>,
        callback: Option<Py<PyAny>>,
    ) -> PyResult<Rows> {
        let (given, options) = (gaps.rows.repeat_rows(draws), self.drawing(seed));
        let drawn = watch_all(py, callback.as_ref(), |observer| {
            self.model.complete(&given, &options, observer)
        })?;
        Ok(Rows::new(drawn.data))
    }

    /// Reads data with gaps into the model's columns; whether a missing field is what it was in the fit's data.
    fn gaps(&self, py: Python<'_>, data: &Data, learned: bool) -> PyResult<Gaps> {
        let missing = match learned {
            true => MissingIs::Learned,
            false => MissingIs::Unknown,
        };
        let (schema, options) = (self.model.schema(), &self.model.card().read_options);
        let rows = watch_all(py, None, |_| data.read_partial(schema, options, missing))?;
        Ok(Gaps { rows })
    }

    /// One row of which some columns are known, by name, as texts.
    fn given(&self, values: Vec<(String, String)>) -> PyResult<Gaps> {
        let rows = self.model.given(&values).map_err(raise)?;
        Ok(Gaps { rows })
    }

    /// Scores of rows in nats: of each row, its standard error, what its numbers add within their cells (empty where there
    /// are none), and the mean of the first with its standard error and number of draws.
    #[allow(clippy::type_complexity, reason = "taken apart at once in Python")]
    fn scores(
        &self,
        py: Python<'_>,
        data: &Data,
        allow_extra: bool,
        callback: Option<Py<PyAny>>,
    ) -> PyResult<(Vec<f64>, Vec<f64>, Vec<f64>, (f64, f64, u64), f64)> {
        let (schema, mut options) = (self.model.schema(), self.model.card().read_options.clone());
        options.allow_extra_columns |= allow_extra;
        let (scores, within) = watch_all(py, callback.as_ref(), |observer| {
            let rows = data.read_as(schema, &options)?;
            let settings = self.model.score_options(rows.rows());
            let scores = self.model.score(&rows, &settings, observer)?;
            Ok((scores, rows.log_within_cells()))
        })?;
        let mean = scores.mean_nats;
        Ok((
            scores.rows.iter().map(|row| row.value).collect(),
            scores.rows.iter().map(|row| row.std_error).collect(),
            within.unwrap_or_default(),
            (mean.value, mean.std_error, mean.samples),
            scores.bits_per_dim.value,
        ))
    }

    /// Fills in what is unknown: by so many draws of every row (`sample`), by the most probable category or the median of each
    /// field (`map`), or the same with means (`mean`).
    fn fill(
        &self,
        py: Python<'_>,
        gaps: &Gaps,
        how: &str,
        draws: usize,
        seed: Option<u64>,
        callback: Option<Py<PyAny>>,
    ) -> PyResult<Rows> {
        let filling = match how {
            "map" => Filling::MostProbable,
            "mean" => Filling::Expected,
            _ => Filling::Draws(draws, self.drawing(seed)),
        };
        let filled = watch_all(py, callback.as_ref(), |observer| {
            self.model.fill(&gaps.rows, &filling, observer)
        })?;
        Ok(Rows::new(filled))
    }

    /// Predicts a column: its categories, and their probabilities in every row, row after row.
    fn predict(
        &self,
        py: Python<'_>,
        gaps: &Gaps,
        column: &str,
        callback: Option<Py<PyAny>>,
    ) -> PyResult<(Vec<String>, Vec<f32>)> {
        let predicted = watch_all(py, callback.as_ref(), |observer| {
            self.model.predict_with(&gaps.rows, column, observer)
        })?;
        let rows = 0..gaps.rows.rows();
        let all = rows.flat_map(|row| predicted.probabilities(row).iter().copied());
        let probabilities = all.collect();
        Ok((predicted.categories, probabilities))
    }

    /// The probabilities of every site's categories in every row, given what is known: names of site and categories, and
    /// the numbers, row after row.
    #[allow(clippy::type_complexity, reason = "taken apart at once in Python")]
    fn marginals(
        &self,
        py: Python<'_>,
        gaps: &Gaps,
        callback: Option<Py<PyAny>>,
    ) -> PyResult<Vec<(String, Vec<String>, Vec<f32>)>> {
        let found = watch_all(py, callback.as_ref(), |observer| {
            self.model.marginals(&gaps.rows, observer)
        })?;
        let schema = self.model.schema();
        let of_site = |site: usize| {
            let categories = (0..).take(schema.cardinality(site));
            let names = categories.map(|label| schema.category_name(site, label).into_owned());
            let rows = 0..gaps.rows.rows();
            let numbers = rows.flat_map(|row| found.of(row, site).iter().copied());
            (
                schema.sites[site].name.clone(),
                names.collect(),
                numbers.collect(),
            )
        };
        Ok((0..schema.sites()).map(of_site).collect())
    }

    /// The report of the test part, or of other rows, beside baselines, as JSON.
    fn evaluate(
        &self,
        py: Python<'_>,
        data: Option<&Data>,
        callback: Option<Py<PyAny>>,
    ) -> PyResult<String> {
        let (schema, options) = (self.model.schema(), &self.model.card().read_options);
        let report = watch_all(py, callback.as_ref(), |observer| {
            let rows = data.map(|data| data.read_as(schema, options)).transpose()?;
            self.model.evaluate_with(rows.as_ref(), observer)
        })?;
        Ok(json!(report).to_string())
    }

    /// Stores the model in a new folder.
    fn save(&self, py: Python<'_>, folder: PathBuf) -> PyResult<()> {
        watch_all(py, None, |_| self.model.save(&folder))
    }
}

impl Fitted {
    fn drawing(&self, seed: Option<u64>) -> SamplingOptions {
        let own = self.model.sampling_options();
        SamplingOptions {
            seed: seed.unwrap_or(own.seed),
            ..own
        }
    }
}
