//! Where tables are written: files, and `-` for standard output.

use std::path::Path;

use anyhow::{Result, ensure};

use super::Common;

/// Whether a path stands for standard output.
pub fn is_standard(out: &Path) -> bool {
    out == Path::new("-")
}

/// The extension of a file, in small letters; standard output takes what a .csv file does.
pub fn extension(out: &Path) -> String {
    match is_standard(out) {
        true => "csv".to_owned(),
        false => out
            .extension()
            .unwrap_or_default()
            .to_string_lossy()
            .to_lowercase(),
    }
}

/// Refuses two things on standard output.
///
/// # Errors
/// If it is to have a table and JSON.
pub fn check(out: Option<&Path>, common: &Common) -> Result<()> {
    let both = common.json && out.is_some_and(is_standard);
    ensure!(
        !both,
        "--out -: standard output has the JSON of --json; name a file, or leave --json out"
    );
    Ok(())
}

/// Says how it went: on standard output, unless what was written is there.
pub fn say(out: Option<&Path>, common: &Common, line: &str) {
    match out.is_some_and(is_standard) {
        false => println!("{line}"),
        true if common.quiet => {}
        true => eprintln!("{line}"),
    }
}
