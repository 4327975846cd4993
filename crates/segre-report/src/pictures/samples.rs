//! Samples as a picture, beside data: images, or the histogram of two integer columns.

use std::path::Path;

use anyhow::{Result, bail};
use segre::data::{self, Dataset, Layout};

use super::grid::{ImageShape, Panel, draw_grid, images_shown};
use super::histogram2d::{HeatMap, SitePair, draw_heat_maps, frequencies};
use super::key::Key;

/// Whether samples of this schema can be shown as a picture.
pub fn has_picture(data: &Dataset) -> bool {
    matches!(data.schema.layout, Layout::Image { .. }) || is_pair(data)
}

/// Two integer sites: a picture is their histogram.
fn is_pair(data: &Dataset) -> bool {
    data.sites() == 2 && (0..2).all(|site| data.schema.is_ordinal(site))
}

/// Draws samples as a picture, beside data if there are any.
///
/// # Errors
/// If the layout has no picture or the file cannot be written.
pub fn write_picture(path: &Path, samples: &Dataset, beside: Option<&Dataset>) -> Result<()> {
    let schema = &samples.schema;
    let drawing = match schema.layout {
        Layout::Image { height, width, .. } => {
            let shape = ImageShape { height, width };
            let key = Key::of(schema)?;
            let shown = images_shown(samples.rows(), shape);
            let own = &samples.labels()[..shown * samples.sites()];
            let panel = |caption, labels| Panel { caption, labels };
            let drawing = match beside {
                None => draw_grid(&[panel("", own)], shape, &key.palette)?,
                Some(data) => {
                    // Files are often sorted, or frames of one film.
                    let data = data.spread(shown);
                    let panels = [
                        panel("data", data.labels()),
                        panel("samples", &own[..data.rows() * data.sites()]),
                    ];
                    draw_grid(&panels, shape, &key.palette)?
                }
            };
            key.below(drawing)
        }
        _ if is_pair(samples) => {
            let categories = [schema.cardinality(0), schema.cardinality(1)];
            let names = [schema.sites[0].name.as_str(), schema.sites[1].name.as_str()];
            let own = frequencies(samples.labels(), categories);
            let data = beside.map(|data| frequencies(data.labels(), categories));
            let mut maps = Vec::new();
            if let Some(data) = &data {
                maps.push(HeatMap {
                    caption: "data",
                    probabilities: data,
                });
            }
            maps.push(HeatMap {
                caption: "samples",
                probabilities: &own,
            });
            draw_heat_maps(&maps, SitePair { names, categories })?
        }
        _ => bail!(
            "{}: {} data have no picture; use one of {}",
            path.display(),
            schema.layout.name(),
            data::writable(&schema.layout)
        ),
    };
    drawing.write_png(path)
}
