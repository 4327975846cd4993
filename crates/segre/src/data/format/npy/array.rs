//! One NumPy array: its shape, and its elements in row-major order.

use super::header::Header;
use crate::data::error::{DataError, Result};
use crate::data::schema::{MAX_CATEGORIES, Schema};
use crate::data::store::{Collector, Store};
use crate::file_error::FileError;
use npyz::{DType, NpyFile, Order, TypeChar};
use std::io::{Chain, Cursor, ErrorKind, Read};
use std::path::Path;

/// A header as it is read, and the elements after it.
type File<R> = NpyFile<Chain<Cursor<Vec<u8>>, R>>;

/// What is known of an array before its elements are read.
pub(super) struct Array<'a> {
    path: &'a Path,
    /// Length of every axis.
    pub shape: Vec<usize>,
    fortran: bool,
}

impl<'a> Array<'a> {
    /// Reads the header.
    pub fn open<R: Read>(path: &'a Path, mut reader: R) -> Result<(Self, File<R>)> {
        let header = Header::read(path, &mut reader)?;
        let file = NpyFile::new(Cursor::new(header.bytes.clone()).chain(reader));
        let file = file.map_err(|cause| header.illegal(path, &cause))?;
        let lengths = file.shape().iter();
        let shape = lengths.map(|&length| usize::try_from(length).ok());
        let shape: Option<Vec<usize>> = shape.collect();
        let countable =
            |shape: &Vec<usize>| shape.iter().try_fold(1_usize, |n, m| n.checked_mul(*m));
        let shape = shape.filter(|shape| countable(shape).is_some());
        let shape = shape.ok_or_else(|| DataError::ArrayShape {
            path: path.to_path_buf(),
            shape: file.shape().to_vec(),
        })?;
        let fortran = file.order() == Order::Fortran;
        let array = Self {
            path,
            shape,
            fortran,
        };
        Ok((array, file))
    }

    /// Refuses elements that are no numbers; floating-point ones too, unless they are allowed.
    pub fn require_type(&self, dtype: &DType, floats: bool) -> Result<()> {
        let (what, remedy) = match kind(dtype) {
            (TypeChar::Bool, _) | (TypeChar::Int | TypeChar::Uint, 1 | 2 | 4 | 8) => return Ok(()),
            (TypeChar::Float, 4 | 8) if floats => return Ok(()),
            (TypeChar::Float, _) => (
                "floating-point numbers",
                "if they are whole, convert them with array.astype(numpy.uint16)",
            ),
            (TypeChar::Object, _) => (
                "objects of Python, which are never loaded",
                "make an integer array of them",
            ),
            (TypeChar::UnicodeStr | TypeChar::ByteStr, _) => (
                "texts",
                "number them with numpy.unique(array, return_inverse=True), or write a table",
            ),
            (TypeChar::RawData, _) => (
                "records of several fields or raw bytes",
                "make an integer array [rows, fields] of them, or write a table",
            ),
            _ => ("numbers of another kind", "make an integer array of them"),
        };
        Err(DataError::NotIntegers {
            path: self.path.to_path_buf(),
            dtype: dtype.descr(),
            what,
            remedy,
        })
    }

    /// Refuses bytes after the elements, which would be ignored.
    pub fn require_end(&self, rest: &mut dyn Read) -> Result<()> {
        let mut more = Vec::new();
        rest.take(1)
            .read_to_end(&mut more)
            .map_err(|cause| FileError::reading(self.path, cause))?;
        match more.is_empty() {
            true => Ok(()),
            false => {
                let count: usize = self.shape.iter().product();
                Err(self.damaged(format!(
                    "there are more bytes after the {count} elements that the header promises"
                )))
            }
        }
    }

    fn damaged(&self, detail: String) -> DataError {
        FileError::Damaged {
            path: self.path.to_path_buf(),
            detail,
        }
        .into()
    }

    /// The shape of a row, of an array that has rows.
    pub fn require_rows(&self) -> Result<&[usize]> {
        let [_, row_shape @ ..] = &self.shape[..] else {
            return Err(self.no_data_set());
        };
        if row_shape.is_empty() {
            return Err(self.no_data_set());
        }
        if self.shape.contains(&0) {
            return Err(DataError::NoData {
                path: self.path.to_path_buf(),
                what: "the array is empty",
            });
        }
        Ok(row_shape)
    }

    /// Refuses rows of another shape than the schema's.
    pub fn require_shape(&self, schema: &Schema) -> Result<()> {
        if self.shape[1..] == schema.row_shape() {
            return Ok(());
        }
        Err(DataError::SchemaMismatch {
            what: format!("the shape of a row in {}", self.path.display()),
            expected: format!("{:?}", schema.row_shape()),
            found: format!("{:?}", &self.shape[1..]),
        })
    }

    /// All labels in row-major order; of arrays in Fortran's order, which come column by column, in memory.
    pub fn labels<R: Read>(
        &self,
        file: File<R>,
        schema: Option<&Schema>,
        memory: u64,
    ) -> Result<Store> {
        let label = |place, number| self.label(place, number, schema);
        if self.fortran {
            return Ok(self.elements(file, label)?.into());
        }
        let mut labels = Collector::new(memory);
        self.visit(file, &mut |place, number| {
            labels.extend([label(place, number)?])
        })?;
        labels.finish()
    }

    /// All elements in row-major order, as `element(place, number)` has them.
    pub fn elements<R: Read, T: Copy>(
        &self,
        file: File<R>,
        element: impl Fn(usize, f64) -> Result<T>,
    ) -> Result<Vec<T>> {
        let mut found = Vec::new();
        self.visit(file, &mut |place, number| {
            found.push(element(place, number)?);
            Ok(())
        })?;
        if !self.fortran {
            return Ok(found);
        }
        let mut ordered = found.clone();
        for (index, value) in found.into_iter().enumerate() {
            ordered[self.row_major(index)] = value;
        }
        Ok(ordered)
    }

    /// Shows every element and its row-major index, in the order in which they are stored. Integers beyond 2⁵³ lose
    /// their last digits, and are no labels anyway.
    fn visit<R: Read>(
        &self,
        file: File<R>,
        see: &mut dyn FnMut(usize, f64) -> Result<()>,
    ) -> Result<()> {
        match kind(&file.dtype()) {
            (TypeChar::Bool, _) => {
                self.convert(file.data::<bool>(), |v| f64::from(u8::from(v)), see)
            }
            (TypeChar::Int, 1) => self.convert(file.data::<i8>(), f64::from, see),
            (TypeChar::Int, 2) => self.convert(file.data::<i16>(), f64::from, see),
            (TypeChar::Int, 4) => self.convert(file.data::<i32>(), f64::from, see),
            (TypeChar::Int, _) => self.convert(file.data::<i64>(), |v| v as f64, see),
            (TypeChar::Uint, 1) => self.convert(file.data::<u8>(), f64::from, see),
            (TypeChar::Uint, 2) => self.convert(file.data::<u16>(), f64::from, see),
            (TypeChar::Uint, 4) => self.convert(file.data::<u32>(), f64::from, see),
            (TypeChar::Uint, _) => self.convert(file.data::<u64>(), |v| v as f64, see),
            (TypeChar::Float, 4) => self.convert(file.data::<f32>(), f64::from, see),
            // Any other type is refused here, if it was not before.
            _ => self.convert(file.data::<f64>(), |v| v, see),
        }
    }

    fn convert<S, R, E>(
        &self,
        stored: Result<npyz::NpyReader<S, R>, E>,
        number: impl Fn(S) -> f64,
        see: &mut dyn FnMut(usize, f64) -> Result<()>,
    ) -> Result<()>
    where
        S: npyz::Deserialize,
        R: Read,
        E: std::fmt::Display,
    {
        let stored = stored.map_err(|error| self.damaged(error.to_string()))?;
        for (index, value) in stored.enumerate() {
            let value = value.map_err(|cause| match cause.kind() {
                ErrorKind::UnexpectedEof => {
                    let count: usize = self.shape.iter().product();
                    self.damaged(format!("the data end after {index} of {count} elements"))
                }
                _ => FileError::reading(self.path, cause).into(),
            })?;
            see(self.row_major(index), number(value))?;
        }
        Ok(())
    }

    /// The row-major index of the element that is stored at an index.
    fn row_major(&self, stored: usize) -> usize {
        if !self.fortran {
            return stored;
        }
        let mut stride: usize = self.shape.iter().product();
        let (mut rest, mut place) = (stored, 0);
        for &length in &self.shape {
            stride /= length;
            place += rest % length * stride;
            rest /= length;
        }
        place
    }

    /// The label of an element: an integer that has a category, where there is a schema.
    pub fn label(&self, place: usize, number: f64, schema: Option<&Schema>) -> Result<u16> {
        let sites: usize = self.shape[1..].iter().product();
        let count = schema.map_or(MAX_CATEGORIES, |schema| schema.cardinality(place % sites));
        let legal = number >= 0.0 && number < count as f64 && number.fract() == 0.0;
        if legal {
            return Ok(number as u16);
        }
        let (mut rest, mut axes) = (place % sites, Vec::new());
        for &length in self.shape[1..].iter().rev() {
            axes.insert(0, rest % length);
            rest /= length;
        }
        Err(DataError::BadLabel {
            path: self.path.to_path_buf(),
            row: place / sites,
            site: format!("site {axes:?}"),
            value: number.to_string(),
            largest: count - 1,
            hint: match number == -1.0 {
                true => " (-1 stands for an unknown label, in rows that are to be filled in)",
                false => "",
            },
        })
    }

    fn no_data_set(&self) -> DataError {
        DataError::ArrayShape {
            path: self.path.to_path_buf(),
            shape: self.shape.iter().map(|length| *length as u64).collect(),
        }
    }
}

/// The kind of the elements and the bytes of each; of records, which have several, raw bytes.
fn kind(dtype: &DType) -> (TypeChar, u64) {
    match dtype {
        DType::Plain(plain) => (plain.type_char(), plain.size_field()),
        DType::Array(..) | DType::Record(_) => (TypeChar::RawData, 0),
    }
}
