//! Sections of pictures and label maps: samples, nearest training pictures, halves filled in, shares.

use anyhow::Result;
use segre::data::Schema;
use segre::evaluation::overview::{NearRow, PicturesView};

use super::{Arrangement, Block, Cell, Section, Small, charts};

pub(super) fn sections(view: &PicturesView, schema: &Schema) -> Result<Vec<Section>> {
    let draw =
        |groups: &[(&str, &[u16], String)], row| charts::pictures(schema, view.size, groups, row);
    let nothing = String::new;
    let mut sections = Vec::new();
    if !view.samples.is_empty() {
        let groups = [
            ("test pictures", &view.data[..], nothing()),
            ("samples", &view.samples, nothing()),
        ];
        let lead = "What the model draws, beside pictures that it has not seen.";
        sections.push(Section::new("Samples", lead, vec![draw(&groups, false)?]));
    }
    let mut blocks = Vec::new();
    if !view.nearest.is_empty() {
        let joined = |of: fn(&NearRow) -> &Vec<u16>| {
            view.nearest
                .iter()
                .flat_map(of)
                .copied()
                .collect::<Vec<u16>>()
        };
        let (own, near) = (joined(|near| &near.sample), joined(|near| &near.train));
        let far = view.nearest.iter().map(|near| near.distance.to_string());
        let caption = format!(
            "Pixels in which each differs from its sample, line by line: {}.",
            far.collect::<Vec<_>>().join(", ")
        );
        let groups = [
            ("samples", &own[..], nothing()),
            ("the training picture nearest to each", &near, caption),
        ];
        blocks.push(draw(&groups, false)?);
    }
    if view.distances.iter().all(|found| !found.is_empty()) {
        let alt = "Shares of samples, test and validation pictures by their distance from the training pictures";
        let caption = "Were samples nearer than pictures that the model has not seen, it would repeat training pictures.";
        blocks.push(Block::chart(
            &charts::distances(&view.distances)?,
            alt,
            caption,
        ));
    }
    let lead = "Whether samples are copies of training pictures.";
    sections.push(Section::new("Nearest training pictures", lead, blocks));
    if let Some(infilled) = &view.infilled {
        let size = view.size[0] * view.size[1];
        let draws = infilled.draws;
        let of_draw = |draw: usize| -> Vec<u16> {
            let own = infilled.filled.chunks(size).skip(draw).step_by(draws);
            own.flatten().copied().collect()
        };
        let filled: Vec<Vec<u16>> = (0..draws).map(of_draw).collect();
        let names: Vec<String> = (1..=draws).map(|draw| format!("drawn {draw}")).collect();
        let mut groups = vec![("test picture", &infilled.data[..], nothing())];
        let drawn = names.iter().zip(&filled);
        groups.extend(drawn.map(|(name, labels)| (&name[..], &labels[..], nothing())));
        let lead = "Test pictures of which the model saw the upper half, and lower halves that it drew below.";
        let blocks = vec![draw(&groups, true)?];
        sections.push(Section::new("Lower halves filled in", lead, blocks));
    }
    if view.infilled.is_none() {
        let lead = "This model cannot fill in: it has not learned conditionals, which the setting training.conditional = \
                    \"any\" asks for.";
        sections.push(Section::new("Lower halves filled in", lead, Vec::new()));
    }
    let mut blocks = Vec::new();
    if !view.shares.is_empty() {
        let alt = "Bars of the shares of pixels, in training pictures and in samples";
        let drawing = charts::shares("share of pixels", &view.shares);
        blocks.push(Block::Charts {
            layout: Arrangement::Own,
            key: charts::key("training pictures, with their shares"),
            charts: vec![Small::new(&drawing, "", alt)],
        });
    }
    if let Some(maps) = &view.maps {
        if maps.areas.iter().all(|areas| !areas.is_empty()) {
            let alt = "Shares of regions by their areas, of training maps and of samples";
            blocks.push(Block::chart(&charts::areas(&maps.areas)?, alt, ""));
        }
        blocks.push(regions(&maps.regions));
        let row = |(name, own, test): &(String, f64, f64)| {
            let numbers = [own, test].map(|value| Cell::number(Some(*value), 4));
            std::iter::once(Cell::from(name.clone()))
                .chain(numbers)
                .collect()
        };
        let headings = [
            ("distance from the training maps", false),
            ("samples", true),
            ("test maps", true),
        ];
        blocks.push(Block::table(
            format!("Statistics of {} maps of either kind", maps.maps),
            headings,
            maps.distances.iter().map(row).collect(),
        ));
    }
    if !blocks.is_empty() {
        let (title, what) = match view.maps {
            Some(_) => ("Shares and regions", "Classes"),
            None => ("Shares of values", "Values of pixels"),
        };
        let lead = format!("{what} in training pictures and in samples.");
        sections.push(Section::new(title, lead, blocks));
    }
    Ok(sections)
}

/// Regions of every class.
fn regions(all: &[(String, f64, f64)]) -> Block {
    let row = |(name, real, sampled): &(String, f64, f64)| {
        let numbers = [real, sampled].map(|value| Cell::number(Some(*value), 2));
        std::iter::once(Cell::from(name.clone()))
            .chain(numbers)
            .collect()
    };
    let headings = [("class", false), ("training", true), ("samples", true)];
    Block::table("Regions in a map", headings, all.iter().map(row).collect())
}
