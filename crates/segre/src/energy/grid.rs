//! Ising and Potts models on grids, free or periodic, by name: `ising:3x8`, `potts:20x20,c=3`.

use super::factor::Factor;
use super::model::EnergyModel;
use crate::energy::error::Result;
use crate::setting::ParameterError;

/// Energy of an edge between different labels in the model of Table 1; see [`GridModel::table1`].
const TABLE1_COUPLING: f64 = 2.1;
/// Preference of its outer columns.
const TABLE1_BOUNDARY: f64 = 3.0;
/// Most sites and states: beyond, a typing error is likelier than a model.
const MOST: usize = 1 << 24;

/// A Potts model on a rectangular grid; with two states an Ising model.
///
/// `E(x) = coupling · #{neighbours with different labels} − field · #{x_i = 1}
///        − boundary · #{x_i = 0, i left} + boundary · #{x_i = 0, i right}`
///
/// where left and right are the first and the last column. Sites are numbered row by row.
#[derive(Clone, Debug, PartialEq)]
pub struct GridModel {
    /// Rows.
    pub rows: usize,
    /// Columns.
    pub columns: usize,
    /// States of a site.
    pub states: usize,
    /// Energy of an edge between different labels, in nats; negative is antiferromagnetic.
    pub coupling: f64,
    /// Log-weight of label 1 at every site.
    pub field: f64,
    /// Log-weight of label 0 in the left column; its negative in the right column.
    pub boundary: f64,
    /// Whether opposite sides are neighbours (only along sides longer than 2).
    pub periodic: bool,
}

impl GridModel {
    /// The two-state model whose outer columns prefer opposite labels.
    ///
    /// With 3 rows and 8 columns it is that of Table 1, as decoded from the published figures:
    /// 2.1 per disagreeing edge, `θ = (−3, 0)` left and `(3, 0)` right.
    ///
    /// Source: Randomized Assignment Flows, SSVM 2023, Table 1.
    pub fn table1(rows: usize, columns: usize) -> Self {
        Self {
            rows,
            columns,
            states: 2,
            coupling: TABLE1_COUPLING,
            field: 0.0,
            boundary: TABLE1_BOUNDARY,
            periodic: false,
        }
    }

    /// Understands `ising:RxC[,…]` and `potts:RxC[,…]`; `None` if the name is neither.
    ///
    /// `ising:RxC` alone is [`GridModel::table1`]; with parameters it has no boundary terms but those
    /// asked for. Defaults: `coupling=1`, `field=0`, `boundary=0`, free sides; `c=3` for Potts. `periodic` needs a side
    /// longer than 2.
    ///
    /// # Errors
    /// [`ParameterError::Unknown`], [`ParameterError::Bad`].
    pub fn parse(text: &str) -> Result<Option<Self>> {
        let (name, rest) = text.split_once(':').unwrap_or((text, ""));
        let built_in = match name {
            "ising" => "ising",
            "potts" => "potts",
            _ => return Ok(None),
        };
        let bad = |parameter: &str, value: &str, expected: &str| ParameterError::Bad {
            built_in,
            parameter: parameter.into(),
            value: value.into(),
            expected: expected.into(),
        };
        let mut parts = rest.split(',').map(str::trim);
        let size = parts.next().unwrap_or_default();
        let sides = size.split_once('x').and_then(|(rows, columns)| {
            let sides: (usize, usize) = (rows.parse().ok()?, columns.parse().ok()?);
            let sites = sides.0.checked_mul(sides.1)?;
            (1..=MOST).contains(&sites).then_some(sides)
        });
        let Some((rows, columns)) = sides else {
            let expected = format!("ROWSxCOLUMNS, as 3x8, of at most {MOST} variables");
            return Err(bad("size", size, &expected).into());
        };
        let ising = built_in == "ising";
        let mut model = Self {
            rows,
            columns,
            states: if ising { 2 } else { 3 },
            coupling: 1.0,
            field: 0.0,
            boundary: 0.0,
            periodic: false,
        };
        let mut given = Vec::new();
        for part in parts {
            let (key, value) = part.split_once('=').unwrap_or((part, ""));
            let (key, value) = (key.trim(), value.trim());
            if given.contains(&key) {
                return Err(bad(key, value, "there once; leave one of them out").into());
            }
            given.push(key);
            let number = || match value.parse::<f64>() {
                Ok(number) if number.abs() <= 1e6 => Ok(number),
                _ => Err(bad(key, value, "a number, at most 1e6 in size")),
            };
            match key {
                "coupling" => model.coupling = number()?,
                "field" => model.field = number()?,
                "boundary" => model.boundary = number()?,
                "periodic" if matches!(value, "" | "true") => model.periodic = true,
                "periodic" if value == "false" => {}
                "periodic" => return Err(bad(key, value, "true or false").into()),
                "c" if !ising => match value.parse() {
                    Ok(states) if (2..=4096).contains(&states) => model.states = states,
                    _ => return Err(bad(key, value, "a whole number from 2 to 4096").into()),
                },
                _ => {
                    let more = if ising { "" } else { ", c" };
                    return Err(ParameterError::Unknown {
                        built_in,
                        parameter: key.into(),
                        legal: format!("coupling, field, boundary, periodic{more}"),
                    }
                    .into());
                }
            }
        }
        if model.periodic && rows.max(columns) <= 2 {
            let expected = "possible where no side is longer than 2; leave it out";
            return Err(bad("periodic", "true", expected).into());
        }
        let entries = 2_f64 * (rows * columns) as f64 * (model.states as f64).powi(2);
        if entries > MOST as f64 {
            return Err(bad("size", size, "small enough for tables of 2^24 entries").into());
        }
        if ising && given.is_empty() {
            return Ok(Some(Self::table1(rows, columns)));
        }
        Ok(Some(model))
    }

    /// The energy model: one factor per site with a field, one per edge.
    pub fn build(&self) -> EnergyModel {
        let sites = self.rows * self.columns;
        let mut factors = Vec::new();
        for site in 0..sites {
            let column = site % self.columns;
            let mut field = vec![0.0; self.states];
            field[1] += self.field;
            if column == 0 {
                field[0] += self.boundary;
            }
            if column + 1 == self.columns {
                field[0] -= self.boundary;
            }
            if field.iter().any(|value| *value != 0.0) {
                factors.push(Factor::new(vec![site], vec![self.states], field));
            }
        }
        let pair: Vec<f64> = (0..self.states * self.states)
            .map(|index| match index / self.states == index % self.states {
                true => 0.0,
                false => -self.coupling,
            })
            .collect();
        for (a, b) in self.edges() {
            let cardinalities = vec![self.states; 2];
            factors.push(Factor::new(vec![a, b], cardinalities, pair.clone()));
        }
        EnergyModel::new(vec![self.states; sites], factors)
    }

    /// Pairs of neighbouring sites, in the order of the first.
    pub fn edges(&self) -> Vec<(usize, usize)> {
        let mut edges = Vec::new();
        let wraps = |side: usize| self.periodic && side > 2;
        for row in 0..self.rows {
            for column in 0..self.columns {
                let site = row * self.columns + column;
                if column + 1 < self.columns {
                    edges.push((site, site + 1));
                } else if wraps(self.columns) {
                    edges.push((site, row * self.columns));
                }
                if row + 1 < self.rows {
                    edges.push((site, site + self.columns));
                } else if wraps(self.rows) {
                    edges.push((site, column));
                }
            }
        }
        edges
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> GridModel {
        GridModel::parse(text).expect("legal").expect("a grid")
    }

    #[test]
    fn names_and_parameters_are_understood() {
        assert_eq!(parse("ising:3x8"), GridModel::table1(3, 8));
        let model = parse("ising:4x5,coupling=0.5,field=-0.1,periodic");
        assert_eq!((model.rows, model.columns, model.periodic), (4, 5, true));
        assert_eq!(
            (model.coupling, model.field, model.boundary),
            (0.5, -0.1, 0.0)
        );
        assert_eq!(parse("potts:6x7,c=5,coupling=2").states, 5);
        assert_eq!(GridModel::parse("grid.uai").expect("no error"), None);
        for bad in [
            "ising",
            "ising:3",
            "ising:0x4",
            "ising:3x8,c=2",
            "ising:3x8,coupling=nan",
            "ising:3x8,coupling=1,coupling=2",
            "ising:99999999999x99999999999",
            "ising:4000x4000",
            "potts:100x100,c=4096",
            "potts:3x3,c=1",
            "potts:3x3,periodic=yes",
            "ising:2x2,periodic",
            "potts:1x1,periodic",
        ] {
            assert!(GridModel::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn edges_are_counted_once() {
        assert_eq!(parse("potts:3x4").edges().len(), 3 * 3 + 2 * 4);
        assert_eq!(parse("potts:3x4,periodic").edges().len(), 2 * 12);
        assert_eq!(parse("potts:2x4,periodic").edges().len(), 8 + 4);
        assert!(parse("potts:1x1").edges().is_empty());
    }

    #[test]
    fn the_energy_counts_disagreements_and_fields() {
        let model = parse("potts:2x2,coupling=1.5,field=0.25").build();
        assert_eq!(model.energy(&[0, 0, 0, 0]), 0.0);
        assert_eq!(model.energy(&[0, 1, 2, 1]), 3.0 * 1.5 - 0.5);
        let table1 = GridModel::table1(1, 3).build();
        assert_eq!(table1.energy(&[0, 0, 1]), -3.0 + 2.1);
        assert_eq!(table1.energy(&[0, 0, 0]), 0.0);
    }
}
