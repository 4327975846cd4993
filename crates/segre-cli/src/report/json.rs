//! Results for other programs: exactly one JSON object on standard output.

use std::io::{self, ErrorKind, Write};

use anyhow::{Context, Result, ensure};
use serde::Serialize;

/// Prints `value` as one line with one JSON object on standard output; numbers that are not finite
/// become `null`.
///
/// A reader that closes the pipe early is no error.
///
/// # Errors
/// If `value` is not an object, or standard output cannot be written.
pub fn print_object<T: Serialize>(value: &T) -> Result<()> {
    write_object(&mut io::stdout().lock(), value)
}

fn write_object<T: Serialize>(output: &mut impl Write, value: &T) -> Result<()> {
    let value = serde_json::to_value(value).context("cannot turn the result into JSON")?;
    ensure!(
        value.is_object(),
        "the result is not a JSON object: {value}"
    );
    match writeln!(output, "{value}").and_then(|()| output.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written.context("cannot write to standard output"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Serialize)]
    struct Score {
        bits_per_dim: f64,
        rows: usize,
        name: &'static str,
    }

    struct Closed(ErrorKind);

    impl Write for Closed {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn one_line_holds_one_object_that_reads_back() {
        let mut output = Vec::new();
        let score = Score {
            bits_per_dim: 1.25,
            rows: 3,
            name: "two\nlines",
        };
        write_object(&mut output, &score).expect("written");
        let text = String::from_utf8(output).expect("UTF-8");
        assert_eq!(text.lines().count(), 1);
        let read: serde_json::Value = serde_json::from_str(&text).expect("one JSON value");
        let expected = serde_json::json!({"bits_per_dim": 1.25, "rows": 3, "name": "two\nlines"});
        assert_eq!(read, expected);
    }

    #[test]
    fn a_number_that_is_not_finite_is_null() {
        let mut output = Vec::new();
        let score = Score {
            bits_per_dim: f64::NAN,
            rows: 0,
            name: "",
        };
        write_object(&mut output, &score).expect("written");
        let read: serde_json::Value = serde_json::from_slice(&output).expect("JSON");
        assert!(read["bits_per_dim"].is_null());
    }

    #[test]
    fn anything_but_an_object_is_refused_before_a_byte_is_written() {
        let mut output = Vec::new();
        write_object(&mut output, &[1, 2]).expect_err("a list");
        assert!(output.is_empty());
    }

    #[test]
    fn a_closed_pipe_is_no_error_but_a_full_disk_is() {
        let score = Score {
            bits_per_dim: 1.0,
            rows: 1,
            name: "",
        };
        write_object(&mut Closed(ErrorKind::BrokenPipe), &score).expect("reader left");
        write_object(&mut Closed(ErrorKind::StorageFull), &score).expect_err("disk full");
    }
}
