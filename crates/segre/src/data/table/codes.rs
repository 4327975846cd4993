//! The words of a column's fields by their codes, in as few bytes as the number of words asks for.

use super::frame::MISSING;

/// Codes of fields, one after the other.
///
/// Most columns have few words, and a table may have millions of rows: four bytes a field would be twice what its labels take.
#[derive(Clone, Debug)]
pub enum Codes {
    /// Below 255.
    Bytes(Vec<u8>),
    /// Below 65535.
    Shorts(Vec<u16>),
    /// All others.
    Longs(Vec<u32>),
}

impl Default for Codes {
    fn default() -> Self {
        Self::Bytes(Vec::new())
    }
}

impl Codes {
    /// Number of fields.
    pub fn len(&self) -> usize {
        match self {
            Self::Bytes(codes) => codes.len(),
            Self::Shorts(codes) => codes.len(),
            Self::Longs(codes) => codes.len(),
        }
    }

    /// The code of a row's field, or [`MISSING`].
    ///
    /// # Panics
    /// If there is no such row.
    pub fn get(&self, row: usize) -> u32 {
        // The largest number of each width stands for a missing field.
        match self {
            Self::Bytes(codes) => match codes[row] {
                u8::MAX => MISSING,
                code => u32::from(code),
            },
            Self::Shorts(codes) => match codes[row] {
                u16::MAX => MISSING,
                code => u32::from(code),
            },
            Self::Longs(codes) => codes[row],
        }
    }

    /// Makes room for further fields.
    pub fn reserve(&mut self, fields: usize) {
        match self {
            Self::Bytes(codes) => codes.reserve(fields),
            Self::Shorts(codes) => codes.reserve(fields),
            Self::Longs(codes) => codes.reserve(fields),
        }
    }

    /// All codes in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = u32> + Clone {
        (0..self.len()).map(|row| self.get(row))
    }

    /// Takes in a field: a code, or [`MISSING`].
    pub fn push(&mut self, code: u32) {
        let wide = code != MISSING;
        match self {
            Self::Bytes(_) if wide && code >= u32::from(u8::MAX) => self.widen(code),
            Self::Shorts(_) if wide && code >= u32::from(u16::MAX) => self.widen(code),
            // What is missing becomes the largest number.
            Self::Bytes(codes) => codes.push(code as u8),
            Self::Shorts(codes) => codes.push(code as u16),
            Self::Longs(codes) => codes.push(code),
        }
    }

    /// Takes in a code that is too large for the width.
    fn widen(&mut self, code: u32) {
        let own = self.iter();
        *self = match code < u32::from(u16::MAX) {
            true => Self::Shorts(own.map(|code| code as u16).collect()),
            false => Self::Longs(own.collect()),
        };
        self.push(code);
    }

    /// Says that a row's field is missing.
    ///
    /// # Panics
    /// If there is no such row.
    pub fn forget(&mut self, row: usize) {
        match self {
            Self::Bytes(codes) => codes[row] = u8::MAX,
            Self::Shorts(codes) => codes[row] = u16::MAX,
            Self::Longs(codes) => codes[row] = MISSING,
        }
    }
}

impl FromIterator<u32> for Codes {
    fn from_iter<I: IntoIterator<Item = u32>>(codes: I) -> Self {
        let mut own = Self::default();
        codes.into_iter().for_each(|code| own.push(code));
        own
    }
}

/// The same codes, however wide.
impl PartialEq for Codes {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_take_the_bytes_that_they_need_and_say_the_same_in_all() {
        let mut codes = Codes::default();
        let mut said = Vec::new();
        for code in [
            0, MISSING, 254, 255, MISSING, 65_534, 65_535, 7, 70_000, MISSING,
        ] {
            codes.push(code);
            said.push(code);
            assert!(codes.iter().eq(said.iter().copied()), "{codes:?}");
            let largest = said.iter().filter(|code| **code != MISSING).max();
            let width = matches!(
                (&codes, largest),
                (Codes::Bytes(_), Some(0..=254))
                    | (Codes::Shorts(_), Some(255..=65_534))
                    | (Codes::Longs(_), Some(65_535..))
            );
            assert!(width, "{codes:?}");
        }
        codes.forget(2);
        said[2] = MISSING;
        assert_eq!(codes, said.iter().copied().collect());
        let narrow: Codes = [3, MISSING].into_iter().collect();
        assert_eq!(narrow, Codes::Longs(vec![3, MISSING]));
    }
}
