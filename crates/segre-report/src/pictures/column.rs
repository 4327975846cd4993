//! One column of a table, real beside sampled: bars of categories, or a histogram of numbers.

use segre::evaluation::overview::{Bar, ColumnView};

use super::axis::{HEADING, LABEL, Plot, Scale, number};
use super::colour::{BLUE, GREY, INK, VERMILION};
use super::drawing::{Anchor, Drawing, Paint, Style};

const WIDTH: f32 = 430.0;
const TOP: f32 = 36.0;
/// Most room of the names of categories, and how many letters of them are looked at.
const NAMES: f32 = 150.0;
const LETTERS: usize = 40;
/// A category's height.
const LINE: f32 = 22.0;
/// Width and height of a histogram.
const SIZE: (f32, f32) = (360.0, 150.0);
const LEFT: f32 = 54.0;

/// Draws real values in blue and sampled ones in vermilion.
pub fn draw_column(column: &ColumnView) -> Drawing {
    let title = shortened(&column.name, 40);
    let mut drawing = match column.is_number {
        true => histogram(&column.bars),
        false => categories(&column.bars),
    };
    drawing.text((0.0, 20.0), Anchor::Start, HEADING, &title);
    drawing
}

/// The beginning of a text that is too long, on one line.
pub fn shortened(text: &str, most: usize) -> String {
    let plain = |c: char| if c.is_control() { ' ' } else { c };
    let mut letters = text.chars().map(plain);
    let start: String = letters.by_ref().take(most).collect();
    match letters.next() {
        None => start,
        Some(_) => start.chars().take(most - 1).chain(['…']).collect(),
    }
}

/// The beginning of a text that would be wider than there is room.
fn fitted(text: &str, style: Style, room: f32) -> String {
    let mut letters = LETTERS;
    loop {
        let shown = shortened(text, letters);
        if letters <= 2 || style.width(&shown) <= room {
            return shown;
        }
        letters = letters.min(shown.chars().count()) - 1;
    }
}

fn categories(bars: &[Bar]) -> Drawing {
    let mut drawing = Drawing::new(WIDTH, TOP + bars.len().max(1) as f32 * LINE + 8.0);
    let largest = bars.iter().map(|bar| bar.real.max(bar.sampled));
    let largest = largest.fold(f64::MIN_POSITIVE, f64::max);
    let names: Vec<String> = bars
        .iter()
        .map(|bar| fitted(&bar.name, LABEL, NAMES - 8.0))
        .collect();
    let widest = names.iter().map(|name| LABEL.width(name));
    let left = widest.fold(0.0, f32::max) + 8.0;
    let room = WIDTH - left - 60.0;
    for (place, (bar, name)) in bars.iter().zip(&names).enumerate() {
        let top = TOP + place as f32 * LINE;
        let base = top + LINE / 2.0 + LABEL.drop();
        drawing.text((left - 8.0, base), Anchor::End, LABEL, name);
        for (share, colour, height) in [(bar.real, BLUE, 3.0), (bar.sampled, VERMILION, 11.0)] {
            let width = (share / largest) as f32 * room;
            drawing.rectangle((left, top + height), (width.max(0.5), 7.0), colour);
        }
        let longer = bar.real.max(bar.sampled) / largest;
        let end = (left + longer as f32 * room + 6.0, base);
        let share = match bar.real > 0.0 && bar.real < 0.0005 {
            true => "< 0.1 %".to_owned(),
            false => format!("{} %", number(100.0 * bar.real, 1)),
        };
        drawing.text(end, Anchor::Start, LABEL, &share);
    }
    drawing
}

fn histogram(bars: &[Bar]) -> Drawing {
    let top = TOP + 18.0;
    let bottom = top + SIZE.1;
    let mut drawing = Drawing::new(WIDTH, bottom + 30.0);
    let count = bars.len().max(1);
    let largest = bars.iter().map(|bar| bar.real.max(bar.sampled));
    let plot = Plot {
        corner: (LEFT, top),
        size: SIZE,
        across: Scale::linear(0.0, count as f64),
        up: Scale::linear(0.0, 100.0 * largest.fold(0.0, f64::max)).padded(0.0, 0.06),
    };
    plot.backdrop(&mut drawing, "", INK, 4);
    let width = SIZE.0 / count as f32;
    for (place, bar) in bars.iter().enumerate() {
        let height = plot.y(100.0 * bar.real);
        let corner = (LEFT + place as f32 * width + 0.5, height);
        let size = (width - 1.0, plot.end().1 - height);
        let paint = Paint {
            colour: BLUE,
            opacity: 0.55,
        };
        drawing.rectangle(corner, size, paint);
    }
    let steps = bars.iter().enumerate().flat_map(|(place, bar)| {
        let share = 100.0 * bar.sampled;
        [(place as f64, share), (place as f64 + 1.0, share)]
    });
    plot.line(&mut drawing, &steps.collect::<Vec<_>>(), 2.0, VERMILION);
    // Where bins begin; the outermost ones hold what lies beyond, too.
    let last = count - 1;
    let ends = [
        (0, Anchor::Start),
        (count / 2, Anchor::Middle),
        (last, Anchor::End),
    ];
    let shown = |places: &(usize, Anchor)| places.0 > 0 || places.1 == Anchor::Start;
    for (place, anchor) in ends.into_iter().filter(shown) {
        if let Some(bar) = bars.get(place) {
            let x = match anchor {
                Anchor::End => LEFT + SIZE.0,
                _ => LEFT + place as f32 * width,
            };
            let name = grouped(&shortened(&bar.name, 14));
            let name = match anchor {
                Anchor::End => format!("≥ {name}"),
                _ => name,
            };
            drawing.text((x, bottom + 20.0), anchor, LABEL, &name);
        }
    }
    drawing.text((LEFT - 9.0, top - 12.0), Anchor::End, LABEL, "%");
    drawing.rule((LEFT, plot.end().1), (LEFT + SIZE.0, plot.end().1), GREY);
    drawing
}

/// A whole number with its thousands set apart; anything else as it is.
fn grouped(text: &str) -> String {
    let whole = text.parse::<i32>();
    whole.map_or_else(|_| text.to_owned(), |whole| number(f64::from(whole), 0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pictures::drawing::tests::Decoded;

    fn column(name: &str, is_number: bool) -> ColumnView {
        let bar = |name: &str, real, sampled| Bar {
            name: name.to_owned(),
            real,
            sampled,
        };
        ColumnView {
            name: name.to_owned(),
            kind: "words".to_owned(),
            measure: "TVComplement".to_owned(),
            score: Some(0.9),
            missing: [0.0; 2],
            bars: vec![bar("a", 0.75, 0.5), bar("b", 0.25, 0.5)],
            is_number,
        }
    }

    #[test]
    fn bars_are_as_long_as_shares() {
        let decoded = Decoded::of(&draw_column(&column("x", false)));
        let real = decoded.count_all(BLUE) as f64;
        let sampled = decoded.count_all(VERMILION) as f64;
        assert!((real / sampled - 1.0).abs() < 0.05, "{real} {sampled}");
        let first = |colour| {
            decoded.count(
                0..decoded.width,
                2 * TOP as usize..2 * (TOP + LINE) as usize,
                colour,
            )
        };
        let ratio = first(BLUE) as f64 / first(VERMILION) as f64;
        assert!((ratio - 1.5).abs() < 0.1, "{ratio}");
        assert!(Decoded::of(&draw_column(&column("x", true))).count_all(VERMILION) > 100);
    }

    #[test]
    fn names_are_text_whatever_they_are() {
        let hostile = format!("<script>\u{202e}\"'&\n{}", "x".repeat(10_000));
        let svg = draw_column(&column(&hostile, false)).to_svg();
        assert!(svg.contains("&lt;script&gt;") || svg.contains("&lt;script>"));
        assert!(
            !svg.contains("<script") && svg.len() < 5000,
            "{}",
            svg.len()
        );
        assert_eq!(shortened("abcdef", 4), "abc…");
        assert_eq!(shortened("abcd", 4), "abcd");
        let room = LABEL.width("Married");
        let found = fitted("Married-spouse-absent", LABEL, room);
        assert!(found.ends_with('…') && LABEL.width(&found) <= room && found.starts_with("Mar"));
    }
}
