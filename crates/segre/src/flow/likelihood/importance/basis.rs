//! An orthonormal basis `Q` of the tangent space `T_0 S_c`, vectors of sum 0.
//!
//! Column `k = 1, …, c−1` is `(1, …, 1, −k, 0, …, 0)/√(k(k+1))` with `k` ones (Helmert's matrix), so a product
//! with `Q` takes `O(c)` and no matrix is stored.
//!
//! Source: EG App. B, (27).

/// `Q x` for coordinates `x` of length `c − 1`, written to `c` places.
pub(super) fn embed(coordinates: &[f64], vector: &mut [f32]) {
    let mut above = 0.0;
    // From the last column on, so that `above` is what all further columns give to an entry.
    for place in (0..=coordinates.len()).rev() {
        let own = match place {
            0 => 0.0,
            k => coordinates[k - 1] / ((k * (k + 1)) as f64).sqrt(),
        };
        vector[place] = (above - place as f64 * own) as f32;
        above += own;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_orthonormal_and_of_sum_0() {
        for c in [2, 3, 7] {
            let columns: Vec<Vec<f32>> = (0..c - 1)
                .map(|k| {
                    let mut unit = vec![0.0; c - 1];
                    unit[k] = 1.0;
                    let mut column = vec![0.0; c];
                    embed(&unit, &mut column);
                    column
                })
                .collect();
            for (i, a) in columns.iter().enumerate() {
                assert!(a.iter().sum::<f32>().abs() < 1e-6);
                for (j, b) in columns.iter().enumerate() {
                    let product: f32 = a.iter().zip(b).map(|(x, y)| x * y).sum();
                    let expected = if i == j { 1.0 } else { 0.0 };
                    assert!((product - expected).abs() < 1e-6, "c = {c}, {i}, {j}");
                }
            }
        }
    }
}
