//! One panel of a plot: values to pixels, heading, grid lines and value labels.

use super::axis::Range;
use super::canvas::{Area, Canvas};
use super::colour::{FAINT, GREY, INK, Rgb};
use super::text::{self, Anchor, Style};

/// Name of a panel.
pub const HEADING: Style = Style {
    size: 15.0,
    bold: true,
    colour: INK,
};
/// Numbers and names along the axes.
pub const LABEL: Style = Style {
    size: 14.0,
    bold: false,
    colour: GREY,
};

/// About how many pixels lie between two grid lines, at least.
const BETWEEN_TICKS: usize = 36;

/// Values to pixels within one panel.
pub struct Plot {
    /// The pixels of the panel.
    pub area: Area,
    /// Values from its left edge to its right edge.
    pub across: Range,
    /// Values from its bottom to its top.
    pub up: Range,
}

impl Plot {
    /// Height of a value in pixels from the top of the picture, at most ten panels away.
    pub fn y(&self, value: f64) -> f32 {
        let above = self.up.fraction(value).clamp(-10.0, 10.0) as f32;
        self.area.bottom() as f32 - above * self.area.height as f32
    }

    /// The pixel coordinates of a point.
    pub fn point(&self, (x, y): (f64, f64)) -> (f32, f32) {
        let right = self.across.fraction(x) as f32 * self.area.width as f32;
        (self.area.left as f32 + right, self.y(y))
    }

    /// A line through points, cut at the edges of the panel.
    pub fn line(&self, canvas: &mut Canvas, points: &[(f64, f64)], width: f32, colour: Rgb) {
        let pixels: Vec<_> = points.iter().map(|&point| self.point(point)).collect();
        canvas.stroke(&pixels, width, colour, self.area);
    }

    /// Heading, grid lines and value labels.
    pub fn backdrop(&self, canvas: &mut Canvas, heading: &str, colour: Rgb) {
        let above = (self.area.left as f32, self.area.top as f32 - 14.0);
        text::draw(
            canvas,
            above,
            Anchor::Start,
            Style { colour, ..HEADING },
            heading,
        );
        for (value, label) in self.up.ticks(self.area.height / BETWEEN_TICKS) {
            let y = self.y(value);
            let row = (y as usize).clamp(self.area.top, self.area.bottom() - 1);
            canvas.fill(
                Area {
                    top: row,
                    height: 1,
                    ..self.area
                },
                FAINT,
            );
            let beside = (self.area.left as f32 - 10.0, row as f32 + 0.5);
            text::draw_centred(canvas, beside, Anchor::End, LABEL, &label);
        }
        canvas.fill(
            Area {
                top: self.area.bottom(),
                height: 1,
                ..self.area
            },
            GREY,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn corners_of_the_ranges_are_corners_of_the_panel() {
        let plot = Plot {
            area: Area {
                left: 10,
                top: 20,
                width: 100,
                height: 40,
            },
            across: Range {
                low: 0.0,
                high: 50.0,
            },
            up: Range {
                low: -1.0,
                high: 1.0,
            },
        };
        assert_eq!(plot.point((0.0, -1.0)), (10.0, 60.0));
        assert_eq!(plot.point((50.0, 1.0)), (110.0, 20.0));
        assert_eq!(plot.point((25.0, 0.0)), (60.0, 40.0));
        assert_eq!(plot.y(1e300), 60.0 - 400.0);
    }
}
