//! Bars in groups: the shares that several models give to a few outcomes, with a line for the target.

use super::axis::Range;
use super::colour::{FAINT, GREY, INK, Rgb};
use super::drawing::Drawing;
use super::plot::{HEADING, LABEL};
use super::text::{Anchor, Style};

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
const RIGHT: f32 = 24.0;
const TOP: f32 = 70.0;
const HEIGHT: f32 = 280.0;
const WIDTH: f32 = 760.0;
const LEGEND_LINE: f32 = 22.0;
const TITLE: Style = Style {
    size: 19.0,
    bold: true,
    colour: INK,
};

/// Draws one group of bars for every outcome, and the target's share as a line across the group.
///
/// # Panics
/// If a model has not as many shares as there are outcomes.
pub fn draw_bars(title: &str, outcomes: &[&str], target: &[f64], models: &[Bars]) -> Drawing {
    let bottom = TOP + HEIGHT;
    let legend = bottom + 62.0;
    let lines = models.len().div_ceil(2) as f32;
    let mut drawing = Drawing::new(LEFT + WIDTH + RIGHT, legend + LEGEND_LINE * (lines + 1.0));
    drawing.text((LEFT, 32.0), Anchor::Start, TITLE, title);
    drawing.text((LEFT, TOP - 12.0), Anchor::Start, HEADING, "probability");
    let shares = models.iter().flat_map(|model| &model.shares).chain(target);
    let range = Range::new(0.0, shares.copied().fold(0.0, f64::max)).padded(0.0, 0.05);
    let y = |share: f64| bottom - range.fraction(share) as f32 * HEIGHT;
    for (value, label) in range.ticks(6) {
        drawing.line(&[(LEFT, y(value)), (LEFT + WIDTH, y(value))], 1.0, FAINT);
        drawing.text((LEFT - 9.0, y(value) + 5.0), Anchor::End, LABEL, &label);
    }
    let group = WIDTH / outcomes.len() as f32;
    let bar = 0.8 * group / models.len().max(1) as f32;
    for (index, (outcome, wanted)) in outcomes.iter().zip(target).enumerate() {
        let start = LEFT + (index as f32 + 0.1) * group;
        for (place, model) in models.iter().enumerate() {
            assert_eq!(
                model.shares.len(),
                outcomes.len(),
                "shares of {}",
                model.name
            );
            let top = y(model.shares[index]);
            let left = start + place as f32 * bar;
            drawing.rectangle((left + 1.0, top), (bar - 2.0, bottom - top), model.colour);
        }
        let line = [
            (start - 6.0, y(*wanted)),
            (start + 0.8 * group + 6.0, y(*wanted)),
        ];
        drawing.line(&line, 2.0, INK);
        let middle = (start + 0.4 * group, bottom + 22.0);
        drawing.text(middle, Anchor::Middle, LABEL, outcome);
    }
    drawing.line(&[(LEFT, bottom), (LEFT + WIDTH, bottom)], 1.0, GREY);
    drawing.line(
        &[(LEFT, legend - 5.0), (LEFT + 14.0, legend - 5.0)],
        2.0,
        INK,
    );
    drawing.text((LEFT + 22.0, legend), Anchor::Start, LABEL, "target");
    for (index, model) in models.iter().enumerate() {
        let left = LEFT + (index % 2) as f32 * WIDTH / 2.0;
        let base = legend + LEGEND_LINE * (index / 2 + 1) as f32;
        drawing.rectangle((left, base - 11.0), (14.0, 11.0), model.colour);
        drawing.text((left + 22.0, base), Anchor::Start, LABEL, &model.name);
    }
    drawing
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::canvas::tests::Decoded;
    use crate::report::colour::BLUE;

    #[test]
    fn a_bar_is_as_high_as_its_share() {
        let bars = Bars {
            name: "model".into(),
            colour: BLUE,
            shares: vec![0.75, 0.25],
        };
        let drawing = draw_bars("shares", &["a", "b"], &[0.75, 0.25], &[bars]);
        let decoded = Decoded::of(&drawing.to_canvas(1.0));
        let height = |x: usize| {
            let rows = TOP as usize..(TOP + HEIGHT) as usize;
            rows.filter(|y| decoded.pixel(x, *y) == BLUE).count() as f64
        };
        let (first, second) = (height(200), height(600));
        assert!((first / second - 3.0).abs() < 0.1, "{first} and {second}");
    }
}
