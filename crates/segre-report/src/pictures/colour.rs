//! Colours: shades for ordered labels, distinct colours for unordered ones, and a heat map scale.

use anyhow::{Result, ensure};
use color::{LinearSrgb, Oklab, OpaqueColor};

/// Red, green and blue in sRGB.
pub type Rgb = [u8; 3];

/// The background of every picture.
pub const PAPER: Rgb = [255; 3];
/// Text and frames.
pub const INK: Rgb = [34, 34, 40];
/// Secondary text.
pub const GREY: Rgb = [104, 104, 112];
/// Grid lines and separators.
pub const FAINT: Rgb = [222, 222, 226];
/// Blue of Okabe and Ito (2008).
pub const BLUE: Rgb = [0, 114, 178];
/// What is hidden in a picture: no shade of grey.
pub const HIDDEN: Rgb = [158, 188, 226];
/// Vermilion of Okabe and Ito (2008).
pub const VERMILION: Rgb = [213, 94, 0];

/// Largest number of distinct colours that [`Palette::distinct`] gives.
pub const MAX_DISTINCT: usize = 256;

/// One colour for every category.
#[derive(Clone, Debug)]
pub struct Palette {
    colours: Vec<Rgb>,
}

impl Palette {
    /// Shades for ordered labels, dark ink on white paper: label 0 is white, the last is black.
    pub fn ordinal(categories: usize) -> Self {
        let last = categories.saturating_sub(1).max(1) as f64;
        let shade = |label: usize| (255.0 * (1.0 - label as f64 / last)).round() as u8;
        Self {
            colours: (0..categories).map(|label| [shade(label); 3]).collect(),
        }
    }

    /// Distinct colours for unordered labels, also for colour-blind readers; two categories are
    /// white and black.
    ///
    /// The first eight are those of Okabe and Ito (2008, "Color Universal Design"). Every further
    /// colour is, among a fixed lattice of candidates, the one farthest from all before it, where
    /// the distance of two colours is the smallest Euclidean distance in OKLab (Ottosson 2020)
    /// under normal, protanope and deuteranope vision. So a palette is a prefix of every larger
    /// one.
    ///
    /// # Errors
    /// If there are more than [`MAX_DISTINCT`] categories.
    pub fn distinct(categories: usize) -> Result<Self> {
        ensure!(
            categories <= MAX_DISTINCT,
            "cannot give {categories} unordered categories colours of their own: a picture shows \
             at most {MAX_DISTINCT}; write the samples as .npz or .csv instead"
        );
        if categories <= 2 {
            return Ok(Self::ordinal(categories));
        }
        Ok(Self {
            colours: farthest_colours(categories),
        })
    }

    /// The given colours, by label.
    pub fn of(colours: Vec<Rgb>) -> Self {
        Self { colours }
    }

    /// The colours and a further one, of the label after the last.
    #[must_use]
    pub fn and(mut self, colour: Rgb) -> Self {
        self.colours.push(colour);
        self
    }

    /// The colour of a label, if the palette has one.
    pub fn colour(&self, label: u16) -> Option<Rgb> {
        self.colours.get(usize::from(label)).copied()
    }

    /// Number of colours.
    pub fn categories(&self) -> usize {
        self.colours.len()
    }
}

/// Okabe and Ito (2008), "Color Universal Design".
const OKABE_ITO: [Rgb; 8] = [
    [0, 0, 0],
    [230, 159, 0],
    [86, 180, 233],
    [0, 158, 115],
    [240, 228, 66],
    BLUE,
    VERMILION,
    [204, 121, 167],
];

fn farthest_colours(count: usize) -> Vec<Rgb> {
    let mut chosen: Vec<Rgb> = OKABE_ITO.into_iter().take(count).collect();
    if chosen.len() == count {
        return chosen;
    }
    // 16 levels of each primary: 4096 candidates, of which the very dark and the nearly white
    // are left out.
    let levels = || (0..16_u8).map(|level| level * 17);
    let mut candidates: Vec<(Rgb, Appearance, f32)> = levels()
        .flat_map(|red| levels().flat_map(move |green| levels().map(move |b| [red, green, b])))
        .map(|colour| (colour, appearance(colour), f32::INFINITY))
        .filter(|(_, seen, _)| (0.25..=0.97).contains(&seen[0][0]))
        .collect();
    let mut newest = 0;
    while chosen.len() < count {
        for &colour in &chosen[newest..] {
            let seen = appearance(colour);
            for (_, candidate, nearest) in &mut candidates {
                *nearest = nearest.min(distance(candidate, &seen));
            }
        }
        newest = chosen.len();
        let best = candidates.iter().max_by(|a, b| a.2.total_cmp(&b.2));
        chosen.push(best.expect("the lattice of candidates is not empty").0);
    }
    chosen
}

/// OKLab coordinates (lightness first) under normal, protanope and deuteranope vision.
type Appearance = [[f32; 3]; 3];

fn appearance(colour: Rgb) -> Appearance {
    // Machado, Oliveira and Fernandes (2009), "A physiologically-based model for simulation of
    // color vision deficiency", severity 1.0, on linear RGB.
    const PROTANOPE: [[f32; 3]; 3] = [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ];
    const DEUTERANOPE: [[f32; 3]; 3] = [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ];
    let [red, green, blue] = colour;
    let linear = OpaqueColor::from_rgb8(red, green, blue).convert::<LinearSrgb>();
    let seen =
        |matrix| OpaqueColor::new(times(matrix, linear.components).map(|c| c.clamp(0.0, 1.0)));
    [linear, seen(&PROTANOPE), seen(&DEUTERANOPE)]
        .map(|colour| colour.convert::<Oklab>().components)
}

fn times(matrix: &[[f32; 3]; 3], vector: [f32; 3]) -> [f32; 3] {
    matrix.map(|row| row.iter().zip(vector).map(|(a, b)| a * b).sum())
}

fn distance(a: &Appearance, b: &Appearance) -> f32 {
    let squared = |(a, b): (&[f32; 3], &[f32; 3])| -> f32 {
        a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum()
    };
    let each = a.iter().zip(b).map(squared);
    each.fold(f32::INFINITY, f32::min).sqrt()
}

/// The viridis scale, perceptually even and readable in grey: `fraction` 0 is dark violet, 1 is
/// yellow; values outside [0, 1] are cut off.
pub fn viridis(fraction: f64) -> Rgb {
    colorous::VIRIDIS
        .eval_continuous(fraction.clamp(0.0, 1.0))
        .into_array()
}

/// The colour `fraction` of the way between two.
pub fn mix(from: Rgb, to: Rgb, fraction: f64) -> Rgb {
    let channel = |i: usize| {
        let (from, to) = (f64::from(from[i]), f64::from(to[i]));
        (from + fraction * (to - from)).round() as u8
    };
    [channel(0), channel(1), channel(2)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordered_labels_run_from_white_to_black_and_never_repeat() {
        let palette = Palette::ordinal(17);
        assert_eq!(palette.colour(0), Some([255; 3]));
        assert_eq!(palette.colour(8), Some([128; 3]));
        assert_eq!(palette.colour(16), Some([0; 3]));
        assert_eq!(palette.colour(17), None);
        assert!(
            palette
                .colours
                .windows(2)
                .all(|pair| pair[1][0] < pair[0][0])
        );
    }

    /// OKLab distance 0.02 is about one just noticeable difference.
    #[test]
    fn distinct_colours_differ_pairwise_for_every_vision() {
        let nearest = |categories: usize| {
            let seen: Vec<_> = Palette::distinct(categories)
                .expect("palette")
                .colours
                .into_iter()
                .map(appearance)
                .collect();
            let pairs = (0..seen.len()).flat_map(|i| (0..i).map(move |j| (i, j)));
            pairs
                .map(|(i, j)| distance(&seen[i], &seen[j]))
                .fold(f32::INFINITY, f32::min)
        };
        for (categories, least) in [(3, 0.2), (8, 0.07), (16, 0.07), (32, 0.06), (256, 0.018)] {
            let found = nearest(categories);
            assert!(
                found > least,
                "{categories} colours: nearest pair at {found}"
            );
        }
    }

    #[test]
    fn a_palette_is_a_prefix_of_every_larger_one() {
        let large = Palette::distinct(64).expect("palette").colours;
        for categories in [3, 8, 9, 21] {
            let small = Palette::distinct(categories).expect("palette").colours;
            assert_eq!(small, large[..categories]);
        }
        Palette::distinct(257).expect_err("more colours than a reader can tell apart");
    }

    #[test]
    fn two_categories_are_ink_on_paper() {
        let palette = Palette::distinct(2).expect("palette");
        assert_eq!(
            (palette.colour(0), palette.colour(1)),
            (Some([255; 3]), Some([0; 3]))
        );
    }

    #[test]
    fn grey_stays_grey_for_every_vision() {
        for seen in appearance([120; 3]) {
            assert!(seen[1].abs() < 1e-4 && seen[2].abs() < 1e-4, "{seen:?}");
        }
        assert!((appearance([255; 3])[0][0] - 1.0).abs() < 1e-6);
    }

    #[test]
    fn the_heat_map_scale_grows_lighter_evenly() {
        let lightness: Vec<f32> = (0..=20)
            .map(|i| appearance(viridis(f64::from(i) / 20.0))[0][0])
            .collect();
        let steps: Vec<f32> = lightness.windows(2).map(|pair| pair[1] - pair[0]).collect();
        let mean = steps.iter().sum::<f32>() / steps.len() as f32;
        assert!(
            steps.iter().all(|step| (0.5..1.6).contains(&(step / mean))),
            "{steps:?}"
        );
        assert_eq!(viridis(-1.0), viridis(0.0));
        assert_eq!(viridis(2.0), [0xfd, 0xe7, 0x25]);
    }
}
