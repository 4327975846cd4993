//! Fitted models.

use std::path::PathBuf;

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use segre::Model;
use segre::data::{MissingIs, PartialDataset, ReadOptions};
use segre::evaluation::overview;
use segre::evaluation::quality::QualityOptions;
use segre::flow::sampling::SamplingOptions;
use segre::model::Filling;
use segre::run::TrainingLog;
use segre_report::page::page_of_seen;
use serde_json::json;

use crate::data::{Data, unseen};
use crate::errors::raise;
use crate::prediction::Predicted;
use crate::rows::{Rows, bytes};
use crate::settings::{drawing, scoring};
use crate::work::watch_all;

/// A fitted model.
#[pyclass(frozen)]
pub struct Fitted {
    pub(crate) model: Model,
}

/// Rows of which some labels are unknown, in a model's columns.
#[pyclass(frozen)]
pub struct Gaps {
    rows: PartialDataset,
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

    /// The rows with what one further row knows and what holds of it.
    fn and_given(&self, given: &Self) -> PyResult<Self> {
        let rows = self.rows.and_given(&given.rows);
        let rows = rows.map_err(raise)?;
        Ok(Self { rows })
    }

    /// What was done with them when they were read, where that may surprise.
    fn notes(&self) -> Vec<String> {
        self.rows.schema.notes.clone()
    }
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
            "derived": schema.derived.iter().map(|own| json!({
                "name": own.name, "says": own.sentence(), "of": own.parents(), "rows": own.rows,
            })).collect::<Vec<_>>(),
            "constraints": schema.constraints.iter().map(|own| own.text()).collect::<Vec<_>>(),
            "classes": card.labels.as_ref().map(|labels| &labels.names),
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

    /// Draws rows, of a class if one is given.
    #[allow(clippy::too_many_arguments, reason = "keywords in Python")]
    fn sample(
        &self,
        py: Python<'_>,
        count: usize,
        label: Option<usize>,
        guidance: f64,
        settings: &str,
        seed: Option<u64>,
        callback: Option<Py<PyAny>>,
    ) -> PyResult<Rows> {
        let options = self.drawing(seed, settings)?;
        let drawn = watch_all(py, callback.as_ref(), |observer| match label {
            None => self.model.draw(count, &options, observer),
            Some(class) => {
                let classes = class..class + 1;
                self.model
                    .draw_classes(classes, guidance, count, &options, observer)
            }
        })?;
        Ok(Rows::new(drawn.data, self.model.schema()))
    }

    /// Draws what is unknown of every row, together, given what is known, so many times.
    fn complete(
        &self,
        py: Python<'_>,
        gaps: &Gaps,
        draws: usize,
        settings: &str,
        seed: Option<u64>,
        callback: Option<Py<PyAny>>,
    ) -> PyResult<Rows> {
        let given = gaps.rows.clone().without_beside().repeat_rows(draws);
        let options = self.drawing(seed, settings)?;
        let drawn = watch_all(py, callback.as_ref(), |observer| {
            self.model.complete(&given, &options, observer)
        })?;
        Ok(Rows::new(drawn.data, &given.schema))
    }

    /// Reads data with gaps into the model's columns; whether a missing field is what it was in the fit's data.
    fn gaps(&self, py: Python<'_>, data: &Data, learned: bool, unseen: &str) -> PyResult<Gaps> {
        let missing = match learned {
            true => MissingIs::Learned,
            false => MissingIs::Unknown,
        };
        let (schema, options) = (self.model.schema(), self.reading(unseen)?);
        let rows = watch_all(py, None, |_| data.read_partial(schema, &options, missing))?;
        Ok(Gaps { rows })
    }

    /// One row of which some columns are known, by name, as texts.
    fn given(&self, values: Vec<(String, String)>) -> PyResult<Gaps> {
        let rows = self.model.given(&values).map_err(raise)?;
        Ok(Gaps { rows })
    }

    /// Scores of rows in nats, as bytes: of each row, its standard error, what its numbers add within their cells (empty where there
    /// are none); and as JSON their mean with its error, and what was done with the rows when they were read.
    #[allow(clippy::type_complexity, reason = "taken apart at once in Python")]
    fn scores<'py>(
        &self,
        py: Python<'py>,
        data: &Data,
        asked: &str,
        unseen: &str,
        callback: Option<Py<PyAny>>,
    ) -> PyResult<(
        Bound<'py, PyBytes>,
        Bound<'py, PyBytes>,
        Bound<'py, PyBytes>,
        String,
    )> {
        let (schema, options) = (self.model.schema(), self.reading(unseen)?);
        let rows = watch_all(py, None, |_| data.read_as(schema, &options))?;
        let settings = scoring(asked, schema, self.model.score_options(rows.rows()))?;
        let (scores, within) = watch_all(py, callback.as_ref(), |observer| {
            let scores = self.model.score(&rows, &settings, observer)?;
            Ok((scores, rows.log_within_cells_given(&settings.given)))
        })?;
        let mean_within = within.as_ref().map(|within| rows.mean_of(within));
        let of_rows = scores.rows.iter();
        let (nats, errors): (Vec<f64>, Vec<f64>) =
            of_rows.map(|row| (row.value, row.std_error)).unzip();
        let whole = json!({
            "mean": mean_within.unwrap_or(0.0) - scores.mean_nats.value,
            "method": scores.method.name(), "notes": rows.schema.notes,
            "std_error": scores.mean_nats.std_error, "samples": scores.mean_nats.samples,
            "bits_per_dim": scores.bits_per_dim.value,
        });
        Ok((
            bytes(py, &nats),
            bytes(py, &errors),
            bytes(py, &within.unwrap_or_default()),
            whole.to_string(),
        ))
    }

    /// Fills in what is unknown: by so many draws of every row (`sample`), by the most probable category or the median of each
    /// field (`map`), or the same with means (`mean`).
    #[allow(clippy::too_many_arguments, reason = "keywords in Python")]
    fn fill(
        &self,
        py: Python<'_>,
        gaps: &Gaps,
        how: &str,
        draws: usize,
        settings: &str,
        seed: Option<u64>,
        callback: Option<Py<PyAny>>,
    ) -> PyResult<Rows> {
        let filling = match how {
            "map" => Filling::MostProbable,
            "mean" => Filling::Expected,
            _ => Filling::Draws(draws, self.drawing(seed, settings)?),
        };
        let filled = watch_all(py, callback.as_ref(), |observer| {
            self.model.fill(&gaps.rows, &filling, observer)
        })?;
        Ok(Rows::new(filled, &gaps.rows.schema))
    }

    /// Predicts a column.
    fn predict(
        &self,
        py: Python<'_>,
        gaps: &Gaps,
        column: &str,
        callback: Option<Py<PyAny>>,
    ) -> PyResult<Predicted> {
        let prediction = watch_all(py, callback.as_ref(), |observer| {
            self.model.predict_with(&gaps.rows, column, observer)
        })?;
        let rows = gaps.rows.clone();
        Ok(Predicted { prediction, rows })
    }

    /// The probabilities of every site's categories in every row, given what is known: names of site and categories, and
    /// the numbers, row after row.
    #[allow(clippy::type_complexity, reason = "taken apart at once in Python")]
    fn marginals(
        &self,
        py: Python<'_>,
        gaps: &Gaps,
        callback: Option<Py<PyAny>>,
    ) -> PyResult<Vec<(String, Vec<String>, Py<PyBytes>)>> {
        let found = watch_all(py, callback.as_ref(), |observer| {
            self.model.marginals(&gaps.rows, observer)
        })?;
        let schema = self.model.schema();
        let of_site = |site: usize| {
            let categories = (0..).take(schema.cardinality(site));
            let names = categories.map(|label| schema.category_name(site, label).into_owned());
            let rows = 0..gaps.rows.rows();
            let numbers: Vec<f32> = rows
                .flat_map(|row| found.of(row, site).iter().copied())
                .collect();
            (
                schema.sites[site].name.clone(),
                names.collect(),
                bytes(py, &numbers).unbind(),
            )
        };
        Ok((0..schema.sites()).map(of_site).collect())
    }

    /// The report of the test part, or of other rows, beside baselines, as JSON; and what was done with the rows when they were
    /// read.
    fn evaluate(
        &self,
        py: Python<'_>,
        data: Option<&Data>,
        unseen: &str,
        callback: Option<Py<PyAny>>,
    ) -> PyResult<(String, Vec<String>)> {
        let (schema, options) = (self.model.schema(), self.reading(unseen)?);
        let (report, notes) = watch_all(py, callback.as_ref(), |observer| {
            let rows = data.map(|data| data.read_as(schema, &options));
            let rows = rows.transpose()?;
            let report = self.model.evaluate_with(rows.as_ref(), observer)?;
            Ok((report, rows.map_or_else(Vec::new, |rows| rows.schema.notes)))
        })?;
        Ok((json!(report).to_string(), notes))
    }

    /// The page of the model, as HTML; `history` is the course of its fit, as JSON.
    fn report(
        &self,
        py: Python<'_>,
        title: &str,
        history: &str,
        callback: Option<Py<PyAny>>,
    ) -> PyResult<String> {
        let (model, card) = (&self.model, self.model.card());
        let seen = watch_all(py, callback.as_ref(), |observer| {
            let (parts, seed) = (model.parts()?, card.training.seed);
            Ok(overview::run(model.flow(), &parts, seed, observer)?)
        })?;
        let log = TrainingLog::of_events(history);
        let page = page_of_seen(title, card, Some(&log), &seen).and_then(|page| page.to_html());
        page.map_err(|error| PyRuntimeError::new_err(format!("{error:#}")))
    }

    /// Quality of the model's rows, or of others, beside those of its fit, as JSON.
    fn quality(
        &self,
        py: Python<'_>,
        synthetic: Option<&Data>,
        target: Option<String>,
        seed: Option<u64>,
        callback: Option<Py<PyAny>>,
    ) -> PyResult<String> {
        let (schema, options) = (self.model.schema(), &self.model.card().read_options);
        let report = watch_all(py, callback.as_ref(), |observer| {
            let rows = synthetic.map(|data| data.read_as(schema, options));
            let seed = seed.unwrap_or(self.model.sampling_options().seed);
            let asked = QualityOptions { target, seed };
            self.model
                .quality(rows.transpose()?.as_ref(), &asked, observer)
        })?;
        Ok(json!(report).to_string())
    }

    /// The model with the data of its fit.
    fn with_data(&self, py: Python<'_>, data: &Data) -> PyResult<Self> {
        let model = watch_all(py, None, |_| {
            // Read as the fit read them, so that a change is seen.
            let own = data.read(&self.model.card().read_options)?;
            self.model.clone().with_data(own.into_dataset())
        })?;
        Ok(Self { model })
    }

    /// Stores the model in a new folder.
    fn save(&self, py: Python<'_>, folder: PathBuf) -> PyResult<()> {
        watch_all(py, None, |_| self.model.save(&folder))
    }
}

impl Fitted {
    /// How the model's data were read, with what becomes of values that it has not seen.
    fn reading(&self, name: &str) -> PyResult<ReadOptions> {
        let own = self.model.card().read_options.clone();
        Ok(ReadOptions {
            unseen: unseen(name)?,
            ..own
        })
    }

    fn drawing(&self, seed: Option<u64>, settings: &str) -> PyResult<SamplingOptions> {
        let own = self.model.sampling_options();
        let seed = seed.unwrap_or(own.seed);
        drawing(settings, SamplingOptions { seed, ..own })
    }
}
