//! The kinds of runs that are killed, what goes on with them, and what of a folder must not differ.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::common::{Room, images, table, with};

/// A kind of run: what begins it and what goes on with it, but for the folder.
pub struct Kind {
    pub name: &'static str,
    begin: &'static str,
    go_on: &'static str,
}

pub const TABLE: Kind = Kind {
    name: "table",
    begin: "fit t.csv --steps 60 --hidden 16 --blocks 1 --set training.patience=99",
    go_on: "fit t.csv",
};
pub const PICTURES: Kind = Kind {
    name: "pictures, UNet",
    begin: "fit i.npy --network unet --channels 8 --steps 12 --batch-size 8 --set training.patience=99",
    go_on: "fit i.npy",
};
pub const SAMPLES: Kind = Kind {
    name: "energy, from samples",
    begin: "energy fit m.uai --method neural --samples 400 --steps 30 --set network.hidden=16 --set network.blocks=1 \
            --set training.patience=99",
    go_on: "energy fit m.uai --method neural",
};
pub const ALONE: Kind = Kind {
    name: "energy, without data",
    begin: "energy fit m.uai --method neural --data-free --steps 60 --set network.hidden=8",
    go_on: "energy fit m.uai --method neural --data-free",
};
pub const RANDOMISED: Kind = Kind {
    name: "energy, randomised",
    begin: "energy fit m.uai --samples 2000 --steps 300 --draws 64",
    go_on: "energy fit m.uai",
};
pub const EXPERIMENT: Kind = Kind {
    name: "experiment",
    begin: "experiment run coupled-binary --quick",
    go_on: "experiment run coupled-binary --quick",
};

/// What the runs learn from.
pub fn room() -> Room {
    let room = Room::new();
    room.write("t.csv", table(200));
    room.write("i.npy", images(60));
    room.write(
        "m.uai",
        "MARKOV\n3\n2 2 2\n2\n2 0 1\n2 1 2\n4 3 1 1 3\n4 1 2 2 1\n",
    );
    room
}

/// The folder of every run: a run's settings name what lies beside it.
pub const OUT: &str = "out";

impl Kind {
    pub fn begin(&self) -> Vec<String> {
        self.words(self.begin, &["--seed", "3"])
    }

    /// The run goes on; one that was killed before it had settings begins again.
    pub fn go_on(&self, room: &Room) -> Vec<String> {
        let settings = ["config.json", "results.json"].map(|name| room.path(OUT).join(name));
        match settings.iter().any(|path| path.is_file()) {
            true => self.words(self.go_on, &["--resume"]),
            false => with(&self.begin(), &["--force"]),
        }
    }

    /// Speed is not what is tested: one thread leaves the others to other kinds.
    fn words(&self, command: &str, further: &[&str]) -> Vec<String> {
        let words: Vec<&str> = command.split_whitespace().collect();
        let fixed = ["--out", OUT, "--quiet", "--threads", "1"];
        with(&with(&words, &fixed), further)
    }
}

/// All that a run has left in its folder and beside it, by name, but for what a clock has said.
pub fn left(room: &Room) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let files = |folder: &Path| fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    let beside =
        files(&room.path("")).filter(|entry| entry.file_name().to_string_lossy().contains(OUT));
    for entry in files(&room.path(OUT)).chain(beside) {
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.path().is_file() {
            let bytes = without_clock(&name, fs::read(entry.path()).unwrap());
            found.insert(name, bytes);
        }
    }
    found
}

/// The bytes of a file without the seconds in it.
fn without_clock(name: &str, bytes: Vec<u8>) -> Vec<u8> {
    let json = |text: &str| {
        let mut value: Value = serde_json::from_str(text).unwrap();
        forget_time(&mut value);
        value.to_string()
    };
    match name {
        "metrics.jsonl" => {
            let text = String::from_utf8(bytes).unwrap();
            let lines: Vec<String> = text.lines().map(json).collect();
            lines.join("\n").into_bytes()
        }
        "results.json" => json(&String::from_utf8(bytes).unwrap()).into_bytes(),
        // The state of the run is text in the head of the file, behind a checksum of all.
        "checkpoint.safetensors" => {
            let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
            let (head, tensors) = bytes[8..].split_at(length);
            let mut head: Value = serde_json::from_slice(head.trim_ascii_end()).unwrap();
            let state = head["__metadata__"]["segre"].take();
            let (_, state) = state.as_str().unwrap().split_once(' ').unwrap();
            [head.to_string().as_bytes(), json(state).as_bytes(), tensors].concat()
        }
        // Its numbers are those of `results.json`, beside how long they took.
        "results.csv" | "REPORT.md" => Vec::new(),
        _ => bytes,
    }
}

fn forget_time(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            // A run that went on was asked for in other words.
            fields.retain(|name, _| !name.ends_with("seconds") && name != "command");
            fields.values_mut().for_each(forget_time);
        }
        Value::Array(values) => values.iter_mut().for_each(forget_time),
        _ => {}
    }
}
