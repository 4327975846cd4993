//! Ranges, sets of values, and what decided columns say: the columns that they concern are drawn first, so that they hold exactly.
//!
//! Source: docs/mathematics.md §2.1.5.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::Model;
use crate::data::{Allowed, DataError, Deciders, PartialDataset, Schema, solved};
use crate::error::Result;
use crate::flow::{ConditionalMarginals, site_marginals};
use crate::progress::{Observer, Progress};
use crate::random::{Purpose, generator, row_generator};

/// Rounds after which rows that meet all conditions are too rare to be drawn.
const MOST_ROUNDS: usize = 2000;
/// Probability below which a condition is taken for impossible.
const IMPOSSIBLE: f64 = 1e-12;
/// Draws of the columns with conditions that marginals are the mean of.
const DRAWS: usize = 64;
/// Rows of marginals at a time.
const CHUNK: usize = 4096;

/// A column, and what of it is left.
type Left = (usize, Arc<Allowed>);
/// The columns of a row of which some values are left.
type Conditions = Vec<Left>;

/// A row that is being drawn.
struct Draft {
    row: usize,
    conditions: Conditions,
    rng: ChaCha8Rng,
    /// Sites that are drawn, in order: condition, site, and whether it is a second digit.
    sites: Vec<(usize, usize, bool)>,
    drawn: Vec<u16>,
}

impl Model {
    /// The rows with all columns drawn that have conditions: exactly as the model has them given what is known, and that all
    /// conditions hold. The first is drawn from what its condition leaves; each further one rejects the draft with the probability
    /// that its own condition fails.
    ///
    /// # Errors
    /// [`DataError::BadCondition`] for rows that know otherwise, or for which the model finds the conditions all but impossible.
    pub(super) fn settled(
        &self,
        given: &PartialDataset,
        seed: u64,
        observer: &mut dyn Observer,
    ) -> Result<PartialDataset> {
        let given = solved(given);
        let all = conditions(&given)?;
        if all.iter().all(Vec::is_empty) {
            return Ok(given);
        }
        let schema = self.schema();
        let rng = generator(seed, Purpose::Condition, 0);
        let mut settled = given.clone();
        let mut drafts: Vec<Draft> = all
            .into_iter()
            .enumerate()
            .filter(|(_, conditions)| !conditions.is_empty())
            .map(|(row, conditions)| Draft {
                row,
                sites: sites(schema, &conditions),
                rng: row_generator(&rng, row),
                conditions,
                drawn: Vec::new(),
            })
            .collect();
        let count = drafts.len();
        for _ in 0..MOST_ROUNDS {
            let done = count - drafts.len();
            Progress::pieces("conditions", "row", done, count).tell(observer)?;
            drafts = self.round(drafts, &mut settled)?;
            if drafts.is_empty() {
                return Ok(settled);
            }
        }
        Err(self.too_rare(&drafts[0]).into())
    }

    /// One try of every draft; those that failed.
    fn round(&self, mut drafts: Vec<Draft>, settled: &mut PartialDataset) -> Result<Vec<Draft>> {
        let schema = self.schema();
        let mut alive: Vec<usize> = (0..drafts.len()).collect();
        for step in 0.. {
            alive.retain(|draft| drafts[*draft].sites.len() > step);
            if alive.is_empty() {
                break;
            }
            let place = |draft: &usize| (drafts[*draft].row, drafts[*draft].sites[step].1);
            let places: Vec<(usize, usize)> = alive.iter().map(place).collect();
            let marginals = site_marginals(&self.flow, settled, &places)?;
            let mut next = Vec::with_capacity(alive.len());
            for (own, marginal) in alive.into_iter().zip(marginals) {
                let draft = &mut drafts[own];
                let weighted = draft.weighted(schema, step, &marginal);
                let total: f64 = weighted.iter().sum();
                if step == 0 && total < IMPOSSIBLE {
                    return Err(self.too_rare(draft).into());
                }
                if step > 0 && draft.rng.random::<f64>() >= total {
                    draft.reject(settled);
                    continue;
                }
                let label = draft.choose(&weighted, total);
                settled.say_label(draft.row, draft.sites[step].1, label);
                draft.drawn.push(label);
                next.push(own);
            }
            alive = next;
        }
        let mut failed = Vec::new();
        for mut draft in drafts {
            match draft.drawn.len() == draft.sites.len() {
                true => draft.say_numbers(schema, settled),
                false => failed.push(draft),
            }
        }
        Ok(failed)
    }

    /// The rows with those columns of two sites said that have conditions: the most probable first digit that is left, and the most
    /// probable second one given it.
    pub(super) fn with_likely_words(&self, given: &PartialDataset) -> Result<PartialDataset> {
        let (schema, all) = (self.schema(), conditions(given)?);
        let mut said = given.clone();
        for (row, conditions) in all.iter().enumerate() {
            for (column, allowed) in conditions {
                let sites = schema.sites_of(*column);
                let mut first = None;
                for site in sites.clone().filter(|_| sites.len() > 1) {
                    let marginal = site_marginals(&self.flow, &said, &[(row, site)])?.remove(0);
                    let weights = match first {
                        Some(first) => allowed.second(first, marginal.len()),
                        None => allowed.weights(schema.column(*column).1, marginal.len()),
                    };
                    let weighted = marginal.iter().zip(weights).enumerate();
                    let weighted = weighted.map(|(label, (p, w))| (f64::from(*p) * w, w, label));
                    let best =
                        weighted.max_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
                    let label = best.map_or(0, |(_, _, label)| label as u16);
                    said.say_label(row, site, label);
                    first = Some(label);
                }
            }
        }
        Ok(said)
    }

    fn too_rare(&self, draft: &Draft) -> DataError {
        let names = draft
            .conditions
            .iter()
            .map(|(column, _)| self.schema().column(*column).0);
        DataError::BadCondition {
            name: names.collect::<Vec<_>>().join(", "),
            value: "given".to_owned(),
            problem: format!(
                "given all else that row {} (from 0) knows, the model finds this all but impossible; ask for less",
                draft.row
            ),
        }
    }

    /// Marginals of rows that may have conditions, of all sites or of one: `of` says them of rows without. They are means over draws of
    /// the columns with conditions; that of the only such column is exact.
    pub(super) fn marginals_where(
        &self,
        given: &PartialDataset,
        wanted: Option<usize>,
        observer: &mut dyn Observer,
        of: impl Fn(&PartialDataset, &mut dyn Observer) -> Result<ConditionalMarginals>,
    ) -> Result<ConditionalMarginals> {
        let given = solved(given);
        let all = conditions(&given)?;
        if all.iter().all(Vec::is_empty) {
            return of(&given, observer);
        }
        if let Some(site) = wanted {
            let column = self.schema().column_of(site);
            if all.iter().flatten().all(|(own, _)| *own == column) {
                return Ok(self.marginals_within(site, &all, of(&given, observer)?));
            }
        }
        let mut found: Option<ConditionalMarginals> = None;
        for rows in (0..given.rows()).collect::<Vec<_>>().chunks(CHUNK / DRAWS) {
            let size = |row: &usize| if all[*row].is_empty() { 1 } else { DRAWS };
            let sizes: Vec<usize> = rows.iter().map(size).collect();
            let repeated = rows.iter().zip(&sizes);
            let repeated: Vec<usize> = repeated
                .flat_map(|(row, size)| std::iter::repeat_n(*row, *size))
                .collect();
            let seed = self.card.training.seed ^ ((rows[0] as u64) << 20);
            let drawn = self.settled(&given.select(&repeated), seed, observer)?;
            let mut own = of(&drawn, observer)?.means(&sizes);
            self.say_own(&given, rows, &all, &mut own)?;
            found = Some(match found {
                None => own,
                Some(before) => before.and(own),
            });
        }
        found.map_or_else(|| of(&given, observer), Ok)
    }

    /// Says the marginals of the only column with a condition, where it has one site.
    fn say_own(
        &self,
        given: &PartialDataset,
        rows: &[usize],
        all: &[Conditions],
        own: &mut ConditionalMarginals,
    ) -> Result<()> {
        let alone = rows.iter().enumerate().filter_map(|(place, row)| {
            let [left] = &all[*row][..] else { return None };
            let sites = self.schema().sites_of(left.0);
            (sites.len() == 1).then_some((place, *row, sites.start, left))
        });
        let alone: Vec<_> = alone.collect();
        let places: Vec<_> = alone
            .iter()
            .map(|(_, row, site, _)| (*row, *site))
            .collect();
        let marginals = site_marginals(&self.flow, given, &places)?;
        for ((place, _, site, left), marginal) in alone.into_iter().zip(marginals) {
            own.say(place, site, &self.within(left, &marginal));
        }
        Ok(())
    }

    /// Probabilities of a column with one site, times those that its condition then holds.
    fn within(&self, (column, allowed): &Left, marginal: &[f32]) -> Vec<f64> {
        let weights = allowed.weights(self.schema().column(*column).1, marginal.len());
        let weighted = marginal.iter().zip(&weights);
        weighted.map(|(p, w)| f64::from(*p) * w).collect()
    }

    /// Marginals of one site of rows of which no other column has a condition: without any draw.
    fn marginals_within(
        &self,
        site: usize,
        all: &[Conditions],
        mut found: ConditionalMarginals,
    ) -> ConditionalMarginals {
        for (row, conditions) in all.iter().enumerate() {
            if let [left] = &conditions[..] {
                let own = self.within(left, found.of(row, site));
                found.say(row, site, &own);
            }
        }
        found
    }
}

impl Draft {
    /// Probabilities of the labels of a site, times those that the condition then holds.
    fn weighted(&self, schema: &Schema, step: usize, marginal: &[f32]) -> Vec<f64> {
        let (condition, _, second) = self.sites[step];
        let (column, allowed) = &self.conditions[condition];
        let weights = match second {
            true => allowed.second(self.drawn[step - 1], marginal.len()),
            false => allowed.weights(schema.column(*column).1, marginal.len()),
        };
        let weighted = marginal.iter().zip(weights);
        weighted.map(|(p, weight)| f64::from(*p) * weight).collect()
    }

    fn choose(&mut self, weighted: &[f64], total: f64) -> u16 {
        let mut rest = self.rng.random::<f64>() * total;
        let found = weighted.iter().position(|weight| {
            rest -= weight;
            rest < 0.0
        });
        // Rounding may eat the rest.
        let last = || weighted.iter().rposition(|weight| *weight > 0.0);
        found.or_else(last).unwrap_or(0) as u16
    }

    fn reject(&mut self, settled: &mut PartialDataset) {
        for ((_, site, _), _) in self.sites.iter().zip(&self.drawn) {
            settled.forget_label(self.row, *site);
        }
        self.drawn.clear();
    }

    /// Says the numbers of the columns whose cells are drawn.
    fn say_numbers(&mut self, schema: &Schema, settled: &mut PartialDataset) {
        for (place, (condition, _, _)) in self.sites.iter().enumerate() {
            let (column, allowed) = &self.conditions[*condition];
            let coding = schema.column(*column).1;
            if let Some(number) = allowed.draw(coding, self.drawn[place], &mut self.rng) {
                settled.say_number(self.row, *column, number);
            }
        }
    }
}

fn sites(schema: &Schema, conditions: &Conditions) -> Vec<(usize, usize, bool)> {
    let own = conditions.iter().enumerate();
    own.flat_map(|(condition, (column, _))| {
        let sites = schema.sites_of(*column);
        let first = sites.start;
        sites.map(move |site| (condition, site, site > first))
    })
    .collect()
}

/// What is left of the unknown columns of every row.
///
/// # Errors
/// [`DataError::BadCondition`] for a row that knows a column otherwise.
pub(super) fn conditions(given: &PartialDataset) -> Result<Vec<Conditions>, DataError> {
    let schema = &given.schema;
    let deciders = Deciders::of(schema);
    let mut lookups: HashMap<(usize, i64), Option<Left>> = HashMap::new();
    let mut all = Vec::with_capacity(given.rows());
    for row in 0..given.rows() {
        let mut own: BTreeMap<usize, Arc<Allowed>> = BTreeMap::new();
        let mut take = |column: usize, allowed: &Arc<Allowed>| {
            let both = match own.get(&column) {
                None => allowed.clone(),
                Some(before) => Arc::new(before.and(allowed)),
            };
            own.insert(column, both);
        };
        for condition in given.conditions() {
            take(condition.column, &condition.allowed);
        }
        for derived in (0..schema.derived.len()).filter(|_| given.says_decided()) {
            let Some(value) = given.decided(row, derived) else {
                continue;
            };
            let found = lookups.entry((derived, value)).or_insert_with(|| {
                let (column, labels) = deciders.allowed(derived, value)?;
                Some((
                    column,
                    Arc::new(Allowed::Labels(labels.into_iter().collect())),
                ))
            });
            if let Some((column, allowed)) = found {
                take(*column, allowed);
            }
        }
        let mut open = Vec::with_capacity(own.len());
        for (column, allowed) in own {
            let sites = schema.sites_of(column);
            let labels: Vec<Option<u16>> = sites.map(|site| given.label(row, site)).collect();
            match labels[..] {
                [Some(first)] if !allowed.has([first, 0], given.number(row, column)) => {
                    return Err(given.differs(row, column));
                }
                [Some(first), Some(second)] if !allowed.has([first, second], None) => {
                    return Err(given.differs(row, column));
                }
                [Some(_)] | [Some(_), Some(_)] => {}
                _ => open.push((column, allowed)),
            }
        }
        all.push(open);
    }
    Ok(all)
}
