//! Results as texts that are equal if the results are: no wall times, contents in place of containers.

use std::fmt::Write;
use std::io::Cursor;
use std::path::Path;
use std::process::Output;

use serde_json::Value;

/// What a command printed; with the message and the exit code if it failed.
pub fn printed(output: &Output, json: bool) -> String {
    let text = String::from_utf8_lossy(&output.stdout);
    let mut text = if json && output.status.success() {
        lines_of_json(&text)
    } else {
        without_times(&text)
    };
    if !output.status.success() {
        let code = output.status.code();
        let message = String::from_utf8_lossy(&output.stderr);
        write!(text, "exit code {code:?}\n{message}").unwrap();
    }
    text
}

/// What a file contains. Of pictures only that they are there: how they are drawn is nobody's data.
pub fn file(path: &Path, bytes: &[u8]) -> String {
    let extension = path.extension().unwrap_or_default().to_string_lossy();
    let text = || String::from_utf8_lossy(bytes).into_owned();
    match &*extension {
        "png" => "a picture\n".to_owned(),
        "json" => {
            let value = serde_json::from_slice(bytes).expect("JSON");
            pretty(&timeless(value))
        }
        "jsonl" => lines_of_json(&text()),
        "safetensors" => tensors(bytes),
        "npy" => array(npyz::NpyFile::new(bytes).expect("an array")),
        "npz" => {
            let mut archive = npyz::npz::NpzArchive::new(Cursor::new(bytes)).expect("an archive");
            let names: Vec<String> = archive.array_names().map(str::to_owned).collect();
            let each = names.iter().map(|name| {
                let found = archive.by_name(name).expect("an array");
                format!("{name}\n{}", array(found.expect("its name is listed")))
            });
            each.collect()
        }
        "csv" | "tsv" => without_columns(&text(), &[',', '\t']),
        "md" => without_times(&without_columns(&text(), &['|'])),
        _ => text(),
    }
}

fn pretty(value: &Value) -> String {
    let mut text = serde_json::to_string_pretty(value).expect("a value is plain data");
    text.push('\n');
    text
}

/// Every line an object.
fn lines_of_json(text: &str) -> String {
    let parse = |line: &str| serde_json::from_str(line).expect("one JSON value on each line");
    text.lines()
        .map(|line| pretty(&timeless(parse(line))))
        .collect()
}

/// Without numbers that are wall times, by their names.
fn timeless(value: Value) -> Value {
    match value {
        Value::Object(entries) => {
            let kept = entries.into_iter().filter(|(name, value)| {
                !(value.is_number() && (name.contains("second") || name == "minutes"))
            });
            Value::Object(kept.map(|(name, value)| (name, timeless(value))).collect())
        }
        Value::Array(values) => Value::Array(values.into_iter().map(timeless).collect()),
        // A title, or JSON within JSON.
        value => value,
    }
}

/// `12 s` and `0.31 s` become `… s`.
fn without_times(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(place) = rest.find(" s") {
        let (head, tail) = rest.split_at(place);
        let number = head.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
        let unit = !tail[2..].starts_with(char::is_alphanumeric);
        if unit && number.len() < head.len() {
            out += number;
            out.push('…');
        } else {
            out += head;
        }
        out += " s";
        rest = &tail[2..];
    }
    out + rest
}

/// A table without the columns whose heading speaks of seconds.
fn without_columns(text: &str, delimiters: &[char]) -> String {
    let mut dropped: Vec<usize> = Vec::new();
    let mut out = String::new();
    for line in text.lines() {
        let cells = cells(line, delimiters);
        if line.contains("seconds") && cells.len() > 1 {
            let named = cells.iter().enumerate();
            let named = named.filter(|(_, cell)| cell.contains("second"));
            dropped = named.map(|(place, _)| place).collect();
        }
        if dropped.is_empty() || cells.len() == 1 {
            out += line;
        } else {
            let kept = cells.iter().enumerate();
            let kept = kept.filter(|(place, _)| !dropped.contains(place));
            let kept: Vec<&str> = kept.map(|(_, cell)| *cell).collect();
            out += &kept.join("|");
        }
        out.push('\n');
    }
    out
}

/// Parts of a line between delimiters that are not quoted.
fn cells<'a>(line: &'a str, delimiters: &[char]) -> Vec<&'a str> {
    let mut quoted = false;
    let ends = |c: char| {
        quoted ^= c == '"';
        !quoted && delimiters.contains(&c)
    };
    line.split(ends).collect()
}

/// Labels, one line for each row.
fn array<R: std::io::Read>(file: npyz::NpyFile<R>) -> String {
    let shape = file.shape().to_vec();
    let labels: Vec<u16> = file.into_vec().expect("16-bit labels");
    let row = (shape[1..].iter().product::<u64>() as usize).max(1);
    let mut text = format!("{shape:?}\n");
    for labels in labels.chunks(row) {
        let words: Vec<String> = labels.iter().map(u16::to_string).collect();
        text += &words.join(" ");
        text.push('\n');
    }
    text
}

/// Name, shape, mean and root mean square of every tensor, and a hash of its bytes; what stands beside the tensors.
fn tensors(bytes: &[u8]) -> String {
    let length = u64::from_le_bytes(bytes[..8].try_into().expect("8 bytes")) as usize;
    let header: Value = serde_json::from_slice(&bytes[8..8 + length]).expect("a header");
    let contents = &bytes[8 + length..];
    let mut text = String::new();
    for (name, entry) in header.as_object().expect("an object") {
        if name == "__metadata__" {
            // A checksum of the contents, a space, JSON.
            let said = entry["segre"].as_str().unwrap_or_default();
            let (_, beside) = said.split_once(' ').unwrap_or_default();
            if let Ok(beside) = serde_json::from_str(beside) {
                text += &pretty(&timeless(beside));
            }
            continue;
        }
        let place =
            |index: usize| entry["data_offsets"][index].as_u64().expect("an offset") as usize;
        let own = &contents[place(0)..place(1)];
        let values = own
            .as_chunks::<4>()
            .0
            .iter()
            .map(|b| f64::from(f32::from_le_bytes(*b)));
        let count = (own.len() / 4).max(1) as f64;
        let mean = values.clone().sum::<f64>() / count;
        let size = (values.map(|value| value * value).sum::<f64>() / count).sqrt();
        let (kind, shape, hash) = (&entry["dtype"], &entry["shape"], hash(own));
        writeln!(
            text,
            "{name} {kind} {shape} mean {mean:e} size {size:e} hash:{hash:016x}"
        )
        .unwrap();
    }
    text
}

/// FNV-1a, 64 bits: http://www.isthe.com/chongo/tech/comp/fnv/.
fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[test]
fn wall_times_are_left_out() {
    assert_eq!(
        without_times("4 steps in 0.31 s (9 s)"),
        "4 steps in … s (… s)"
    );
    assert_eq!(without_times("7 sites and more s"), "7 sites and more s");
    let table = "name,\"p(0,1)\",seconds,kl\nx,1,2,3\n";
    assert_eq!(
        without_columns(table, &[',']),
        "name|\"p(0,1)\"|kl\nx|1|3\n"
    );
    let value = serde_json::json!({"seconds": 1.5, "rows": [{"training_seconds": 2, "kl": 3}], "time": "9 seconds"});
    let kept = serde_json::json!({"rows": [{"kl": 3}], "time": "9 seconds"});
    assert_eq!(timeless(value), kept);
}
