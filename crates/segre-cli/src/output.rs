//! What ends a command where nobody can hand on an error: output that cannot be written (a reader that has left ends it quietly, a
//! full disk in one line), and a graphics processor that fails.

use std::io::{self, ErrorKind, Write};
use std::panic::{self, PanicHookInfo};
use std::process;

#[cfg(feature = "arrow")]
use segre::data::panics_are_errors;

/// Exit code of a program whose reader has left, as the shell reports SIGPIPE.
const READER_LEFT: i32 = 141;

/// Ends the process where a failed `println!`, or a tensor that a graphics processor could not compute, would end in a panic.
///
/// All commands print at the end of their work, and all numbers of a graphics processor are read by burn: this hook is the one
/// place that all of that goes through. What was stored before stays.
pub fn end_on_failures() {
    let usual = panic::take_hook();
    panic::set_hook(Box::new(move |info| match cause(info) {
        Some(cause) if cause.kind() == ErrorKind::BrokenPipe => process::exit(READER_LEFT),
        Some(cause) => {
            // Standard error may be what cannot be written: then nobody can be told.
            let _ = writeln!(
                io::stderr(),
                "error: cannot write to standard output: {cause}"
            );
            process::exit(1)
        }
        None if panics_are_errors() => {}
        None => match info.payload_as_str().and_then(failure_of_device) {
            Some(failure) => {
                let _ = writeln!(io::stderr(), "error: {failure}");
                process::exit(1)
            }
            None => usual(info),
        },
    }));
}

/// What a graphics processor could not do, and what helps, if that is what a message of burn is about: the last of its causes.
fn failure_of_device(message: &str) -> Option<String> {
    let (_, causes) = message.split_once("An error happened during execution")?;
    let last = causes.rsplit("Caused by:").next()?;
    let ends = ["Backtrace", "No backtrace", "\n   0:"].map(|end| last.find(end));
    let end = ends.into_iter().flatten().min().unwrap_or(last.len());
    let words: Vec<&str> = last[..end].split_whitespace().collect();
    let cause = words.join(" ");
    let full = ["out of device memory", "out-of-memory", "allocate buffer"];
    let helps = match full.iter().any(|words| causes.contains(words)) {
        true => "it has no memory left: take a smaller --batch-size, or --device cpu",
        false => "try --device cpu",
    };
    Some(format!("the graphics processor failed: {cause}; {helps}"))
}

/// Without the readers of Parquet and Arrow no panic becomes an error.
#[cfg(not(feature = "arrow"))]
fn panics_are_errors() -> bool {
    false
}

/// Why the standard library could not print, if that is what the panic is about.
fn cause(info: &PanicHookInfo) -> Option<io::Error> {
    let message = info.payload_as_str()?;
    let (_, cause) = message
        .strip_prefix("failed printing to ")?
        .rsplit_once("(os error ")?;
    let number = cause.strip_suffix(')')?.parse().ok()?;
    Some(io::Error::from_raw_os_error(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_of_the_device_is_one_line() {
        let before =
            "Error while reading data: use `try_into_data` instead to catch the error at runtime: ";
        let message = |cause: &str| {
            format!(
                "{before}An error happened during execution\nCaused by:\n  Several failures at once\nCaused by:\n  {cause}\nBacktrace\nNo backtrace available"
            )
        };
        let shared =
            "Too many resources were requested during launch\nToo much shared memory requested.";
        assert_eq!(
            failure_of_device(&message(shared)).unwrap(),
            "the graphics processor failed: Too many resources were requested during launch Too much shared memory requested.; \
             try --device cpu"
        );
        let full = "out of device memory allocating 8 bytes\nNo backtrace available";
        assert_eq!(
            failure_of_device(&message(full)).unwrap(),
            "the graphics processor failed: out of device memory allocating 8 bytes; \
             it has no memory left: take a smaller --batch-size, or --device cpu"
        );
        assert_eq!(failure_of_device("index out of bounds"), None);
    }
}
