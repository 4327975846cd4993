//! Sizes of memory as arguments.

use anyhow::{Context, Result, ensure};

/// `4GiB`, `512MiB`, `2GB` or a number of bytes.
pub fn memory(text: &str) -> Result<u64> {
    let unit_at = text.find(|c: char| c.is_ascii_alphabetic());
    let (number, unit) = text.split_at(unit_at.unwrap_or(text.len()));
    let bytes: f64 = match unit.to_lowercase().as_str() {
        "" | "b" => 1.0,
        "k" | "kib" => 1024.0,
        "m" | "mib" => 1024_f64.powi(2),
        "g" | "gib" => 1024_f64.powi(3),
        "kb" => 1e3,
        "mb" => 1e6,
        "gb" => 1e9,
        _ => anyhow::bail!("{unit:?} is no unit of memory; use MiB or GiB"),
    };
    let number: f64 = number
        .trim()
        .parse()
        .context("write memory as 512MiB or 4GiB")?;
    let total = number * bytes;
    ensure!(
        (1.0..=1e15).contains(&total),
        "memory must be at least a byte and at most 1e15 bytes"
    );
    Ok(total as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_has_units() {
        assert_eq!(memory("4GiB").unwrap(), 4 << 30);
        assert_eq!(memory("1.5MiB").unwrap(), 3 << 19);
        assert_eq!(memory("1000").unwrap(), 1000);
        for bad in ["", "GiB", "-1GiB", "4 bananas", "nan", "1e300GiB", "0"] {
            assert!(memory(bad).is_err(), "{bad}");
        }
    }
}
