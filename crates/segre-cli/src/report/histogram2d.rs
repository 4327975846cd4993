//! Distributions of two sites as heat maps side by side, with one colour scale.

use anyhow::{Result, ensure};

use super::axis::Range;
use super::canvas::{Area, Canvas};
use super::colour::{FAINT, GREY, INK, PAPER, viridis};
use super::text::{self, Anchor, Style};

/// One distribution.
#[derive(Clone, Copy, Debug)]
pub struct HeatMap<'a> {
    /// What it is.
    pub caption: &'a str,
    /// Probabilities, row-major `[categories of the first site, categories of the second]`.
    pub probabilities: &'a [f64],
}

/// Names and numbers of categories of the two sites.
#[derive(Clone, Copy, Debug)]
pub struct SitePair<'a> {
    /// Name of each site.
    pub names: [&'a str; 2],
    /// Number of categories of each site.
    pub categories: [usize; 2],
}

/// Side of a heat map in pixels, before rounding to whole pixels per cell.
const TARGET_SIDE: usize = 370;
/// Beyond this a heat map is more cells than a screen has pixels.
const MAX_CATEGORIES: usize = 2000;
const LEFT: usize = 52;
const TOP: usize = 76;
const BOTTOM: usize = 50;
const BETWEEN: usize = 56;
const SCALE_WIDTH: usize = 16;
const RIGHT: usize = 82;
const CAPTION: Style = Style {
    size: 18.0,
    bold: true,
    colour: INK,
};
const LABEL: Style = Style {
    size: 14.0,
    bold: false,
    colour: GREY,
};

/// Relative frequencies of the label pairs: row-major `[n, 2]` labels to `[first, second]`.
///
/// # Panics
/// If a label is not below its site's number of categories.
pub fn frequencies(labels: &[u16], categories: [usize; 2]) -> Vec<f64> {
    let mut counts = vec![0.0; categories[0] * categories[1]];
    let (pairs, rest) = labels.as_chunks::<2>();
    assert!(rest.is_empty(), "{} labels are not pairs", labels.len());
    for &[first, second] in pairs {
        let [first, second] = [usize::from(first), usize::from(second)];
        let [c0, c1] = categories;
        assert!(
            first < c0 && second < c1,
            "labels ({first}, {second}) with {c0}×{c1} categories"
        );
        counts[first * c1 + second] += 1.0 / pairs.len() as f64;
    }
    counts
}

/// Draws the heat maps side by side: the first site to the right, the second upward.
///
/// All share one linear colour scale that ends at the first map's largest probability, so that
/// noise of a sample histogram does not darken the target; larger values show as that end.
///
/// # Errors
/// If there is no map, or a site has more categories than a picture can show.
///
/// # Panics
/// If a map's size is not the product of the numbers of categories.
pub fn draw_heat_maps(maps: &[HeatMap], sites: SitePair) -> Result<Canvas> {
    let [across, up] = sites.categories;
    ensure!(!maps.is_empty(), "cannot draw 0 heat maps");
    ensure!(
        across.max(up) <= MAX_CATEGORIES,
        "cannot draw a heat map of {across}×{up} categories: a picture shows at most \
         {MAX_CATEGORIES} a site"
    );
    for map in maps {
        let cells = map.probabilities.len();
        assert!(
            cells == across * up && cells > 0,
            "{cells} probabilities for {across}×{up}"
        );
    }
    let largest = maps[0].probabilities.iter().copied().fold(0.0, f64::max);
    let scale = Range {
        low: 0.0,
        high: if largest > 0.0 { largest } else { 1.0 },
    };
    let cell = (TARGET_SIDE / across.max(up)).max(1);
    let (width, height) = (across * cell, up * cell);

    let panels = maps.len() * width + (maps.len() - 1) * BETWEEN;
    let canvas_width = LEFT + panels + 24 + SCALE_WIDTH + RIGHT;
    let mut canvas = Canvas::new(canvas_width, TOP + height + BOTTOM, PAPER);
    for (index, map) in maps.iter().enumerate() {
        let left = LEFT + index * (width + BETWEEN);
        let area = Area {
            left,
            top: TOP,
            width,
            height,
        };
        for (place, probability) in map.probabilities.iter().enumerate() {
            let (first, second) = (place / up, place % up);
            let square = Area {
                left: left + first * cell,
                top: TOP + (up - 1 - second) * cell,
                width: cell,
                height: cell,
            };
            canvas.fill(square, viridis(scale.fraction(*probability)));
        }
        label_map(&mut canvas, area, cell, map.caption, sites);
    }
    let bar = Area {
        left: LEFT + panels + 24,
        top: TOP,
        width: SCALE_WIDTH,
        height,
    };
    draw_scale(&mut canvas, bar, scale);
    Ok(canvas)
}

/// Caption, site names and category numbers around one map.
fn label_map(canvas: &mut Canvas, area: Area, cell: usize, caption: &str, sites: SitePair) {
    let middle = area.left as f32 + area.width as f32 / 2.0;
    let bottom = area.bottom() as f32;
    text::draw(canvas, (middle, 28.0), Anchor::Middle, CAPTION, caption);
    let above = (area.left as f32, area.top as f32 - 12.0);
    text::draw(canvas, above, Anchor::Start, LABEL, sites.names[1]);
    text::draw(
        canvas,
        (middle, bottom + 40.0),
        Anchor::Middle,
        LABEL,
        sites.names[0],
    );
    for label in category_ticks(sites.categories[0]) {
        let x = area.left as f32 + (label as f32 + 0.5) * cell as f32;
        let tick = Area {
            left: x as usize,
            top: area.bottom(),
            width: 1,
            height: 5,
        };
        canvas.fill(tick, GREY);
        text::draw(
            canvas,
            (x, bottom + 20.0),
            Anchor::Middle,
            LABEL,
            &label.to_string(),
        );
    }
    for label in category_ticks(sites.categories[1]) {
        let y = bottom - (label as f32 + 0.5) * cell as f32;
        let tick = Area {
            left: area.left - 5,
            top: y as usize,
            width: 5,
            height: 1,
        };
        canvas.fill(tick, GREY);
        let beside = (area.left as f32 - 9.0, y);
        text::draw_centred(canvas, beside, Anchor::End, LABEL, &label.to_string());
    }
}

/// Round category numbers, a few for any number of categories.
fn category_ticks(categories: usize) -> Vec<usize> {
    let last = categories.saturating_sub(1);
    let ticks = Range {
        low: 0.0,
        high: last.max(1) as f64,
    }
    .ticks(5.min(last.max(1)));
    let whole = ticks
        .into_iter()
        .map(|(value, _)| value)
        .filter(|value| value.fract() == 0.0);
    whole
        .map(|value| value as usize)
        .filter(|value| *value < categories)
        .collect()
}

fn draw_scale(canvas: &mut Canvas, bar: Area, scale: Range) {
    for row in 0..bar.height {
        let fraction = 1.0 - (row as f64 + 0.5) / bar.height as f64;
        let line = Area {
            top: bar.top + row,
            height: 1,
            ..bar
        };
        canvas.fill(line, viridis(fraction));
    }
    canvas.frame(bar, FAINT);
    let above = (bar.left as f32, bar.top as f32 - 12.0);
    text::draw(canvas, above, Anchor::Start, LABEL, "probability");
    for (value, label) in scale.ticks(5) {
        let y = bar.bottom() as f32 - scale.fraction(value) as f32 * bar.height as f32;
        let row = (y as usize).clamp(bar.top, bar.bottom() - 1);
        canvas.fill(
            Area {
                left: bar.right(),
                top: row,
                width: 5,
                height: 1,
            },
            GREY,
        );
        let beside = (bar.right() as f32 + 9.0, row as f32 + 0.5);
        text::draw_centred(canvas, beside, Anchor::Start, LABEL, &label);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::canvas::tests::Decoded;

    const PAIR: SitePair = SitePair {
        names: ["site 1", "site 2"],
        categories: [3, 2],
    };

    #[test]
    fn frequencies_count_pairs() {
        let found = frequencies(&[0, 0, 2, 1, 2, 1, 1, 0], [3, 2]);
        assert_eq!(found, [0.25, 0.0, 0.25, 0.0, 0.0, 0.5]);
    }

    #[test]
    fn every_cell_has_the_colour_of_its_probability() {
        let target = [0.4, 0.1, 0.0, 0.2, 0.0, 0.3];
        let samples = [0.0, 0.8, 0.2, 0.0, 0.0, 0.0];
        let maps = [
            HeatMap {
                caption: "target",
                probabilities: &target,
            },
            HeatMap {
                caption: "samples",
                probabilities: &samples,
            },
        ];
        let decoded = Decoded::of(&draw_heat_maps(&maps, PAIR).expect("picture"));
        let cell = TARGET_SIDE / 3;
        assert_eq!(decoded.height, TOP + 2 * cell + BOTTOM);
        for (index, map) in maps.iter().enumerate() {
            for (place, probability) in map.probabilities.iter().enumerate() {
                let column = LEFT + index * (3 * cell + BETWEEN) + place / 2 * cell + cell / 2;
                let row = TOP + (1 - place % 2) * cell + cell / 2;
                let expected = viridis(probability / 0.4);
                assert_eq!(
                    decoded.pixel(column, row),
                    expected,
                    "map {index}, cell {place}"
                );
            }
        }
        let caption = Area {
            left: LEFT,
            top: 0,
            width: 3 * cell,
            height: 40,
        };
        assert!(decoded.count(caption, INK) > 20, "no caption");
    }

    #[test]
    fn ticks_name_existing_categories() {
        assert_eq!(category_ticks(1), [0]);
        assert_eq!(category_ticks(2), [0, 1]);
        assert_eq!(category_ticks(91), [0, 20, 40, 60, 80]);
        for categories in 1..300 {
            let ticks = category_ticks(categories);
            assert!((1..=6).contains(&ticks.len()), "{categories}: {ticks:?}");
            assert!(
                ticks.iter().all(|tick| *tick < categories),
                "{categories}: {ticks:?}"
            );
        }
    }

    #[test]
    fn what_cannot_be_drawn_is_an_error() {
        draw_heat_maps(&[], PAIR).expect_err("no maps");
        let probabilities = vec![0.0; 4000];
        let map = HeatMap {
            caption: "",
            probabilities: &probabilities,
        };
        let wide = SitePair {
            categories: [4000, 1],
            ..PAIR
        };
        let error = draw_heat_maps(&[map], wide).expect_err("too wide");
        assert!(error.to_string().contains("4000×1"), "{error}");
        let empty = HeatMap {
            caption: "",
            probabilities: &[0.0; 6],
        };
        draw_heat_maps(&[empty], PAIR).expect("an empty histogram is no error");
    }
}
