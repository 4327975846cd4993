//! The foreground of a row: sites that do not have the background's label.

use crate::data::Dataset;

/// The most frequent label of all sites of all rows.
pub fn background(data: &Dataset) -> u16 {
    let mut counts = vec![0_u64; data.schema.max_categories()];
    for label in data.labels() {
        counts[usize::from(*label)] += 1;
    }
    let largest = counts.iter().enumerate().max_by_key(|(_, count)| **count);
    largest.map_or(0, |(label, _)| label as u16)
}

/// How many sites of every row have another label than the background's.
pub fn foreground_sites(data: &Dataset, background: u16) -> Vec<f64> {
    let count = |row: &[u16]| row.iter().filter(|label| **label != background).count();
    data.iter().map(|row| count(row) as f64).collect()
}
