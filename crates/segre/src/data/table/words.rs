//! Distinct texts in the order of their first sight, in one piece of memory.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

/// Distinct texts, each with a code: its place in the order of first sight.
#[derive(Clone, Debug, Default)]
pub struct Words {
    bytes: String,
    /// Where each word ends.
    ends: Vec<usize>,
}

impl Words {
    /// Number of words.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The word of a code.
    ///
    /// # Panics
    /// If there is no such word.
    pub fn get(&self, code: u32) -> &str {
        let code = code as usize;
        let start = code.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.bytes[start..self.ends[code]]
    }

    /// All words in the order of their codes.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &str> + Clone {
        (0..self.len()).map(|code| self.get(code as u32))
    }

    fn push(&mut self, word: &str) -> u32 {
        self.bytes.push_str(word);
        self.ends.push(self.bytes.len());
        (self.len() - 1) as u32
    }
}

/// Two lists are equal if they have the same words in the same order.
impl PartialEq for Words {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes && self.ends == other.ends
    }
}

/// Words that are being collected.
///
/// The index holds hashes only, which is a fraction of what a map of texts takes: a table may have a million different
/// values in every column. A hash that is taken by another word moves on by one.
#[derive(Default)]
pub struct Dictionary {
    words: Words,
    codes: HashMap<u64, u32>,
    hasher: RandomState,
}

impl Dictionary {
    /// The code of a word, a new one if it is new.
    pub fn code(&mut self, word: &str) -> u32 {
        let mut hash = self.hasher.hash_one(word);
        while let Some(&code) = self.codes.get(&hash) {
            if self.words.get(code) == word {
                return code;
            }
            hash = hash.wrapping_add(1);
        }
        let code = self.words.push(word);
        self.codes.insert(hash, code);
        code
    }

    /// What was collected.
    pub fn finish(self) -> Words {
        self.words
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_have_the_codes_of_their_first_sight() {
        let mut dictionary = Dictionary::default();
        let codes = ["b", "", "a", "b", "ä", ""].map(|word| dictionary.code(word));
        assert_eq!(codes, [0, 1, 2, 0, 3, 1]);
        let words = dictionary.finish();
        assert_eq!(words.iter().collect::<Vec<_>>(), ["b", "", "a", "ä"]);
        assert_eq!((words.len(), words.get(3)), (4, "ä"));
    }
}
