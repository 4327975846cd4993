//! Pictures before and after infilling: a row of tiles for each, what is hidden in a colour of its own.

use anyhow::{Context, Result};
use segre::data::{Dataset, Layout, PartialDataset};

use super::drawing::Drawing;
use super::grid::{ImageShape, Panel, draw_columns};
use super::key::Key;

/// Most rows of the picture.
pub const SHOWN: usize = 10;

/// What is drawn.
pub struct Infilled<'a> {
    /// Before something was hidden, where that is known.
    pub before: Option<&'a PartialDataset>,
    /// What is left.
    pub given: &'a PartialDataset,
    /// Every row filled in, `samples` times one after the other.
    pub filled: &'a Dataset,
    /// How often.
    pub samples: usize,
    /// What the rows were filled in with.
    pub caption: &'a str,
}

/// Draws the first rows: the data, what is given of them, and every filling.
///
/// # Errors
/// If the rows are no pictures, or of too many categories to tell apart.
pub fn draw_infilled(shown: &Infilled) -> Result<Drawing> {
    let schema = &shown.given.schema;
    let Layout::Image { height, width, .. } = schema.layout else {
        anyhow::bail!("{} data have no picture", schema.layout.name());
    };
    let key = Key::of(schema)?.with_hidden();
    let hidden = u16::try_from(key.palette.categories() - 1).context("too many categories")?;
    let rows = SHOWN.min(shown.given.rows());
    let labels_of = |rows_of: &PartialDataset| -> Vec<u16> {
        let cells = (0..rows).flat_map(|row| (0..schema.sites()).map(move |site| (row, site)));
        let label = |(row, site)| rows_of.label(row, site).unwrap_or(hidden);
        cells.map(label).collect()
    };
    let mut columns = Vec::new();
    if let Some(before) = shown.before {
        columns.push(("data".to_owned(), labels_of(before)));
    }
    columns.push(("given".to_owned(), labels_of(shown.given)));
    for sample in 0..shown.samples {
        let own = (0..rows).map(|row| row * shown.samples + sample);
        let labels = own.flat_map(|row| shown.filled.row(row).to_vec());
        // Beside many others a number is all there is room for.
        let caption = match shown.samples {
            1 => shown.caption.to_owned(),
            2..=5 => format!("{} {}", shown.caption, sample + 1),
            _ => (sample + 1).to_string(),
        };
        columns.push((caption, labels.collect()));
    }
    let panels: Vec<Panel> = columns
        .iter()
        .map(|(caption, labels)| Panel { caption, labels })
        .collect();
    let drawing = draw_columns(&panels, ImageShape { height, width }, &key.palette)?;
    Ok(key.below(drawing))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pictures::colour::HIDDEN;
    use crate::pictures::drawing::tests::Decoded;
    use segre::data::{Class, Schema, Vocabulary};

    #[test]
    fn hidden_pixels_have_their_colour_and_others_their_own() {
        let (height, width, pad_to) = (1, 2, None);
        let layout = Layout::Image {
            height,
            width,
            pad_to,
        };
        let colours = [[10, 20, 30], [40, 50, 60]];
        let class = |colour| Class {
            name: "x".into(),
            colour: Some(colour),
        };
        let classes = colours.map(class).to_vec();
        let names = vec!["a".into(), "b".into()];
        let schema = Schema::shared(layout, names, Vocabulary::Classes { classes });
        let data = Dataset::new(schema, vec![0, 1]).expect("legal");
        let all = PartialDataset::hiding(&data, |_, _| false);
        let given = all.without(|_, site| site == 1);
        let counts = |before, samples| {
            let filled = data.select(&vec![0; samples]);
            let drawing = draw_infilled(&Infilled {
                before,
                given: &given,
                filled: &filled,
                samples,
                caption: "draw",
            });
            let picture = Decoded::of(&drawing.expect("a picture"));
            let in_key = 13 * 13;
            [colours[0], colours[1], HIDDEN].map(|colour| picture.count_all(colour) - in_key)
        };
        // Every tile has the first pixel; the second is hidden in one of them.
        let [first, second, hidden] = counts(Some(&all), 2);
        assert_eq!((first, second), (4 * hidden, 3 * hidden));
        let [first, second, hidden] = counts(None, 1);
        assert_eq!((first, second), (2 * hidden, hidden));
    }
}
