//! Text on a canvas, set in a typeface carried by the program (Noto Sans, SIL Open Font License).

use std::sync::LazyLock;

use ab_glyph::{Font, FontRef, PxScale, ScaleFont};

use super::canvas::Canvas;
use super::colour::Rgb;

static REGULAR: LazyLock<FontRef<'static>> = LazyLock::new(|| {
    FontRef::try_from_slice(notosans::REGULAR_TTF).expect("the embedded typeface is well formed")
});

static BOLD: LazyLock<FontRef<'static>> = LazyLock::new(|| {
    FontRef::try_from_slice(notosans::BOLD_TTF).expect("the embedded typeface is well formed")
});

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
    /// Size of the em in pixels.
    pub size: f32,
    /// Bold instead of regular.
    pub bold: bool,
    /// Colour of the ink.
    pub colour: Rgb,
}

impl Style {
    fn font(&self) -> &'static FontRef<'static> {
        if self.bold { &BOLD } else { &REGULAR }
    }

    fn scale(&self) -> PxScale {
        let font = self.font();
        let em = font.units_per_em().unwrap_or(1000.0);
        PxScale::from(self.size * font.height_unscaled() / em)
    }

    /// Width of one line of text in pixels.
    pub fn width(&self, text: &str) -> f32 {
        place(self, text).1
    }

    /// Height of a capital letter in pixels.
    pub fn capital_height(&self) -> f32 {
        // Noto Sans: capitals are 714 units of 1000 high.
        0.714 * self.size
    }
}

/// Draws one line of text; `point` is the anchor across and the baseline down.
pub fn draw(canvas: &mut Canvas, point: (f32, f32), anchor: Anchor, style: Style, text: &str) {
    let (glyphs, width) = place(&style, text);
    let left = match anchor {
        Anchor::Start => point.0,
        Anchor::Middle => point.0 - width / 2.0,
        Anchor::End => point.0 - width,
    };
    // Baselines on whole pixels keep the feet of the letters sharp.
    let baseline = point.1.round();
    for (id, advance) in glyphs {
        let glyph =
            id.with_scale_and_position(style.scale(), ab_glyph::point(left + advance, baseline));
        if let Some(outline) = style.font().outline_glyph(glyph) {
            let corner = outline.px_bounds().min;
            let (column, row) = (corner.x as i64, corner.y as i64);
            outline.draw(|x, y, coverage| {
                canvas.blend(
                    column + i64::from(x),
                    row + i64::from(y),
                    style.colour,
                    coverage,
                );
            });
        }
    }
}

/// Draws one line of text whose capitals are centred on the height `point.1`.
pub fn draw_centred(
    canvas: &mut Canvas,
    point: (f32, f32),
    anchor: Anchor,
    style: Style,
    text: &str,
) {
    draw(
        canvas,
        (point.0, point.1 + style.capital_height() / 2.0),
        anchor,
        style,
        text,
    );
}

/// Each glyph with its distance from the start of the line, and the length of the line.
fn place(style: &Style, text: &str) -> (Vec<(ab_glyph::GlyphId, f32)>, f32) {
    let font = style.font().as_scaled(style.scale());
    let mut glyphs = Vec::new();
    let mut end = 0.0;
    for letter in text.chars() {
        let id = font.glyph_id(letter);
        if let Some(&(before, _)) = glyphs.last() {
            end += font.kern(before, id);
        }
        glyphs.push((id, end));
        end += font.h_advance(id);
    }
    (glyphs, end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::canvas::tests::Decoded;

    const STYLE: Style = Style {
        size: 20.0,
        bold: false,
        colour: [0; 3],
    };

    fn columns_with_ink(anchor: Anchor) -> (usize, usize) {
        let mut canvas = Canvas::new(200, 40, [255; 3]);
        draw(&mut canvas, (100.0, 30.0), anchor, STYLE, "HHHH");
        let decoded = Decoded::of(&canvas);
        let inked = |column: &usize| (0..40).any(|row| decoded.pixel(*column, row) != [255; 3]);
        let first = (0..200).find(inked).expect("ink");
        let last = (0..200).rfind(inked).expect("ink");
        (first, last)
    }

    #[test]
    fn the_anchor_decides_where_the_ink_is() {
        let width = STYLE.width("HHHH");
        assert!((40.0..80.0).contains(&width), "{width}");
        let (first, last) = columns_with_ink(Anchor::Start);
        assert!(
            (100..104).contains(&first) && last as f32 <= 100.0 + width,
            "{first}..{last}"
        );
        let (first, last) = columns_with_ink(Anchor::End);
        assert!(
            first as f32 >= 99.0 - width && (95..100).contains(&last),
            "{first}..{last}"
        );
        let (first, last) = columns_with_ink(Anchor::Middle);
        assert!((first + last).abs_diff(199) <= 2, "{first}..{last}");
    }

    #[test]
    fn capitals_stand_on_the_baseline_at_their_height() {
        let mut canvas = Canvas::new(40, 60, [255; 3]);
        draw(
            &mut canvas,
            (10.0, 50.0),
            Anchor::Start,
            Style {
                size: 40.0,
                ..STYLE
            },
            "H",
        );
        let decoded = Decoded::of(&canvas);
        let dark = |row: &usize| (0..40).any(|column| decoded.pixel(column, *row)[0] < 128);
        assert_eq!((0..60).rfind(dark), Some(49));
        let top = (0..60).find(dark).expect("ink");
        assert!((top as f32 - (50.0 - 0.714 * 40.0)).abs() <= 1.0, "{top}");
    }

    #[test]
    fn the_typeface_has_the_signs_the_reports_use() {
        for letter in "±×–…≤≥≈−·²".chars() {
            assert_ne!(STYLE.font().glyph_id(letter).0, 0, "no glyph for {letter}");
        }
    }
}
