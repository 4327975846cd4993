//! Bars in groups: the shares that several models give to a few outcomes, with a line for the target.

use super::axis::{LABEL, Plot, Scale, TITLE};
use super::colour::{INK, Rgb};
use super::drawing::{Anchor, Drawing};

/// The shares of one model.
#[derive(Clone, Debug)]
pub struct Bars {
    /// Its name in the legend.
    pub name: String,
    /// Its colour.
    pub colour: Rgb,
    /// One share for every outcome.
    pub shares: Vec<f64>,
}

const LEFT: f32 = 70.0;
const TOP: f32 = 70.0;
const SIZE: (f32, f32) = (760.0, 280.0);
const RIGHT: f32 = 24.0;
const LEGEND_LINE: f32 = 22.0;

/// Draws one group of bars for every outcome, and the target's share as a line across the group.
///
/// # Panics
/// If a model has not as many shares as there are outcomes.
pub fn draw_bars(title: &str, outcomes: &[&str], target: &[f64], models: &[Bars]) -> Drawing {
    let bottom = TOP + SIZE.1;
    let legend = bottom + 62.0;
    let lines = models.len().div_ceil(2) as f32;
    let mut drawing = Drawing::new(LEFT + SIZE.0 + RIGHT, legend + LEGEND_LINE * (lines + 1.0));
    drawing.text((LEFT, 32.0), Anchor::Start, TITLE, title);
    let shares = models.iter().flat_map(|model| &model.shares).chain(target);
    let plot = Plot {
        corner: (LEFT, TOP),
        size: SIZE,
        across: Scale::linear(0.0, outcomes.len() as f64),
        up: Scale::linear(0.0, shares.copied().fold(0.0, f64::max)).padded(0.0, 0.05),
    };
    plot.backdrop(&mut drawing, "probability", INK, 6);
    let group = SIZE.0 / outcomes.len() as f32;
    let bar = 0.8 * group / models.len().max(1) as f32;
    for (index, (outcome, wanted)) in outcomes.iter().zip(target).enumerate() {
        let start = LEFT + (index as f32 + 0.1) * group;
        for (place, model) in models.iter().enumerate() {
            let (shares, name) = (&model.shares, &model.name);
            assert_eq!(shares.len(), outcomes.len(), "shares of {name}");
            let corner = (start + place as f32 * bar + 1.0, plot.y(shares[index]));
            drawing.rectangle(corner, (bar - 2.0, bottom - corner.1), model.colour);
        }
        let (from, to, level) = (start - 6.0, start + 0.8 * group + 6.0, plot.y(*wanted));
        drawing.line(&[(from, level), (to, level)], 2.0, INK);
        let middle = (start + 0.4 * group, bottom + 22.0);
        drawing.text(middle, Anchor::Middle, LABEL, outcome);
    }
    let sample = [(LEFT, legend - 5.0), (LEFT + 14.0, legend - 5.0)];
    drawing.line(&sample, 2.0, INK);
    drawing.text((LEFT + 22.0, legend), Anchor::Start, LABEL, "target");
    for (index, model) in models.iter().enumerate() {
        let left = LEFT + (index % 2) as f32 * SIZE.0 / 2.0;
        let base = legend + LEGEND_LINE * (index / 2 + 1) as f32;
        drawing.rectangle((left, base - 11.0), (14.0, 11.0), model.colour);
        drawing.text((left + 22.0, base), Anchor::Start, LABEL, &model.name);
    }
    drawing
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pictures::colour::BLUE;
    use crate::pictures::drawing::tests::Decoded;

    #[test]
    fn a_bar_is_as_high_as_its_share() {
        let bars = Bars {
            name: "model".into(),
            colour: BLUE,
            shares: vec![0.75, 0.25],
        };
        let decoded = Decoded::of(&draw_bars("shares", &["a", "b"], &[0.75, 0.25], &[bars]));
        let rows = 2 * TOP as usize..2 * (TOP + SIZE.1) as usize;
        let height = |x: usize| decoded.count(x..x + 1, rows.clone(), BLUE) as f64;
        let (first, second) = (height(400), height(1200));
        assert!((first / second - 3.0).abs() < 0.1, "{first} and {second}");
    }
}
