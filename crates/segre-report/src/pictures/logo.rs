//! Sequence logos: at every place its letters, as high as their shares of the place's information.
//!
//! Source: Schneider & Stephens 1990, Nucleic Acids Research 18, 6097.

use super::axis::LABEL;
use super::colour::{GREY, Palette, Rgb};
use super::drawing::{Anchor, Drawing, Style};

const LEFT: f32 = 46.0;
const TOP: f32 = 24.0;
const HEIGHT: f32 = 90.0;
/// Width of a letter, and room below a logo.
const STEP: f32 = 15.0;
const FOOT: f32 = 26.0;
/// Lowest letter that is drawn.
const LEAST: f32 = 1.0;

/// A row of stacks.
#[derive(Clone, Copy, Debug)]
pub struct Logo<'a> {
    /// Its name.
    pub name: &'a str,
    /// Shares of the letters, `[places, letters]`.
    pub shares: &'a [Vec<f64>],
    /// Information of the places, bits.
    pub information: &'a [f64],
}

/// Draws the same places below each other as several `logos` have them, up to `most` bits; the places after `before`
/// others. A letter of several characters is shown by its first.
pub fn draw_logos(letters: &[String], logos: &[Logo], most: f64, before: usize) -> Drawing {
    let places = logos.iter().map(|logo| logo.shares.len()).max();
    let width = LEFT + places.unwrap_or(0).max(1) as f32 * STEP + 4.0;
    let block = TOP + HEIGHT + FOOT;
    let mut drawing = Drawing::new(width, logos.len() as f32 * block);
    let heading = Style {
        size: 14.0,
        bold: true,
        ..LABEL
    };
    let small = Style {
        size: 11.0,
        ..LABEL
    };
    let firsts: Vec<(String, f32)> = letters
        .iter()
        .map(|letter| {
            let first: String = letter.chars().take(1).collect();
            let width = Style::LETTER.width(&first).max(1.0);
            (first, width)
        })
        .collect();
    let palette = Palette::distinct(letters.len().max(3));
    let colour = |letter: usize| -> Rgb {
        // A gap is no letter.
        if letters[letter] == "-" {
            return GREY;
        }
        let found = palette.as_ref().ok();
        found
            .and_then(|own| own.colour(letter as u16))
            .unwrap_or_default()
    };
    for (row, logo) in logos.iter().enumerate() {
        let bottom = TOP + row as f32 * block + HEIGHT;
        let name = (LEFT, bottom - HEIGHT - 9.0);
        drawing.text(name, Anchor::Start, heading, logo.name);
        drawing.text((LEFT - 6.0, bottom), Anchor::End, small, "0");
        let top = format!("{most:.1} bits");
        drawing.text(
            (LEFT - 6.0, bottom - HEIGHT + 9.0),
            Anchor::End,
            small,
            &top,
        );
        for (place, (own, information)) in logo.shares.iter().zip(logo.information).enumerate() {
            let mut order: Vec<usize> = (0..own.len()).collect();
            order.sort_by(|a, b| own[*a].total_cmp(&own[*b]));
            let x = LEFT + place as f32 * STEP;
            let mut base = bottom;
            for letter in order {
                let height = (own[letter] * information / most) as f32 * HEIGHT;
                if height >= LEAST {
                    let (text, own) = &firsts[letter];
                    let size = (STEP - 1.0, height);
                    drawing.letter((x, base), size, (text, *own), colour(letter));
                }
                base -= height;
            }
            let number = before + place + 1;
            if place == 0 || number.is_multiple_of(10) {
                let middle = (x + STEP / 2.0, bottom + 15.0);
                drawing.text(middle, Anchor::Middle, small, &number.to_string());
            }
        }
    }
    drawing
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pictures::drawing::tests::Decoded;

    /// A certain letter is as high as the row, one that says nothing is not there.
    #[test]
    fn letters_are_as_high_as_what_they_say() {
        let letters = ["A", "C", "G", "T"].map(str::to_owned);
        let shares = [vec![0.0, 1.0, 0.0, 0.0], vec![0.25; 4]];
        let logo = |name| Logo {
            name,
            shares: &shares,
            information: &[2.0, 0.0],
        };
        let drawing = draw_logos(&letters, &[logo("real"), logo("sampled")], 2.0, 0);
        assert_eq!(drawing.size.1, 2.0 * (TOP + HEIGHT + FOOT));
        let decoded = Decoded::of(&drawing);
        let second = [230, 159, 0];
        let column = 2 * LEFT as usize..2 * (LEFT + STEP) as usize;
        let rows = |low: f32, high: f32| {
            2 * (TOP + low * HEIGHT) as usize..2 * (TOP + high * HEIGHT) as usize
        };
        assert!(decoded.count(column.clone(), rows(0.0, 0.2), second) > 20);
        assert!(decoded.count(column, rows(0.8, 1.0), second) > 20);
        let next = 2 * (LEFT + STEP) as usize..2 * (LEFT + 2.0 * STEP) as usize;
        assert_eq!(decoded.count(next, rows(0.0, 1.0), second), 0);
    }
}
