//! One NumPy array: its shape, and its elements in row-major order.

use crate::data::error::{DataError, Result};
use crate::data::schema::{MAX_CATEGORIES, Schema};
use crate::data::store::{Collector, Store};
use crate::file_error::FileError;
use npyz::{DType, NpyFile, Order, TypeChar};
use std::io::Read;
use std::path::Path;

/// What is known of an array before its elements are read.
pub(super) struct Array<'a> {
    path: &'a Path,
    /// Length of every axis.
    pub shape: Vec<usize>,
    fortran: bool,
}

impl<'a> Array<'a> {
    /// Reads the header.
    pub fn open<R: Read>(path: &'a Path, reader: R) -> Result<(Self, NpyFile<R>)> {
        let file = NpyFile::new(reader).map_err(|cause| FileError::reading(path, cause))?;
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
        file: NpyFile<R>,
        schema: Option<&Schema>,
        memory: u64,
    ) -> Result<Store> {
        let label = |place, number| self.label(place, number, schema);
        if self.fortran {
            return Ok(self.elements(file, false, label)?.into());
        }
        let mut labels = Collector::new(memory);
        self.visit(file, false, &mut |place, number| {
            labels.extend([label(place, number)?])
        })?;
        labels.finish()
    }

    /// All elements in row-major order, as `element(place, number)` has them; floating-point numbers only where they
    /// are allowed.
    pub fn elements<R: Read, T: Copy>(
        &self,
        file: NpyFile<R>,
        floats: bool,
        element: impl Fn(usize, f64) -> Result<T>,
    ) -> Result<Vec<T>> {
        let mut found = Vec::new();
        self.visit(file, floats, &mut |place, number| {
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
        file: NpyFile<R>,
        floats: bool,
        see: &mut dyn FnMut(usize, f64) -> Result<()>,
    ) -> Result<()> {
        let dtype = file.dtype();
        let kind = match &dtype {
            DType::Plain(plain) => (plain.type_char(), plain.size_field()),
            DType::Array(..) | DType::Record(_) => (TypeChar::RawData, 0),
        };
        match kind {
            (TypeChar::Bool, _) => {
                self.convert(file.data::<bool>(), |v| f64::from(u8::from(v)), see)
            }
            (TypeChar::Int, 1) => self.convert(file.data::<i8>(), f64::from, see),
            (TypeChar::Int, 2) => self.convert(file.data::<i16>(), f64::from, see),
            (TypeChar::Int, 4) => self.convert(file.data::<i32>(), f64::from, see),
            (TypeChar::Int, 8) => self.convert(file.data::<i64>(), |v| v as f64, see),
            (TypeChar::Uint, 1) => self.convert(file.data::<u8>(), f64::from, see),
            (TypeChar::Uint, 2) => self.convert(file.data::<u16>(), f64::from, see),
            (TypeChar::Uint, 4) => self.convert(file.data::<u32>(), f64::from, see),
            (TypeChar::Uint, 8) => self.convert(file.data::<u64>(), |v| v as f64, see),
            (TypeChar::Float, 4) if floats => self.convert(file.data::<f32>(), f64::from, see),
            (TypeChar::Float, 8) if floats => self.convert(file.data::<f64>(), |v| v, see),
            _ => Err(self.not_integers(dtype.descr())),
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
        let stored = stored.map_err(|error| self.not_integers(error.to_string()))?;
        for (index, value) in stored.enumerate() {
            let value = value.map_err(|cause| FileError::reading(self.path, cause))?;
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
        })
    }

    fn no_data_set(&self) -> DataError {
        DataError::ArrayShape {
            path: self.path.to_path_buf(),
            shape: self.shape.iter().map(|length| *length as u64).collect(),
        }
    }

    fn not_integers(&self, dtype: String) -> DataError {
        DataError::NotIntegers {
            path: self.path.to_path_buf(),
            dtype,
        }
    }
}
