//! The model's distribution of one class of rows, with classifier-free guidance.
//!
//! Classes of rows go with the data set, so that selecting rows keeps them, and are told to the network beside the level; a
//! tenth is hidden in training, so that the same network knows rows of any class, which is what is scored. `OfClass`
//! (`flow/class.rs`) is a `Denoiser` like others, so every sampler draws a class, with guidance or without.

use burn::tensor::{Tensor, activation};

use super::channel::{Denoiser, evidence};
use super::model::Model;
use crate::flow::error::{FlowError, Result};
use crate::setting::InvalidSetting;

/// The posterior of a model for rows of one class, its context `g` guided by that of any class:
///
/// `g = g(any) + s (g(class) − g(any))`.
///
/// With `s = 1` that is the class's own posterior; larger `s` gives samples that are more typical of the class and
/// less diverse, and no longer a distribution that the model learned.
///
/// Source: Ho & Salimans 2022, arXiv 2207.12598 (their `1 + w` is `s`).
#[derive(Clone, Copy, Debug)]
pub struct OfClass<'a> {
    model: &'a Model,
    class: u16,
    guidance: f64,
}

impl Model {
    /// The distribution of rows of a class, to be given to [`sample_with`](super::sampling::sample_with).
    ///
    /// # Errors
    /// [`FlowError::NoClasses`] for a model that was not told classes, [`InvalidSetting`] for a class that it
    /// does not know or a guidance that is negative or not finite.
    pub fn of_class(&self, class: usize, guidance: f64) -> Result<OfClass<'_>> {
        let classes = self.config.network.classes().ok_or(FlowError::NoClasses)?;
        let refuse = |name, value, expected| {
            Err(InvalidSetting {
                name,
                value,
                expected,
            }
            .into())
        };
        if class >= classes {
            return refuse("class", class as f64, "below the number of classes");
        }
        if !(guidance >= 0.0 && guidance.is_finite()) {
            return refuse("guidance", guidance, "0 or positive, and finite");
        }
        Ok(OfClass {
            model: self,
            class: class as u16,
            guidance,
        })
    }
}

impl Denoiser for OfClass<'_> {
    fn posterior_mean(&self, state: Tensor<3>, root_snr: Tensor<2>) -> Tensor<3> {
        let evidence = evidence(self.model.manifold(), state, root_snr.clone());
        self.posterior(evidence, root_snr)
    }

    fn posterior(&self, evidence: Tensor<3>, level: Tensor<2>) -> Tensor<3> {
        let classes = vec![Some(self.class); level.dims()[0]];
        let logits = |classes| {
            let (evidence, level) = (evidence.clone(), level.clone());
            self.model.posterior_logits(evidence, level, classes, None)
        };
        let own = logits(Some(&classes[..]));
        // Local logits are the same in both, so guiding the sum guides the context.
        let guided = match self.guidance {
            1.0 => own,
            guidance => {
                let any = logits(None);
                self.model
                    .manifold()
                    .mask_logits(any.clone() + (own - any) * guidance)
            }
        };
        activation::softmax(guided, 2)
    }
}
