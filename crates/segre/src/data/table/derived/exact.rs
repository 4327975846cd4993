//! Decimal numbers with their places: sums, differences, products and quotients without rounding.

use super::Operation;
use crate::data::table::number::Notation;

/// `units · 10^−places`.
#[derive(Debug, Clone, Copy)]
pub struct Exact {
    units: i128,
    places: u32,
}

impl Exact {
    /// A number of units of a notation; moments have no places.
    pub fn of(units: i64, notation: &Notation) -> Self {
        Self {
            units: i128::from(units),
            places: places(notation),
        }
    }

    /// Without zeros at the end, so that equal numbers are equal.
    pub fn key(mut self) -> (i128, u32) {
        while self.places > 0 && self.units % 10 == 0 {
            self.units /= 10;
            self.places -= 1;
        }
        (self.units, self.places)
    }

    /// Whether it changes nothing in a sum, or leaves nothing to see in a product.
    pub fn is_neutral(self, operation: Operation) -> bool {
        let (units, places) = self.key();
        match operation {
            Operation::Product => places == 0 && (-1..=1).contains(&units),
            _ => units == 0,
        }
    }

    /// The number in units of a notation; `None` if it is no whole number of them.
    pub fn units(self, notation: &Notation) -> Option<i64> {
        let (units, own) = self.key();
        let more = places(notation).checked_sub(own)?;
        i64::try_from(units.checked_mul(10_i128.checked_pow(more)?)?).ok()
    }

    fn aligned(self, other: Self) -> Option<(i128, i128, u32)> {
        let places = self.places.max(other.places);
        let scaled = |number: Self| {
            let factor = 10_i128.checked_pow(places - number.places)?;
            number.units.checked_mul(factor)
        };
        Some((scaled(self)?, scaled(other)?, places))
    }

    /// `self + sign · other`.
    fn plus(self, other: Self, sign: i128) -> Option<Self> {
        let (own, other, places) = self.aligned(other)?;
        let units = own.checked_add(sign * other)?;
        Some(Self { units, places })
    }

    fn times(self, other: Self) -> Option<Self> {
        Some(Self {
            units: self.units.checked_mul(other.units)?,
            places: self.places + other.places,
        })
    }

    /// The quotient with so many places, `None` if there is none.
    fn over(self, other: Self, places: u32) -> Option<Self> {
        let (own, other, _) = self.aligned(other)?;
        let scaled = own.checked_mul(10_i128.checked_pow(places)?)?;
        let whole = other != 0 && scaled % other == 0;
        whole.then(|| Self {
            units: scaled / other,
            places,
        })
    }

    /// The result of an operation.
    pub fn result(operation: Operation, of: &[Self]) -> Option<Self> {
        match operation {
            Operation::Same => Some(of[0]),
            Operation::Sum => of[0].plus(of[1], 1),
            Operation::Difference => of[0].plus(of[1], -1),
            Operation::Product => of[0].times(of[1]),
        }
    }

    /// The number at a place of an operation with so many places itself, given the result and the other number, if there is one.
    pub fn solve(
        operation: Operation,
        place: usize,
        result: Self,
        other: Option<Self>,
        places: u32,
    ) -> Option<Self> {
        match (operation, place) {
            (Operation::Same, _) => Some(result),
            (Operation::Sum, _) => result.plus(other?, -1),
            (Operation::Difference, 0) => result.plus(other?, 1),
            (Operation::Difference, _) => other?.plus(result, -1),
            (Operation::Product, _) => result.over(other?, places),
        }
    }
}

/// Decimal places of a notation.
pub fn places(notation: &Notation) -> u32 {
    match notation {
        Notation::Decimal { places, .. } => u32::from(*places),
        Notation::Moment { .. } => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(places: u8) -> Notation {
        let (least, comma) = (0, false);
        Notation::Decimal {
            places,
            least,
            comma,
        }
    }

    #[test]
    fn nothing_is_rounded() {
        let (cents, whole) = (decimal(2), decimal(0));
        let (price, count) = (Exact::of(237, &cents), Exact::of(3, &whole));
        let result = |operation, units| {
            let found = Exact::result(operation, &[price, count]).expect("a number");
            assert_eq!(found.units(&cents), Some(units), "{operation:?}");
            let solved =
                |place, other, places| Exact::solve(operation, place, found, Some(other), places);
            let first = solved(0, count, 2).and_then(|own| own.units(&cents));
            let second = solved(1, price, 0).and_then(|own| own.units(&whole));
            assert_eq!((first, second), (Some(237), Some(3)), "{operation:?}");
        };
        result(Operation::Sum, 537);
        result(Operation::Difference, -63);
        result(Operation::Product, 711);
        assert_eq!(price.units(&whole), None);
        assert_eq!(Exact::of(300, &cents).key(), count.key());
        let nothing = Exact::of(0, &whole);
        assert!(Exact::solve(Operation::Product, 0, price, Some(nothing), 2).is_none());
        assert!(Exact::solve(Operation::Product, 0, count, Some(price), 2).is_none());
    }
}
