//! Images beside the nearest ones of other data: one line each, distances below.

use anyhow::{Result, ensure};
use segre::data::Dataset;
use segre::evaluation::nearest::Neighbour;

use super::colour::{FAINT, GREY, INK, Palette, Rgb};
use super::drawing::{Anchor, Drawing, Style};
use super::grid::ImageShape;

/// Width that the images of one block of lines are scaled up to.
const TARGET_WIDTH: usize = 760;
const MARGIN: usize = 14;
const TOP: usize = 48;
/// Between images, and between a sample and its neighbours.
const GAPS: (usize, usize) = (8, 22);
/// Room of a distance.
const NUMBER: usize = 22;
const CAPTION: Style = Style {
    size: 16.0,
    bold: true,
    colour: INK,
};
const DISTANCE: Style = Style {
    size: 13.0,
    bold: false,
    colour: GREY,
};

/// Draws every image of `samples` with its neighbours among the rows of `data`, in two columns of lines
/// where images are small.
///
/// # Errors
/// If there is nothing to draw.
///
/// # Panics
/// If a neighbour is no row of `data`, or a label has no colour.
pub fn draw_neighbours(
    samples: &Dataset,
    data: &Dataset,
    neighbours: &[Vec<Neighbour>],
    shape: ImageShape,
    palette: &Palette,
) -> Result<Drawing> {
    let most = neighbours.iter().map(Vec::len).max().unwrap_or(0);
    ensure!(most > 0, "there are no neighbours to draw");
    let ImageShape { height, width } = shape;
    let gaps = most * GAPS.0 + GAPS.1;
    let scale = TARGET_WIDTH.saturating_sub(gaps) / ((most + 1) * width);
    let scale = scale.max(1).min((96 / height).max(1));
    let (across, down) = (scale * width, scale * height);
    let (line_width, line_height) = ((most + 1) * across + gaps, down + NUMBER + GAPS.0);
    let blocks = if line_width <= TARGET_WIDTH { 2 } else { 1 };
    let lines = neighbours.len().div_ceil(blocks);
    let step = line_width + MARGIN + GAPS.1;
    let bottom = TOP + lines * line_height + MARGIN;
    let mut drawing = Drawing::of_pixels(blocks * step + MARGIN, bottom);
    let image = |drawing: &mut Drawing, labels: &[u16], left: usize, top: usize| {
        let colour = |label: &u16| palette.colour(*label).expect("a colour for every label");
        let colours: Vec<Rgb> = labels.iter().map(colour).collect();
        let (x, y, wide, high) = (left as f32, top as f32, across as f32, down as f32);
        drawing.pixels((x, y), (wide, high), width, &colours);
        drawing.frame((x - 1.0, y - 1.0), (wide + 2.0, high + 2.0), FAINT);
    };
    for (index, (row, found)) in samples.iter().zip(neighbours).enumerate() {
        let (block, line) = (index / lines, index % lines);
        let (left, top) = (MARGIN + block * step, TOP + line * line_height);
        let first = left + across + GAPS.1;
        if line == 0 {
            for (x, caption) in [(left, "sample"), (first, "nearest training images")] {
                drawing.text((x as f32, 32.0), Anchor::Start, CAPTION, caption);
            }
        }
        image(&mut drawing, row, left, top);
        for (rank, neighbour) in found.iter().enumerate() {
            let left = first + rank * (across + GAPS.0);
            image(&mut drawing, data.row(neighbour.row), left, top);
            let below = (left as f32 + across as f32 / 2.0, (top + down + 15) as f32);
            let distance = neighbour.distance.to_string();
            drawing.text(below, Anchor::Middle, DISTANCE, &distance);
        }
    }
    Ok(drawing)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::pictures::drawing::tests::Decoded;
    use segre::data::{Layout, Schema, Vocabulary};
    use segre::evaluation::nearest::nearest;

    #[test]
    fn every_image_is_there_as_often_as_it_is_near() {
        let (height, width, pad_to) = (1, 2, None);
        let layout = Layout::Image {
            height,
            width,
            pad_to,
        };
        let names = vec!["r0c0".into(), "r0c1".into()];
        let schema = Schema::shared(layout, names, Vocabulary::Integers { count: 3 });
        let data = |labels: &[u16]| Dataset::new(schema.clone(), labels.to_vec()).unwrap();
        let (samples, train) = (data(&[0, 1, 0, 0]), data(&[0, 0, 2, 2, 0, 1]));
        let found = nearest(&samples, &train, 1).unwrap();
        let colours = [[200, 0, 0], [0, 200, 0], [0, 0, 200]];
        let (shape, palette) = (ImageShape { height, width }, Palette::of(colours.to_vec()));
        let drawn = |found| draw_neighbours(&samples, &train, found, shape, &palette);
        let decoded = Decoded::of(&drawn(&found).unwrap());
        let [none, one, other] = colours.map(|colour| decoded.count_all(colour));
        // 0 1 beside 0 1, and 0 0 beside 0 0.
        assert!(one > 0);
        assert_eq!((none, other), (3 * one, 0));
        assert!(drawn(&[]).is_err());
    }
}
