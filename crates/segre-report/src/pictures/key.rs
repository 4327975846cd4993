//! The colours of a schema's categories, and the key that names them below a picture.

use anyhow::Result;
use segre::data::{Schema, Vocabulary};

use super::colour::{GREY, HIDDEN, INK, Palette, Rgb};
use super::drawing::{Anchor, Drawing, Point, Style};

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
const MARGIN: f32 = 14.0;
/// Side of a square of colour.
const SQUARE: f32 = 15.0;
const LINE: f32 = 26.0;
/// From a square to its name, and from a name to the next square.
const GAPS: (f32, f32) = (7.0, 20.0);

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

    /// Names with their colours; none for categories without names.
    pub fn entries(&self) -> impl Iterator<Item = (&str, Rgb)> {
        let named = (0..).zip(&self.names);
        named.filter_map(|(label, name)| Some((&name[..], self.palette.colour(label)?)))
    }

    /// A picture with the key below it; without names it stays as it is.
    pub fn below(&self, mut drawing: Drawing) -> Drawing {
        let (width, height) = drawing.size;
        let places = self.places(width);
        let Some(&(_, last)) = places.last() else {
            return drawing;
        };
        drawing.extend(width, height + last + LINE + MARGIN / 2.0);
        for ((label, name), (left, top)) in (0..).zip(&self.names).zip(places) {
            let corner = (left, height + top);
            if let Some(colour) = self.palette.colour(label) {
                drawing.rectangle(corner, (SQUARE, SQUARE), colour);
                drawing.frame(corner, (SQUARE, SQUARE), GREY);
            }
            let base = corner.1 + SQUARE / 2.0 + NAME.drop();
            drawing.text(
                (left + SQUARE + GAPS.0, base.round()),
                Anchor::Start,
                NAME,
                name,
            );
        }
        drawing
    }

    /// Left edge and top of every square, in lines of at most a width.
    fn places(&self, width: f32) -> Vec<Point> {
        let (mut left, mut top) = (MARGIN, 0.0);
        let place = |name: &String| {
            let entry = SQUARE + GAPS.0 + NAME.width(name).ceil();
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
    use crate::pictures::drawing::tests::Decoded;
    use segre::data::{Class, Layout};

    fn key(colours: [Option<[u8; 3]>; 3]) -> Key {
        let (height, width, pad_to) = (1, 1, None);
        let layout = Layout::Image {
            height,
            width,
            pad_to,
        };
        let classes = colours.into_iter().zip(["sky", "road", "a tree"]);
        let class = |(colour, name): (_, &str)| Class {
            name: name.into(),
            colour,
        };
        let classes = classes.map(class).collect();
        let schema = Schema::shared(layout, vec!["r0c0".into()], Vocabulary::Classes { classes });
        Key::of(&schema).expect("a key")
    }

    #[test]
    fn every_class_has_a_square_of_its_colour_below_the_picture() {
        let colours = [[10, 20, 30], [40, 50, 60], [70, 80, 90]];
        for (width, lines) in [(90, 3.0), (400, 1.0)] {
            let drawing = key(colours.map(Some)).below(Drawing::of_pixels(width, 50));
            assert_eq!(
                drawing.size.1,
                50.0 + lines * LINE + MARGIN / 2.0,
                "{width}"
            );
            let found = Decoded::of(&drawing);
            // The frame covers the outermost pixels.
            let inside = colours.map(|colour| found.count(0..width, 50..found.height, colour));
            assert_eq!(inside, [13 * 13; 3]);
        }
    }

    #[test]
    fn a_class_without_colour_makes_all_distinct() {
        let key = key([None, Some([1; 3]), None]);
        let distinct = Palette::distinct(3).expect("colours");
        assert!((0..3).all(|label| key.palette.colour(label) == distinct.colour(label)));
        let integers = Vocabulary::Integers { count: 4 };
        let plain = Schema::shared(Layout::Table, vec!["a".into()], integers);
        let plain = Key::of(&plain)
            .expect("a key")
            .below(Drawing::of_pixels(9, 9));
        assert_eq!(plain.size, (9.0, 9.0));
    }
}
