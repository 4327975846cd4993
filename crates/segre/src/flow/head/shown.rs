//! Labels that are shown in training: sites at the level that decides them, as conditions and the masked path have them.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// Raises some sites of half of the rows to the level that decides them: each with a probability that is
/// uniform over the rows, so that few and many known sites are equally frequent. Of pictures, half of these rows show
/// a block or hide one instead. The other sites of every second such row are at level 0, where infilling, prediction
/// and the sequential sampler begin: at the levels of a bound they are hardly ever that unknown.
pub(super) fn show_some(
    levels: &mut [f32],
    row_shape: &[usize],
    decisive: f32,
    rng: &mut ChaCha8Rng,
) {
    for row in levels.chunks_mut(row_shape.iter().product()) {
        let share = 2.0 * rng.random::<f64>() - 1.0;
        if share <= 0.0 {
            continue;
        }
        if rng.random() {
            row.fill(0.0);
        }
        match *row_shape {
            [height, width] if rng.random() => {
                show_block(row, [height, width], decisive, rng);
            }
            _ => row.iter_mut().for_each(|level| {
                if rng.random::<f64>() < share {
                    *level = decisive;
                }
            }),
        }
    }
}

/// Shows a block of a picture, or all but a block: some of its lines, of its columns, or a rectangle.
fn show_block(row: &mut [f32], [height, width]: [usize; 2], decisive: f32, rng: &mut ChaCha8Rng) {
    let mut interval = |length: usize| {
        let ends = [0; 2].map(|_| rng.random_range(0..=length));
        ends[0].min(ends[1])..ends[0].max(ends[1])
    };
    let (lines, columns) = (interval(height), interval(width));
    let (lines, columns) = match rng.random_range(0..3) {
        0 => (0..height, columns),
        1 => (lines, 0..width),
        _ => (lines, columns),
    };
    let inside: bool = rng.random();
    for (site, level) in row.iter_mut().enumerate() {
        let within = lines.contains(&(site / width)) && columns.contains(&(site % width));
        if within == inside {
            *level = decisive;
        }
    }
}

/// Replaces each row's share by levels: the decisive one for so many sites, drawn without replacement, 0 for the others, which
/// are one at least.
pub(super) fn show_counts(levels: &mut [f32], sites: usize, decisive: f32, rng: &mut ChaCha8Rng) {
    for row in levels.chunks_mut(sites) {
        let known = ((row[0] * sites as f32) as usize).min(sites - 1);
        row.fill(0.0);
        for site in rand::seq::index::sample(rng, sites, known) {
            row[site] = decisive;
        }
    }
}

/// Replaces each row's share of known sites by levels: the decisive one with that probability, 0 otherwise.
pub(super) fn show_shares(levels: &mut [f32], sites: usize, decisive: f32, rng: &mut ChaCha8Rng) {
    for row in levels.chunks_mut(sites) {
        for level in row {
            *level = match rng.random::<f32>() < *level {
                true => decisive,
                false => 0.0,
            };
        }
    }
}
