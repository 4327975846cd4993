//! Square matrices side by side: dependences of pairs, real, sampled, and their difference.

use super::axis::{HEADING, LABEL, number};
use super::colour::{BLUE, PAPER, Rgb, VERMILION, mix, viridis};
use super::column::shortened;
use super::drawing::{Anchor, Drawing, Style};

/// A square matrix and what it is.
#[derive(Clone, Debug)]
pub struct Matrix<'a> {
    /// Its name.
    pub caption: &'a str,
    /// Row-major entries; `None` where there is none.
    pub entries: Vec<Option<f64>>,
    /// Largest entry of the scale.
    pub largest: f64,
    /// Whether entries are 0 or 1: then there is no scale to be read.
    pub yes_or_no: bool,
    /// Whether the scale goes from vermilion over white to blue instead of from 0 upwards.
    pub signed: bool,
}

const SIDE: f32 = 330.0;
const TOP: f32 = 60.0;
const BETWEEN: f32 = 30.0;
/// Names that a margin has room for, and their letters.
const MOST_NAMES: usize = 26;
const LETTERS: usize = 14;
const MARGIN: f32 = 2.0;
/// Length of a scale of colours.
const SCALE: f32 = 120.0;
const SMALL: Style = Style {
    size: 12.0,
    ..LABEL
};

/// Draws matrices of one size side by side; rows and columns that have a name are named where there is room.
///
/// # Panics
/// If a matrix has not as many entries as there are pairs of names.
pub fn draw_matrices(matrices: &[Matrix], names: &[&str]) -> Drawing {
    let count = names.len();
    let named = names.iter().filter(|name| !name.is_empty()).count() <= MOST_NAMES;
    let small = SMALL;
    let shown: Vec<String> = names.iter().map(|name| shortened(name, LETTERS)).collect();
    let widths = shown.iter().map(|name| small.width(name));
    let left = match named {
        true => MARGIN + widths.fold(0.0, f32::max) + 8.0,
        false => MARGIN,
    };
    let all = matrices.len() as f32;
    let below = match named {
        true => left - MARGIN,
        false => MARGIN,
    };
    let width = left + all * (SIDE + BETWEEN) - BETWEEN + MARGIN;
    let mut drawing = Drawing::new(width, TOP + SIDE + below);
    let cell = SIDE / count.max(1) as f32;
    for (place, matrix) in matrices.iter().enumerate() {
        assert_eq!(matrix.entries.len(), count * count, "{}", matrix.caption);
        let x = left + place as f32 * (SIDE + BETWEEN);
        drawing.text((x, 22.0), Anchor::Start, HEADING, matrix.caption);
        if !matrix.yes_or_no {
            draw_scale(&mut drawing, matrix, x);
        }
        let colours: Vec<Rgb> = matrix
            .entries
            .iter()
            .map(|entry| colour(*entry, matrix))
            .collect();
        if count > 0 {
            drawing.pixels((x, TOP), (SIDE, SIDE), count, &colours);
        }
        let there = |(_, name): &(usize, &String)| named && !name.is_empty();
        for (column, name) in shown.iter().enumerate().filter(there) {
            let middle = x + (column as f32 + 0.5) * cell;
            drawing.text_upwards((middle, TOP + SIDE + 6.0), small, name);
        }
    }
    for (place, name) in shown.iter().enumerate().filter(|_| named) {
        let base = TOP + (place as f32 + 0.5) * cell + small.drop();
        drawing.text((left - 6.0, base), Anchor::End, small, name);
    }
    drawing
}

/// What the colours of a matrix mean: all of them between the ends.
fn draw_scale(drawing: &mut Drawing, matrix: &Matrix, x: f32) {
    const STEPS: usize = 64;
    let lowest = if matrix.signed { -matrix.largest } else { 0.0 };
    let [low, high] = [lowest, matrix.largest].map(|end| number(end, 2));
    let begin = x + SMALL.width(&low) + 6.0;
    drawing.text((x, 45.0), Anchor::Start, SMALL, &low);
    let step = |step: usize| lowest + (matrix.largest - lowest) * step as f64 / (STEPS - 1) as f64;
    let colours: Vec<Rgb> = (0..STEPS)
        .map(|of| colour(Some(step(of)), matrix))
        .collect();
    drawing.pixels((begin, 36.0), (SCALE, 10.0), STEPS, &colours);
    drawing.text((begin + SCALE + 6.0, 45.0), Anchor::Start, SMALL, &high);
}

fn colour(entry: Option<f64>, matrix: &Matrix) -> Rgb {
    const NOTHING: Rgb = [190, 190, 196];
    let Some(entry) = entry else {
        return NOTHING;
    };
    let share = (entry / matrix.largest.max(f64::MIN_POSITIVE)).clamp(-1.0, 1.0);
    match (matrix.signed, share >= 0.0) {
        (false, _) => viridis(share.max(0.0)),
        (true, true) => mix(PAPER, BLUE, share),
        (true, false) => mix(PAPER, VERMILION, -share),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pictures::drawing::tests::Decoded;

    #[test]
    fn entries_have_their_place_and_colour() {
        let matrix = Matrix {
            caption: "difference",
            entries: vec![Some(1.0), Some(-1.0), None, Some(0.0)],
            largest: 1.0,
            yes_or_no: false,
            signed: true,
        };
        let decoded = Decoded::of(&draw_matrices(&[matrix], &["a", "b"]));
        let quarter = SIDE * SIDE; // two pixels to the unit
        for colour in [BLUE, VERMILION] {
            let found = decoded.count_all(colour) as f32;
            assert!((found / quarter - 1.0).abs() < 0.02, "{found}");
        }
    }
}
