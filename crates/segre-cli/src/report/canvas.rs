//! An RGB picture in memory: rectangles, anti-aliased strokes and discs, and its PNG form.
//!
//! Coordinates are pixels from the top left corner; the centre of the first pixel is (0.5, 0.5).

use std::path::Path;

use anyhow::{Context, Result};
use segre::atomic;

use super::colour::Rgb;

/// A rectangle of pixels: left and top edge inclusive, right and bottom edge exclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Area {
    /// First column.
    pub left: usize,
    /// First row.
    pub top: usize,
    /// Number of columns.
    pub width: usize,
    /// Number of rows.
    pub height: usize,
}

impl Area {
    /// The column after the last.
    pub fn right(&self) -> usize {
        self.left + self.width
    }

    /// The row after the last.
    pub fn bottom(&self) -> usize {
        self.top + self.height
    }
}

/// A picture being drawn.
#[derive(Clone, Debug)]
pub struct Canvas {
    width: usize,
    height: usize,
    pixels: Vec<u8>,
}

impl Canvas {
    /// A picture of one colour.
    ///
    /// # Panics
    /// If a side is 0.
    pub fn new(width: usize, height: usize, background: Rgb) -> Self {
        assert!(width > 0 && height > 0, "empty picture: {width}×{height}");
        let pixels = background.repeat(width * height);
        Self {
            width,
            height,
            pixels,
        }
    }

    /// The picture with empty rows below, up to a height.
    pub fn extended(mut self, height: usize, background: Rgb) -> Self {
        let more = height.saturating_sub(self.height);
        self.pixels.extend(background.repeat(self.width * more));
        self.height += more;
        self
    }

    /// The whole picture as an area.
    pub fn area(&self) -> Area {
        Area {
            left: 0,
            top: 0,
            width: self.width,
            height: self.height,
        }
    }

    /// Fills the part of `area` that lies in the picture.
    pub fn fill(&mut self, area: Area, colour: Rgb) {
        let right = area.right().min(self.width);
        for row in area.top..area.bottom().min(self.height) {
            for column in area.left..right {
                let start = 3 * (row * self.width + column);
                self.pixels[start..start + 3].copy_from_slice(&colour);
            }
        }
    }

    /// A frame of one pixel just inside `area`.
    pub fn frame(&mut self, area: Area, colour: Rgb) {
        self.fill(Area { height: 1, ..area }, colour);
        self.fill(
            Area {
                top: area.bottom() - 1,
                height: 1,
                ..area
            },
            colour,
        );
        self.fill(Area { width: 1, ..area }, colour);
        self.fill(
            Area {
                left: area.right() - 1,
                width: 1,
                ..area
            },
            colour,
        );
    }

    /// Mixes `coverage ∈ [0, 1]` of a colour into one pixel; outside the picture it does nothing.
    pub fn blend(&mut self, column: i64, row: i64, colour: Rgb, coverage: f32) {
        let (Ok(column), Ok(row)) = (usize::try_from(column), usize::try_from(row)) else {
            return;
        };
        if column >= self.width || row >= self.height {
            return;
        }
        let start = 3 * (row * self.width + column);
        let coverage = coverage.clamp(0.0, 1.0);
        for (old, new) in self.pixels[start..start + 3].iter_mut().zip(colour) {
            let mixed = f32::from(*old) + coverage * (f32::from(new) - f32::from(*old));
            *old = mixed.round() as u8;
        }
    }

    /// A line through `points` with round joins and ends, cut at the edges of `clip`.
    ///
    /// The line is one shape: where it crosses itself it is no darker.
    pub fn stroke(&mut self, points: &[(f32, f32)], width: f32, colour: Rgb, clip: Area) {
        self.stroke_thinly(points, width, colour, 1.0, clip);
    }

    /// [`stroke`](Self::stroke) with translucent ink.
    pub fn stroke_thinly(
        &mut self,
        points: &[(f32, f32)],
        width: f32,
        colour: Rgb,
        opacity: f32,
        clip: Area,
    ) {
        let reach = width / 2.0 + 1.0;
        let mut coverage = vec![0.0_f32; clip.width * clip.height];
        let dot = points.first().map(|&point| [point, point]);
        let segments = points.windows(2).map(|pair| [pair[0], pair[1]]);
        for [from, to] in dot.into_iter().chain(segments) {
            let (left, top) = (clip.left as f32 + reach, clip.top as f32 + reach);
            let across = (
                from.0.min(to.0) - left,
                from.0.max(to.0) - left + 2.0 * reach,
            );
            let down = (from.1.min(to.1) - top, from.1.max(to.1) - top + 2.0 * reach);
            let columns = touched(across, clip.width);
            let rows = touched(down, clip.height);
            for row in rows {
                for column in columns.clone() {
                    let centre = (
                        (clip.left + column) as f32 + 0.5,
                        (clip.top + row) as f32 + 0.5,
                    );
                    let inside = width / 2.0 + 0.5 - distance_to_segment(centre, from, to);
                    let cell = &mut coverage[row * clip.width + column];
                    *cell = cell.max(inside.clamp(0.0, 1.0));
                }
            }
        }
        for (index, &part) in coverage.iter().enumerate().filter(|(_, part)| **part > 0.0) {
            let column = clip.left + index % clip.width;
            let row = clip.top + index / clip.width;
            self.blend(column as i64, row as i64, colour, opacity * part);
        }
    }

    /// A filled polygon, inside by the even-odd rule.
    pub fn polygon(&mut self, corners: &[(f32, f32)], colour: Rgb, opacity: f32) {
        /// Scan lines to a row of pixels.
        const LINES: usize = 4;
        let (low, high) = corners
            .iter()
            .fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), corner| {
                (low.min(corner.1), high.max(corner.1))
            });
        let edges = corners.iter().zip(corners.iter().cycle().skip(1));
        for row in touched((low, high), self.height) {
            let mut coverage = vec![0.0_f32; self.width];
            for line in 0..LINES {
                let y = row as f32 + (line as f32 + 0.5) / LINES as f32;
                let mut crossings: Vec<f32> = edges
                    .clone()
                    .filter(|(from, to)| (from.1 <= y) != (to.1 <= y))
                    .map(|(from, to)| from.0 + (y - from.1) / (to.1 - from.1) * (to.0 - from.0))
                    .collect();
                crossings.sort_by(f32::total_cmp);
                for pair in crossings.chunks_exact(2) {
                    for column in touched((pair[0], pair[1]), self.width) {
                        let (left, right) = (column as f32, column as f32 + 1.0);
                        let inside = pair[1].min(right) - pair[0].max(left);
                        coverage[column] += inside.max(0.0) / LINES as f32;
                    }
                }
            }
            for (column, part) in coverage
                .into_iter()
                .enumerate()
                .filter(|(_, part)| *part > 0.0)
            {
                self.blend(column as i64, row as i64, colour, opacity * part);
            }
        }
    }

    /// A thin dashed horizontal line, moved to the middle of the pixel row it falls in.
    pub fn dashes(&mut self, y: f32, colour: Rgb, clip: Area) {
        const DASH: usize = 6;
        const GAP: usize = 4;
        let y = y.floor() + 0.5;
        for left in (clip.left..clip.right()).step_by(DASH + GAP) {
            let part = Area {
                left,
                width: DASH.min(clip.right() - left),
                ..clip
            };
            let ends = [(part.left as f32, y), (part.right() as f32, y)];
            self.stroke(&ends, 1.5, colour, part);
        }
    }

    /// A filled disc.
    pub fn disc(&mut self, centre: (f32, f32), radius: f32, colour: Rgb, clip: Area) {
        self.stroke(&[centre], 2.0 * radius, colour, clip);
    }

    /// The picture as the bytes of a PNG file.
    ///
    /// # Errors
    /// If a side exceeds what PNG allows (2³¹ − 1).
    pub fn to_png(&self) -> Result<Vec<u8>> {
        let (width, height) = (u32::try_from(self.width)?, u32::try_from(self.height)?);
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, width, height);
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_depth(png::BitDepth::Eight);
        let mut writer = encoder
            .write_header()
            .context("cannot encode the picture as PNG")?;
        writer
            .write_image_data(&self.pixels)
            .context("cannot encode the picture as PNG")?;
        writer
            .finish()
            .context("cannot encode the picture as PNG")?;
        Ok(bytes)
    }

    /// Writes the picture to a PNG file, atomically.
    ///
    /// # Errors
    /// If the file cannot be written; the message names the path.
    pub fn write_png(&self, path: &Path) -> Result<()> {
        Ok(atomic::write_bytes(path, &self.to_png()?)?)
    }
}

/// The pixels of a side of `length` pixels that an interval touches.
fn touched((low, high): (f32, f32), length: usize) -> std::ops::Range<usize> {
    let inside = |value: f32| value.clamp(0.0, length as f32) as usize;
    inside(low.floor())..inside(high.ceil())
}

fn distance_to_segment(point: (f32, f32), from: (f32, f32), to: (f32, f32)) -> f32 {
    let (dx, dy) = (to.0 - from.0, to.1 - from.1);
    let (px, py) = (point.0 - from.0, point.1 - from.1);
    let squared = dx * dx + dy * dy;
    let along = if squared > 0.0 {
        ((px * dx + py * dy) / squared).clamp(0.0, 1.0)
    } else {
        0.0
    };
    (px - along * dx).hypot(py - along * dy)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A picture read back from PNG bytes.
    pub(crate) struct Decoded {
        pub(crate) width: usize,
        pub(crate) height: usize,
        pixels: Vec<u8>,
    }

    impl Decoded {
        pub(crate) fn new(bytes: &[u8]) -> Self {
            let mut reader = png::Decoder::new(std::io::Cursor::new(bytes))
                .read_info()
                .expect("a PNG header");
            let mut pixels = vec![0; reader.output_buffer_size().expect("a size")];
            let info = reader.next_frame(&mut pixels).expect("a PNG picture");
            assert_eq!(info.color_type, png::ColorType::Rgb);
            Self {
                width: info.width as usize,
                height: info.height as usize,
                pixels,
            }
        }

        pub(crate) fn of(canvas: &Canvas) -> Self {
            Self::new(&canvas.to_png().expect("PNG"))
        }

        pub(crate) fn pixel(&self, column: usize, row: usize) -> Rgb {
            let start = 3 * (row * self.width + column);
            [
                self.pixels[start],
                self.pixels[start + 1],
                self.pixels[start + 2],
            ]
        }

        /// Number of pixels of `area` with exactly this colour.
        pub(crate) fn count(&self, area: Area, colour: Rgb) -> usize {
            let rows = area.top..area.bottom();
            rows.flat_map(|row| (area.left..area.right()).map(move |column| (column, row)))
                .filter(|&(column, row)| self.pixel(column, row) == colour)
                .count()
        }
    }

    const WHITE: Rgb = [255; 3];
    const RED: Rgb = [200, 10, 20];

    #[test]
    fn a_png_read_back_is_the_picture() {
        let mut canvas = Canvas::new(7, 5, WHITE);
        canvas.fill(
            Area {
                left: 2,
                top: 1,
                width: 3,
                height: 2,
            },
            RED,
        );
        let decoded = Decoded::new(&canvas.to_png().expect("encoded"));
        assert_eq!((decoded.width, decoded.height), (7, 5));
        assert_eq!(decoded.count(canvas.area(), RED), 6);
        assert_eq!(decoded.pixel(2, 1), RED);
        assert_eq!(decoded.pixel(4, 2), RED);
        assert_eq!(decoded.pixel(5, 2), WHITE);
    }

    #[test]
    fn a_stroke_covers_its_width_and_stays_in_its_clip() {
        let mut canvas = Canvas::new(20, 20, WHITE);
        let clip = Area {
            left: 5,
            top: 0,
            width: 10,
            height: 20,
        };
        canvas.stroke(&[(-50.0, 10.0), (50.0, 10.0)], 4.0, RED, clip);
        let decoded = Decoded::of(&canvas);
        assert_eq!(decoded.count(canvas.area(), RED), 10 * 4);
        assert_eq!(decoded.count(canvas.area(), WHITE), 20 * 20 - 10 * 4);
        assert_eq!(decoded.pixel(5, 8), RED);
        assert_eq!(decoded.pixel(14, 11), RED);
    }

    #[test]
    fn a_disc_has_the_area_of_a_disc() {
        let mut canvas = Canvas::new(60, 60, WHITE);
        canvas.disc((30.0, 30.0), 20.0, [0; 3], canvas.area());
        let ink: f64 = canvas
            .pixels
            .iter()
            .step_by(3)
            .map(|&v| 1.0 - f64::from(v) / 255.0)
            .sum();
        let exact = std::f64::consts::PI * 400.0;
        assert!((ink / exact - 1.0).abs() < 0.01, "{ink} against {exact}");
    }

    #[test]
    fn dashes_leave_gaps() {
        let mut canvas = Canvas::new(100, 3, WHITE);
        canvas.dashes(1.2, RED, canvas.area());
        assert_eq!(Decoded::of(&canvas).count(canvas.area(), RED), 60);
    }
}
