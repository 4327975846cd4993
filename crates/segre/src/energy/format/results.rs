//! Results in the formats of the UAI competitions: `.PR` and `.MAR`.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use crate::atomic;
use crate::energy::error::Result;

/// `PR` and `log₁₀ Z`, of `log_z` in nats.
pub fn partition_text(log_z: f64) -> String {
    format!("PR\n{}\n", log_z / std::f64::consts::LN_10)
}

/// `MAR`, the number of variables, and for each the number of states and their probabilities.
pub fn marginals_text(marginals: &[Vec<f64>]) -> String {
    let mut text = format!("MAR\n{}", marginals.len());
    let fine = "writing to a string cannot fail";
    for marginal in marginals {
        write!(text, " {}", marginal.len()).expect(fine);
        for probability in marginal {
            write!(text, " {probability}").expect(fine);
        }
    }
    text.push('\n');
    text
}

/// Writes `PREFIX.MAR`, and `PREFIX.PR` if there is a `log_z` (in nats); returns the files.
///
/// # Errors
/// [`FileError::Io`](crate::FileError::Io).
pub fn write_results(
    prefix: &Path,
    log_z: Option<f64>,
    marginals: &[Vec<f64>],
) -> Result<Vec<PathBuf>> {
    let with = |ending: &str| {
        let mut name = prefix.as_os_str().to_owned();
        name.push(ending);
        PathBuf::from(name)
    };
    let mut written = vec![with(".MAR")];
    atomic::write_bytes(&written[0], marginals_text(marginals).as_bytes())?;
    if let Some(log_z) = log_z {
        let path = with(".PR");
        atomic::write_bytes(&path, partition_text(log_z).as_bytes())?;
        written.push(path);
    }
    Ok(written)
}
