//! Softmax of neighbouring numbers in host memory.

use super::exponential::exp;
use super::{Level, MOST_LANES, Simd, Task, store_some};

/// Turns logits into probabilities, in place.
pub fn softmax(logits: &mut [f32]) {
    Level::detect().run(Softmax(logits));
}

struct Softmax<'a>(&'a mut [f32]);

impl Task for Softmax<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let most = self
            .0
            .iter()
            .fold(f32::NEG_INFINITY, |most, x| most.max(*x));
        let mut registers = self.0.chunks_exact_mut(S::LANES);
        let mut total = 0.0;
        // SAFETY: chunks are whole registers, the buffer has room for one, and of the last one as much is stored as
        // there is left.
        unsafe {
            let mut sum = S::splat(0.0);
            for register in &mut registers {
                let excess = S::sub(S::load(register.as_ptr()), S::splat(most));
                let weight = exp::<S>(excess);
                sum = S::add(sum, weight);
                S::store(register.as_mut_ptr(), weight);
            }
            let rest = registers.into_remainder();
            let mut buffer = [f32::NEG_INFINITY; MOST_LANES];
            buffer[..rest.len()].copy_from_slice(rest);
            let weight = exp::<S>(S::sub(S::load(buffer.as_ptr()), S::splat(most)));
            store_some::<S>(rest.as_mut_ptr(), rest.len(), weight);
            S::store(buffer.as_mut_ptr(), S::add(sum, weight));
            for lane in &buffer[..S::LANES] {
                total += lane;
            }
        }
        let inverse = 1.0 / total;
        for weight in self.0 {
            *weight *= inverse;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Level, Softmax};
    use crate::testing::{distance, numbers};

    #[test]
    fn softmax_agrees_with_its_formula() {
        for count in [1, 2, 15, 16, 17, 91, 160] {
            let logits: Vec<f32> = numbers(count, 4).iter().map(|x| 30.0 * x).collect();
            let most = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let weights = logits.iter().map(|x| f64::from(x - most).exp());
            let total: f64 = weights.clone().sum();
            let expected: Vec<f32> = weights.map(|weight| (weight / total) as f32).collect();
            for level in Level::available() {
                let mut found = logits.clone();
                level.run(Softmax(&mut found));
                assert!(distance(&found, &expected) < 1e-6, "{level:?} {count}");
            }
        }
    }
}
