//! Samples of image-like data as one picture: a grid of tiles, or several such panels in a row.

use anyhow::{Context, Result, ensure};

use super::colour::{FAINT, INK, PAPER, Palette, Rgb};
use super::drawing::{Anchor, Drawing, Style};

/// Images shown together.
#[derive(Clone, Copy, Debug)]
pub struct Panel<'a> {
    /// What they are; an empty caption takes no room.
    pub caption: &'a str,
    /// Labels of all images, row-major `[images, height, width]`.
    pub labels: &'a [u16],
}

/// Height and width of one image in sites.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImageShape {
    /// Number of rows.
    pub height: usize,
    /// Number of columns.
    pub width: usize,
}

/// Room of a picture: it is scaled up by the largest whole number that keeps it within.
#[derive(Clone, Copy)]
struct Room {
    /// Width of all panels.
    width: usize,
    /// Height of a tile.
    tile: usize,
    margin: usize,
}

/// A picture of its own.
const WHOLE: Room = Room {
    width: 1000,
    tile: 1000,
    margin: 14,
};
/// A panel that stands beside others on a page.
const HALF: Room = Room {
    width: 540,
    tile: 130,
    margin: 0,
};
/// A picture never grows beyond this in either direction for the sake of more tiles.
const MAX_SIDE: usize = 4000;
const BETWEEN_PANELS: usize = 28;
/// Room of captions.
const TOP: usize = 44;
const CAPTION: Style = Style {
    size: 20.0,
    bold: true,
    colour: INK,
};

/// How many of `count` images a panel shows: the rest would make the picture too large to look at.
pub fn images_shown(count: usize, shape: ImageShape) -> usize {
    let across = (MAX_SIDE / (shape.width + 1)).max(1);
    let down = (MAX_SIDE / (shape.height + 1)).max(1);
    count.min(across * down)
}

/// Rows and columns of tiles for `count` images: few empty places, nearly square as a picture.
fn arrangement(count: usize, shape: ImageShape) -> (usize, usize) {
    let aspect = shape.height as f64 / shape.width as f64;
    let cost = |(rows, columns): &(usize, usize)| {
        let (down, across) = (aspect * *rows as f64, *columns as f64);
        let empty = (rows * columns - count) as f64 / count.max(1) as f64;
        // A wide picture suits a screen better than a tall one.
        let tall = if down > across { 0.05 } else { 0.0 };
        (down / across).ln().abs() + 4.0 * empty + tall
    };
    let all = (1..=count.max(1)).map(|columns| (count.div_ceil(columns), columns));
    let best = all.min_by(|a, b| cost(a).total_cmp(&cost(b)));
    best.unwrap_or((1, 1))
}

/// Draws every panel as a grid of tiles, panels side by side, each label in its colour.
///
/// Tiles are separated by a line one fifth of a site wide, at least one pixel.
///
/// # Errors
/// If there is no panel or no image, or a label has no colour in the palette.
///
/// # Panics
/// If the number of labels is not a multiple of the image size.
pub fn draw_grid(panels: &[Panel], shape: ImageShape, palette: &Palette) -> Result<Drawing> {
    draw_panels(panels, shape, palette, WHOLE, |most| {
        arrangement(most, shape)
    })
}

/// The same with the images of each panel below each other, so that a row of tiles belongs together.
///
/// # Errors
/// As [`draw_grid`].
///
/// # Panics
/// As [`draw_grid`].
pub fn draw_columns(panels: &[Panel], shape: ImageShape, palette: &Palette) -> Result<Drawing> {
    draw_panels(panels, shape, palette, WHOLE, |most| (most, 1))
}

/// Draws the tiles of one panel for a page, without caption and margin; in a `column`, images stand below each other, so
/// that panels side by side have rows.
///
/// # Errors
/// As [`draw_grid`].
///
/// # Panics
/// As [`draw_grid`].
pub fn draw_tiles(
    labels: &[u16],
    shape: ImageShape,
    palette: &Palette,
    column: bool,
) -> Result<Drawing> {
    let caption = "";
    let panels = [Panel { caption, labels }];
    draw_panels(&panels, shape, palette, HALF, |most| match column {
        true => (most, 1),
        false => arrangement(most, shape),
    })
}

/// Draws panels with so many rows and columns as `arrange` has for the largest number of images.
fn draw_panels(
    panels: &[Panel],
    shape: ImageShape,
    palette: &Palette,
    room: Room,
    arrange: impl Fn(usize) -> (usize, usize),
) -> Result<Drawing> {
    let margin = room.margin;
    let ImageShape { height, width } = shape;
    let size = height * width;
    let counts = panels.iter().map(|panel| {
        let labels = panel.labels.len();
        assert!(
            labels.is_multiple_of(size),
            "{labels} labels are no {height}×{width} images"
        );
        images_shown(labels / size, shape)
    });
    let most = counts.max().unwrap_or(0);
    ensure!(
        most > 0,
        "cannot draw a picture of 0 images: ask for at least one"
    );

    let (rows, columns) = arrange(most);
    // A tile with the line around it, and with that line shared.
    let outer =
        |side: usize, scale: usize| (scale * side + 2 * gap(scale), scale * side + gap(scale));
    let panel_width = |scale| columns * outer(width, scale).1 + gap(scale);
    let whole_width =
        |scale| panels.len() * (panel_width(scale) + BETWEEN_PANELS) - BETWEEN_PANELS + 2 * margin;
    let fitting = (1..=room.tile)
        .take_while(|scale| whole_width(*scale) <= room.width && scale * height <= room.tile);
    let scale = fitting.last().unwrap_or(1);
    let (panel_width, panel_height) = (
        panel_width(scale),
        rows * outer(height, scale).1 + gap(scale),
    );
    let captioned = panels.iter().any(|panel| !panel.caption.is_empty());
    let top = if captioned { TOP } else { margin };

    let mut drawing = Drawing::of_pixels(whole_width(scale), top + panel_height + margin);
    for (index, panel) in panels.iter().enumerate() {
        let left = (margin + index * (panel_width + BETWEEN_PANELS)) as f32;
        let (across, down) = (panel_width as f32, panel_height as f32);
        drawing.text(
            (left + across / 2.0, 30.0),
            Anchor::Middle,
            CAPTION,
            panel.caption,
        );
        // One image for all tiles: a picture may have more of them than an SVG may have elements.
        let mut pixels = vec![PAPER; panel_width * panel_height];
        let mut fill = |(x, y): (usize, usize), (width, height): (usize, usize), colour: Rgb| {
            for line in pixels.chunks_exact_mut(panel_width).skip(y).take(height) {
                line[x..x + width].fill(colour);
            }
        };
        for (tile, image) in panel.labels.chunks_exact(size).take(most).enumerate() {
            let ((wide, step_across), (high, step_down)) =
                (outer(width, scale), outer(height, scale));
            let (x, y) = (tile % columns * step_across, tile / columns * step_down);
            fill((x, y), (wide, high), FAINT);
            for (site, &label) in image.iter().enumerate() {
                let (row, column) = (site / width, site % width);
                let colour = palette.colour(label).with_context(|| {
                    format!(
                        "cannot draw image {} of \"{}\": label {label} at row {row}, column \
                         {column} is not one of the {} categories",
                        tile + 1,
                        panel.caption,
                        palette.categories()
                    )
                })?;
                let corner = (
                    x + gap(scale) + column * scale,
                    y + gap(scale) + row * scale,
                );
                fill(corner, (scale, scale), colour);
            }
        }
        drawing.pixels((left, top as f32), (across, down), panel_width, &pixels);
    }
    Ok(drawing)
}

/// Width of the line between tiles at a scale.
fn gap(scale: usize) -> usize {
    (scale / 5).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pictures::drawing::tests::Decoded;

    const MARGIN: usize = WHOLE.margin;

    const DIGIT: ImageShape = ImageShape {
        height: 8,
        width: 8,
    };

    fn panel<'a>(caption: &'a str, labels: &'a [u16]) -> Panel<'a> {
        Panel { caption, labels }
    }

    #[test]
    fn arrangements_are_nearly_square_and_waste_little() {
        let found = [1, 2, 4, 10, 12, 64].map(|count| arrangement(count, DIGIT));
        assert_eq!(found, [(1, 1), (1, 2), (2, 2), (2, 5), (3, 4), (8, 8)]);
        for count in 1..500 {
            let (rows, columns) = arrangement(count, DIGIT);
            assert!(rows * columns >= count && (rows - 1) * columns < count);
            assert!(columns <= 3 * rows + 1, "{count}: {rows}×{columns}");
        }
        // Wide images stand in fewer columns.
        let (height, width) = (10, 20);
        assert_eq!(arrangement(8, ImageShape { height, width }), (4, 2));
    }

    /// Two images of 2×2 sites: one row of two tiles is 4 sites wide.
    #[test]
    fn every_site_has_the_colour_of_its_label() {
        let (height, width) = (2, 2);
        let labels = [0, 1, 2, 3, 3, 2, 1, 0];
        let palette = Palette::distinct(4).expect("palette");
        let drawing = draw_grid(
            &[panel("", &labels)],
            ImageShape { height, width },
            &palette,
        );
        let decoded = Decoded::of(&drawing.expect("picture"));
        // Width = 2 margins + 3 gaps + 4 sites of `scale` pixels with gap = scale / 5.
        let width_at = |scale: &usize| 2 * MARGIN + 4 * scale + 3 * gap(*scale);
        let scale = (1..=300)
            .rfind(|scale| width_at(scale) <= WHOLE.width)
            .expect("a scale");
        assert_eq!(decoded.width, width_at(&scale));
        assert_eq!(decoded.height, 2 * MARGIN + 2 * scale + 2 * gap(scale));
        for (index, label) in labels.into_iter().enumerate() {
            let (tile, site) = (index / 4, index % 4);
            let left = MARGIN + gap(scale) + tile * (2 * scale + gap(scale)) + site % 2 * scale;
            let top = MARGIN + gap(scale) + site / 2 * scale;
            let colour = palette.colour(label).expect("colour");
            let inside = decoded.count(left..left + scale, top..top + scale, colour);
            assert_eq!(inside, scale * scale, "site {index}");
        }
        assert_eq!(
            (decoded.pixel(MARGIN, MARGIN), decoded.pixel(0, 0)),
            (FAINT, PAPER)
        );
    }

    #[test]
    fn panels_stand_side_by_side_under_their_captions() {
        let (ink, paper) = (vec![16; 64 * 25], vec![0; 64 * 25]);
        let panels = [panel("data", &ink), panel("samples", &paper)];
        let drawing = draw_grid(&panels, DIGIT, &Palette::ordinal(17)).expect("picture");
        let decoded = Decoded::of(&drawing);
        assert!((600..=1000).contains(&decoded.width), "{}", decoded.width);
        let (half, black) = (decoded.width / 2, [0; 3]);
        let inked = decoded.count(0..half, TOP..decoded.height, black);
        assert!(
            inked.is_multiple_of(25 * 64) && inked > half * half / 2,
            "{inked}"
        );
        assert_eq!(
            decoded.count(half..decoded.width, TOP..decoded.height, black),
            0
        );
        for left in [0, half] {
            let caption = decoded.count(left..left + half, 0..40, INK);
            assert!(caption > 20, "no caption at {left}");
        }
    }

    #[test]
    fn tiles_of_a_page_have_rows_and_no_margin() {
        let labels = vec![1; 64 * 6];
        let palette = Palette::ordinal(2);
        let drawn = |column| draw_tiles(&labels, DIGIT, &palette, column).expect("picture");
        // A tile is at most 130 high: 16 pixels a site, 3 between tiles.
        assert_eq!(drawn(true).size, (134.0, 6.0 * 131.0 + 3.0));
        let (width, height) = drawn(false).size;
        assert!(width <= 540.0 && width > height, "{width}×{height}");
    }

    #[test]
    fn large_sets_are_cut_to_a_picture_one_can_open() {
        let labels = vec![1_u16; 64 * 300_000];
        let drawing = draw_grid(&[panel("", &labels)], DIGIT, &Palette::ordinal(2));
        let (width, height) = drawing.expect("picture").size;
        assert!(
            width.max(height) <= (MAX_SIDE + 40) as f32,
            "{width}×{height}"
        );
        assert_eq!(images_shown(300_000, DIGIT), 444 * 444);
        assert_eq!(images_shown(100, DIGIT), 100);
    }

    #[test]
    fn a_label_without_a_colour_is_an_error_with_its_place() {
        let mut labels = [0; 64 * 2];
        labels[64 + 8 + 3] = 9;
        let drawn = |panels: &[Panel]| draw_grid(panels, DIGIT, &Palette::ordinal(4));
        let error = drawn(&[panel("samples", &labels)]).expect_err("label 9");
        let expected = "image 2 of \"samples\": label 9 at row 1, column 3";
        assert!(error.to_string().contains(expected), "{error}");
        assert!(drawn(&[panel("", &[])]).is_err() && drawn(&[]).is_err());
    }
}
