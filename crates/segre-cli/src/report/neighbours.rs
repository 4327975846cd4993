//! Images beside the nearest ones of other data: one line each, distances below.

use anyhow::{Result, ensure};
use segre::data::Dataset;
use segre::evaluation::nearest::Neighbour;

use super::canvas::{Area, Canvas};
use super::colour::{FAINT, GREY, INK, PAPER, Palette};
use super::grid::ImageShape;
use super::text::{self, Anchor, Style};

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
) -> Result<Canvas> {
    let most = neighbours.iter().map(Vec::len).max().unwrap_or(0);
    ensure!(most > 0, "there are no neighbours to draw");
    let ImageShape { height, width } = shape;
    let gaps = most * GAPS.0 + GAPS.1;
    let scale = (TARGET_WIDTH.saturating_sub(gaps) / ((most + 1) * width)).max(1);
    let scale = scale.min((96 / height).max(1));
    let (across, down) = (scale * width, scale * height);
    let line_width = (most + 1) * across + gaps;
    let line_height = down + NUMBER + GAPS.0;
    let blocks = if line_width <= TARGET_WIDTH { 2 } else { 1 };
    let lines = neighbours.len().div_ceil(blocks);
    let step = line_width + MARGIN + GAPS.1;
    let mut canvas = Canvas::new(
        blocks * step + MARGIN,
        TOP + lines * line_height + MARGIN,
        PAPER,
    );
    let mut image = |labels: &[u16], left: usize, top: usize| {
        for (site, &label) in labels.iter().enumerate() {
            let pixel = Area {
                left: left + site % width * scale,
                top: top + site / width * scale,
                width: scale,
                height: scale,
            };
            canvas.fill(
                pixel,
                palette.colour(label).expect("a colour for every label"),
            );
        }
        let frame = Area {
            left: left - 1,
            top: top - 1,
            width: across + 2,
            height: down + 2,
        };
        canvas.frame(frame, FAINT);
    };
    let corner = |index: usize| {
        let (block, line) = (index / lines, index % lines);
        (MARGIN + block * step, TOP + line * line_height)
    };
    let place = |left: usize, rank: usize| left + across + GAPS.1 + rank * (across + GAPS.0);
    for (index, (row, found)) in samples.iter().zip(neighbours).enumerate() {
        let (left, top) = corner(index);
        image(row, left, top);
        for (rank, neighbour) in found.iter().enumerate() {
            image(data.row(neighbour.row), place(left, rank), top);
        }
    }
    for block in 0..blocks.min(neighbours.len()) {
        let left = (MARGIN + block * step) as f32;
        text::draw(&mut canvas, (left, 32.0), Anchor::Start, CAPTION, "sample");
        let point = (place(MARGIN + block * step, 0) as f32, 32.0);
        text::draw(
            &mut canvas,
            point,
            Anchor::Start,
            CAPTION,
            "nearest training images",
        );
    }
    for (index, found) in neighbours.iter().enumerate() {
        let (left, top) = corner(index);
        for (rank, neighbour) in found.iter().enumerate() {
            let middle = place(left, rank) as f32 + across as f32 / 2.0;
            let point = (middle, (top + down) as f32 + 15.0);
            let distance = neighbour.distance.to_string();
            text::draw(&mut canvas, point, Anchor::Middle, DISTANCE, &distance);
        }
    }
    Ok(canvas)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::report::canvas::tests::Decoded;
    use segre::data::{Layout, Schema, Vocabulary};
    use segre::evaluation::nearest::nearest;

    #[test]
    fn every_image_is_there_as_often_as_it_is_near() {
        let layout = Layout::Image {
            height: 1,
            width: 2,
            pad_to: None,
        };
        let names = vec!["r0c0".into(), "r0c1".into()];
        let schema = Schema::shared(layout, names, Vocabulary::Integers { count: 3 });
        let data = |labels: &[u16]| Dataset::new(schema.clone(), labels.to_vec()).unwrap();
        let (samples, train) = (data(&[0, 1, 0, 0]), data(&[0, 0, 2, 2, 0, 1]));
        let found = nearest(&samples, &train, 1).unwrap();
        let colours = vec![[200, 0, 0], [0, 200, 0], [0, 0, 200]];
        let shape = ImageShape {
            height: 1,
            width: 2,
        };
        let palette = Palette::of(colours.clone());
        let canvas = draw_neighbours(&samples, &train, &found, shape, &palette).unwrap();
        let count = |label: usize| Decoded::of(&canvas).count(canvas.area(), colours[label]);
        // 0 1 beside 0 1, and 0 0 beside 0 0.
        assert!(count(1) > 0);
        assert_eq!((count(0), count(2)), (3 * count(1), 0));
        assert!(draw_neighbours(&samples, &train, &[], shape, &palette).is_err());
    }
}
