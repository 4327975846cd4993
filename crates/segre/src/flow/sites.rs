//! What networks are told of a data set: its sites, and rows to start from.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use crate::data::{Dataset, Layout, Schema};
use crate::network::{ImageSpec, SiteSpec};

/// What a network needs to know of the sites of a schema.
pub fn site_spec(schema: &Schema) -> SiteSpec {
    let sites = 0..schema.sites();
    SiteSpec {
        cardinalities: schema.cardinalities(),
        ordinal: sites.map(|site| schema.is_ordinal(site)).collect(),
        shared: schema.vocabularies.len() == 1,
        image: match schema.layout {
            Layout::Image {
                height,
                width,
                pad_to,
            } => {
                let size = [height, width];
                let pad_to = pad_to.unwrap_or(size);
                Some(ImageSpec { size, pad_to })
            }
            _ => None,
        },
    }
}

/// So many rows of the data, drawn with replacement.
pub(super) fn draw_rows(data: &Dataset, count: usize, rng: &mut ChaCha8Rng) -> Vec<Vec<u16>> {
    (0..count)
        .map(|_| data.row(rng.random_range(0..data.rows())).to_vec())
        .collect()
}
