//! What happens when what is printed cannot be written: a reader that has left ends the command quietly, a full disk in one line.

use std::io::{self, ErrorKind, Write};
use std::panic::{self, PanicHookInfo};
use std::process;

#[cfg(feature = "arrow")]
use segre::data::panics_are_errors;

/// Exit code of a program whose reader has left, as the shell reports SIGPIPE.
const READER_LEFT: i32 = 141;

/// Ends the process where a failed `println!` would end in a panic.
///
/// All commands print with it, at the end of their work; this hook is the one place that all of that goes through.
pub fn end_when_unwritable() {
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
        None => usual(info),
    }));
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
