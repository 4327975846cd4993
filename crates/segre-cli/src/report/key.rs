//! The colours of a schema's categories, and the key that names them below a picture.

use anyhow::Result;
use segre::data::{Schema, Vocabulary};

use super::canvas::{Area, Canvas};
use super::colour::{GREY, HIDDEN, INK, PAPER, Palette};
use super::text::{self, Anchor, Style};

/// Colours of categories, and their names where they have some.
pub struct Key {
    /// By label.
    pub palette: Palette,
    names: Vec<String>,
}

const NAME: Style = Style {
    size: 15.0,
    bold: false,
    colour: INK,
};
const MARGIN: usize = 14;
/// Side of a square of colour.
const SQUARE: usize = 15;
const LINE: usize = 26;
/// From a square to its name, and from a name to the next square.
const GAPS: (usize, usize) = (7, 20);

impl Key {
    /// Shades for ordered categories and two of them, a class's own colour, distinct colours for others.
    ///
    /// # Errors
    /// If there are too many categories to tell apart.
    pub fn of(schema: &Schema) -> Result<Self> {
        let count = schema.max_categories();
        let (mut names, mut palette) = (Vec::new(), None);
        if let [Vocabulary::Classes { classes }] = &schema.vocabularies[..] {
            names = classes.iter().map(|class| class.name.clone()).collect();
            let colours: Option<Vec<_>> = classes.iter().map(|class| class.colour).collect();
            palette = colours.map(Palette::of);
        }
        let ordinal = (0..schema.sites()).all(|site| schema.is_ordinal(site)) || count == 2;
        let palette = match (palette, ordinal) {
            (Some(palette), _) => palette,
            (None, true) => Palette::ordinal(count),
            (None, false) => Palette::distinct(count)?,
        };
        Ok(Self { palette, names })
    }

    /// The key with a colour for hidden sites, whose label is the one after the last.
    #[must_use]
    pub fn with_hidden(mut self) -> Self {
        self.palette = self.palette.and(HIDDEN);
        if !self.names.is_empty() {
            self.names.push("hidden".into());
        }
        self
    }

    /// A picture with the key below it; without names it stays as it is.
    pub fn below(&self, canvas: Canvas) -> Canvas {
        let Area { width, height, .. } = canvas.area();
        let places = self.places(width);
        let Some(&(_, last)) = places.last() else {
            return canvas;
        };
        let mut canvas = canvas.extended(height + last + LINE + MARGIN / 2, PAPER);
        for ((label, name), (left, top)) in (0..).zip(&self.names).zip(places) {
            let square = Area {
                left,
                top: height + top,
                width: SQUARE,
                height: SQUARE,
            };
            if let Some(colour) = self.palette.colour(label) {
                canvas.fill(square, colour);
                canvas.frame(square, GREY);
            }
            let middle = (height + top) as f32 + SQUARE as f32 / 2.0;
            let point = ((left + SQUARE + GAPS.0) as f32, middle);
            text::draw_centred(&mut canvas, point, Anchor::Start, NAME, name);
        }
        canvas
    }

    /// Left edge and top of every square, in lines of at most a width.
    fn places(&self, width: usize) -> Vec<(usize, usize)> {
        let (mut left, mut top) = (MARGIN, 0);
        let place = |name: &String| {
            let entry = SQUARE + GAPS.0 + NAME.width(name).ceil() as usize;
            if left > MARGIN && left + entry + MARGIN > width {
                (left, top) = (MARGIN, top + LINE);
            }
            let place = (left, top);
            left += entry + GAPS.1;
            place
        };
        self.names.iter().map(place).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::canvas::tests::Decoded;
    use segre::data::{Class, Layout};

    fn schema(colours: [Option<[u8; 3]>; 3]) -> Schema {
        let layout = Layout::Image {
            height: 1,
            width: 1,
            pad_to: None,
        };
        let classes = colours.into_iter().zip(["sky", "road", "a tree"]);
        let classes = classes.map(|(colour, name)| Class {
            name: name.into(),
            colour,
        });
        let classes = Vocabulary::Classes {
            classes: classes.collect(),
        };
        Schema::shared(layout, vec!["r0c0".into()], classes)
    }

    #[test]
    fn every_class_has_a_square_of_its_colour_below_the_picture() {
        let colours = [[10, 20, 30], [40, 50, 60], [70, 80, 90]];
        let key = Key::of(&schema(colours.map(Some))).expect("a key");
        for width in [90, 400] {
            let canvas = key.below(Canvas::new(width, 50, PAPER));
            let found = Decoded::of(&canvas);
            let below = Area {
                left: 0,
                top: 50,
                width,
                height: found.height - 50,
            };
            for colour in colours {
                // The frame covers the outermost pixels.
                assert_eq!(found.count(below, colour), (SQUARE - 2) * (SQUARE - 2));
            }
            let lines = if width == 90 { 3 } else { 1 };
            assert_eq!(found.height, 50 + lines * LINE + MARGIN / 2, "{width}");
        }
    }

    #[test]
    fn a_class_without_colour_makes_all_distinct() {
        let key = Key::of(&schema([None, Some([1; 3]), None])).expect("a key");
        let distinct = Palette::distinct(3).expect("colours");
        assert!((0..3).all(|label| key.palette.colour(label) == distinct.colour(label)));
        let plain = Schema::shared(
            Layout::Table,
            vec!["a".into()],
            Vocabulary::Integers { count: 4 },
        );
        let canvas = Key::of(&plain)
            .expect("a key")
            .below(Canvas::new(9, 9, PAPER));
        assert_eq!(canvas.area().height, 9);
    }
}
