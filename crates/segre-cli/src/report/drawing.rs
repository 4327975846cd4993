//! A drawing of lines, polygons, discs and text that becomes a PNG or an SVG file.
//!
//! Lengths are in units of the drawing, from its top left corner; a PNG has several pixels to the unit.

use std::fmt::Write;

use super::canvas::{Area, Canvas};
use super::colour::{PAPER, Rgb};
use super::text::{self, Anchor, Style};

/// A point of a drawing: right, down.
pub type Point = (f32, f32);

/// Colour and how much of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Paint {
    /// The colour.
    pub colour: Rgb,
    /// 1 hides what is behind, 0 is nothing.
    pub opacity: f32,
}

impl From<Rgb> for Paint {
    fn from(colour: Rgb) -> Self {
        Self {
            colour,
            opacity: 1.0,
        }
    }
}

#[derive(Clone, Debug)]
enum Shape {
    Line {
        points: Vec<Point>,
        width: f32,
        paint: Paint,
    },
    Polygon {
        points: Vec<Point>,
        paint: Paint,
    },
    Disc {
        centre: Point,
        radius: f32,
        paint: Paint,
    },
    Text {
        point: Point,
        anchor: Anchor,
        style: Style,
        text: String,
    },
}

/// A drawing; what is added later lies above.
#[derive(Clone, Debug)]
pub struct Drawing {
    width: f32,
    height: f32,
    shapes: Vec<Shape>,
}

/// Length of a dash, and of the gap after it.
const DASH: (f32, f32) = (5.0, 4.0);

impl Drawing {
    /// An empty drawing on paper.
    pub fn new(width: f32, height: f32) -> Self {
        Self {
            width,
            height,
            shapes: Vec::new(),
        }
    }

    /// A line through points with round joins and ends.
    pub fn line(&mut self, points: &[Point], width: f32, paint: impl Into<Paint>) {
        self.shapes.push(Shape::Line {
            points: points.to_vec(),
            width,
            paint: paint.into(),
        });
    }

    /// A dashed line through points.
    pub fn dashes(&mut self, points: &[Point], width: f32, paint: impl Into<Paint>) {
        let paint = paint.into();
        // Whether ink flows, how far the dash or gap goes on, and the dash so far.
        let (mut inked, mut left, mut dash) = (true, DASH.0, Vec::new());
        for pair in points.windows(2) {
            let [from, to] = [pair[0], pair[1]];
            let length = (to.0 - from.0).hypot(to.1 - from.1);
            let at = |distance: f32| {
                let part = distance / length;
                (
                    from.0 + part * (to.0 - from.0),
                    from.1 + part * (to.1 - from.1),
                )
            };
            let mut done = 0.0;
            if dash.is_empty() {
                dash.push(from);
            }
            while done + left < length {
                done += left;
                dash.push(at(done));
                if inked {
                    self.line(&dash, width, paint);
                }
                dash = vec![at(done)];
                inked = !inked;
                left = if inked { DASH.0 } else { DASH.1 };
            }
            left -= length - done;
            dash.push(to);
        }
        if inked && dash.len() > 1 {
            self.line(&dash, width, paint);
        }
    }

    /// A filled polygon.
    pub fn polygon(&mut self, points: &[Point], paint: impl Into<Paint>) {
        self.shapes.push(Shape::Polygon {
            points: points.to_vec(),
            paint: paint.into(),
        });
    }

    /// A filled rectangle.
    pub fn rectangle(&mut self, corner: Point, size: (f32, f32), paint: impl Into<Paint>) {
        let (x, y) = corner;
        let (right, bottom) = (x + size.0, y + size.1);
        self.polygon(&[(x, y), (right, y), (right, bottom), (x, bottom)], paint);
    }

    /// A filled disc.
    pub fn disc(&mut self, centre: Point, radius: f32, paint: impl Into<Paint>) {
        self.shapes.push(Shape::Disc {
            centre,
            radius,
            paint: paint.into(),
        });
    }

    /// One line of text; the point is the anchor across and the baseline down.
    pub fn text(&mut self, point: Point, anchor: Anchor, style: Style, text: &str) {
        self.shapes.push(Shape::Text {
            point,
            anchor,
            style,
            text: text.to_owned(),
        });
    }

    /// The drawing as pixels, `scale` to the unit.
    ///
    /// # Panics
    /// If it has no pixel.
    pub fn to_canvas(&self, scale: f32) -> Canvas {
        let side = |length: f32| (length * scale).round() as usize;
        let mut canvas = Canvas::new(side(self.width), side(self.height), PAPER);
        let large = |points: &[Point]| -> Vec<Point> {
            points.iter().map(|p| (p.0 * scale, p.1 * scale)).collect()
        };
        for shape in &self.shapes {
            match shape {
                Shape::Line {
                    points,
                    width,
                    paint,
                } => {
                    let (points, width) = (large(points), width * scale);
                    // A small clip: what a stroke costs is the area of its clip.
                    let clip = around(&points, width, canvas.area());
                    canvas.stroke_thinly(&points, width, paint.colour, paint.opacity, clip);
                }
                Shape::Polygon { points, paint } => {
                    canvas.polygon(&large(points), paint.colour, paint.opacity);
                }
                Shape::Disc {
                    centre,
                    radius,
                    paint,
                } => {
                    let (points, width) = (large(&[*centre]), 2.0 * radius * scale);
                    let clip = around(&points, width, canvas.area());
                    canvas.stroke_thinly(&points, width, paint.colour, paint.opacity, clip);
                }
                Shape::Text {
                    point,
                    anchor,
                    style,
                    text,
                } => {
                    let style = Style {
                        size: style.size * scale,
                        ..*style
                    };
                    let point = (point.0 * scale, point.1 * scale);
                    text::draw(&mut canvas, point, *anchor, style, text);
                }
            }
        }
        canvas
    }

    /// The drawing as the text of an SVG file.
    pub fn to_svg(&self) -> String {
        let (width, height) = (self.width, self.height);
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
             viewBox=\"0 0 {width} {height}\" font-family=\"'Noto Sans', 'DejaVu Sans', Arial, \
             sans-serif\" stroke-linecap=\"round\" stroke-linejoin=\"round\">\n\
             <rect width=\"100%\" height=\"100%\" fill=\"{}\"/>\n",
            hex(PAPER)
        );
        for shape in &self.shapes {
            svg += &element(shape);
            svg.push('\n');
        }
        svg + "</svg>\n"
    }
}

/// The pixels that a stroke can touch.
fn around(points: &[Point], width: f32, whole: Area) -> Area {
    let reach = width / 2.0 + 2.0;
    let bound = |value: f32, most: usize| (value.max(0.0) as usize).min(most);
    let least = |side: fn(&Point) -> f32| points.iter().map(side).fold(f32::INFINITY, f32::min);
    let most = |side: fn(&Point) -> f32| points.iter().map(side).fold(f32::NEG_INFINITY, f32::max);
    let left = bound(least(|p| p.0) - reach, whole.width);
    let top = bound(least(|p| p.1) - reach, whole.height);
    let right = bound(most(|p| p.0) + reach + 1.0, whole.width);
    let bottom = bound(most(|p| p.1) + reach + 1.0, whole.height);
    Area {
        left,
        top,
        width: right.saturating_sub(left),
        height: bottom.saturating_sub(top),
    }
}

fn hex([red, green, blue]: Rgb) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}

/// ` fill="#…" fill-opacity="…"`, or the same of the stroke.
fn painted(what: &str, paint: Paint) -> String {
    let mut text = format!(" {what}=\"{}\"", hex(paint.colour));
    if paint.opacity < 1.0 {
        let _ = write!(text, " {what}-opacity=\"{}\"", paint.opacity);
    }
    text
}

fn listed(points: &[Point]) -> String {
    let each = points.iter().map(|(x, y)| format!("{x:.1},{y:.1}"));
    each.collect::<Vec<_>>().join(" ")
}

fn element(shape: &Shape) -> String {
    match shape {
        Shape::Line {
            points,
            width,
            paint,
        } => format!(
            "<polyline points=\"{}\" fill=\"none\" stroke-width=\"{width}\"{}/>",
            listed(points),
            painted("stroke", *paint)
        ),
        Shape::Polygon { points, paint } => format!(
            "<polygon points=\"{}\"{}/>",
            listed(points),
            painted("fill", *paint)
        ),
        Shape::Disc {
            centre,
            radius,
            paint,
        } => format!(
            "<circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"{radius}\"{}/>",
            centre.0,
            centre.1,
            painted("fill", *paint)
        ),
        Shape::Text {
            point,
            anchor,
            style,
            text,
        } => {
            let anchor = match anchor {
                Anchor::Start => "start",
                Anchor::Middle => "middle",
                Anchor::End => "end",
            };
            let weight = if style.bold {
                " font-weight=\"bold\""
            } else {
                ""
            };
            let text = text.replace('&', "&amp;").replace('<', "&lt;");
            format!(
                "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"{anchor}\" font-size=\"{}\"{weight}{}>{text}</text>",
                point.0,
                point.1,
                style.size,
                painted("fill", style.colour.into())
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::canvas::tests::Decoded;

    fn example() -> Drawing {
        let mut drawing = Drawing::new(100.0, 60.0);
        drawing.rectangle((10.0, 10.0), (40.0, 20.0), [255, 0, 0]);
        let half = Paint {
            colour: [0, 0, 255],
            opacity: 0.5,
        };
        drawing.line(&[(60.0, 20.0), (90.0, 20.0)], 8.0, half);
        drawing.disc((20.0, 50.0), 4.0, [0, 128, 0]);
        drawing
    }

    #[test]
    fn shapes_cover_their_pixels_at_every_scale() {
        for scale in [1.0, 2.0, 3.0] {
            let decoded = Decoded::of(&example().to_canvas(scale));
            let at = |x: f32, y: f32| decoded.pixel((x * scale) as usize, (y * scale) as usize);
            assert_eq!(at(30.0, 20.0), [255, 0, 0]);
            assert_eq!(at(55.0, 20.0), [255; 3]);
            assert_eq!(at(30.0, 35.0), [255; 3]);
            assert_eq!(at(75.0, 20.0), [128, 128, 255]);
            assert_eq!(at(20.0, 50.0), [0, 128, 0]);
        }
    }

    #[test]
    fn a_polygon_has_the_area_it_should() {
        let mut drawing = Drawing::new(80.0, 80.0);
        drawing.polygon(&[(10.0, 10.0), (70.0, 10.0), (10.0, 70.0)], [0; 3]);
        let decoded = Decoded::of(&drawing.to_canvas(1.0));
        let pixels = (0..80).flat_map(|row| (0..80).map(move |column| (column, row)));
        let ink = |(x, y)| 1.0 - f64::from(decoded.pixel(x, y)[0]) / 255.0;
        let area: f64 = pixels.map(ink).sum();
        assert!((area - 1800.0).abs() < 5.0, "{area}");
    }

    #[test]
    fn dashes_go_on_around_corners() {
        let mut drawing = Drawing::new(100.0, 100.0);
        // 0.3 units to the segment: far shorter than a dash.
        let points: Vec<Point> = (0..=300).map(|k| (5.0 + 0.3 * k as f32, 50.0)).collect();
        drawing.dashes(&points, 2.0, [0; 3]);
        assert_eq!(drawing.shapes.len(), 10, "one dash every 9 units of 90");
    }

    #[test]
    fn the_svg_has_every_shape_once_and_escapes_text() {
        let mut drawing = example();
        let style = Style {
            size: 12.0,
            bold: true,
            colour: [0; 3],
        };
        drawing.text((5.0, 5.0), Anchor::Start, style, "a < b & c");
        let svg = drawing.to_svg();
        for (mark, count) in [
            ("<polygon", 1),
            ("<polyline", 1),
            ("<circle", 1),
            ("<text", 1),
        ] {
            assert_eq!(svg.matches(mark).count(), count, "{mark} in {svg}");
        }
        assert!(svg.contains("a &lt; b &amp; c</text>"), "{svg}");
        assert!(svg.contains("stroke-opacity=\"0.5\""), "{svg}");
        assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"));
    }
}
