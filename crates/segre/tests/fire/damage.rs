//! Damages of bytes: cut, flipped, doubled, moved; words that lie about sizes; brackets within brackets; bombs.

use std::io::{Read, Write};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// Words that lie about sizes, numbers that are none, and numbers out of range.
const WORDS: [&str; 24] = [
    "NaN",
    "inf",
    "-1",
    "0",
    "1",
    "2",
    "1e400",
    "1e-400",
    "1e308",
    "0.5",
    "255",
    "256",
    "4096",
    "65535",
    "65536",
    "16777216",
    "2147483648",
    "4294967296",
    "9223372036854775807",
    "18446744073709551616",
    "99999999999999999999999",
    "null",
    "",
    "٣",
];
/// Characters that mean something somewhere.
const MARKS: &[u8] =
    b"\"'\\,;:|\t\n\r\0 -+.0123456789(){}[]<>#?*LlAa\xff\xfe\xef\xbb\xbf\xc3\x80\x1f\x8b";

/// Damages a file once to three times; inside its packing as often as outside, where it has one.
pub fn damage(valid: &[u8], packed: bool, rng: &mut ChaCha8Rng) -> Vec<u8> {
    if packed && rng.random_bool(0.5) {
        let mut inside = Vec::new();
        GzDecoder::new(valid).read_to_end(&mut inside).unwrap();
        if rng.random_range(0..1000) == 0 {
            inside.extend(vec![b'\n'; 100 << 20]);
        }
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(&damaged(inside, rng)).unwrap();
        return encoder.finish().unwrap();
    }
    damaged(valid.to_vec(), rng)
}

fn damaged(mut bytes: Vec<u8>, rng: &mut ChaCha8Rng) -> Vec<u8> {
    for _ in 0..rng.random_range(1..=3) {
        let place = rng.random_range(0..bytes.len().max(1));
        let end = (place + rng.random_range(1..=16)).min(bytes.len());
        match rng.random_range(0..12) {
            0 => bytes.truncate(place),
            1 if !bytes.is_empty() => bytes[place] ^= 1 << rng.random_range(0..8),
            2 if !bytes.is_empty() => bytes[place] = MARKS[rng.random_range(0..MARKS.len())],
            3 => bytes.insert(
                place.min(bytes.len()),
                MARKS[rng.random_range(0..MARKS.len())],
            ),
            4 if place < end => drop(bytes.drain(place..end)),
            5 if place < end => {
                let piece = bytes[place..end].to_vec();
                let to = rng.random_range(0..bytes.len());
                bytes.splice(to..to, piece);
            }
            6 => lie(&mut bytes, place, rng),
            7 => {
                let mark = MARKS[rng.random_range(0..MARKS.len())];
                let times = [3, 100, 20_000][rng.random_range(0..3)];
                let to = place.min(bytes.len());
                bytes.splice(to..to, vec![mark; times]);
            }
            _ => replace_word(&mut bytes, place, rng),
        }
    }
    bytes
}

/// Writes a number of two, four or eight bytes that is a length somewhere.
fn lie(bytes: &mut [u8], place: usize, rng: &mut ChaCha8Rng) {
    let number: u64 = [
        0,
        1,
        0x7f,
        0xff,
        0x7fff,
        0xffff,
        0x7fff_ffff,
        0xffff_ffff,
        1 << 40,
        u64::MAX >> 1,
        u64::MAX,
    ][rng.random_range(0..11)];
    let width = [2, 4, 8][rng.random_range(0..3)];
    let mut written = number.to_le_bytes()[..width].to_vec();
    if rng.random_bool(0.5) {
        written.reverse();
    }
    for (byte, own) in bytes.iter_mut().skip(place).zip(written) {
        *byte = own;
    }
}

/// Another word in the place of one.
fn replace_word(bytes: &mut Vec<u8>, place: usize, rng: &mut ChaCha8Rng) {
    let word = |byte: &u8| byte.is_ascii_alphanumeric() || b".+-_".contains(byte);
    let Some(start) = bytes.iter().skip(place).position(word) else {
        return;
    };
    let start = place + start;
    let length = bytes[start..].iter().take_while(|byte| word(byte)).count();
    let other = WORDS[rng.random_range(0..WORDS.len())];
    bytes.splice(start..start + length, other.bytes());
}
