//! Samples of image-like data as one picture: a grid of tiles, or several such panels in a row.

use anyhow::{Result, ensure};

use super::canvas::{Area, Canvas};
use super::colour::{FAINT, INK, PAPER, Palette};
use super::text::{self, Anchor, Style};

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

/// The picture is scaled up by the largest whole number that keeps it within this width.
const TARGET_WIDTH: usize = 1000;
/// A picture never grows beyond this in either direction for the sake of more tiles.
const MAX_SIDE: usize = 4000;
const MARGIN: usize = 14;
const BETWEEN_PANELS: usize = 28;
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
pub fn arrangement(count: usize, shape: ImageShape) -> (usize, usize) {
    let aspect = shape.height as f64 / shape.width as f64;
    let rows_for = |columns: usize| count.div_ceil(columns);
    (1..=count.max(1))
        .map(|columns| (rows_for(columns), columns))
        .min_by(|&a, &b| {
            let cost = |(rows, columns): (usize, usize)| {
                let stretch = (aspect * rows as f64 / columns as f64).ln().abs();
                let empty = (rows * columns - count) as f64 / count.max(1) as f64;
                // A wide picture suits a screen better than a tall one.
                let tall = if aspect * rows as f64 > columns as f64 {
                    0.05
                } else {
                    0.0
                };
                stretch + 4.0 * empty + tall
            };
            cost(a).total_cmp(&cost(b))
        })
        .unwrap_or((1, 1))
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
pub fn draw_grid(panels: &[Panel], shape: ImageShape, palette: &Palette) -> Result<Canvas> {
    draw_panels(panels, shape, palette, |most| arrangement(most, shape))
}

/// The same with the images of each panel below each other, so that a row of tiles belongs together.
///
/// # Errors
/// As [`draw_grid`].
///
/// # Panics
/// As [`draw_grid`].
pub fn draw_columns(panels: &[Panel], shape: ImageShape, palette: &Palette) -> Result<Canvas> {
    draw_panels(panels, shape, palette, |most| (most, 1))
}

/// Draws panels with so many rows and columns as `arrange` has for the largest number of images.
fn draw_panels(
    panels: &[Panel],
    shape: ImageShape,
    palette: &Palette,
    arrange: impl Fn(usize) -> (usize, usize),
) -> Result<Canvas> {
    let ImageShape { height, width } = shape;
    let size = height * width;
    assert!(size > 0, "empty images: {height}×{width}");
    for panel in panels {
        let labels = panel.labels.len();
        assert!(
            labels.is_multiple_of(size),
            "{labels} labels are no {height}×{width} images"
        );
    }
    let counts: Vec<usize> = panels
        .iter()
        .map(|panel| images_shown(panel.labels.len() / size, shape))
        .collect();
    let most = counts.iter().copied().max().unwrap_or(0);
    ensure!(
        most > 0,
        "cannot draw a picture of 0 images: ask for at least one"
    );

    let (rows, columns) = arrange(most);
    let room = (TARGET_WIDTH - 2 * MARGIN).saturating_sub((panels.len() - 1) * BETWEEN_PANELS);
    let largest = (room / panels.len() / (columns * width)).max(1);
    let side_by_side = |scale: usize| {
        let panel = columns * (scale * width + gap(scale)) + gap(scale);
        panels.len() * panel + (panels.len() - 1) * BETWEEN_PANELS + 2 * MARGIN
    };
    let scale = (1..=largest)
        .rfind(|&scale| side_by_side(scale) <= TARGET_WIDTH)
        .unwrap_or(1);
    let gap = gap(scale);
    let (step_across, step_down) = (scale * width + gap, scale * height + gap);
    let panel_width = columns * step_across + gap;
    let panel_height = rows * step_down + gap;
    let captioned = panels.iter().any(|panel| !panel.caption.is_empty());
    let top = if captioned { 44 } else { MARGIN };

    let mut canvas = Canvas::new(side_by_side(scale), top + panel_height + MARGIN, PAPER);
    for (index, (panel, count)) in panels.iter().zip(counts).enumerate() {
        let left = MARGIN + index * (panel_width + BETWEEN_PANELS);
        let middle = left as f32 + panel_width as f32 / 2.0;
        text::draw(
            &mut canvas,
            (middle, 30.0),
            Anchor::Middle,
            CAPTION,
            panel.caption,
        );
        for (tile, image) in panel.labels.chunks_exact(size).take(count).enumerate() {
            let tile_left = left + tile % columns * step_across;
            let tile_top = top + tile / columns * step_down;
            let (outer_width, outer_height) = (step_across + gap, step_down + gap);
            let border = Area {
                left: tile_left,
                top: tile_top,
                width: outer_width,
                height: outer_height,
            };
            canvas.fill(border, FAINT);
            for (site, &label) in image.iter().enumerate() {
                let Some(colour) = palette.colour(label) else {
                    anyhow::bail!(
                        "cannot draw image {} of \"{}\": label {label} at row {}, column {} is \
                         not one of the {} categories",
                        tile + 1,
                        panel.caption,
                        site / width,
                        site % width,
                        palette.categories()
                    );
                };
                let left = tile_left + gap + site % width * scale;
                let top = tile_top + gap + site / width * scale;
                canvas.fill(
                    Area {
                        left,
                        top,
                        width: scale,
                        height: scale,
                    },
                    colour,
                );
            }
        }
    }
    Ok(canvas)
}

/// Width of the line between tiles at a scale.
fn gap(scale: usize) -> usize {
    (scale / 5).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::canvas::tests::Decoded;

    const DIGIT: ImageShape = ImageShape {
        height: 8,
        width: 8,
    };

    #[test]
    fn arrangements_are_nearly_square_and_waste_little() {
        let found = [1, 2, 4, 10, 12, 16, 64, 100].map(|count| arrangement(count, DIGIT));
        let expected = [
            (1, 1),
            (1, 2),
            (2, 2),
            (2, 5),
            (3, 4),
            (4, 4),
            (8, 8),
            (10, 10),
        ];
        assert_eq!(found, expected);
        for count in 1..500 {
            let (rows, columns) = arrangement(count, DIGIT);
            assert!(rows * columns >= count && (rows - 1) * columns < count);
            assert!(columns <= 3 * rows + 1, "{count}: {rows}×{columns}");
        }
        // Wide images stand in fewer columns.
        assert_eq!(
            arrangement(
                8,
                ImageShape {
                    height: 10,
                    width: 20
                }
            ),
            (4, 2)
        );
    }

    /// 2 images of 1×2 sites: one row of two tiles would be 4 sites wide.
    #[test]
    fn every_site_has_the_colour_of_its_label() {
        let shape = ImageShape {
            height: 2,
            width: 2,
        };
        let labels = [0, 1, 2, 3, 3, 2, 1, 0];
        let palette = Palette::distinct(4).expect("palette");
        let panel = Panel {
            caption: "",
            labels: &labels,
        };
        let decoded = Decoded::of(&draw_grid(&[panel], shape, &palette).expect("picture"));
        assert!((600..=1000).contains(&decoded.width), "{}", decoded.width);
        // Width = 2 margins + 3 gaps + 4 sites of `scale` pixels with gap = scale / 5.
        let scale = (1..=300)
            .rfind(|scale| 2 * MARGIN + 4 * scale + 3 * gap(*scale) <= TARGET_WIDTH)
            .expect("a scale");
        assert_eq!(decoded.width, 2 * MARGIN + 4 * scale + 3 * gap(scale));
        assert_eq!(decoded.height, 2 * MARGIN + 2 * scale + 2 * gap(scale));
        for (index, label) in labels.into_iter().enumerate() {
            let (tile, site) = (index / 4, index % 4);
            let left = MARGIN + gap(scale) + tile * (2 * scale + gap(scale)) + site % 2 * scale;
            let top = MARGIN + gap(scale) + site / 2 * scale;
            let colour = palette.colour(label).expect("colour");
            assert_eq!(decoded.pixel(left, top), colour, "site {index}");
            assert_eq!(
                decoded.pixel(left + scale - 1, top + scale - 1),
                colour,
                "site {index}"
            );
        }
        assert_eq!(decoded.pixel(MARGIN, MARGIN), FAINT);
        assert_eq!(decoded.pixel(0, 0), PAPER);
    }

    #[test]
    fn panels_stand_side_by_side_under_their_captions() {
        let ink = vec![16; 64 * 25];
        let paper = vec![0; 64 * 25];
        let palette = Palette::ordinal(17);
        let panels = [
            Panel {
                caption: "data",
                labels: &ink,
            },
            Panel {
                caption: "samples",
                labels: &paper,
            },
        ];
        let canvas = draw_grid(&panels, DIGIT, &palette).expect("picture");
        let decoded = Decoded::of(&canvas);
        assert!((600..=1000).contains(&decoded.width), "{}", decoded.width);
        let half = decoded.width / 2;
        let body = |left| Area {
            left,
            top: 44,
            width: half,
            height: decoded.height - 44,
        };
        let black = [0; 3];
        let inked = decoded.count(body(0), black);
        assert!(inked.is_multiple_of(25 * 64), "{inked} black pixels");
        assert!(inked > half * half / 2, "{inked} black pixels");
        assert_eq!(decoded.count(body(half), black), 0);
        for left in [0, half] {
            let caption = Area {
                left,
                top: 0,
                width: half,
                height: 40,
            };
            assert!(decoded.count(caption, INK) > 20, "no caption at {left}");
        }
    }

    #[test]
    fn large_sets_are_cut_to_a_picture_one_can_open() {
        let labels = vec![1_u16; 64 * 300_000];
        let panel = Panel {
            caption: "",
            labels: &labels,
        };
        let canvas = draw_grid(&[panel], DIGIT, &Palette::ordinal(2)).expect("picture");
        let area = canvas.area();
        assert!(
            area.width <= MAX_SIDE + 40 && area.height <= MAX_SIDE + 40,
            "{area:?}"
        );
        assert_eq!(images_shown(300_000, DIGIT), 444 * 444);
        assert_eq!(images_shown(100, DIGIT), 100);
    }

    #[test]
    fn a_label_without_a_colour_is_an_error_with_its_place() {
        let mut labels = [0; 64 * 2];
        labels[64 + 8 + 3] = 9;
        let panel = Panel {
            caption: "samples",
            labels: &labels,
        };
        let error = draw_grid(&[panel], DIGIT, &Palette::ordinal(4)).expect_err("label 9");
        let expected = "image 2 of \"samples\": label 9 at row 1, column 3";
        assert!(error.to_string().contains(expected), "{error}");
        let nothing = Panel {
            caption: "",
            labels: &[],
        };
        draw_grid(&[nothing], DIGIT, &Palette::ordinal(4)).expect_err("no images");
        draw_grid(&[], DIGIT, &Palette::ordinal(4)).expect_err("no panels");
    }
}
