//! Pictures and label maps: samples beside data, nearest training pictures, infilled ones, shares of classes and regions.

use serde::{Deserialize, Serialize};

use crate::data::{Dataset, PartialDataset, Region, SiteMask, Vocabulary};
use crate::evaluation::error::Result;
use crate::evaluation::maps;
use crate::evaluation::nearest;
use crate::flow::Model;
use crate::flow::sampling::{SamplingOptions, complete};
use crate::progress::Observer;
use crate::run::Parts;

/// Sites of all pictures that are shown side by side, and how many of them at most.
const SHOWN_SITES: usize = 1 << 18;
const SHOWN: usize = 64;
/// Samples that are shown beside their nearest training picture.
const NEAREST: usize = 12;
/// Pictures whose lower half is filled in, and how often.
const INFILLED: usize = 6;
const DRAWS: usize = 3;

/// What pictures show.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PicturesView {
    /// Height and width in pixels.
    pub size: [usize; 2],
    /// Labels of samples, one picture after the other.
    pub samples: Vec<u16>,
    /// As many test pictures.
    pub data: Vec<u16>,
    /// Some samples with the nearest training picture of each.
    pub nearest: Vec<NearRow>,
    /// Sites in which rows differ from the nearest training row: of samples, test and validation rows.
    pub distances: [Vec<u32>; 3],
    /// Test pictures whose lower half was filled in; none for a model that cannot.
    pub infilled: Option<Infilled>,
    /// Shares of categories: names, training pictures, samples; none for many categories.
    pub shares: Vec<(String, f64, f64)>,
    /// Label maps alone.
    pub maps: Option<MapsView>,
}

/// A sample and its nearest training row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NearRow {
    /// Sites that differ.
    pub distance: u32,
    /// Labels of the sample.
    pub sample: Vec<u16>,
    /// Labels of the training row.
    pub train: Vec<u16>,
}

/// Pictures before and after.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Infilled {
    /// Labels of the pictures.
    pub data: Vec<u16>,
    /// How often each was filled in.
    pub draws: usize,
    /// Labels of every filling, those of a picture side by side.
    pub filled: Vec<u16>,
}

/// Distances of statistics of maps from those of the training part: of samples, and of as many test maps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MapsView {
    /// Maps of either kind.
    pub maps: usize,
    /// What each distance is, of samples, of test maps.
    pub distances: Vec<(String, f64, f64)>,
    /// Regions per map by class: name, training maps, samples.
    pub regions: Vec<(String, f64, f64)>,
    /// Areas of regions of all classes in pixels, ascending, evenly spread over all: of training maps, of samples.
    pub areas: [Vec<u32>; 2],
}

/// Areas of regions that are kept.
const AREAS: usize = 300;
/// Categories up to which shares are shown.
const MOST_SHARES: usize = 40;

pub(super) fn view(
    model: &Model,
    parts: &Parts,
    samples: &Dataset,
    size: [usize; 2],
    seed: u64,
    observer: &mut dyn Observer,
) -> Result<PicturesView> {
    let Parts {
        train,
        validation,
        test,
    } = parts;
    let first = |data: &Dataset, count: usize| {
        let rows: Vec<usize> = (0..count.min(data.rows())).collect();
        data.select(&rows)
    };
    let shown = (SHOWN_SITES / train.sites()).clamp(4, SHOWN);
    let found = nearest::run(samples, train, validation, &test.spread(1000), 1)?.found;
    let near = (0..NEAREST.min(samples.rows()).min(shown)).map(|row| {
        let neighbour = &found.neighbours[row][0];
        NearRow {
            distance: neighbour.distance,
            sample: samples.row(row).to_vec(),
            train: train.row(neighbour.row).to_vec(),
        }
    });
    let infilled = match model.knows_conditionals() && test.rows() > 0 {
        true => Some(infill(
            model,
            &test.spread(INFILLED.min(shown)),
            seed,
            observer,
        )?),
        false => None,
    };
    let classes = matches!(&train.schema.vocabularies[..], [Vocabulary::Classes { .. }]);
    let maps = match classes {
        true => Some(of_maps(parts, samples)?),
        false => None,
    };
    Ok(PicturesView {
        size,
        samples: first(samples, shown).labels().to_vec(),
        data: test.spread(shown).labels().to_vec(),
        nearest: near.collect(),
        distances: [found.samples, found.test, found.validation],
        infilled,
        shares: shares(train, samples),
        maps,
    })
}

fn infill(
    model: &Model,
    rows: &Dataset,
    seed: u64,
    observer: &mut dyn Observer,
) -> Result<Infilled> {
    let whole = PartialDataset::hiding(rows, |_, _| false);
    let mask = SiteMask::region(Region::LowerHalf, &rows.schema)?;
    let given = mask.hide(&whole)?.repeat_rows(DRAWS);
    let options = SamplingOptions {
        seed,
        ..SamplingOptions::default()
    };
    Ok(Infilled {
        data: rows.labels().to_vec(),
        draws: DRAWS,
        filled: complete(model, &given, &options, observer)?
            .data
            .labels()
            .to_vec(),
    })
}

/// Shares of all categories, where all pixels have the same few.
fn shares(train: &Dataset, samples: &Dataset) -> Vec<(String, f64, f64)> {
    let (schema, count) = (&train.schema, train.schema.max_categories());
    if schema.vocabularies.len() != 1 || count > MOST_SHARES {
        return Vec::new();
    }
    let of = |data: &Dataset| {
        let mut counts = vec![0_u64; count];
        for row in data.iter() {
            row.iter()
                .for_each(|label| counts[usize::from(*label)] += 1);
        }
        let all = (data.rows() * data.sites()).max(1) as f64;
        counts.into_iter().map(move |count| count as f64 / all)
    };
    let names = (0..count as u16).map(|label| schema.category_name(0, label).into_owned());
    let both = names.zip(of(train)).zip(of(samples));
    both.map(|((name, real), sampled)| (name, real, sampled))
        .collect()
}

fn of_maps(parts: &Parts, samples: &Dataset) -> Result<MapsView> {
    let report = maps::run(samples, &parts.train, &parts.validation, &parts.test)?;
    let (own, reference) = (&report.sample_to_train, &report.test_to_train);
    let distances = [
        (
            "shares of classes, Jensen–Shannon divergence in nats",
            own.frequencies,
            reference.frequencies,
        ),
        (
            "classes side by side, Jensen–Shannon divergence in nats",
            own.neighbours,
            reference.neighbours,
        ),
        (
            "regions in a map, Wasserstein distance",
            own.region_numbers,
            reference.region_numbers,
        ),
        (
            "areas of regions, Kolmogorov–Smirnov distance",
            own.region_areas,
            reference.region_areas,
        ),
    ];
    let regions = |data: &Dataset| -> Result<(Vec<f64>, Vec<u32>)> {
        let found = maps::MapStatistics::of(data)?;
        let all = found.regions.iter().flat_map(|of| of.areas.iter().copied());
        let mut areas: Vec<u32> = all.collect();
        areas.sort_unstable();
        let step = areas.len().div_ceil(AREAS).max(1);
        let areas = areas.into_iter().step_by(step).collect();
        let mean = |of: &maps::Regions| {
            let sum: f64 = of.numbers.iter().map(|number| f64::from(*number)).sum();
            sum / of.numbers.len().max(1) as f64
        };
        Ok((found.regions.iter().map(mean).collect(), areas))
    };
    let ((real, real_areas), (own, own_areas)) = (regions(&parts.train)?, regions(samples)?);
    let both = real.into_iter().zip(own);
    let names = report.frequencies.classes.iter().cloned();
    Ok(MapsView {
        maps: report.images,
        distances: distances
            .map(|(name, own, reference)| (name.to_owned(), own, reference))
            .to_vec(),
        regions: names
            .zip(both)
            .map(|(name, (real, sampled))| (name, real, sampled))
            .collect(),
        areas: [real_areas, own_areas],
    })
}
