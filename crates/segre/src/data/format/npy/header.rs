//! The header of a NumPy array: a Python expression, which is checked before it is parsed.

use std::io::Read;
use std::path::Path;

use crate::file_error::FileError;

/// First bytes of a file.
const MAGIC: &[u8; 6] = b"\x93NUMPY";
/// Longest header; NumPy reads 10 000 bytes.
const MOST_BYTES: usize = 1 << 16;
/// Brackets within brackets, of which real headers have four; a parser's time may grow exponentially with them.
const DEEPEST: usize = 8;

/// The bytes of a header, from the beginning of the file to its elements.
pub(super) struct Header {
    /// As they are to be parsed.
    pub bytes: Vec<u8>,
    text: String,
}

impl Header {
    /// Reads a header.
    pub fn read(path: &Path, reader: &mut dyn Read) -> Result<Self, FileError> {
        let mut next = |count: usize| -> Result<Vec<u8>, FileError> {
            let mut bytes = Vec::new();
            let read = reader.take(count as u64).read_to_end(&mut bytes);
            read.map_err(|cause| FileError::reading(path, cause))?;
            match bytes.len() == count {
                true => Ok(bytes),
                false => Err(damaged(path, "the header ends early".to_owned())),
            }
        };
        let magic = next(MAGIC.len())?;
        if magic != *MAGIC {
            let detail = "it does not begin as the files of numpy.save do".to_owned();
            return Err(damaged(path, detail));
        }
        let version = next(2)?;
        // Since version 2 the length has four bytes.
        let width = if version[0] == 1 { 2 } else { 4 };
        let length = next(width)?;
        let count = length
            .iter()
            .rev()
            .fold(0, |sum, byte| sum << 8 | usize::from(*byte));
        if count > MOST_BYTES {
            return Err(damaged(path, format!("a header of {count} bytes")));
        }
        let text = String::from_utf8_lossy(&next(count)?).into_owned();
        if depth(&text) > DEEPEST {
            return Err(damaged(
                path,
                "its header has too many brackets in one another".to_owned(),
            ));
        }
        let own = without_long(&text);
        let length = &(own.len() as u32).to_le_bytes()[..width];
        let bytes = [&magic[..], &version, length, own.as_bytes()].concat();
        Ok(Self { bytes, text })
    }

    /// What is wrong with a header that cannot be parsed.
    pub fn illegal(&self, path: &Path, cause: &std::io::Error) -> FileError {
        let words: Vec<&str> = self.text.split_whitespace().collect();
        let shown: String = words.join(" ").chars().take(120).collect();
        let cause = cause.to_string();
        // The parser draws a picture of several lines.
        let cause = cause.lines().next().unwrap_or_default();
        damaged(
            path,
            format!(
                "the header {shown} is not legal: {}",
                cause.trim_end_matches(" -->")
            ),
        )
    }
}

/// Lengths without the `L` that Python 2 wrote after some of them, as in `(30L, 4L)`.
fn without_long(header: &str) -> String {
    let mut quoted = false;
    let mut last = ' ';
    let kept = header.chars().filter(|&symbol| {
        quoted ^= symbol == '\'';
        let long = symbol == 'L' && last.is_ascii_digit() && !quoted;
        last = symbol;
        !long
    });
    kept.collect()
}

/// Brackets within brackets.
fn depth(header: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    for symbol in header.chars() {
        match symbol {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}

fn damaged(path: &Path, detail: String) -> FileError {
    FileError::Damaged {
        path: path.to_path_buf(),
        detail,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_python_2_lose_their_letter_and_nothing_else_does() {
        let header = "{'descr': '|S1L', 'shape': (30L, 4L), }";
        assert_eq!(
            without_long(header),
            "{'descr': '|S1L', 'shape': (30, 4), }"
        );
        assert_eq!(depth("([]{()})"), 3);
    }
}
