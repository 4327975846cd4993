//! The words of a column's fields by their codes, in as few bytes as the number of words asks for; beyond a limit in a temporary
//! file.

use std::sync::Arc;

use bytemuck::Pod;
use segre_kernels::Mapped;

use super::frame::MISSING;
use crate::data::error::Result;
use crate::spill::{self, Spill};

/// Fields of a block.
const BLOCK: usize = 1 << 16;

/// Codes of fields, one after the other.
///
/// Most columns have few words, and a table may have millions of rows: four bytes a field would be twice what its labels take.
#[derive(Clone, Debug, Default)]
pub struct Codes {
    /// The first ones, in whole blocks in a file: where each begins, and bytes of its codes.
    blocks: Vec<(usize, Width)>,
    file: Option<Arc<Mapped<u8>>>,
    /// Those behind them.
    rest: InMemory,
}

#[derive(Clone, Copy, Debug)]
enum Width {
    Byte = 1,
    Short = 2,
    Long = 4,
}

/// Codes in memory. The largest number of each width stands for a missing field.
#[derive(Clone, Debug)]
enum InMemory {
    /// Below 255.
    Bytes(Vec<u8>),
    /// Below 65535.
    Shorts(Vec<u16>),
    /// All others.
    Longs(Vec<u32>),
}

impl Default for InMemory {
    fn default() -> Self {
        Self::Bytes(Vec::new())
    }
}

fn of_byte(code: u8) -> u32 {
    match code {
        u8::MAX => MISSING,
        code => u32::from(code),
    }
}

fn of_short(code: u16) -> u32 {
    match code {
        u16::MAX => MISSING,
        code => u32::from(code),
    }
}

impl Codes {
    /// Number of fields.
    pub fn len(&self) -> usize {
        self.blocks.len() * BLOCK + self.rest.len()
    }

    /// The code of a row's field, or [`MISSING`].
    ///
    /// # Panics
    /// If there is no such row.
    pub fn get(&self, row: usize) -> u32 {
        let Some((start, width)) = self.blocks.get(row / BLOCK) else {
            return self.rest.get(row - self.blocks.len() * BLOCK);
        };
        let (file, place) = (self.file.as_ref().expect("mapped"), row % BLOCK);
        let at = |size: usize| &file[start + size * place..][..size];
        match width {
            Width::Byte => of_byte(at(1)[0]),
            Width::Short => of_short(bytemuck::pod_read_unaligned(at(2))),
            Width::Long => bytemuck::pod_read_unaligned(at(4)),
        }
    }

    /// Makes room for further fields.
    pub fn reserve(&mut self, fields: usize) {
        match &mut self.rest {
            InMemory::Bytes(codes) => codes.reserve(fields),
            InMemory::Shorts(codes) => codes.reserve(fields),
            InMemory::Longs(codes) => codes.reserve(fields),
        }
    }

    /// All codes in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = u32> + Clone {
        (0..self.len()).map(|row| self.get(row))
    }

    /// Takes in a field: a code, or [`MISSING`].
    pub fn push(&mut self, code: u32) {
        self.rest.push(code);
    }

    /// Says that a row's field is missing.
    ///
    /// # Panics
    /// If there is no such row.
    pub fn forget(&mut self, row: usize) {
        if row < self.blocks.len() * BLOCK {
            *self = self.iter().collect();
        }
        let row = row - self.blocks.len() * BLOCK;
        match &mut self.rest {
            InMemory::Bytes(codes) => codes[row] = u8::MAX,
            InMemory::Shorts(codes) => codes[row] = u16::MAX,
            InMemory::Longs(codes) => codes[row] = MISSING,
        }
    }
}

impl InMemory {
    fn len(&self) -> usize {
        match self {
            Self::Bytes(codes) => codes.len(),
            Self::Shorts(codes) => codes.len(),
            Self::Longs(codes) => codes.len(),
        }
    }

    fn get(&self, row: usize) -> u32 {
        match self {
            Self::Bytes(codes) => of_byte(codes[row]),
            Self::Shorts(codes) => of_short(codes[row]),
            Self::Longs(codes) => codes[row],
        }
    }

    fn push(&mut self, code: u32) {
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
        let own = (0..self.len()).map(|row| self.get(row));
        *self = match code < u32::from(u16::MAX) {
            true => Self::Shorts(own.map(|code| code as u16).collect()),
            false => Self::Longs(own.collect()),
        };
        self.push(code);
    }

    fn bytes(&self) -> u64 {
        let width = match self {
            Self::Bytes(_) => 1,
            Self::Shorts(_) => 2,
            Self::Longs(_) => 4,
        };
        width * self.len() as u64
    }

    /// Moves all whole blocks to a file; the bytes of each of their codes.
    fn move_blocks(&mut self, file: &mut Spill) -> Result<Width> {
        fn moved<T: Pod>(codes: &mut Vec<T>, file: &mut Spill, width: Width) -> Result<Width> {
            let whole = codes.len() / BLOCK * BLOCK;
            file.write(&codes[..whole])?;
            codes.drain(..whole);
            codes.shrink_to(BLOCK);
            Ok(width)
        }
        match self {
            Self::Bytes(codes) => moved(codes, file, Width::Byte),
            Self::Shorts(codes) => moved(codes, file, Width::Short),
            Self::Longs(codes) => moved(codes, file, Width::Long),
        }
    }
}

/// The file of all columns of a table that is being read.
pub struct Overflow {
    /// Most bytes to hold in memory.
    limit: u64,
    file: Option<Spill>,
}

impl Overflow {
    /// What holds at most so many bytes in memory, but for the rows of a last block.
    pub fn new(memory: u64) -> Self {
        let limit = spill::limit(memory);
        Self { limit, file: None }
    }

    /// Moves whole blocks of the columns to the file if they are beyond the limit together; to be called now and then.
    ///
    /// # Errors
    /// [`DataError::LabelFile`](crate::data::DataError::LabelFile) if the file cannot be written.
    pub fn relieve(&mut self, columns: &mut [&mut Codes]) -> Result<()> {
        let bytes: u64 = columns.iter().map(|codes| codes.rest.bytes()).sum();
        if bytes <= self.limit || !columns.iter().any(|codes| codes.rest.len() >= BLOCK) {
            return Ok(());
        }
        let file = match &mut self.file {
            Some(file) => file,
            None => self.file.insert(Spill::new()?),
        };
        for codes in columns {
            let (start, count) = (file.bytes() as usize, codes.rest.len() / BLOCK);
            let width = codes.rest.move_blocks(file)?;
            let blocks = (0..count).map(|block| (start + width as usize * BLOCK * block, width));
            codes.blocks.extend(blocks);
        }
        Ok(())
    }

    /// Lets the columns see what is in the file.
    ///
    /// # Errors
    /// [`DataError::LabelFile`](crate::data::DataError::LabelFile) if the file cannot be written or mapped.
    pub fn finish<'a>(self, columns: impl Iterator<Item = &'a mut Codes>) -> Result<()> {
        let Some(file) = self.file else {
            return Ok(());
        };
        let file = Arc::new(file.map()?);
        columns.for_each(|codes| codes.file = Some(Arc::clone(&file)));
        Ok(())
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
                (&codes.rest, largest),
                (InMemory::Bytes(_), Some(0..=254))
                    | (InMemory::Shorts(_), Some(255..=65_534))
                    | (InMemory::Longs(_), Some(65_535..))
            );
            assert!(width, "{codes:?}");
        }
        codes.forget(2);
        said[2] = MISSING;
        assert_eq!(codes, said.iter().copied().collect());
        let narrow: Codes = [3, MISSING].into_iter().collect();
        let rest = InMemory::Longs(vec![3, MISSING]);
        let (blocks, file) = (Vec::new(), None);
        assert_eq!(narrow, Codes { blocks, file, rest });
    }

    #[test]
    fn codes_beyond_the_limit_are_in_a_file_and_the_same() {
        let fields = 3 * BLOCK + 7;
        // Of one byte, of more and more, and one that comes as a whole at the end.
        let code = |column: usize, row: usize| match (column, row % 1009) {
            (_, 5) => MISSING,
            (0, rest) => rest as u32 % 200,
            (1, _) => row as u32,
            _ => 70_000,
        };
        let mut columns = vec![Codes::default(); 3];
        let mut overflow = Overflow::new(100_000);
        for row in 0..fields {
            for (column, codes) in columns[..2].iter_mut().enumerate() {
                codes.push(code(column, row));
            }
            let mut all: Vec<&mut Codes> = columns.iter_mut().collect();
            overflow.relieve(&mut all).expect("a disk");
        }
        columns[2] = (0..fields).map(|row| code(2, row)).collect();
        overflow.finish(columns.iter_mut()).expect("a disk");
        assert_eq!(
            [0, 1, 2].map(|column| columns[column].blocks.len()),
            [3, 3, 0]
        );
        for (column, codes) in columns.iter_mut().enumerate() {
            assert_eq!(codes.len(), fields);
            assert!(
                codes
                    .iter()
                    .enumerate()
                    .all(|(row, own)| own == code(column, row))
            );
            let before = codes.clone();
            codes.forget(9);
            assert_eq!((codes.get(9), codes.get(10)), (MISSING, before.get(10)));
        }
    }
}
