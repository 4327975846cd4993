//! Files as streams and texts: gzip is undone, whatever the name; what cannot be read here is called by its name.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;

use crate::file_error::{FileError, one_line};

/// First bytes of gzip.
const GZIP: [u8; 2] = [0x1f, 0x8b];
/// First bytes of files that are no data as they stand, what they are, and what to do.
const PACKED: [(&[u8], &str, &str); 5] = [
    (
        b"\x28\xb5\x2f\xfd",
        "compressed by zstd",
        "unpack it first, as with `zstd -d`",
    ),
    (
        b"\xfd7zXZ\x00",
        "compressed by xz",
        "unpack it first, as with `xz -d`",
    ),
    (
        b"\x04\x22\x4d\x18",
        "compressed by lz4",
        "unpack it first, as with `lz4 -d`",
    ),
    (
        b"BZh9",
        "compressed by bzip2",
        "unpack it first, as with `bzip2 -d`",
    ),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", "unpack it first"),
];
/// The same of archives, which `.npz` files are.
const ZIP: (&[u8], &str, &str) = (
    b"PK\x03\x04",
    "a zip archive, which spreadsheets are too",
    "unpack it, or save the sheet as .csv",
);
/// First bytes of files that are no text, what they are, and what to do.
const NO_TEXT: [(&[u8], &str, &str); 5] = [
    (b"PAR1", "a table of Parquet", "call it .parquet"),
    (b"ARROW1", "a table of Arrow", "call it .arrow"),
    (b"\x93NUMPY", "an array of NumPy", "call it .npy"),
    (b"\x89PNG", "a picture", "give the folder that it is in"),
    (
        b"\x89HDF",
        "a file of HDF5",
        "save what it holds in another format",
    ),
];
/// Bytes that contents may take beside a multiple of their compressed file, and the multiple: what grows more is damaged, or
/// made to fill disks and memory. Pictures and tables of a few words grow by less.
const ALWAYS_UNPACKED: u64 = 32 << 20;
const GROWTH: u64 = 100;

/// Whether a path stands for standard input or output, which hold a table of texts.
pub(crate) fn is_standard(path: &Path) -> bool {
    path == Path::new("-")
}

/// A stream of the contents of a file or of standard input, unpacked if they are compressed by gzip.
pub(crate) fn open(path: &Path) -> Result<Box<dyn Read>, FileError> {
    if is_standard(path) {
        // Its size is not known, so it may grow.
        return unpacked(path, BufReader::new(io::stdin()), u64::MAX);
    }
    let file = buffered(path)?;
    let size = file.get_ref().metadata();
    let size = size.map_err(|cause| FileError::reading(path, cause))?.len();
    unpacked(path, file, size)
}

/// The contents of a stream of a size.
fn unpacked<R: Read + 'static>(
    path: &Path,
    mut stream: BufReader<R>,
    size: u64,
) -> Result<Box<dyn Read>, FileError> {
    let start = start(path, &mut stream)?;
    refuse(path, start, &PACKED)?;
    refuse(path, start, &[ZIP])?;
    match start.starts_with(&GZIP) {
        true => Ok(Box::new(Bounded::new(MultiGzDecoder::new(stream), size))),
        false => Ok(Box::new(stream)),
    }
}

/// What is wrong with a file that is not read from its beginning to its end: that it is compressed or packed, if it is.
pub(crate) fn unreadable(path: &Path, detail: String) -> FileError {
    let damaged = FileError::Damaged {
        path: path.to_path_buf(),
        detail: one_line(&detail),
    };
    let Ok(mut file) = buffered(path) else {
        return damaged;
    };
    let start = start(path, &mut file).unwrap_or_default();
    match start.starts_with(&GZIP) {
        true => refused(
            path,
            "compressed by gzip",
            "unpack it first, as with `gzip -d`",
        ),
        false => refuse(path, start, &PACKED).err().unwrap_or(damaged),
    }
}

/// The file's whole text, without byte-order mark; a line ends in `\n`, whatever it ends in in the file.
pub(crate) fn read_text(path: &Path) -> Result<String, FileError> {
    let mut bytes = Vec::new();
    open(path)?
        .read_to_end(&mut bytes)
        .map_err(|cause| FileError::reading(path, cause))?;
    let text = decode(path, bytes)?;
    Ok(match text.contains('\r') {
        true => text.replace("\r\n", "\n").replace('\r', "\n"),
        false => text,
    })
}

/// Compressed contents that may grow only so much.
pub(crate) struct Bounded<R> {
    contents: R,
    left: u64,
    limit: u64,
}

impl<R: Read> Bounded<R> {
    /// Contents of a file of a size.
    pub fn new(contents: R, size: u64) -> Self {
        let limit = ALWAYS_UNPACKED.saturating_add(size.saturating_mul(GROWTH));
        Self {
            contents,
            left: limit,
            limit,
        }
    }
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.contents.read(buffer)?;
        let left = self.left.checked_sub(count as u64);
        self.left = left.ok_or_else(|| {
            let message = format!(
                "it grows to more than {} bytes, as what is made to fill memory does; if it is what you want, unpack it first",
                self.limit
            );
            io::Error::new(io::ErrorKind::InvalidData, message)
        })?;
        Ok(count)
    }
}

fn decode(path: &Path, mut bytes: Vec<u8>) -> Result<String, FileError> {
    if bytes.starts_with(b"\xef\xbb\xbf") {
        bytes.drain(..3);
        // Places count the mark.
        return decode_after(path, bytes, 3);
    }
    decode_after(path, bytes, 0)
}

fn decode_after(path: &Path, bytes: Vec<u8>, before: usize) -> Result<String, FileError> {
    let (valid, bytes) = match String::from_utf8(bytes) {
        // UTF-16 without its mark is full of zeros, which are legal in UTF-8 and in no text.
        Ok(text) => match text.find('\0') {
            None => return Ok(text),
            Some(place) => (place, text.into_bytes()),
        },
        Err(error) => (error.utf8_error().valid_up_to(), error.into_bytes()),
    };
    refuse(path, &bytes, &NO_TEXT)?;
    let found = bytes[valid];
    let path = path.to_path_buf();
    let line = 1 + bytes[..valid].iter().filter(|byte| **byte == b'\n').count() as u64;
    let offset = (before + valid) as u64;
    let zeros = bytes.iter().filter(|byte| **byte == 0).count();
    let encoding = match (&bytes[..], found) {
        ([0xff, 0xfe, ..] | [0xfe, 0xff, ..], _) => "UTF-16",
        // Of European languages every other byte is one.
        (_, 0) if 4 * zeros < bytes.len() => {
            return Err(FileError::ZeroByte { path, line, offset });
        }
        (_, 0) if offset.is_multiple_of(2) => "UTF-16BE",
        (_, 0) => "UTF-16LE",
        _ => "WINDOWS-1252",
    };
    Err(FileError::InvalidUtf8 {
        path,
        line,
        offset,
        byte: found,
        encoding,
    })
}

fn buffered(path: &Path) -> Result<BufReader<File>, FileError> {
    let file = File::open(path).map_err(|cause| FileError::reading(path, cause))?;
    Ok(BufReader::new(file))
}

/// The first bytes, which stay in the stream.
fn start<'a, R: Read>(path: &Path, file: &'a mut BufReader<R>) -> Result<&'a [u8], FileError> {
    loop {
        match file.fill_buf() {
            Err(cause) if cause.kind() == io::ErrorKind::Interrupted => {}
            Err(cause) => return Err(FileError::reading(path, cause)),
            Ok(_) => return Ok(file.buffer()),
        }
    }
}

fn refuse(
    path: &Path,
    start: &[u8],
    kinds: &[(&[u8], &'static str, &'static str)],
) -> Result<(), FileError> {
    match kinds.iter().find(|(magic, _, _)| start.starts_with(magic)) {
        Some((_, what, remedy)) => Err(refused(path, what, remedy)),
        None => Ok(()),
    }
}

fn refused(path: &Path, what: &'static str, remedy: &'static str) -> FileError {
    FileError::OtherKind {
        path: path.to_path_buf(),
        what,
        remedy,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn text_of(name: &str, bytes: &[u8]) -> Result<String, FileError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        read_text(&path)
    }

    #[test]
    fn gzip_is_told_by_its_first_bytes_whatever_the_name() {
        for name in ["a.txt", "a.txt.gz", "a"] {
            assert_eq!(text_of(name, &gzip(b"some text")).unwrap(), "some text");
            assert_eq!(text_of(name, b"some text").unwrap(), "some text");
        }
        let two = [gzip(b"some "), gzip(b"text")].concat();
        assert_eq!(text_of("a.gz", &two).unwrap(), "some text");
        let whole = gzip("some text, some more text".repeat(50).as_bytes());
        let cut = text_of("a.txt.gz", &whole[..whole.len() - 12]);
        assert!(matches!(cut, Err(FileError::Damaged { .. })));
    }

    #[test]
    fn other_packings_are_named_with_what_undoes_them() {
        for (start, name) in [
            (&b"\x28\xb5\x2f\xfd\x00"[..], "zstd -d"),
            (b"\xfd7zXZ\x00\x00", "xz -d"),
            (b"BZh91AY&SY", "bzip2 -d"),
            (b"PK\x03\x04", "zip archive"),
            (b"PAR1\x15\x00", ".parquet"),
            (b"\x93NUMPY\x01", ".npy"),
        ] {
            let message = text_of("a.csv", start).unwrap_err().to_string();
            assert!(
                message.contains("a.csv") && message.contains(name),
                "{message}"
            );
        }
        assert_eq!(text_of("a.csv", b"PAR1,PAR2\n").unwrap(), "PAR1,PAR2\n");
    }

    #[test]
    fn texts_of_other_encodings_are_placed_and_the_encoding_is_guessed() {
        for (bytes, place, encoding) in [
            (&b"ab\nc\xff"[..], (2, 4), "WINDOWS-1252"),
            (b"\xef\xbb\xbfab\nc\xff", (2, 7), "WINDOWS-1252"),
            (b"\xff\xfea\x00", (1, 0), "UTF-16"),
            (b"\xfe\xff\x00a", (1, 0), "UTF-16"),
            (b"a\x00b\x00", (1, 1), "UTF-16LE"),
            (b"\x00a\x00b", (1, 0), "UTF-16BE"),
        ] {
            let error = text_of("a.txt", bytes).unwrap_err();
            assert!(
                matches!(&error, FileError::InvalidUtf8 { line, offset, encoding: guess, .. }
                    if (*line, *offset) == place && *guess == encoding),
                "{error}"
            );
            assert!(error.to_string().contains("iconv"), "{error}");
        }
        assert_eq!(text_of("a.txt", "\u{feff}äbc".as_bytes()).unwrap(), "äbc");
        let error = text_of("a.csv", b"a,b\nx,y\nz\0q,w\n").unwrap_err();
        let zero = matches!(
            &error,
            FileError::ZeroByte {
                line: 3,
                offset: 9,
                ..
            }
        );
        assert!(zero, "{error}");
    }

    #[test]
    fn lines_end_in_one_way() {
        for text in ["a\nb\n", "a\r\nb\r\n", "a\rb\r", "a\r\nb\r"] {
            assert_eq!(text_of("a.txt", text.as_bytes()).unwrap(), "a\nb\n");
        }
    }

    #[test]
    fn a_text_made_to_fill_memory_is_refused() {
        let bomb = gzip(&vec![b'a'; 80 << 20]);
        assert!(bomb.len() < 100_000);
        let error = text_of("a.csv.gz", &bomb).unwrap_err();
        assert!(error.to_string().contains("unpack it first"), "{error}");
        assert!(text_of("a.csv.gz", &gzip(&vec![b'a'; 8 << 20])).is_ok());
    }
}
