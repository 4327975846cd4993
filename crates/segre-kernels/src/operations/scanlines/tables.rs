//! Tables of what neighbouring pixels say of each other.

#[cfg(feature = "graphics")]
use std::sync::Mutex;

#[cfg(feature = "graphics")]
use crate::graphics::{self, Resident};

/// Tables of the messages along the lines of an image, in four directions: right, left, down, up.
///
/// A pixel `s` that believes `p_s` says to the next one `M_t(b) = Σ_a p_s(a) R(a, b) / S_t(b)`.
#[derive(Debug)]
pub struct Scanlines {
    pub(super) height: usize,
    pub(super) width: usize,
    pub(super) categories: usize,
    /// `R(a, b)` of every direction, `a` the sender's label, `[categories, categories]`; positive.
    pub(super) ratios: [Vec<f32>; 4],
    /// `S_t(b)` of every direction, `[height · width, categories]`; positive.
    pub(super) silence: [Vec<f32>; 4],
    /// Senders and receivers of every direction, every message after those that it depends on.
    pub(super) steps: [Vec<(usize, usize)>; 4],
    /// `ratios` and `silence` on the graphics processor that was the last to ask for them.
    #[cfg(feature = "graphics")]
    resident: Mutex<Option<[Resident; 2]>>,
}

impl Scanlines {
    /// The tables of all directions from those along rows and columns, `[2, categories, categories]`, the left or upper
    /// pixel's label first. `S_t` is what comes of beliefs that are the `marginals [height · width, categories]`.
    pub fn new([height, width]: [usize; 2], ratios: &[f32], marginals: &[f32]) -> Self {
        let c = marginals.len() / (height * width);
        assert_eq!(
            marginals.len(),
            height * width * c,
            "numbers of the marginals"
        );
        assert_eq!(ratios.len(), 2 * c * c, "numbers of the ratios");
        let table = |direction: usize| -> Vec<f32> {
            let along = &ratios[direction / 2 * c * c..][..c * c];
            match direction % 2 {
                0 => along.to_vec(),
                _ => (0..c * c).map(|k| along[k % c * c + k / c]).collect(),
            }
        };
        let directions = [0, 1, 2, 3];
        let mut lines = Self {
            height,
            width,
            categories: c,
            ratios: directions.map(table),
            silence: Default::default(),
            steps: directions.map(|direction| steps([height, width], direction)),
            #[cfg(feature = "graphics")]
            resident: Mutex::default(),
        };
        lines.silence = directions.map(|direction| {
            let mut said = vec![1.0; marginals.len()];
            for &(sender, receiver) in &lines.steps[direction] {
                let own = &marginals[sender * c..][..c];
                lines.send(direction, own, &mut said[receiver * c..][..c]);
            }
            said
        });
        lines
    }

    /// `ratios` and `silence` of all directions beside a tensor.
    #[cfg(feature = "graphics")]
    pub(super) fn resident(&self, beside: &Resident) -> [Resident; 2] {
        let kept = self.resident.lock();
        let mut kept = kept.unwrap_or_else(|poisoned| poisoned.into_inner());
        if let Some(tables) = &*kept
            && tables[0].device == beside.device
        {
            return tables.clone();
        }
        let tables = [&self.ratios, &self.silence]
            .map(|table| graphics::from_numbers(beside, &table.concat()));
        *kept = Some(tables.clone());
        tables
    }

    /// `Σ_a weights(a) R(a, ·)`.
    pub(super) fn send(&self, direction: usize, weights: &[f32], sums: &mut [f32]) {
        sums.fill(0.0);
        let rows = self.ratios[direction].chunks_exact(self.categories);
        for (weight, row) in weights.iter().zip(rows) {
            for (sum, ratio) in sums.iter_mut().zip(row) {
                *sum += weight * ratio;
            }
        }
    }
}

fn steps([height, width]: [usize; 2], direction: usize) -> Vec<(usize, usize)> {
    let stride = [1, width][direction / 2];
    let has_next = |site: &usize| match direction / 2 {
        0 => site % width + 1 < width,
        _ => site / width + 1 < height,
    };
    let pairs = (0..height * width).filter(has_next);
    match direction % 2 {
        0 => pairs.map(|site| (site, site + stride)).collect(),
        _ => pairs.rev().map(|site| (site + stride, site)).collect(),
    }
}
