//! A drawing of lines, discs, pixels and text: an SVG, written as it is drawn, and the PNG that `resvg` makes of it.
//!
//! Lengths are in units of the drawing, from its top left corner; a PNG has several pixels to the unit. Shapes, text and
//! pixels are the library's. What is drawn is ours: libraries for charts come with a design of their own.

use std::fmt::Write;
use std::path::Path;
use std::sync::{Arc, LazyLock};

use anyhow::{Context, Result};
use base64::{Engine, engine::general_purpose::STANDARD};
use resvg::{tiny_skia, usvg};
use segre::atomic;

use super::colour::{INK, PAPER, Rgb};

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
        let opacity = 1.0;
        Self { colour, opacity }
    }
}

impl Paint {
    /// ` fill="…"`, or the same of the stroke.
    fn of(self, what: &str) -> String {
        let [red, green, blue] = self.colour;
        let colour = format!(" {what}=\"#{red:02x}{green:02x}{blue:02x}\"");
        match self.opacity {
            1.0.. => colour,
            part => format!("{colour} {what}-opacity=\"{part}\""),
        }
    }
}

/// Where a line of text lies relative to its anchor point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anchor {
    /// The text begins at the point.
    Start,
    /// The text is centred on the point.
    Middle,
    /// The text ends at the point.
    End,
}

/// How text looks.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    /// Size of the em.
    pub size: f32,
    /// Bold instead of regular.
    pub bold: bool,
    /// Colour of the ink.
    pub colour: Rgb,
}

impl Style {
    /// What letters that fill a rectangle are made of.
    pub const LETTER: Self = Self {
        size: 14.0,
        bold: true,
        colour: INK,
    };

    /// Width of one line of text.
    pub fn width(&self, text: &str) -> f32 {
        let mut drawing = Drawing {
            size: (1.0, 1.0),
            scale: 1.0,
            body: String::new(),
        };
        drawing.text((0.0, 0.0), Anchor::Start, *self, text);
        let tree = drawing.tree().expect("an SVG of our own is well formed");
        tree.root().abs_bounding_box().width()
    }

    /// How far below its middle a line of capitals has its baseline: half of Noto Sans' 714 units of 1000.
    pub fn drop(&self) -> f32 {
        0.357 * self.size
    }
}

/// A square of a colour, as an SVG element: an entry of a key.
pub fn swatch(colour: Rgb) -> String {
    let paint = Paint::from(colour).of("fill");
    format!(
        "<svg viewBox=\"0 0 10 10\" aria-hidden=\"true\"><rect width=\"10\" height=\"10\"{paint}/></svg>"
    )
}

/// A drawing; what is added later lies above.
#[derive(Clone, Debug)]
pub struct Drawing {
    /// Width and height.
    pub size: (f32, f32),
    scale: f32,
    body: String,
}

impl Drawing {
    /// An empty drawing on paper, with two pixels to the unit.
    pub fn new(width: f32, height: f32) -> Self {
        let mut drawing = Self {
            size: (0.0, 0.0),
            scale: 2.0,
            body: String::new(),
        };
        drawing.extend(width, height);
        drawing
    }

    /// An empty drawing on paper whose unit is one pixel.
    pub fn of_pixels(width: usize, height: usize) -> Self {
        let mut drawing = Self::new(width as f32, height as f32);
        drawing.scale = 1.0;
        drawing
    }

    /// Paper on the right and below, up to a size.
    pub fn extend(&mut self, width: f32, height: f32) {
        let (old_width, old_height) = self.size;
        self.size = (width.max(old_width), height.max(old_height));
        let (width, height) = self.size;
        self.rectangle((old_width, 0.0), (width - old_width, height), PAPER);
        self.rectangle((0.0, old_height), (width, height - old_height), PAPER);
    }

    fn add(&mut self, element: std::fmt::Arguments) {
        let _ = self.body.write_fmt(element);
        self.body.push('\n');
    }

    /// A line through points with round joins and ends.
    pub fn line(&mut self, points: &[Point], width: f32, paint: impl Into<Paint>) {
        self.polyline(points, width, paint.into(), "");
    }

    /// A dashed line through points.
    pub fn dashes(&mut self, points: &[Point], width: f32, paint: impl Into<Paint>) {
        self.polyline(points, width, paint.into(), " stroke-dasharray=\"5 4\"");
    }

    /// A line one unit wide that is level or upright: sharp on every grid of pixels.
    pub fn rule(&mut self, from: Point, to: Point, colour: Rgb) {
        let sharp = " shape-rendering=\"crispEdges\" stroke-linecap=\"butt\"";
        self.polyline(&[from, to], 1.0, colour.into(), sharp);
    }

    fn polyline(&mut self, points: &[Point], width: f32, paint: Paint, more: &str) {
        let (points, paint) = (listed(points), paint.of("stroke"));
        self.add(format_args!(
            "<polyline points=\"{points}\" fill=\"none\" stroke-width=\"{width}\"{paint}{more}/>"
        ));
    }

    /// A filled polygon.
    pub fn polygon(&mut self, points: &[Point], paint: impl Into<Paint>) {
        let (points, paint) = (listed(points), paint.into().of("fill"));
        self.add(format_args!("<polygon points=\"{points}\"{paint}/>"));
    }

    /// A filled rectangle.
    pub fn rectangle(&mut self, (x, y): Point, size: (f32, f32), paint: impl Into<Paint>) {
        let ((width, height), paint) = (size, paint.into().of("fill"));
        self.add(format_args!(
            "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\"{paint}/>"
        ));
    }

    /// The outline of a rectangle, one unit wide and just inside it.
    pub fn frame(&mut self, (x, y): Point, (width, height): (f32, f32), colour: Rgb) {
        let (x, y, width, height) = (x + 0.5, y + 0.5, width - 1.0, height - 1.0);
        let paint = Paint::from(colour).of("stroke");
        self.add(format_args!(
            "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" fill=\"none\"{paint}/>"
        ));
    }

    /// A filled disc.
    pub fn disc(&mut self, (x, y): Point, radius: f32, paint: impl Into<Paint>) {
        let paint = paint.into().of("fill");
        self.add(format_args!(
            "<circle cx=\"{x:.2}\" cy=\"{y:.2}\" r=\"{radius}\"{paint}/>"
        ));
    }

    /// Pixels in rows of `columns`, as sharp squares that fill a rectangle.
    ///
    /// # Panics
    /// If there are none, or their last row is not full.
    pub fn pixels(&mut self, (x, y): Point, size: (f32, f32), columns: usize, pixels: &[Rgb]) {
        let (rows, (width, height)) = (pixels.len() / columns, size);
        assert_eq!(rows * columns, pixels.len(), "pixels in full rows");
        let png = encode(columns as u32, rows as u32, pixels.as_flattened());
        let data = STANDARD.encode(png.expect("pixels that are in memory can be encoded"));
        self.add(format_args!(
            "<image x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" \
             preserveAspectRatio=\"none\" style=\"image-rendering:pixelated\" \
             href=\"data:image/png;base64,{data}\"/>"
        ));
    }

    /// One line of text that is read upwards and ends at a point: the name of a column of a matrix.
    pub fn text_upwards(&mut self, (x, y): Point, style: Style, text: &str) {
        self.add(format_args!(
            "<g transform=\"translate({x:.2} {y:.2}) rotate(-90)\">"
        ));
        self.text((0.0, style.drop()), Anchor::End, style, text);
        self.add(format_args!("</g>"));
    }

    /// One line of text; the point is the anchor across and the baseline down.
    pub fn text(&mut self, (x, y): Point, anchor: Anchor, style: Style, text: &str) {
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        let weight = if style.bold { "bold" } else { "normal" };
        let (size, paint) = (style.size, Paint::from(style.colour).of("fill"));
        let text = escaped(text);
        self.add(format_args!(
            "<text x=\"{x:.2}\" y=\"{y:.2}\" text-anchor=\"{anchor}\" font-size=\"{size}\" \
             font-weight=\"{weight}\" xml:space=\"preserve\"{paint}>{text}</text>"
        ));
    }

    /// A letter that fills a rectangle whose lower left corner is the point; `own` is its width in [`Style::LETTER`].
    pub fn letter(
        &mut self,
        (x, y): Point,
        (width, height): Point,
        (text, own): (&str, f32),
        colour: Rgb,
    ) {
        let (size, up) = (Style::LETTER.size, height / (2.0 * Style::LETTER.drop()));
        let (paint, text, across) = (Paint::from(colour).of("fill"), escaped(text), width / own);
        self.add(format_args!(
            "<text transform=\"translate({x:.2} {y:.2}) scale({across:.4} {up:.4})\" font-size=\"{size}\" \
             font-weight=\"bold\"{paint}>{text}</text>"
        ));
    }

    /// What `draw` adds, cut at the edges of a rectangle.
    pub fn within(&mut self, (x, y): Point, size: (f32, f32), draw: impl FnOnce(&mut Self)) {
        let (width, height) = size;
        self.add(format_args!(
            "<svg x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" \
             viewBox=\"{x} {y} {width} {height}\">"
        ));
        draw(self);
        self.add(format_args!("</svg>"));
    }

    /// The drawing as the text of an SVG file.
    pub fn to_svg(&self) -> String {
        let ((width, height), body) = (self.size, &self.body);
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
             viewBox=\"0 0 {width} {height}\" font-family=\"'Noto Sans', 'DejaVu Sans', Arial, \
             sans-serif\" stroke-linecap=\"round\" stroke-linejoin=\"round\">\n{body}</svg>\n"
        )
    }

    fn tree(&self) -> Result<usvg::Tree> {
        /// The typeface is carried by the program (SIL Open Font License): no other is looked for.
        static OPTIONS: LazyLock<usvg::Options> = LazyLock::new(|| {
            let mut options = usvg::Options::default();
            for typeface in [notosans::REGULAR_TTF, notosans::BOLD_TTF] {
                let source = usvg::fontdb::Source::Binary(Arc::new(typeface));
                options.fontdb_mut().load_font_source(source);
            }
            options
        });
        usvg::Tree::from_str(&self.to_svg(), &OPTIONS).context("cannot read the picture's SVG")
    }

    /// The drawing as the bytes of a PNG file.
    ///
    /// # Errors
    /// If it has no pixel, or too many for the memory.
    pub fn to_png(&self) -> Result<Vec<u8>> {
        let side = |length: f32| (length * self.scale).round() as u32;
        let (width, height) = (side(self.size.0), side(self.size.1));
        let mut pixels = tiny_skia::Pixmap::new(width, height)
            .with_context(|| format!("a picture of {width}×{height} pixels"))?;
        let scale = tiny_skia::Transform::from_scale(self.scale, self.scale);
        resvg::render(&self.tree()?, scale, &mut pixels.as_mut());
        let opaque = pixels.data().chunks_exact(4);
        let rgb: Vec<u8> = opaque
            .flat_map(|pixel| [pixel[0], pixel[1], pixel[2]])
            .collect();
        encode(width, height, &rgb).context("cannot encode the picture as PNG")
    }

    /// Writes the drawing to a PNG file, atomically.
    ///
    /// # Errors
    /// If the file cannot be written; the message names the path.
    pub fn write_png(&self, path: &Path) -> Result<()> {
        Ok(atomic::write_bytes(path, &self.to_png()?)?)
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

fn listed(points: &[Point]) -> String {
    let each = points.iter().map(|(x, y)| format!("{x:.2},{y:.2}"));
    each.collect::<Vec<_>>().join(" ")
}

fn encode(width: u32, height: u32, rgb: &[u8]) -> Result<Vec<u8>, png::EncodingError> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(png::ColorType::Rgb);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(rgb)?;
    writer.finish()?;
    Ok(bytes)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A PNG read back.
    pub(crate) struct Decoded {
        pub(crate) width: usize,
        pub(crate) height: usize,
        pixels: Vec<u8>,
    }

    impl Decoded {
        pub(crate) fn of(drawing: &Drawing) -> Self {
            let bytes = drawing.to_png().expect("a PNG");
            let decoder = png::Decoder::new(std::io::Cursor::new(bytes));
            let mut reader = decoder.read_info().expect("a header");
            let mut pixels = vec![0; reader.output_buffer_size().expect("a size")];
            let info = reader.next_frame(&mut pixels).expect("a picture");
            assert_eq!(info.color_type, png::ColorType::Rgb);
            Self {
                width: info.width as usize,
                height: info.height as usize,
                pixels,
            }
        }

        pub(crate) fn pixel(&self, column: usize, row: usize) -> Rgb {
            let start = 3 * (row * self.width + column);
            [0, 1, 2].map(|channel| self.pixels[start + channel])
        }

        /// Number of pixels in a rectangle with exactly this colour.
        pub(crate) fn count(
            &self,
            columns: std::ops::Range<usize>,
            rows: std::ops::Range<usize>,
            colour: Rgb,
        ) -> usize {
            let of_row = |row| {
                columns
                    .clone()
                    .filter(move |column| self.pixel(*column, row) == colour)
            };
            rows.map(|row| of_row(row).count()).sum()
        }

        /// Number of pixels with exactly this colour.
        pub(crate) fn count_all(&self, colour: Rgb) -> usize {
            self.count(0..self.width, 0..self.height, colour)
        }
    }

    #[test]
    fn shapes_and_pixels_are_where_they_are_drawn() {
        let mut drawing = Drawing::new(100.0, 60.0);
        drawing.rectangle((10.0, 10.0), (40.0, 20.0), [255, 0, 0]);
        let opacity = 0.5;
        let colour = [0, 0, 255];
        drawing.line(
            &[(60.0, 20.0), (90.0, 20.0)],
            8.0,
            Paint { colour, opacity },
        );
        drawing.within((0.0, 40.0), (20.0, 20.0), |part| {
            part.disc((20.0, 50.0), 4.0, [0, 128, 0])
        });
        let four = [[1; 3], [2; 3], [3; 3], [4; 3]];
        drawing.pixels((40.0, 40.0), (20.0, 10.0), 2, &four);
        let decoded = Decoded::of(&drawing);
        assert_eq!((decoded.width, decoded.height), (200, 120));
        let at = |x: usize, y: usize| decoded.pixel(2 * x, 2 * y);
        assert_eq!(
            (at(30, 20), at(55, 20), at(30, 35)),
            ([255, 0, 0], PAPER, PAPER)
        );
        assert_eq!(at(75, 20)[2], 255);
        assert!(at(75, 20)[0].abs_diff(128) <= 1);
        assert_eq!((at(18, 50), at(22, 50)), ([0, 128, 0], PAPER));
        assert_eq!(four.map(|colour| decoded.count_all(colour)), [200; 4]);
        assert_eq!(decoded.pixel(119, 99), [4; 3]);
    }

    #[test]
    fn text_has_the_width_that_is_told_and_every_sign_of_the_reports() {
        let style = |bold| Style {
            size: 20.0,
            bold,
            colour: [0; 3],
        };
        let (regular, bold) = (style(false).width("HHHH"), style(true).width("HHHH"));
        assert!(
            (40.0..80.0).contains(&regular) && bold > regular,
            "{regular}, {bold}"
        );
        let columns_of = |anchor, text| {
            let mut drawing = Drawing::of_pixels(200, 40);
            drawing.text((100.0, 30.0), anchor, style(false), text);
            let decoded = Decoded::of(&drawing);
            let inked = |column: &usize| (0..40).any(|row| decoded.pixel(*column, row) != PAPER);
            let first = (0..200).find(inked).expect("ink");
            let last = (0..200).rfind(inked).expect("ink");
            (first, last)
        };
        let (first, last) = columns_of(Anchor::Start, "HHHH");
        let end = 100.0 + regular;
        assert!((100..104).contains(&first) && (end - 4.0..end).contains(&(last as f32)));
        assert!((95..100).contains(&columns_of(Anchor::End, "HHHH").1));
        let (first, last) = columns_of(Anchor::Middle, "a < b & c");
        assert!((first + last).abs_diff(199) <= 3, "{first}..{last}");
        let missing = style(false).width("\u{10ffff}");
        for sign in "±×–…≤≥≈−·²".chars() {
            assert_ne!(
                style(false).width(&sign.to_string()),
                missing,
                "no glyph for {sign}"
            );
        }
    }
}
