//! What an energy model is, and what exact inference in it needs.

use std::collections::BTreeMap;

use serde::Serialize;

use super::error::Result;
use super::exact::ExactPlan;
use super::model::EnergyModel;
use super::swendsen_wang::Ferromagnet;

/// Sizes of a model, and of exact inference in it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Description {
    /// Always `energy model`.
    pub kind: &'static str,
    /// Variables, observed ones included.
    pub variables: usize,
    /// Variables that are observed.
    pub observed: usize,
    /// Variables that neither evidence nor zeros fix.
    pub free: usize,
    /// States to number of variables.
    pub cardinalities: BTreeMap<usize, usize>,
    /// Factors.
    pub factors: usize,
    /// Number of variables to number of factors.
    pub orders: BTreeMap<usize, usize>,
    /// Entries of all factors that exclude a state.
    pub zero_entries: usize,
    /// Entries of all factors.
    pub entries: usize,
    /// Binary logarithm of the number of labelings.
    pub log2_configurations: f64,
    /// Of the elimination order found: an upper bound on the treewidth.
    pub width: usize,
    /// Binary logarithm of the entries of the largest table.
    pub log2_largest_table: f64,
    /// Bytes that tables would take.
    pub memory_bytes: f64,
    /// Whether that is allowed.
    pub fits: bool,
    /// Whether Swendsen–Wang can be used.
    pub ferromagnetic_potts: bool,
    /// Why it may not be the model that is meant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub doubt: Option<String>,
}

impl Description {
    /// Of a model of which exact inference may take so many bytes.
    ///
    /// # Errors
    /// As [`ExactPlan::new`].
    pub fn of(model: &EnergyModel, memory: u64) -> Result<Self> {
        let plan = ExactPlan::new(model)?;
        let cost = plan.cost();
        let (mut cardinalities, mut orders) = (BTreeMap::new(), BTreeMap::new());
        for states in model.cardinalities() {
            *cardinalities.entry(*states).or_insert(0) += 1;
        }
        let (mut entries, mut zero_entries) = (0, 0);
        for factor in model.factors() {
            *orders.entry(factor.variables().len()).or_insert(0) += 1;
            let values = factor.log_values();
            entries += values.len();
            zero_entries += values.iter().filter(|v| **v == f64::NEG_INFINITY).count();
        }
        Ok(Self {
            kind: "energy model",
            variables: model.variables(),
            observed: model.observed().iter().flatten().count(),
            free: plan.free_variables(),
            cardinalities,
            factors: model.factors().len(),
            orders,
            zero_entries,
            entries,
            log2_configurations: model.log2_configurations(),
            width: cost.width,
            log2_largest_table: cost.log2_table,
            memory_bytes: cost.bytes,
            fits: plan.check(memory).is_ok(),
            ferromagnetic_potts: Ferromagnet::of(model).is_ok(),
            doubt: model.doubt().map(str::to_owned),
        })
    }
}
