//! Files of Parquet and of Arrow (Feather), read and written batch by batch.

use std::fs::File;
use std::io::{BufReader, Write};
use std::path::Path;

use arrow_array::RecordBatch;
use arrow_ipc::reader::{FileReader, StreamReader};
use arrow_ipc::writer::FileWriter;
use arrow_schema::ArrowError;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::arrow::{ArrowWriter, ProjectionMask};
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;

use super::{Batches, record_batch};
use crate::atomic;
use crate::data::dataset::Dataset;
use crate::data::error::Result;
use crate::file_error::FileError;
use crate::stream;

/// First bytes of Arrow files; without them it is a stream.
const ARROW_MAGIC: &[u8; 6] = b"ARROW1";

/// The columns and rows of a Parquet file.
pub fn read_parquet(path: &Path) -> Result<Batches<'_>> {
    let builder = ParquetRecordBatchReaderBuilder::try_new(open(path)?);
    let builder = builder.map_err(|error| stream::unreadable(path, error.to_string()))?;
    Ok(Batches {
        path,
        schema: builder.schema().clone(),
        rows: Box::new(move |columns| {
            let mask = ProjectionMask::roots(builder.parquet_schema(), columns.iter().copied());
            let reader = builder.with_projection(mask).build();
            Ok(Box::new(reader.map_err(|error| damaged(path, &error))?))
        }),
    })
}

/// The columns and rows of an Arrow file, or of a file that holds an Arrow stream.
pub fn read_arrow(path: &Path) -> Result<Batches<'_>> {
    let is_stream = {
        let mut start = [0; ARROW_MAGIC.len()];
        let read = std::io::Read::read(&mut open(path)?, &mut start);
        read.map_err(|cause| FileError::reading(path, cause))?;
        start != *ARROW_MAGIC
    };
    let file = BufReader::new(open(path)?);
    type Rows = Box<dyn Iterator<Item = Result<RecordBatch, ArrowError>>>;
    let (schema, rows): (_, Rows) = match is_stream {
        true => {
            let reader = StreamReader::try_new(file, None);
            let reader = reader.map_err(|error| stream::unreadable(path, error.to_string()))?;
            (reader.schema(), Box::new(reader))
        }
        false => {
            let reader = FileReader::try_new(file, None);
            let reader = reader.map_err(|error| damaged(path, &error))?;
            (reader.schema(), Box::new(reader))
        }
    };
    Ok(Batches {
        path,
        schema,
        rows: Box::new(move |_| Ok(rows)),
    })
}

/// Writes typed columns to a Parquet file, or else to an Arrow file.
pub fn write(data: &Dataset, path: &Path, parquet: bool) -> Result<()> {
    let batch = record_batch(data);
    Ok(atomic::write(path, |file| match parquet {
        true => write_parquet(&batch, file).map_err(std::io::Error::other),
        false => write_arrow(&batch, file).map_err(std::io::Error::other),
    })?)
}

fn write_parquet(
    batch: &RecordBatch,
    file: impl Write + Send,
) -> Result<(), parquet::errors::ParquetError> {
    let properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .build();
    let mut writer = ArrowWriter::try_new(file, batch.schema(), Some(properties))?;
    writer.write(batch)?;
    writer.close()?;
    Ok(())
}

fn write_arrow(batch: &RecordBatch, file: impl Write) -> Result<(), ArrowError> {
    let mut writer = FileWriter::try_new(file, &batch.schema())?;
    writer.write(batch)?;
    writer.finish()
}

fn open(path: &Path) -> Result<File> {
    Ok(File::open(path).map_err(|cause| FileError::reading(path, cause))?)
}

fn damaged(path: &Path, error: &dyn std::fmt::Display) -> FileError {
    FileError::Damaged {
        path: path.to_path_buf(),
        detail: error.to_string(),
    }
}
