//! Pixels of a picture in another size, and in place of pixels that mean nothing.

use super::{ImageSize, Raster};

/// The source pixel of a pixel, by nearest neighbours with pixel centres at half integers.
///
/// Pixel `i` of `to` has its centre at `(i + ½) · from / to` of the source, which lies in pixel
/// `⌊(2 i + 1) from / (2 to)⌋`: no shift at any ratio, the pixel itself for equal lengths.
pub(super) fn source(i: usize, from: usize, to: usize) -> usize {
    (2 * i + 1) * from / (2 * to)
}

/// Brings a picture to a size; ignored pixels are left out if another stands in for them.
///
/// With `fill` a pixel that is ignored takes the value of the nearest one (Euclidean distance, at the
/// source's own size) that is not; among equally near ones that of the leftmost column, upper row first.
/// `None` if there is no such pixel.
pub(super) fn resample(
    raster: &Raster,
    to: ImageSize,
    fill: Option<&[bool; 256]>,
) -> Option<Vec<u8>> {
    let from = raster.size;
    let nearest = match fill {
        Some(ignored) if raster.values.iter().any(|&v| ignored[usize::from(v)]) => {
            Some((ignored, ColumnDistances::new(raster, ignored)?))
        }
        _ => None,
    };
    let mut values = Vec::with_capacity(to.area());
    for row in 0..to.height {
        let row = source(row, from.height, to.height);
        for column in 0..to.width {
            let column = source(column, from.width, to.width);
            let own = raster.values[row * from.width + column];
            values.push(match &nearest {
                Some((ignored, distances)) if ignored[usize::from(own)] => {
                    distances.nearest(row, column)
                }
                _ => own,
            });
        }
    }
    Some(values)
}

/// For every pixel the row of the nearest labelled pixel of its column.
struct ColumnDistances<'a> {
    raster: &'a Raster,
    rows: Vec<Option<u32>>,
}

impl<'a> ColumnDistances<'a> {
    /// `None` if no pixel is labelled.
    fn new(raster: &'a Raster, ignored: &[bool; 256]) -> Option<Self> {
        let ImageSize { height, width } = raster.size;
        let mut rows: Vec<Option<u32>> = vec![None; height * width];
        for column in 0..width {
            let mut above = None;
            for row in 0..height {
                if !ignored[usize::from(raster.values[row * width + column])] {
                    above = Some(row as u32);
                }
                rows[row * width + column] = above;
            }
            let mut below: Option<u32> = None;
            for row in (0..height).rev() {
                let place = row * width + column;
                if rows[place] == Some(row as u32) {
                    below = rows[place];
                }
                rows[place] = match (rows[place], below) {
                    (Some(up), Some(down)) if down - (row as u32) < row as u32 - up => below,
                    (None, down) => down,
                    (up, _) => up,
                };
            }
        }
        rows.iter()
            .any(Option::is_some)
            .then_some(Self { raster, rows })
    }

    /// The value of the labelled pixel nearest to a pixel.
    fn nearest(&self, row: usize, column: usize) -> u8 {
        let width = self.raster.size.width;
        let in_row = &self.rows[row * width..(row + 1) * width];
        let found = in_row.iter().enumerate().filter_map(|(other, found)| {
            let found = (*found)? as usize;
            let (down, across) = (found.abs_diff(row), other.abs_diff(column));
            Some((down * down + across * across, found * width + other))
        });
        // The first of equals: the leftmost.
        let place = found
            .min_by_key(|(distance, _)| *distance)
            .map_or(0, |(_, place)| place);
        self.raster.values[place]
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn raster(height: usize, width: usize, values: &[u8]) -> Raster {
        Raster {
            size: ImageSize { height, width },
            values: values.to_vec(),
        }
    }

    #[test]
    fn pixel_centres_are_at_half_integers() {
        assert_eq!([0, 1].map(|i| source(i, 4, 2)), [1, 3]);
        assert_eq!([0, 1].map(|i| source(i, 6, 2)), [1, 4]);
        assert_eq!([0, 1, 2, 3].map(|i| source(i, 2, 4)), [0, 0, 1, 1]);
        assert_eq!([0, 1, 2].map(|i| source(i, 5, 3)), [0, 2, 4]);
        for i in 0..360 {
            assert_eq!(source(i, 360, 360), i);
            // As real numbers.
            if i < 64 {
                assert_eq!(
                    source(i, 360, 64),
                    ((i as f64 + 0.5) * 360.0 / 64.0).floor() as usize
                );
            }
        }
        let small = resample(
            &raster(2, 4, &[1, 2, 3, 4, 5, 6, 7, 8]),
            ImageSize {
                height: 1,
                width: 2,
            },
            None,
        );
        assert_eq!(small.unwrap(), [6, 8]);
    }

    /// Against a search through all pixels.
    #[test]
    fn ignored_pixels_take_the_nearest_class() {
        let (height, width) = (9, 13);
        let mut state = 1_u32;
        let mut dice = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state >> 16
        };
        let mut ignored = [false; 256];
        ignored[0] = true;
        for _ in 0..50 {
            // Mostly ignored; every labelled pixel has a value of its own.
            let values: Vec<u8> = (1..=117)
                .map(|v| if dice() % 8 == 0 { v } else { 0 })
                .collect();
            let picture = raster(height, width, &values);
            let Some(filled) = resample(&picture, picture.size, Some(&ignored)) else {
                assert!(values.iter().all(|&v| v == 0));
                continue;
            };
            for (place, &found) in filled.iter().enumerate() {
                let distance = |other: usize| {
                    let down = (place / width).abs_diff(other / width);
                    let across = (place % width).abs_diff(other % width);
                    down * down + across * across
                };
                let labelled = (0..values.len()).filter(|&other| values[other] != 0);
                let best = labelled.map(distance).min().unwrap();
                assert_ne!(found, 0);
                assert_eq!(distance(usize::from(found) - 1), best);
            }
        }
        let empty = raster(1, 2, &[0, 0]);
        assert!(resample(&empty, empty.size, Some(&ignored)).is_none());
        assert_eq!(resample(&empty, empty.size, None).unwrap(), [0, 0]);
    }
}
