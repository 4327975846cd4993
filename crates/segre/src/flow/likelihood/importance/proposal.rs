//! The proposal of the importance-sampled bound: normal around the corner of a labeling, within a ball or not.

use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

use super::chi_squared::{squared_radius, survival};
use super::{ImportanceOptions, Region, invalid};
use crate::flow::error::Result;
use crate::flow::model::Model;

/// The published mass of the untruncated proposal within the balls (EG App. B), for paths that end without noise.
const PUBLISHED_MASS: f64 = 0.8;

/// The proposal of every site.
pub(super) struct Proposal {
    sites: Vec<SiteProposal>,
    categories: usize,
    region: Region,
}

/// An isotropic normal distribution on `T_0 S_c` around the end of the path of a label.
pub(super) struct SiteProposal {
    /// Number of categories.
    pub cardinality: usize,
    /// Distance `‖q̃‖` of the centre `s v̄_β` from 0.
    pub centre: f64,
    /// Standard deviation `σ`.
    pub deviation: f64,
    /// Radius of the largest ball around the centre within which the label stays the largest: EG (32).
    radius: f64,
    /// Logarithm of the untruncated mass within the ball.
    log_mass: f64,
}

impl SiteProposal {
    pub fn dimensions(&self) -> usize {
        self.cardinality - 1
    }

    /// Coordinates of the centre of a label: `s √(c/(c−1)) (e_β − 1/c)`.
    pub fn centre_of(&self, label: usize, place: usize) -> f64 {
        let c = self.cardinality as f64;
        if self.cardinality == 1 {
            return 0.0;
        }
        let scale = self.centre * (c / (c - 1.0)).sqrt();
        scale * (f64::from(u8::from(label == place)) - c.recip())
    }
}

impl Proposal {
    /// The proposal at the end of a model's flow.
    ///
    /// The deviation is that of the channel there, for which a perfect model's weights are all equal; with
    /// `options.mass` it is such that all balls together hold this share of the untruncated distribution:
    /// `σ = r/√(χ²_{c−1} quantile of mass^(1/n))`.
    ///
    /// Source: EG App. B.
    pub fn new(model: &Model, end: f64, options: &ImportanceOptions) -> Result<Self> {
        let path = model.gaussian_path()?;
        let cardinalities = model.manifold.cardinalities();
        let free = cardinalities.iter().filter(|c| **c > 1).count().max(1) as f64;
        let site = |c: &usize| {
            let (centre, noise) = path.signal_and_noise(end, *c);
            let radius = match *c {
                0 | 1 => f64::INFINITY,
                c => centre * (c as f64 / (2 * (c - 1)) as f64).sqrt(),
            };
            let mass = match (options.mass, noise > 0.0) {
                (None, true) => None,
                (mass, _) => Some(mass.unwrap_or(PUBLISHED_MASS)),
            };
            let deviation = match (mass, *c) {
                (_, 0 | 1) => 1.0,
                (None, _) => noise,
                (Some(mass), c) => {
                    let tail = -(mass.ln() / free).exp_m1();
                    radius / squared_radius(c - 1, tail).sqrt()
                }
            };
            SiteProposal {
                cardinality: *c,
                centre,
                deviation,
                radius,
                log_mass: (-survival(c - 1, (radius / deviation).powi(2))).ln_1p(),
            }
        };
        let sites: Vec<SiteProposal> = cardinalities.iter().map(site).collect();
        // A ball that holds next to nothing is never met by rejection.
        let least = sites.iter().map(|site| site.log_mass.exp());
        let least = least.fold(1.0, f64::min);
        if options.region == Region::Ball && least < 1e-3 {
            return Err(invalid("mass within a ball", least, "at least 0.001"));
        }
        Ok(Self {
            sites,
            categories: model.manifold.categories(),
            region: options.region,
        })
    }

    pub fn sites(&self) -> &[SiteProposal] {
        &self.sites
    }

    /// Number of dimensions `Σ_i (c_i − 1)`.
    pub fn dimensions(&self) -> usize {
        self.sites.iter().map(SiteProposal::dimensions).sum()
    }

    /// Draws a state around a labeling, `[sites · categories]`, and returns `log ρ` of it.
    pub fn draw(&self, row: &[u16], rng: &mut ChaCha8Rng, state: &mut [f32]) -> f64 {
        let mut log_density = 0.0;
        let places = state.chunks_mut(self.categories).zip(row);
        for (site, (state, label)) in self.sites.iter().zip(places) {
            let own = &mut state[..site.cardinality];
            let squared = loop {
                let squared = site.draw_noise(rng, own);
                let within = squared.sqrt() * site.deviation <= site.radius;
                if within || self.region != Region::Ball {
                    break squared;
                }
            };
            for (place, value) in own.iter_mut().enumerate() {
                let noise = site.deviation * f64::from(*value);
                *value = (site.centre_of(usize::from(*label), place) + noise) as f32;
            }
            let normal = site.deviation.ln() + 0.5 * (2.0 * std::f64::consts::PI).ln();
            log_density -= 0.5 * squared + site.dimensions() as f64 * normal;
            if self.region == Region::Ball {
                log_density -= site.log_mass;
            }
        }
        log_density
    }

    /// What of the region a state contributes, as a logarithm: 0 or `−∞` for the decision cone, `log T(W)_α` without
    /// rounding.
    pub fn log_share(&self, row: &[u16], state: &[f32]) -> f64 {
        let places = state.chunks(self.categories).zip(row);
        let sites = self.sites.iter().zip(places);
        let share = |(site, (state, label)): (&SiteProposal, (&[f32], &u16))| {
            let own = &state[..site.cardinality];
            let chosen = f64::from(own[usize::from(*label)]);
            let largest = own.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            match self.region {
                Region::Ball => 0.0,
                Region::Cone if chosen < f64::from(largest) => f64::NEG_INFINITY,
                Region::Cone => 0.0,
                Region::Unrounded => {
                    let odds = own.iter().map(|x| (f64::from(*x) - chosen).exp());
                    -odds.sum::<f64>().ln()
                }
            }
        };
        sites.map(share).sum()
    }
}

impl SiteProposal {
    /// Standard normal on `T_0 S_c`; returns its squared length.
    fn draw_noise(&self, rng: &mut ChaCha8Rng, noise: &mut [f32]) -> f64 {
        for value in noise.iter_mut() {
            *value = StandardNormal.sample(rng);
        }
        let mean = noise.iter().sum::<f32>() / self.cardinality as f32;
        for value in noise.iter_mut() {
            *value -= mean;
        }
        noise.iter().map(|value| f64::from(*value).powi(2)).sum()
    }
}
