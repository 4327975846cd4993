//! Files of Parquet and of Arrow (Feather), read and written batch by batch.

use std::fs::File;
use std::io::{Cursor, Write};
use std::path::Path;

use arrow_array::RecordBatch;
use arrow_ipc::reader::{FileReader, StreamReader};
use arrow_ipc::writer::FileWriter;
use arrow_schema::{ArrowError, SchemaRef};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::arrow::{ArrowWriter, ProjectionMask};
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;

use super::check::{check_file, check_stream};
use super::guard::{Guarded, guarded};
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
    let file = open(path)?;
    let builder = guarded(|| {
        let builder = ParquetRecordBatchReaderBuilder::try_new(file);
        builder.map_err(|error| error.to_string())
    });
    let builder = builder.map_err(|detail| stream::unreadable(path, detail))?;
    Ok(Batches {
        path,
        schema: builder.schema().clone(),
        rows: Box::new(move |columns| {
            let reader = guarded(|| {
                let columns = columns.iter().copied();
                let mask = ProjectionMask::roots(builder.parquet_schema(), columns);
                let reader = builder.with_projection(mask).build();
                reader.map_err(|error| error.to_string())
            });
            let reader = reader.map_err(|detail| stream::unreadable(path, detail))?;
            Ok(Box::new(Guarded(Some(reader))))
        }),
    })
}

/// The columns and rows of an Arrow file, or of a file that holds an Arrow stream.
pub fn read_arrow(path: &Path) -> Result<Batches<'_>> {
    type Rows = Box<dyn Iterator<Item = Result<RecordBatch, ArrowError>>>;
    let bytes = std::fs::read(path).map_err(|cause| FileError::reading(path, cause))?;
    let opened = guarded(|| -> Result<(SchemaRef, Rows), String> {
        let failed = |error: ArrowError| error.to_string();
        if bytes.starts_with(ARROW_MAGIC) {
            check_file(&bytes)?;
            let reader = FileReader::try_new(Cursor::new(bytes), None).map_err(failed)?;
            return Ok((reader.schema(), Box::new(reader)));
        }
        check_stream(&bytes)?;
        let reader = StreamReader::try_new(Cursor::new(bytes), None).map_err(failed)?;
        Ok((reader.schema(), Box::new(reader)))
    });
    let (schema, rows) = opened.map_err(|detail| stream::unreadable(path, detail))?;
    Ok(Batches {
        path,
        schema,
        rows: Box::new(move |_| Ok(Box::new(Guarded(Some(rows))))),
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
