//! Readers under fire: files of every format, damaged at random. Each is read or refused in one line that names it, within a
//! second of the processor and bounded memory, and never with a panic.
//!
//! `SEGRE_FIRE=1000000 cargo test --release --workspace --locked --test fire -- --nocapture` tries as many of each format, and
//! `SEGRE_FIRE_FROM=10000` begins with others. Energies have tests of their own kind in `tests/energy/damage.rs`.

#![allow(clippy::unwrap_used)] // a failed test is what an unwrap is for here

mod damage;
mod formats;

use std::collections::BTreeMap;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use damage::damage;
use formats::Format;

/// Damaged files of each format.
const INPUTS: u64 = 1_000;
/// What reading one may take of the processor.
const MOST_SECONDS: f64 = 1.0;
/// What reading one may take of memory, beside ten times the file.
const MOST_BYTES: u64 = 64 << 20;
/// Whether a damaged file is being tried.
static TRYING: AtomicBool = AtomicBool::new(false);
/// Inputs between looks at the memory.
const BATCH: u64 = 100;

#[test]
fn damaged_files_are_read_or_refused_and_nothing_else() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
    let from = number("SEGRE_FIRE_FROM").unwrap_or(0);
    let folder =
        PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("fire-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let mut faults = BTreeMap::new();
    for format in formats::all(&folder) {
        let inputs = number("SEGRE_FIRE").unwrap_or(INPUTS) / format.effort;
        faults.extend(fire(&format, from, inputs));
    }
    fs::remove_dir_all(&folder).unwrap();
    assert!(faults.is_empty(), "{faults:#?}");
}

/// Tries a format; what is wrong, each kind once.
fn fire(format: &Format, from: u64, inputs: u64) -> BTreeMap<String, String> {
    let (mut refused, mut largest, mut slowest) = (0, 0, 0.0_f64);
    let mut faults = BTreeMap::new();
    let usual = take_hook();
    // What is said of a panic is said below; this test's own are told as usual.
    set_hook(Box::new(move |info| {
        if !TRYING.load(Ordering::SeqCst) {
            usual(info);
        }
    }));
    let mut before = most_memory();
    for input in from..from + inputs {
        let mut rng = ChaCha8Rng::seed_from_u64(input);
        let valid = &format.valid[input as usize % format.valid.len()];
        let bytes = match input < from + format.valid.len() as u64 {
            true => valid.clone(),
            false => damage(valid, format.packed, &mut rng),
        };
        // If the process ends here, this file is left.
        fs::write(&format.file, &bytes).unwrap();
        largest = largest.max(bytes.len() as u64);
        let mut fault = |kind: &str, more: &str| {
            let kind = format!("{}: {:.100}", format.name, kind);
            let count = faults.len();
            let kept = || keep(&format.file, count);
            let told = || {
                format!(
                    "input {input}, {} bytes, {more:.1000} ({})",
                    bytes.len(),
                    kept()
                )
            };
            faults.entry(kind).or_insert_with(told);
        };
        let started = seconds_computed();
        TRYING.store(true, Ordering::SeqCst);
        let tried = catch_unwind(AssertUnwindSafe(|| (format.attempt)()));
        TRYING.store(false, Ordering::SeqCst);
        let seconds = seconds_computed() - started;
        slowest = slowest.max(seconds);
        if seconds > MOST_SECONDS {
            fault("slow", &format!("{seconds:.1} s"));
        }
        let said = tried.unwrap_or_else(|panic| {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text
                .or(panic.downcast_ref::<&str>().copied())
                .unwrap_or("?");
            fault(&format!("panic: {text}"), text);
            Vec::new()
        });
        for message in &said {
            if message.contains('\n') {
                fault("a message of several lines", message);
            }
            if !names(message, &format.file) {
                fault(&format!("a message without a name: {message}"), message);
            }
        }
        refused += u64::from(!said.is_empty());
        if (input + 1).is_multiple_of(BATCH) {
            let most = most_memory();
            let grown = most.saturating_sub(before);
            if grown > MOST_BYTES + 10 * largest {
                fault(
                    "memory",
                    &format!("{} MiB, this or one of {BATCH} before", grown >> 20),
                );
            }
            (before, largest) = (most, 0);
        }
    }
    drop(take_hook());
    println!(
        "{}: {inputs} inputs, {refused} refused, slowest {slowest:.3} s",
        format.name
    );
    assert!(
        inputs < 1000 || refused > inputs / 20,
        "{}: {refused} refused",
        format.name
    );
    faults
}

/// A message names the file, or the folder it is in.
fn names(message: &str, file: &Path) -> bool {
    let name = |path: &Path| path.file_name().unwrap().to_string_lossy().into_owned();
    let folder = name(file.parent().unwrap());
    message.contains(&name(file)) || message.contains(&folder)
}

/// Keeps a file to look at.
fn keep(file: &Path, number: usize) -> String {
    let name = format!("{number}-{}", file.file_name().unwrap().to_string_lossy());
    let kept = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("found-{name}"));
    fs::copy(file, &kept).unwrap();
    kept.display().to_string()
}

/// Seconds of the processor that this thread has used, where the system says.
fn seconds_computed() -> f64 {
    let text = fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = text.split_whitespace().next().map(str::parse::<f64>);
    nanoseconds.and_then(Result::ok).unwrap_or(0.0) * 1e-9
}

/// Most memory that this process has held, where the system says.
fn most_memory() -> u64 {
    let text = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kilobytes.unwrap_or(0) << 10
}
