//! Distributions of two sites as heat maps side by side, with one colour scale.

use anyhow::{Result, ensure};

use super::axis::{LABEL, Scale};
use super::colour::{FAINT, GREY, INK, Rgb, viridis};
use super::drawing::{Anchor, Drawing, Point, Style};

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

/// Side of a heat map, before rounding to whole units per cell.
const TARGET_SIDE: usize = 370;
/// Beyond this a heat map is more cells than a screen has pixels.
const MAX_CATEGORIES: usize = 2000;
const LEFT: f32 = 52.0;
const TOP: f32 = 76.0;
const BOTTOM: f32 = 50.0;
const BETWEEN: f32 = 56.0;
const RIGHT: f32 = 82.0;
/// From the last map to the colour scale, and the scale's width.
const BAR: (f32, f32) = (24.0, 16.0);
const CAPTION: Style = Style {
    size: 18.0,
    bold: true,
    colour: INK,
};

/// Relative frequencies of the label pairs: row-major `[n, 2]` labels to `[first, second]`.
///
/// # Panics
/// If a label is not below its site's number of categories.
pub fn frequencies(labels: &[u16], categories: [usize; 2]) -> Vec<f64> {
    let [c0, c1] = categories;
    let mut counts = vec![0.0; c0 * c1];
    let (pairs, rest) = labels.as_chunks::<2>();
    assert!(rest.is_empty(), "{} labels are not pairs", labels.len());
    for pair in pairs {
        let [first, second] = pair.map(usize::from);
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
pub fn draw_heat_maps(maps: &[HeatMap], sites: SitePair) -> Result<Drawing> {
    let [across, up] = sites.categories;
    ensure!(!maps.is_empty(), "cannot draw 0 heat maps");
    ensure!(
        across.max(up) <= MAX_CATEGORIES,
        "cannot draw a heat map of {across}×{up} categories: a picture shows at most \
         {MAX_CATEGORIES} a site"
    );
    let largest = maps[0].probabilities.iter().copied().fold(0.0, f64::max);
    let scale = Scale::linear(0.0, if largest > 0.0 { largest } else { 1.0 });
    let cell = (TARGET_SIDE / across.max(up)).max(1) as f32;
    let size = (across as f32 * cell, up as f32 * cell);
    let panels = maps.len() as f32 * (size.0 + BETWEEN) - BETWEEN;
    let mut drawing = Drawing::new(LEFT + panels + BAR.0 + BAR.1 + RIGHT, TOP + size.1 + BOTTOM);
    for (index, map) in maps.iter().enumerate() {
        let corner = (LEFT + index as f32 * (size.0 + BETWEEN), TOP);
        let cells = map.probabilities.len();
        assert_eq!(cells, across * up, "probabilities for {across}×{up}");
        // Rows of pixels from the top, where the second site's last category is.
        let places = (0..up)
            .rev()
            .flat_map(|second| (0..across).map(move |first| first * up + second));
        let colours = places.map(|place| viridis(scale.fraction(map.probabilities[place])));
        drawing.pixels(corner, size, across, &colours.collect::<Vec<Rgb>>());
        label_map(&mut drawing, corner, cell, map.caption, sites);
    }
    draw_scale(&mut drawing, (LEFT + panels + BAR.0, TOP), size.1, scale);
    Ok(drawing)
}

/// Caption, site names and category numbers around one map.
fn label_map(drawing: &mut Drawing, corner: Point, cell: f32, caption: &str, sites: SitePair) {
    let [across, up] = sites.categories.map(|count| count as f32 * cell);
    let ((left, top), bottom) = (corner, corner.1 + up);
    let middle = left + across / 2.0;
    drawing.text((middle, 28.0), Anchor::Middle, CAPTION, caption);
    drawing.text((left, top - 12.0), Anchor::Start, LABEL, sites.names[1]);
    drawing.text(
        (middle, bottom + 40.0),
        Anchor::Middle,
        LABEL,
        sites.names[0],
    );
    for label in category_ticks(sites.categories[0]) {
        let x = left + (label as f32 + 0.5) * cell;
        drawing.rule((x, bottom), (x, bottom + 5.0), GREY);
        drawing.text(
            (x, bottom + 20.0),
            Anchor::Middle,
            LABEL,
            &label.to_string(),
        );
    }
    for label in category_ticks(sites.categories[1]) {
        let y = bottom - (label as f32 + 0.5) * cell;
        drawing.rule((left - 5.0, y), (left, y), GREY);
        let beside = (left - 9.0, y + LABEL.drop());
        drawing.text(beside, Anchor::End, LABEL, &label.to_string());
    }
}

/// Round category numbers, a few for any number of categories.
fn category_ticks(categories: usize) -> Vec<usize> {
    let last = categories.saturating_sub(1).max(1);
    let ticks = Scale::linear(0.0, last as f64)
        .ticks(last.min(5))
        .into_iter();
    let whole = ticks.filter(|(value, _)| value.fract() == 0.0);
    let labels = whole.map(|(value, _)| value as usize);
    labels.filter(|label| *label < categories).collect()
}

fn draw_scale(drawing: &mut Drawing, (left, top): Point, height: f32, scale: Scale) {
    let shades: Vec<Rgb> = (0..256)
        .rev()
        .map(|shade| viridis(f64::from(shade) / 255.0))
        .collect();
    drawing.pixels((left, top), (BAR.1, height), 1, &shades);
    drawing.frame((left, top), (BAR.1, height), FAINT);
    drawing.text((left, top - 12.0), Anchor::Start, LABEL, "probability");
    let right = left + BAR.1;
    for (value, label) in scale.ticks(5) {
        let y = top + height * (1.0 - scale.fraction(value) as f32);
        drawing.rule((right, y), (right + 5.0, y), GREY);
        drawing.text(
            (right + 9.0, y + LABEL.drop()),
            Anchor::Start,
            LABEL,
            &label,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pictures::drawing::tests::Decoded;

    const PAIR: SitePair = SitePair {
        names: ["site 1", "site 2"],
        categories: [3, 2],
    };

    fn map(probabilities: &[f64]) -> HeatMap<'_> {
        let caption = "target";
        HeatMap {
            caption,
            probabilities,
        }
    }

    #[test]
    fn frequencies_count_pairs() {
        let found = frequencies(&[0, 0, 2, 1, 2, 1, 1, 0], [3, 2]);
        assert_eq!(found, [0.25, 0.0, 0.25, 0.0, 0.0, 0.5]);
    }

    #[test]
    fn every_cell_has_the_colour_of_its_probability() {
        let maps = [
            [0.4, 0.1, 0.0, 0.2, 0.0, 0.3],
            [0.0, 0.8, 0.2, 0.0, 0.0, 0.0],
        ];
        let both = [map(&maps[0]), map(&maps[1])];
        let decoded = Decoded::of(&draw_heat_maps(&both, PAIR).expect("picture"));
        let cell = (TARGET_SIDE / 3) as f32;
        for (index, probabilities) in maps.iter().enumerate() {
            for (place, probability) in probabilities.iter().enumerate() {
                let (first, second) = ((place / 2) as f32 + 0.5, (place % 2) as f32 + 0.5);
                let x = LEFT + index as f32 * (3.0 * cell + BETWEEN) + first * cell;
                let found =
                    decoded.pixel(2 * x as usize, 2 * (TOP + (2.0 - second) * cell) as usize);
                assert_eq!(
                    found,
                    viridis(probability / 0.4),
                    "map {index}, cell {place}"
                );
            }
        }
    }

    #[test]
    fn ticks_name_existing_categories() {
        assert_eq!(
            (category_ticks(1), category_ticks(2)),
            (vec![0], vec![0, 1])
        );
        assert_eq!(category_ticks(91), [0, 20, 40, 60, 80]);
        for categories in 1..300 {
            let ticks = category_ticks(categories);
            assert!((1..=6).contains(&ticks.len()), "{categories}: {ticks:?}");
            assert!(ticks.iter().all(|tick| *tick < categories));
        }
    }

    #[test]
    fn what_cannot_be_drawn_is_an_error() {
        assert!(draw_heat_maps(&[], PAIR).is_err());
        let (names, categories) = (PAIR.names, [4000, 1]);
        let wide = SitePair { names, categories };
        let error = draw_heat_maps(&[map(&[0.0; 4000])], wide).expect_err("too wide");
        assert!(error.to_string().contains("4000×1"), "{error}");
        draw_heat_maps(&[map(&[0.0; 6])], PAIR).expect("an empty histogram is no error");
    }
}
