//! Sizes that an Arrow file claims, beside what it holds: its reader takes the memory before it looks.

use arrow_ipc::{Block, RecordBatch, root_as_footer, root_as_message};

/// What stands before the length of a message.
const CONTINUES: u32 = u32::MAX;
/// Bytes at the end of a file: the length of the footer, and the mark.
const TAIL: usize = 10;
/// Bytes that columns may unpack to beside a multiple of the file, and the multiple.
const ALWAYS_UNPACKED: u64 = 32 << 20;
const GROWTH: u64 = 100;

/// Refuses a file with sizes that cannot be.
pub(super) fn check_file(bytes: &[u8]) -> Result<(), String> {
    let tail = bytes
        .len()
        .checked_sub(TAIL)
        .ok_or("the file is too short")?;
    let length = number(&bytes[tail..]).ok_or("the footer is missing")? as usize;
    let start = tail
        .checked_sub(length)
        .ok_or("the footer is longer than the file")?;
    let footer = root_as_footer(&bytes[start..tail]).map_err(|error| error.to_string())?;
    let blocks = [footer.dictionaries(), footer.recordBatches()];
    for block in blocks.into_iter().flatten().flatten() {
        let (meta, body) = parts(bytes, block).ok_or("a block is not within the file")?;
        check_message(meta, body, bytes.len())?;
    }
    Ok(())
}

/// Refuses a stream with sizes that cannot be.
pub(super) fn check_stream(bytes: &[u8]) -> Result<(), String> {
    let mut rest = bytes;
    while let Some(mut length) = number(rest) {
        rest = &rest[4..];
        if length == CONTINUES {
            length = number(rest).ok_or("a message ends early")?;
            rest = &rest[4..];
        }
        if length == 0 {
            return Ok(());
        }
        let meta = rest.split_at_checked(length as usize);
        let (meta, after) = meta.ok_or("a message is longer than the file")?;
        let message = root_as_message(meta).map_err(|error| error.to_string())?;
        let length = usize::try_from(message.bodyLength()).map_err(|_| "a length below zero")?;
        let body = after.split_at_checked(length);
        let (body, after) = body.ok_or("a body is longer than the file")?;
        check_message(meta, body, bytes.len())?;
        rest = after;
    }
    Ok(())
}

/// Message and body of a block.
fn parts<'a>(bytes: &'a [u8], block: &Block) -> Option<(&'a [u8], &'a [u8])> {
    let rest = bytes.get(usize::try_from(block.offset()).ok()?..)?;
    let (meta, rest) = rest.split_at_checked(usize::try_from(block.metaDataLength()).ok()?)?;
    let (body, _) = rest.split_at_checked(usize::try_from(block.bodyLength()).ok()?)?;
    let before = if number(meta)? == CONTINUES { 8 } else { 4 };
    Some((meta.get(before..)?, body))
}

/// Refuses rows and unpacked buffers that are too many for the body they are in.
fn check_message(meta: &[u8], body: &[u8], size: usize) -> Result<(), String> {
    let message = root_as_message(meta).map_err(|error| error.to_string())?;
    let dictionary = message.header_as_dictionary_batch();
    let batch: Option<RecordBatch> = match dictionary {
        Some(dictionary) => dictionary.data(),
        None => message.header_as_record_batch(),
    };
    let Some(batch) = batch else {
        return Ok(());
    };
    let mut unpacked = body.len() as u64;
    if batch.compression().is_some() {
        for buffer in batch.buffers().into_iter().flatten() {
            let (start, length) = (buffer.offset(), buffer.length());
            let found = usize::try_from(start)
                .ok()
                .and_then(|start| body.get(start..));
            let claimed = found
                .and_then(|found| found.get(..8))
                .filter(|_| length > 0);
            // −1 stands for a buffer that is not compressed.
            let claimed = claimed.map_or(0, |bytes| {
                i64::from_le_bytes(std::array::from_fn(|place| bytes[place]))
            });
            unpacked = unpacked.saturating_add(u64::try_from(claimed).unwrap_or(0));
        }
    }
    let limit = ALWAYS_UNPACKED.saturating_add((size as u64).saturating_mul(GROWTH));
    if unpacked > limit {
        return Err(format!("columns of {unpacked} bytes in a file of {size}"));
    }
    // A column of flags has eight rows in a byte.
    let rows = u64::try_from(batch.length()).map_err(|_| "a length below zero")?;
    if rows > 8 * unpacked {
        return Err(format!("{rows} rows in {unpacked} bytes"));
    }
    Ok(())
}

/// The number that bytes begin with.
fn number(bytes: &[u8]) -> Option<u32> {
    let bytes = bytes.first_chunk::<4>()?;
    Some(u32::from_le_bytes(*bytes))
}
