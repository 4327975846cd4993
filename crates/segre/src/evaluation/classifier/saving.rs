//! A classifier in a file: safetensors with its card and a checksum.

use std::path::Path;

use burn::tensor::Device;

use super::network::ClassifierNetwork;
use super::{Classifier, ClassifierCard};
use crate::evaluation::error::Result;
use crate::file_error::FileError;
use crate::learning::parameters;
use crate::learning::{TensorFile, read_tensors, write_tensors};
use crate::random::{Purpose, generator};

impl Classifier {
    /// Writes the classifier, whole or not at all.
    ///
    /// # Errors
    /// [`FileError::Io`] if the file cannot be written.
    pub fn save(&self, path: &Path) -> Result<()> {
        let header = serde_json::to_string(&self.card).expect("a card is plain data");
        let tensors = parameters::collect(&self.network);
        Ok(write_tensors(path, &TensorFile { tensors, header })?)
    }

    /// Reads a classifier.
    ///
    /// # Errors
    /// [`FileError::Io`], [`FileError::Damaged`] for a file that is none or is damaged,
    /// [`LearningError::ParameterMismatch`](crate::learning::LearningError::ParameterMismatch) if the parameters
    /// are those of another network.
    pub fn load(path: &Path, device: &Device) -> Result<Self> {
        let file = read_tensors(path)?;
        let damaged = |detail: String| FileError::Damaged {
            path: path.to_path_buf(),
            detail,
        };
        let card: ClassifierCard = serde_json::from_str(&file.header)
            .map_err(|error| damaged(format!("it holds no classifier: {error}")))?;
        let sides = card.image.iter().chain([&card.categories]);
        if card.classes.is_empty() || sides.into_iter().any(|size| !(1..=1 << 16).contains(size)) {
            return Err(damaged("its sizes are no sizes of images".into()).into());
        }
        // The random start is overwritten at once.
        let mut rng = generator(0, Purpose::Classifier, 0);
        let network = ClassifierNetwork::new(card.sizes(), &mut rng, device);
        Ok(Self {
            network: parameters::replace(network, &file.tensors)?,
            card,
            device: device.clone(),
        })
    }
}
