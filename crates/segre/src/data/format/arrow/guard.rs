//! Panics of the libraries that read Parquet and Arrow: damaged files end in some, which are errors like others here.

use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

use arrow_array::RecordBatch;
use arrow_schema::ArrowError;

thread_local! {
    static GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// Whether this thread is where a panic becomes an error, of which a hook of panics has nothing to say.
#[must_use]
pub fn panics_are_errors() -> bool {
    GUARDED.get()
}

/// Does what a library does with a file; its panic is the text of an error.
pub(super) fn guarded<T>(work: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    let before = GUARDED.replace(true);
    // Whatever was being read is given up.
    let done = catch_unwind(AssertUnwindSafe(work));
    GUARDED.set(before);
    done.unwrap_or_else(|panic| Err(text(&*panic)))
}

fn text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or(panic.downcast_ref::<&str>().copied());
    text.unwrap_or("its reader gave up").to_owned()
}

/// The batches of a reader, until it panics.
pub(super) struct Guarded<I>(pub Option<I>);

impl<I: Iterator<Item = Result<RecordBatch, ArrowError>>> Iterator for Guarded<I> {
    type Item = Result<RecordBatch, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        let reader = self.0.as_mut()?;
        let found = guarded(|| Ok(reader.next()));
        found.unwrap_or_else(|text| {
            self.0 = None;
            Some(Err(ArrowError::ParseError(text)))
        })
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[test]
    fn a_panic_is_the_last_error_of_a_reader() {
        let calls = Cell::new(0);
        let reader = std::iter::from_fn(|| {
            calls.set(calls.get() + 1);
            assert!(panics_are_errors());
            panic!("not implemented")
        });
        let mut guarded: Guarded<_> = Guarded(Some(reader));
        let first = guarded.next().expect("an error").expect_err("a panic");
        assert!(first.to_string().contains("not implemented"), "{first}");
        assert!(guarded.next().is_none() && !panics_are_errors());
        assert_eq!(calls.get(), 1);
    }
}
