//! What samples of a fit are compared with: exact inference, or a long chain.

use crate::energy::exact::ExactPlan;
use crate::energy::{ChainOptions, EnergyModel, Ferromagnet, Inference, gibbs, swendsen_wang};
use crate::evaluation::error::Result;
use crate::progress::{Observer, Progress};

/// Sweeps of the chains that stand in for exact inference.
const LONG_CHAIN: usize = 20_000;

/// The truth, as far as it can be had.
pub(super) struct Truth {
    pub result: Inference,
    /// Where inference is exact: for exact samples.
    pub plan: Option<ExactPlan>,
    /// `exact`, or the chain that was used.
    pub name: &'static str,
}

impl Truth {
    /// Exact inference, or a long chain.
    pub fn find(
        model: &EnergyModel,
        memory: u64,
        seed: u64,
        observer: &mut dyn Observer,
    ) -> Result<Self> {
        let plan = ExactPlan::new(model)?;
        let Err(refusal) = plan.check(memory) else {
            return Ok(Self {
                result: plan.infer(observer)?,
                plan: Some(plan),
                name: "exact",
            });
        };
        let magnet = Ferromagnet::of(model).is_ok();
        let name = if magnet { "swendsen-wang" } else { "gibbs" };
        let note = format!("{refusal}; comparing with a long chain, so there is no KL");
        Progress::note(note).tell(observer)?;
        let options = ChainOptions {
            sweeps: LONG_CHAIN,
            seed,
            ..ChainOptions::default()
        };
        Ok(Self {
            result: match magnet {
                true => swendsen_wang(model, &options, observer)?,
                false => gibbs(model, &options, observer)?,
            },
            plan: None,
            name,
        })
    }
}
