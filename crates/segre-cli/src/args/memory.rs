//! Sizes of memory as arguments, and the limit of a whole command.

use std::fs;
use std::process;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use anyhow::{Context, Result, ensure};
use segre::energy::exact::bytes_text;
use segre_kernels::allocator::{limit_memory, require_memory};

/// What the program itself may take besides: its tables, networks and buffers.
const OWN: u64 = 256 << 20;

/// Where Linux says how much memory a group of processes may take.
const GROUPS: [&str; 2] = [
    "/sys/fs/cgroup/memory.max",
    "/sys/fs/cgroup/memory/memory.limit_in_bytes",
];

/// Ends the program before it takes more memory than it may: as much as was said, or all that the computer has.
pub fn limit(said: Option<u64>) {
    let bytes = said.map(|bytes| bytes.saturating_add(OWN));
    if let Some(bytes) = bytes.or_else(of_computer) {
        limit_memory(bytes, refuse);
    }
}

/// Refuses so many things of so many bytes each before the work that would make them one by one.
pub fn refuse_beyond(things: usize, bytes_each: usize) {
    require_memory(things.saturating_mul(bytes_each));
}

/// Says what was asked for, and ends the program; files that were there stay as they are.
fn refuse(asked: u64, taken: u64) -> ! {
    static SAID: AtomicBool = AtomicBool::new(false);
    if SAID.swap(true, Ordering::SeqCst) {
        // Another thread says it.
        loop {
            thread::park();
        }
    }
    eprintln!(
        "error: this would take {} of memory beside {} that it has, more than it may; ask for less at a time (rows, samples, \
         chains), or allow more (--memory), up to what the computer has",
        bytes_text(asked as f64),
        bytes_text(taken as f64)
    );
    process::exit(1)
}

/// Bytes of memory that the computer has, or the group of processes may take; none where that is not known.
fn of_computer() -> Option<u64> {
    let all = fs::read_to_string("/proc/meminfo").ok()?;
    let total = all
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"))?;
    let total = total
        .trim()
        .strip_suffix("kB")?
        .trim()
        .parse::<u64>()
        .ok()?
        << 10;
    let group = GROUPS
        .iter()
        .filter_map(|path| fs::read_to_string(path).ok());
    let group = group.filter_map(|text| text.trim().parse().ok());
    Some(group.fold(total, u64::min))
}

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
