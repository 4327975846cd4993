//! The variables of an energy model as the sites of a data set.

use super::error::Result;
use crate::data::{Layout, Schema, Site, Vocabulary};
use crate::energy::{EnergyModel, GridModel};

/// What the variables of an energy model are called: a picture for a grid, else a table of columns `x0`, `x1`, ….
///
/// # Errors
/// [`DataError::SchemaMismatch`](crate::data::DataError::SchemaMismatch) if a variable has more labels than a data set can hold.
pub fn schema_of(model: &EnergyModel, grid: Option<&GridModel>) -> Result<Schema> {
    let schema = match grid {
        Some(grid) => Schema::integers(&[grid.rows, grid.columns], true, grid.states),
        None => {
            let mut counts: Vec<usize> = model.cardinalities().to_vec();
            counts.sort_unstable();
            counts.dedup();
            let sites = model.cardinalities().iter().enumerate();
            Schema::new(
                Layout::Table,
                sites
                    .map(|(variable, states)| Site {
                        name: format!("x{variable}"),
                        vocabulary: counts.partition_point(|count| count < states),
                    })
                    .collect(),
                counts
                    .into_iter()
                    .map(|count| Vocabulary::Integers { count })
                    .collect(),
            )
        }
    };
    schema.validate()?;
    Ok(schema)
}
