//! Where the entries of a small table lie as a larger one is walked through block by block.

use super::arithmetic::Arithmetic;
use crate::energy::factor::offsets;

/// Blocks are made of the fastest variables until they have this many entries: many enough to hide the
/// walk, few enough to stay in the first-level cache.
const BLOCK: usize = 2048;

/// The order in which the table of a variable and its separator is walked through.
///
/// The variable is slowest; the separator is cut into `high` blocks of `low` entries.
#[derive(Debug)]
pub(super) struct Layout {
    /// The variable and then the separator, ascending.
    scope: Vec<usize>,
    cardinalities: Vec<usize>,
    /// How many variables of the scope come before the block, the first included.
    cut: usize,
    /// Number of blocks for each state of the variable.
    pub high: usize,
    /// Entries of a block.
    pub low: usize,
}

impl Layout {
    pub fn new(scope: Vec<usize>, cardinalities: Vec<usize>) -> Self {
        let (mut cut, mut low) = (scope.len(), 1);
        while cut > 1 && low * cardinalities[cut - 1] <= BLOCK {
            cut -= 1;
            low *= cardinalities[cut];
        }
        // A single variable with many states may make a block by itself.
        if cut == scope.len() && cut > 1 {
            cut -= 1;
            low = cardinalities[cut];
        }
        let high = cardinalities[1..cut].iter().product();
        Self {
            scope,
            cardinalities,
            cut,
            high,
            low,
        }
    }

    /// States of the variable.
    pub fn states(&self) -> usize {
        self.cardinalities[0]
    }

    /// Entries of the separator's table.
    pub fn separator(&self) -> usize {
        self.high * self.low
    }

    /// Where a table over a part of the scope (ascending, last fastest) has its entries.
    pub fn walk(&self, part: &[usize], strides: &[usize]) -> Walk {
        let steps: Vec<usize> = self
            .scope
            .iter()
            .map(|variable| {
                let place = part.iter().position(|own| own == variable);
                place.map_or(0, |place| strides[place])
            })
            .collect();
        let low = offsets(&self.cardinalities[self.cut..], &steps[self.cut..]);
        let low = if low.iter().all(|offset| *offset == 0) {
            Low::Constant
        } else if low
            .iter()
            .enumerate()
            .all(|(place, offset)| place == *offset)
        {
            Low::Contiguous
        } else {
            Low::Scattered(low)
        };
        Walk {
            step: steps[0],
            high: offsets(&self.cardinalities[1..self.cut], &steps[1..self.cut]),
            low,
        }
    }
}

/// The entries of one table, for every block of a [`Layout`].
#[derive(Debug)]
pub(super) struct Walk {
    /// Distance between states of the layout's first variable.
    step: usize,
    /// Start of every block.
    high: Vec<usize>,
    low: Low,
}

/// The entries within a block.
#[derive(Debug)]
enum Low {
    /// All the same.
    Constant,
    /// One after the other.
    Contiguous,
    /// At these distances.
    Scattered(Vec<usize>),
}

impl Walk {
    /// Where the table has its entry for one entry of the layout.
    pub fn place(&self, state: usize, high: usize, low: usize) -> usize {
        let within = match &self.low {
            Low::Constant => 0,
            Low::Contiguous => low,
            Low::Scattered(offsets) => offsets[low],
        };
        state * self.step + self.high[high] + within
    }

    /// `block ← block · table` at a state and block.
    pub fn multiply<A: Arithmetic>(
        &self,
        block: &mut [f64],
        table: &[f64],
        state: usize,
        high: usize,
    ) {
        let table = &table[state * self.step + self.high[high]..];
        match &self.low {
            Low::Constant => {
                let factor = table[0];
                block.iter_mut().for_each(|e| *e = A::times(*e, factor));
            }
            Low::Contiguous => {
                for (entry, value) in block.iter_mut().zip(table) {
                    *entry = A::times(*entry, *value);
                }
            }
            Low::Scattered(low) => {
                for (entry, offset) in block.iter_mut().zip(low) {
                    *entry = A::times(*entry, table[*offset]);
                }
            }
        }
    }

    /// `table ← table + block` at a block, in the part of the table that belongs to one state.
    pub fn add<A: Arithmetic>(&self, block: &[f64], part: &mut [f64], high: usize) {
        let part = &mut part[self.high[high]..];
        match &self.low {
            Low::Constant => {
                part[0] = block
                    .iter()
                    .fold(part[0], |sum, entry| A::plus(sum, *entry));
            }
            Low::Contiguous => {
                for (sum, entry) in part.iter_mut().zip(block) {
                    *sum = A::plus(*sum, *entry);
                }
            }
            Low::Scattered(low) => {
                for (offset, entry) in low.iter().zip(block) {
                    part[*offset] = A::plus(part[*offset], *entry);
                }
            }
        }
    }
}
