//! Parts of images around the pixels that a convolution computes.

use std::borrow::Cow;

use crate::simd::pairs;
use crate::simd::tiles::Run;

/// What the channels of a source pixel take: words, or a number each.
pub(super) fn words_of(pairs: bool, channels: usize) -> usize {
    match pairs {
        true => pairs::words(channels),
        false => channels,
    }
}

/// A part of an image, with zeros where it reaches beyond.
pub(super) struct Patch<'a> {
    /// Pixel after pixel.
    pub values: Cow<'a, [f32]>,
    /// Pixels of a row.
    pub columns: usize,
    /// Numbers or words of a pixel.
    channels: usize,
}

impl<'a> Patch<'a> {
    /// What pixels `step · (u, v) + offset` take, for ranges of `u` and `v` and of offsets; neighbouring channels in
    /// a word if `pairs`.
    pub fn around(
        image: &'a [f32],
        [height, width, channels]: [usize; 3],
        step: usize,
        pixels: [std::ops::Range<usize>; 2],
        offsets: [[isize; 2]; 2],
        pairs: bool,
    ) -> Self {
        let taken = words_of(pairs, channels);
        let extent = |axis: usize| {
            let first = (step * pixels[axis].start) as isize + offsets[axis][0];
            let count = match pixels[axis].is_empty() || offsets[axis][1] < offsets[axis][0] {
                true => 0,
                false => {
                    let across = (offsets[axis][1] - offsets[axis][0]) as usize;
                    step * (pixels[axis].len() - 1) + across + 1
                }
            };
            (first, count)
        };
        let ((top, rows), (left, columns)) = (extent(0), extent(1));
        if !pairs && left == 0 && columns == width && top >= 0 {
            let from = top as usize * width * channels;
            if let Some(values) = image.get(from..from + rows * columns * channels) {
                let values = Cow::Borrowed(values);
                return Self {
                    values,
                    columns,
                    channels,
                };
            }
        }
        let mut values = vec![0.0; rows * columns * taken];
        let within = |first: isize, count: usize, size: usize| {
            let begin = (-first).clamp(0, count as isize) as usize;
            let end = (size as isize - first).clamp(begin as isize, count as isize) as usize;
            begin..end
        };
        let kept = within(left, columns, width);
        for row in within(top, rows, height) {
            if kept.is_empty() {
                break;
            }
            let source = (top + row as isize) as usize * width;
            let source = (source + (left + kept.start as isize) as usize) * channels;
            let source = &image[source..][..kept.len() * channels];
            let target = (row * columns + kept.start) * taken;
            let target = &mut values[target..][..kept.len() * taken];
            match pairs {
                true => pairs::neighbours(source, channels, target),
                false => target.copy_from_slice(source),
            }
        }
        Self {
            values: Cow::Owned(values),
            columns,
            channels: taken,
        }
    }

    /// Puts beside every number that of the pixel `step` columns on, in a word; zero beyond the last column.
    pub fn pair_columns(&mut self, step: usize) {
        let row = self.columns * self.channels;
        let across = row.min(step * self.channels);
        let zeros = vec![0.0; across];
        let mut words = vec![0.0; self.values.len()];
        for (numbers, words) in self
            .values
            .chunks(row.max(1))
            .zip(words.chunks_mut(row.max(1)))
        {
            let (with_next, last) = words.split_at_mut(row - across);
            pairs::zip(&numbers[..row - across], &numbers[across..], with_next);
            pairs::zip(&numbers[row - across..], &zeros, last);
        }
        self.values = Cow::Owned(words);
    }

    /// Every number in a word with that of the next pixel, then as many zeros as are asked for.
    #[cfg(target_arch = "x86_64")]
    pub fn paired(&self, zeros: usize) -> Vec<f32> {
        let len = self.values.len();
        let mut words = vec![0.0; len + zeros];
        let (with_next, rest) = words.split_at_mut(len.saturating_sub(self.channels));
        let (numbers, last) = self.values.split_at(with_next.len());
        pairs::zip(numbers, &self.values[self.channels.min(len)..], with_next);
        pairs::zip(last, &vec![0.0; last.len()], &mut rest[..last.len()]);
        words
    }

    /// From pixel to pixel along a row, and along a column.
    pub fn steps(&self, step: usize) -> [usize; 2] {
        [step * self.channels, step * self.columns * self.channels]
    }

    /// One run for every row of offsets.
    pub fn runs(&self, offsets: [[isize; 2]; 2]) -> Vec<Run> {
        let [rows, columns] = offsets.map(|[least, most]| (most - least + 1) as usize);
        (0..rows)
            .map(|row| Run {
                offset: row * self.columns * self.channels,
                length: columns * self.channels,
            })
            .collect()
    }
}
