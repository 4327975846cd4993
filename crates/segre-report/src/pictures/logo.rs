//! Sequence logos: at every place its letters, as high as their shares of the place's information.
//!
//! Sources: Schneider & Stephens 1990, Nucleic Acids Research 18, 6097; information against the letters of all places, so
//! that rare letters raise no floor: Stormo 2000, Bioinformatics 16, 16.

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

/// Shares of the letters in all places together.
pub fn composition(shares: &[Vec<f64>]) -> Vec<f64> {
    let mut all = vec![0.0; shares.first().map_or(0, Vec::len)];
    for own in shares {
        for (sum, share) in all.iter_mut().zip(own) {
            *sum += share / shares.len() as f64;
        }
    }
    all
}

/// What places tell in bits: the relative entropy of their letters, counted in so many rows, to those of `all`, less what
/// chance makes of it on average.
pub fn information(shares: &[Vec<f64>], all: &[f64], rows: usize) -> Vec<f64> {
    let rows = rows.max(1) as f64;
    let letters = all.iter().filter(|share| **share > 0.0).count();
    let chance = letters.saturating_sub(1) as f64 / (2.0 * std::f64::consts::LN_2 * rows);
    // A letter that the others do not have was seen less than once.
    let least = 0.5 / (rows * shares.len().max(1) as f64);
    let of = |own: &Vec<f64>| {
        let there = own.iter().zip(all).filter(|(p, _)| **p > 0.0);
        let found: f64 = there.map(|(p, q)| p * (p / q.max(least)).log2()).sum();
        (found - chance).max(0.0)
    };
    shares.iter().map(of).collect()
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

    /// A certain letter of four that are alike tells two bits, letters as in all places nothing, whatever others there are.
    #[test]
    fn places_tell_what_the_others_do_not() {
        let all = [0.25, 0.25, 0.25, 0.25, 0.0, 0.0];
        let shares = [vec![0.0, 1.0, 0.0, 0.0, 0.0, 0.0], all.to_vec()];
        let found = information(&shares, &all, 1_000_000);
        assert!(
            (found[0] - 2.0).abs() < 1e-5 && found[1] == 0.0,
            "{found:?}"
        );
        // Three degrees of freedom, seen in ten rows.
        let few = information(&shares, &all, 10);
        assert!((found[0] - few[0] - 3.0 / (20.0 * std::f64::consts::LN_2)).abs() < 1e-5);
        assert_eq!(composition(&[vec![1.0, 0.0], vec![0.0, 1.0]]), [0.5, 0.5]);
        // A letter that no other place has.
        assert!(information(&[vec![0.0, 1.0]], &[1.0, 0.0], 8)[0].is_finite());
    }
}
