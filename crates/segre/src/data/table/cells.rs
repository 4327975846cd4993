//! A number as a category: cells of equal weight that tile the numbers, values that occur often as cells of their own.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

/// Cells that a column's numbers are divided into, about so many; fewer where fewer numbers occur. With 64 cells a classifier
/// tells recoded rows from real ones (Shoppers: score 0.83 of 1), with 128 hardly and with 256 not at all.
const CELLS: usize = 256;
/// Cells of all columns together, about so many: every cell costs a step of training the same, whether its column says much or little.
const CELLS_OF_ALL: usize = 16_384;
/// Cells of a column of very many, at least.
const FEWEST: usize = 16;

/// Pieces of a cell within which all numbers are alike, at most: with one a classifier tells recoded rows of Shoppers from real
/// ones where durations crowd towards zero (score 0.57 of 1, with 8 of 0.88).
const PIECES: usize = 8;
/// Least numbers that occurred in a piece.
const OF_PIECE: usize = 8;
/// Most pieces of the first and the last cell, of a number each: the few largest numbers of a column lie far apart, and correlations
/// hang on them (Shoppers, page durations: pieces of eight put six samples where three rows are, and a correlation of 0.86 was 0.73).
const TAIL_PIECES: usize = 128;

/// The numbers that occurred in a cell, in units of the column's notation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cell {
    /// Smallest.
    pub low: i64,
    /// Largest.
    pub high: i64,
    /// How often numbers occurred.
    pub count: usize,
    /// Last number of every piece but the last, and how often its numbers occurred.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pieces: Vec<(i64, usize)>,
}

/// A part of a cell, all numbers of which are alike.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Piece {
    first: i64,
    last: i64,
    /// Share of the cell.
    share: f64,
}

impl Cell {
    /// The cell of some numbers in ascending order, and how often they occurred; the first or the last one of a column has more
    /// pieces.
    fn of(numbers: &[(i64, usize)], is_tail: bool) -> Self {
        let count = numbers.iter().map(|(_, count)| count).sum::<usize>();
        let wanted = match is_tail {
            true => count.min(TAIL_PIECES),
            false => (count / OF_PIECE).min(PIECES),
        };
        let mut cell = Self {
            low: numbers[0].0,
            high: numbers[numbers.len() - 1].0,
            count,
            pieces: Vec::new(),
        };
        let (mut before, mut sum, mut next) = (0, 0, 1);
        for pair in numbers.windows(2) {
            sum += pair[0].1;
            // A piece ends where its share of the numbers is reached, between two of them.
            if sum * wanted >= count * next {
                let last = pair[0].0 + (pair[1].0 - pair[0].0 - 1) / 2;
                cell.pieces.push((last, sum - before));
                before = sum;
                next = sum * wanted / count + 1;
            }
        }
        cell
    }

    /// The pieces, which tile the cell.
    fn pieces(&self) -> impl Iterator<Item = Piece> {
        let of_last = self.count - self.pieces.iter().map(|(_, count)| count).sum::<usize>();
        let all = self.pieces.iter().copied();
        let all = all.chain(std::iter::once((self.high, of_last)));
        all.scan(self.low, |next, (last, count)| {
            let first = std::mem::replace(next, last + 1);
            let share = count as f64 / self.count as f64;
            Some(Piece { first, last, share })
        })
    }

    fn is_point(&self) -> bool {
        self.low == self.high
    }
}

/// The cells of a column, from small numbers to large ones.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Cells(Vec<Cell>);

impl Cells {
    /// Cells for numbers that occurred so often, given in ascending order, in a table with so many columns of numbers.
    ///
    /// A number that fills a cell of average weight alone is a cell of its own; those between are gathered until they
    /// fill one.
    ///
    /// # Panics
    /// If there are no numbers.
    pub fn of(numbers: &[(i64, usize)], columns: usize) -> Self {
        assert!(!numbers.is_empty(), "cells of no numbers");
        let most = (CELLS_OF_ALL / columns.max(1)).clamp(FEWEST, CELLS);
        if numbers.len() <= most {
            return Self(numbers.chunks(1).map(|own| Cell::of(own, false)).collect());
        }
        let total: usize = numbers.iter().map(|(_, count)| count).sum();
        let weight = total.div_ceil(most);
        let mut cells: Vec<Cell> = Vec::new();
        let (mut first, mut sum) = (0, 0);
        for (at, &(_, count)) in numbers.iter().enumerate() {
            let alone = count >= weight || (at > first && numbers[at - 1].1 >= weight);
            if at > first && (alone || sum + count > weight) {
                cells.push(Cell::of(&numbers[first..at], first == 0));
                (first, sum) = (at, 0);
            }
            sum += count;
        }
        cells.push(Cell::of(&numbers[first..], true));
        Self(cells)
    }

    /// Number of cells.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// A cell.
    ///
    /// # Panics
    /// If there is no such cell.
    pub fn get(&self, cell: usize) -> &Cell {
        &self.0[cell]
    }

    /// The cells, from small numbers to large ones.
    pub fn iter(&self) -> impl Iterator<Item = &Cell> {
        self.0.iter()
    }

    /// The cell of a number: numbers between two cells belong to the nearer one, or to the one that is no single number.
    pub fn find(&self, number: i64) -> usize {
        let after = self.0.partition_point(|cell| cell.low <= number);
        let Some(before) = after.checked_sub(1) else {
            return 0;
        };
        let (cell, Some(next)) = (&self.0[before], self.0.get(after)) else {
            return before;
        };
        if number <= cell.high {
            return before;
        }
        match (cell.is_point(), next.is_point()) {
            (true, false) => after,
            (false, true) => before,
            _ if number - cell.high <= next.low - number => before,
            _ => after,
        }
    }

    /// Draws a number of a cell: a piece by its share, and uniform among its numbers.
    ///
    /// # Panics
    /// If there is no such cell.
    pub fn draw(&self, cell: usize, rng: &mut ChaCha8Rng) -> i64 {
        let mut rest: f64 = rng.random();
        let mut pieces = self.0[cell].pieces();
        let piece = pieces.find(|piece| {
            rest -= piece.share;
            rest < 0.0
        });
        // Rounding may eat the rest: the last piece then, which ends where the cell does.
        let last = || self.0[cell].pieces().last();
        let Piece { first, last, .. } = piece.or_else(last).expect("a cell has a piece");
        rng.random_range(first..=last)
    }

    /// The probability that a number that is drawn of a cell lies in one of some ranges, which do not overlap.
    ///
    /// # Panics
    /// If there is no such cell.
    pub fn share_within(&self, cell: usize, ranges: &[(i64, i64)]) -> f64 {
        self.within(cell, ranges).map(|piece| piece.share).sum()
    }

    /// Draws a number of a cell that lies in one of some ranges, which do not overlap.
    ///
    /// # Panics
    /// If there is no such cell, or no such number in it.
    pub fn draw_within(&self, cell: usize, ranges: &[(i64, i64)], rng: &mut ChaCha8Rng) -> i64 {
        let pieces: Vec<Piece> = self.within(cell, ranges).collect();
        let total: f64 = pieces.iter().map(|piece| piece.share).sum();
        let mut rest = rng.random::<f64>() * total;
        let drawn = pieces.iter().find(|piece| {
            rest -= piece.share;
            rest < 0.0
        });
        let Piece { first, last, .. } = *drawn.or(pieces.last()).expect("a number within");
        rng.random_range(first..=last)
    }

    /// The parts of a cell's pieces that lie in some ranges.
    fn within(&self, cell: usize, ranges: &[(i64, i64)]) -> impl Iterator<Item = Piece> {
        self.0[cell].pieces().flat_map(move |piece| {
            let numbers = (piece.last - piece.first) as f64 + 1.0;
            let cut = move |(low, high): &(i64, i64)| {
                let (first, last) = (piece.first.max(*low), piece.last.min(*high));
                let share = piece.share * ((last - first) as f64 + 1.0) / numbers;
                (first <= last).then_some(Piece { first, last, share })
            };
            ranges.iter().filter_map(cut)
        })
    }

    /// The mean of a cell's numbers.
    ///
    /// # Panics
    /// If there is no such cell.
    pub fn mean(&self, cell: usize) -> f64 {
        let middle = |piece: Piece| piece.share * (piece.first as f64 + piece.last as f64) / 2.0;
        self.0[cell].pieces().map(middle).sum()
    }

    /// The number of a cell that a share of the cell lies below.
    ///
    /// # Panics
    /// If there is no such cell.
    pub fn quantile(&self, cell: usize, share: f64) -> i64 {
        let mut rest = share.clamp(0.0, 1.0);
        for piece in self.0[cell].pieces() {
            if rest <= piece.share {
                let numbers = (piece.last - piece.first) as f64 + 1.0;
                let place = (rest / piece.share * numbers) as i64;
                return (piece.first + place).min(piece.last);
            }
            rest -= piece.share;
        }
        self.0[cell].high
    }

    /// `log p(number | cell)` in nats: a probability of the units, which divided by their size is a density.
    ///
    /// A cell that numbers occurred in `m` times gives `m/(m+2)` of its weight to the numbers from its smallest to its
    /// largest, those of a piece alike; the chance that a further number lies beyond both of them, `2/(m+2)`, is spread over those
    /// that belong to the cell beside, and falls off exponentially beyond the ends of the column, by the width of all of
    /// it.
    ///
    /// # Panics
    /// If the number is not one of the cell's, see [`find`](Self::find).
    pub fn log_probability(&self, cell: usize, number: i64) -> f64 {
        let own = &self.0[cell];
        let inside = own.count as f64 / (own.count + 2) as f64;
        if let Some(piece) = own
            .pieces()
            .find(|piece| (piece.first..=piece.last).contains(&number))
        {
            // A cell without room beside it has all of its weight inside.
            let all = self.room(cell).is_none();
            let inside = if all { 1.0 } else { inside };
            let numbers = (piece.last - piece.first) as f64 + 1.0;
            return inside.ln() + piece.share.ln() - numbers.ln();
        }
        let outside = (1.0 - inside).ln();
        let room = self.room(cell).expect("a number beside the cell");
        match room {
            Room::Between(numbers) => outside - numbers.ln(),
            Room::End {
                between,
                sides,
                scale,
            } => {
                let (first, last) = self.ends();
                let beyond = (first - number).max(number - last);
                let parts = f64::from(sides + u32::from(between > 0.0));
                if beyond <= 0 {
                    return outside - parts.ln() - between.ln();
                }
                // A geometric distribution of the distance.
                let stay = (-1.0 / scale).exp();
                outside - parts.ln() + (beyond - 1) as f64 * stay.ln() + (-stay).ln_1p()
            }
        }
    }

    /// The smallest and the largest number of all.
    pub fn ends(&self) -> (i64, i64) {
        (self.0[0].low, self.0[self.0.len() - 1].high)
    }

    /// How many numbers belong to a cell beside those from its smallest to its largest; `None` if there are none.
    fn room(&self, cell: usize) -> Option<Room> {
        let own = &self.0[cell];
        let mut between = 0.0;
        if let Some(before) = cell.checked_sub(1) {
            between += self.share(before, own.low - self.0[before].high - 1, false);
        }
        if let Some(next) = self.0.get(cell + 1) {
            between += self.share(cell, next.low - own.high - 1, true);
        }
        let sides = u32::from(cell == 0) + u32::from(cell + 1 == self.0.len());
        if sides > 0 {
            let (first, last) = self.ends();
            let scale = ((last - first) as f64).max(1.0);
            return Some(Room::End {
                between,
                sides,
                scale,
            });
        }
        (between > 0.0).then_some(Room::Between(between))
    }

    /// How many numbers of a gap belong to the cell before it, or to the one after it.
    fn share(&self, before: usize, gap: i64, to_before: bool) -> f64 {
        let points = (self.0[before].is_point(), self.0[before + 1].is_point());
        let before = match points {
            (true, false) => 0,
            (false, true) => gap,
            // The one in the middle goes to the cell before.
            _ => (gap + 1) / 2,
        };
        (if to_before { before } else { gap - before }) as f64
    }
}

/// Where numbers that did not occur belong to a cell.
enum Room {
    /// So many of them, between cells.
    Between(f64),
    /// Beyond one end of the column or both, falling off by a scale, and so many between: all parts alike.
    End {
        between: f64,
        sides: u32,
        scale: f64,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, generator};

    fn wide() -> Cells {
        // Zero every other time, then a thousand numbers three apart.
        let numbers = std::iter::once((0, 1000)).chain((0..1000).map(|k| (10 + 3 * k, 1)));
        Cells::of(&numbers.collect::<Vec<_>>(), 1)
    }

    #[test]
    fn frequent_numbers_have_cells_of_their_own_and_the_rest_share_alike() {
        let cells = wide();
        assert_eq!(cells.0[0], Cell::of(&[(0, 1000)], true));
        assert!(cells.0[1..].iter().all(|cell| cell.count <= 8));
        assert!((120..=256).contains(&cells.len()), "{}", cells.len());
        let few = Cells::of(&[(1, 5), (7, 1)], 1);
        assert_eq!(few.len(), 2);
    }

    #[test]
    fn columns_of_a_wide_table_have_fewer_cells() {
        let numbers: Vec<(i64, usize)> = (0..1000).map(|k| (3 * k, 1)).collect();
        let cells = |columns| Cells::of(&numbers, columns).len();
        assert_eq!([1, 64, 256, 5000].map(cells), [250, 250, 63, 16]);
    }

    #[test]
    fn pieces_tile_their_cell_and_follow_the_numbers() {
        // Crowded towards the lower end.
        let numbers: Vec<(i64, usize)> = (0..64).map(|k| (k * k, 1)).collect();
        let cell = Cell::of(&numbers, false);
        let pieces: Vec<Piece> = cell.pieces().collect();
        assert_eq!(pieces.len(), PIECES);
        assert_eq!((pieces[0].first, pieces[PIECES - 1].last), (0, 63 * 63));
        for pair in pieces.windows(2) {
            assert_eq!(pair[0].last + 1, pair[1].first);
            assert!(pair[0].last - pair[0].first < pair[1].last - pair[1].first);
        }
        assert!(pieces.iter().all(|piece| piece.share == 1.0 / 8.0));
        assert_eq!(Cell::of(&numbers, true).pieces().count(), 64);
        assert_eq!(Cell::of(&[(5, 100)], false).pieces().count(), 1);
        // Two numbers beside each other.
        let pieces: Vec<Piece> = Cell::of(&[(5, 100), (6, 1)], false).pieces().collect();
        assert_eq!((pieces[0].last, pieces[1].first), (5, 6));
    }

    #[test]
    fn every_number_is_found_and_draws_stay_in_their_cell() {
        let cells = wide();
        let mut rng = generator(0, Purpose::Cells, 0);
        for cell in 0..cells.len() {
            for _ in 0..20 {
                let number = cells.draw(cell, &mut rng);
                assert_eq!(cells.find(number), cell);
            }
            assert_eq!(cells.find(cells.quantile(cell, 0.5)), cell);
            assert_eq!(cells.find(cells.mean(cell).round() as i64), cell);
        }
        assert_eq!(
            [-5, 3, 9, 1_000_000].map(|n| cells.find(n)),
            [0, 1, 1, cells.len() - 1]
        );
        let few = Cells::of(&[(0, 5), (10, 1), (20, 1)], 1);
        assert_eq!([5, 6, 15].map(|n| few.find(n)), [0, 1, 1]);
    }

    #[test]
    fn a_range_has_the_share_of_the_draws_that_lie_in_it() {
        let cells = wide();
        let mut rng = generator(1, Purpose::Cells, 0);
        let cell = cells.len() - 1;
        let Cell { low, high, .. } = *cells.get(cell);
        let ranges = [(i64::MIN, low + (high - low) / 5), (high - 3, i64::MAX)];
        let inside = |number: i64| {
            ranges
                .iter()
                .any(|(low, high)| (*low..=*high).contains(&number))
        };
        let draws = 20_000;
        let hits = (0..draws)
            .filter(|_| inside(cells.draw(cell, &mut rng)))
            .count();
        let share = cells.share_within(cell, &ranges);
        let error = (share * (1.0 - share) / f64::from(draws)).sqrt();
        assert!(share > 0.0 && share < 1.0, "{share}");
        assert!((hits as f64 / f64::from(draws) - share).abs() < 5.0 * error);
        assert!((0..200).all(|_| inside(cells.draw_within(cell, &ranges, &mut rng))));
        assert_eq!(cells.share_within(cell, &[(i64::MIN, low - 1)]), 0.0);
        assert!((cells.share_within(cell, &[(i64::MIN, i64::MAX)]) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn probabilities_of_a_cells_numbers_sum_to_one() {
        for cells in [
            wide(),
            Cells::of(&[(0, 5), (10, 1), (20, 1)], 1),
            Cells::of(&[(3, 9)], 1),
        ] {
            let mut sums = vec![0.0; cells.len()];
            let (first, last) = cells.ends();
            let beyond = 40 * (last - first).max(1);
            for number in first - beyond..=last + beyond {
                let cell = cells.find(number);
                sums[cell] += cells.log_probability(cell, number).exp();
            }
            for (cell, sum) in sums.iter().enumerate() {
                assert!((sum - 1.0).abs() < 1e-6, "cell {cell}: {sum}");
            }
        }
    }
}
