//! Scales, their round ticks, and one panel of a chart: heading, grid lines, numbers along its sides.
//!
//! Ticks are ours because of their labels: decimals only as far as a step needs them, thousands set apart.

use super::colour::{FAINT, GREY, INK, Rgb};
use super::drawing::{Anchor, Drawing, Paint, Point, Style};

/// Name of a picture.
pub const TITLE: Style = Style {
    size: 19.0,
    bold: true,
    colour: INK,
};
/// Name of a panel.
pub const HEADING: Style = Style {
    size: 15.0,
    ..TITLE
};
/// Numbers and names along the axes.
pub const LABEL: Style = Style {
    size: 14.0,
    bold: false,
    colour: GREY,
};

/// The values along a side of a panel.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scale {
    /// Smallest value shown; its decimal logarithm where the scale is logarithmic.
    pub low: f64,
    /// Largest value shown, or its logarithm.
    pub high: f64,
    /// Logarithmic instead of linear.
    pub logarithmic: bool,
}

impl Scale {
    /// From one value to another, widened where that would be nothing.
    pub fn linear(low: f64, high: f64) -> Self {
        let margin = if low == 0.0 { 0.5 } else { 0.05 * low.abs() };
        let wider = if high > low { 0.0 } else { margin };
        Self {
            low: low - wider,
            high: high.max(low) + wider,
            logarithmic: false,
        }
    }

    /// From the lowest to the highest of the values that it can show, if there are any.
    pub fn spanning(values: impl Iterator<Item = f64>, logarithmic: bool) -> Option<Self> {
        let shown = values.map(|value| if logarithmic { value.log10() } else { value });
        let (low, high) = shown
            .filter(|value| value.is_finite())
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
                (low.min(value), high.max(value))
            });
        (low <= high).then(|| Self {
            logarithmic,
            ..Self::linear(low, high)
        })
    }

    /// The scale widened by these fractions of its length below and above.
    #[must_use]
    pub fn padded(self, below: f64, above: f64) -> Self {
        let length = self.high - self.low;
        Self {
            low: self.low - below * length,
            high: self.high + above * length,
            ..self
        }
    }

    /// Where a value lies: 0 at the low end, 1 at the high end; not finite where it cannot be shown.
    pub fn fraction(&self, value: f64) -> f64 {
        let value = if self.logarithmic {
            value.log10()
        } else {
            value
        };
        (value - self.low) / (self.high - self.low)
    }

    /// Whether a value is shown.
    pub fn contains(&self, value: f64) -> bool {
        (0.0..=1.0).contains(&self.fraction(value))
    }

    /// Round values with labels: at most `most` + 1 of a linear scale, 1, 2 or 5 times a power of ten apart.
    pub fn ticks(&self, most: usize) -> Vec<(f64, String)> {
        if self.logarithmic {
            return self.powers();
        }
        let rough = (self.high - self.low) / most.max(1) as f64;
        let power = 10_f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0].map(|factor| factor * power);
        let enough = |step: &f64| *step >= rough * (1.0 - 1e-9);
        let step = step.into_iter().find(enough).unwrap_or(10.0 * power);
        let decimals = (-(step.log10() + 1e-9).floor()).max(0.0) as usize;
        let tolerance = 1e-9 * (self.high - self.low) / step;
        let first = (self.low / step - tolerance).ceil() as i64;
        let last = (self.high / step + tolerance).floor() as i64;
        let values = (first..=last).map(|index| index as f64 * step);
        values
            .map(|value| (value, number(value, decimals)))
            .collect()
    }

    /// Powers of ten, and over few decades twos and fives between them.
    fn powers(&self) -> Vec<(f64, String)> {
        let between: &[f64] = match self.high - self.low {
            0.0..2.5 => &[1.0, 2.0, 5.0],
            _ => &[1.0],
        };
        let decades = self.low.floor() as i32..=self.high.ceil() as i32;
        let values = decades.flat_map(|decade| between.iter().map(move |factor| (decade, factor)));
        values
            .map(|(decade, factor)| (decade, factor * 10_f64.powi(decade)))
            .filter(|(_, value)| self.contains(*value))
            .map(|(decade, value)| match decade {
                -4..=5 => (value, number(value, (-decade).max(0) as usize)),
                _ => (value, format!("{value:.0e}")),
            })
            .collect()
    }
}

/// A number with a fixed count of decimals, thousands set apart by a space: `12 000`, `0.25`.
pub fn number(value: f64, decimals: usize) -> String {
    let plain = format!("{:.decimals$}", value.abs());
    let (whole, rest) = plain.split_at(plain.find('.').unwrap_or(plain.len()));
    let mut grouped = String::new();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) && whole.len() > 4 {
            grouped.push(' ');
        }
        grouped.push(digit);
    }
    let zero = plain.chars().all(|letter| matches!(letter, '0' | '.'));
    let sign = if value < 0.0 && !zero { "−" } else { "" };
    format!("{sign}{grouped}{rest}")
}

/// One panel: a rectangle of the drawing, and the values along its sides.
#[derive(Clone, Copy, Debug)]
pub struct Plot {
    /// Upper left corner.
    pub corner: Point,
    /// Width and height.
    pub size: (f32, f32),
    /// From left to right.
    pub across: Scale,
    /// From the bottom to the top.
    pub up: Scale,
}

impl Plot {
    /// The right and the lower edge.
    pub fn end(&self) -> Point {
        (self.corner.0 + self.size.0, self.corner.1 + self.size.1)
    }

    /// Height of a value from the top of the drawing, at most ten panels away.
    pub fn y(&self, value: f64) -> f32 {
        self.end().1 - self.up.fraction(value).clamp(-10.0, 10.0) as f32 * self.size.1
    }

    /// Where a point is.
    pub fn point(&self, (x, y): (f64, f64)) -> Point {
        let right = self.across.fraction(x) as f32 * self.size.0;
        (self.corner.0 + right, self.y(y))
    }

    /// A line through points, cut at the edges.
    pub fn line(
        &self,
        drawing: &mut Drawing,
        points: &[(f64, f64)],
        width: f32,
        paint: impl Into<Paint>,
    ) {
        let points: Vec<Point> = points.iter().map(|point| self.point(*point)).collect();
        drawing.within(self.corner, self.size, |drawing| {
            drawing.line(&points, width, paint)
        });
    }

    /// Heading, grid lines with their numbers, and the lower edge.
    pub fn backdrop(&self, drawing: &mut Drawing, heading: &str, colour: Rgb, most: usize) {
        let ((left, top), (right, bottom)) = (self.corner, self.end());
        let style = Style { colour, ..HEADING };
        drawing.text((left, top - 13.0), Anchor::Start, style, heading);
        for (value, label) in self.up.ticks(most) {
            let y = self.y(value);
            drawing.rule((left, y), (right, y), FAINT);
            drawing.text((left - 9.0, y + LABEL.drop()), Anchor::End, LABEL, &label);
        }
        drawing.rule((left, bottom), (right, bottom), GREY);
    }

    /// Numbers along the lower edge, and the name of what they count.
    pub fn foot(&self, drawing: &mut Drawing, name: &str, most: usize) {
        let (left, bottom) = (self.corner.0, self.end().1);
        for (value, label) in self.across.ticks(most) {
            let x = left + self.across.fraction(value) as f32 * self.size.0;
            drawing.rule((x, bottom), (x, bottom + 5.0), GREY);
            drawing.text((x, bottom + 21.0), Anchor::Middle, LABEL, &label);
        }
        let middle = (left + self.size.0 / 2.0, bottom + 44.0);
        drawing.text(middle, Anchor::Middle, LABEL, name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(low: f64, high: f64, most: usize) -> Vec<String> {
        let ticks = Scale::linear(low, high).ticks(most).into_iter();
        ticks.map(|(_, label)| label).collect()
    }

    #[test]
    fn ticks_are_round_and_inside() {
        let fifths = ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"];
        assert_eq!(labels(0.0, 1.0, 5), fifths);
        assert_eq!(labels(1.93, 2.46, 6), ["2.0", "2.1", "2.2", "2.3", "2.4"]);
        let thousands = ["0", "5000", "10 000", "15 000", "20 000"];
        assert_eq!(labels(0.0, 23_000.0, 5), thousands);
        assert_eq!(labels(-0.03, 0.03, 3), ["−0.02", "0.00", "0.02"]);
        let logarithmic = |low: f64, high: f64| -> Vec<String> {
            let scale = Scale::spanning([low, high].into_iter(), true).expect("a range");
            let ticks = scale.padded(0.01, 0.01).ticks(6).into_iter();
            ticks.map(|(_, label)| label).collect()
        };
        assert_eq!(
            logarithmic(1e-4, 1.0),
            ["0.0001", "0.001", "0.01", "0.1", "1"]
        );
        assert_eq!(logarithmic(5.0, 160.0), ["5", "10", "20", "50", "100"]);
        assert!(Scale::spanning([0.0, -1.0].into_iter(), true).is_none());
    }

    #[test]
    fn every_range_has_a_few_ticks() {
        for exponent in -8..9 {
            for mantissa in [1.0, 1.3, 2.0, 3.7, 5.0, 9.9] {
                let high = mantissa * 10_f64.powi(exponent);
                let ticks = Scale::linear(0.0, high).ticks(5);
                assert!((2..=6).contains(&ticks.len()), "{high}: {ticks:?}");
                assert!(ticks.iter().all(|(value, _)| *value <= high * (1.0 + 1e-9)));
            }
        }
        for value in [0.0, 2.5, -3.0] {
            let scale = Scale::linear(value, value);
            assert!(scale.low < value && scale.fraction(value) == 0.5);
        }
    }

    #[test]
    fn thousands_are_set_apart() {
        assert_eq!(number(1234.0, 0), "1234");
        assert_eq!(number(1_234_567.0, 0), "1 234 567");
        assert_eq!(number(-12_345.678, 1), "−12 345.7");
        assert_eq!(number(-0.0001, 2), "0.00");
    }
}
