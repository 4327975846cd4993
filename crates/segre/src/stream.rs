//! Files as streams and texts: gzip is undone, whatever the name; what cannot be read here is called by its name.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::ops::Deref;
use std::path::Path;

use flate2::bufread::MultiGzDecoder;
use segre_kernels::{Mapped, MappedText};

use crate::file_error::{FileError, one_line};
use crate::spill::{self, Spill, SpillError};

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
/// The mark that texts may begin with.
const MARK: char = '\u{feff}';
/// Bytes that are read at a time of a text that is too large for the memory.
const PIECE: u64 = 1 << 20;
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
    Ok(with_breaks(decode(path, bytes)?))
}

/// The text with lines that end in `\n`.
fn with_breaks(text: String) -> String {
    match text.contains('\r') {
        true => text.replace("\r\n", "\n").replace('\r', "\n"),
        false => text,
    }
}

/// A text in memory or, where it is too large, in a temporary file.
pub(crate) enum Text {
    Memory(String),
    File(MappedText),
}

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        match self {
            Self::Memory(text) => text,
            Self::File(text) => text,
        }
    }
}

impl AsRef<[u8]> for Text {
    fn as_ref(&self) -> &[u8] {
        self.as_bytes()
    }
}

/// [`read_text`] with a line break at its end; more than so many bytes are in a temporary file.
pub(crate) fn read_lines(path: &Path, memory: u64) -> Result<Text, FileError> {
    let reading = |cause| FileError::reading(path, cause);
    let (mut stream, mut bytes) = (open(path)?, Vec::new());
    let limit = spill::limit(memory).max(1);
    let taken = stream.by_ref().take(limit).read_to_end(&mut bytes);
    if (taken.map_err(reading)? as u64) < limit {
        let mut text = with_breaks(decode(path, bytes)?);
        text.push('\n');
        return Ok(Text::Memory(text));
    }
    let refused = |error: SpillError| FileError::NotKept {
        path: path.to_path_buf(),
        folder: error.folder,
        bytes: error.bytes,
        cause: error.cause,
    };
    let mut spill = Spill::new().map_err(refused)?;
    while !bytes.is_empty() {
        spill.write(&bytes).map_err(refused)?;
        bytes.clear();
        if spill.is_own() {
            let more = stream.by_ref().take(PIECE).read_to_end(&mut bytes);
            more.map_err(reading)?;
        }
    }
    spill.write(b"\n").map_err(refused)?;
    let bytes: Mapped<u8> = spill.map().map_err(refused)?;
    let text = MappedText::try_from(bytes).map_err(|bytes| {
        let valid = std::str::from_utf8(&bytes).map_or_else(|error| error.valid_up_to(), str::len);
        no_text(path, &bytes, valid, 0)
    })?;
    if let Some(place) = find_zero(text.as_bytes()) {
        return Err(no_text(path, text.as_bytes(), place, 0));
    }
    if !text.contains('\r') && !text.starts_with(MARK) {
        return Ok(Text::File(text));
    }
    let mut spill = Spill::new().map_err(refused)?;
    let pieces = text.strip_prefix(MARK).unwrap_or(&text).split('\r');
    for (place, piece) in pieces.enumerate() {
        let (start, rest) = match place {
            0 => ("", piece),
            _ => ("\n", piece.strip_prefix('\n').unwrap_or(piece)),
        };
        spill.write(start.as_bytes()).map_err(refused)?;
        spill.write(rest.as_bytes()).map_err(refused)?;
    }
    let text = MappedText::try_from(spill.map().map_err(refused)?);
    Ok(Text::File(text.expect("pieces of a text are one")))
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
        Ok(text) => match find_zero(text.as_bytes()) {
            None => return Ok(text),
            Some(place) => (place, text.into_bytes()),
        },
        Err(error) => (error.utf8_error().valid_up_to(), error.into_bytes()),
    };
    Err(no_text(path, &bytes, valid, before))
}

/// UTF-16 without its mark is full of zeros, which are legal in UTF-8 and in no text.
fn find_zero(bytes: &[u8]) -> Option<usize> {
    bytes.iter().position(|byte| *byte == 0)
}

/// What is wrong with bytes, of which only some are valid, after others.
fn no_text(path: &Path, bytes: &[u8], valid: usize, before: usize) -> FileError {
    if let Err(error) = refuse(path, bytes, &NO_TEXT) {
        return error;
    }
    let found = bytes[valid];
    let path = path.to_path_buf();
    let line = 1 + bytes[..valid].iter().filter(|byte| **byte == b'\n').count() as u64;
    let offset = (before + valid) as u64;
    let zeros = bytes.iter().filter(|byte| **byte == 0).count();
    let encoding = match (bytes, found) {
        ([0xff, 0xfe, ..] | [0xfe, 0xff, ..], _) => "UTF-16",
        // Of European languages every other byte is one.
        (_, 0) if 4 * zeros < bytes.len() => {
            return FileError::ZeroByte { path, line, offset };
        }
        (_, 0) if offset.is_multiple_of(2) => "UTF-16BE",
        (_, 0) => "UTF-16LE",
        _ => "WINDOWS-1252",
    };
    FileError::InvalidUtf8 {
        path,
        line,
        offset,
        byte: found,
        encoding,
    }
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
    fn a_large_text_is_in_a_file_and_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv");
        for text in [
            "\u{feff}ä,b\r\n1,2\r\r\n3,4",
            "a,b\n1,2\n",
            "a\rb\r\r\n\n",
            "a,b\n1,2",
        ] {
            let text = text.repeat(3);
            std::fs::write(&path, &text).unwrap();
            let small = read_lines(&path, 1 << 20).unwrap();
            assert!(matches!(small, Text::Memory(_)));
            let large = read_lines(&path, 10).unwrap();
            assert!(matches!(large, Text::File(_)));
            assert_eq!(
                large.trim_end_matches('\n'),
                small.trim_end_matches('\n'),
                "{text:?}"
            );
            assert!(large.ends_with('\n') && small.ends_with('\n'));
        }
        for bytes in [
            &b"ab\nc\xff"[..],
            b"\xef\xbb\xbfab\nc\xff",
            b"a\x00b\x00",
            b"PAR1\xff\x00",
        ] {
            std::fs::write(&path, bytes).unwrap();
            let message = |memory| {
                read_lines(&path, memory)
                    .map(|_| ())
                    .unwrap_err()
                    .to_string()
            };
            assert_eq!(message(1), message(1 << 20));
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
