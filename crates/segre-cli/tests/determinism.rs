//! Same seed, same result, whatever the number of threads; another seed, another result; nearly the same with fewer instructions.

#![allow(clippy::unwrap_used)] // a failed test is what an unwrap is for here

mod common;

use common::{Room, images, number, stdout, table, with};
use serde_json::Value;

/// Fits and samples; returns the model and the samples.
fn run(room: &Room, data: &str, name: &str, further: &[&str]) -> [Vec<u8>; 2] {
    let (out, samples) = (name.to_owned(), format!("{name}.npz"));
    let fit = with(
        &[
            "fit", data, "--out", &out, "-q", "--steps", "12", "--blocks", "1",
        ],
        further,
    );
    room.succeed(&fit);
    let options: Vec<&str> = further
        .chunks(2)
        .filter(|pair| pair[0] != "--hidden")
        .flatten()
        .copied()
        .collect();
    let sample = with(
        &[
            "sample", &out, "-n", "700", "--batch", "256", "-q", "--out", &samples,
        ],
        &options,
    );
    room.succeed(&sample);
    [
        room.bytes(&format!("{out}/model.safetensors")),
        room.bytes(&samples),
    ]
}

#[test]
fn threads_change_no_bit_of_a_table() {
    let room = Room::new();
    room.write("t.csv", table(300));
    let first = run(&room, "t.csv", "one", &["--seed", "3", "--threads", "1"]);
    let again = run(&room, "t.csv", "again", &["--seed", "3", "--threads", "1"]);
    let two = run(&room, "t.csv", "two", &["--seed", "3", "--threads", "2"]);
    let other = run(&room, "t.csv", "other", &["--seed", "4", "--threads", "1"]);
    for part in 0..2 {
        assert!(first[part] == again[part], "the same run twice differs");
        assert!(first[part] == two[part], "two threads differ from one");
        assert!(first[part] != other[part], "another seed changes nothing");
    }
    let scores = |threads: &str, seed: &str| {
        let fixed = [
            "score",
            "one",
            "t.csv",
            "-q",
            "--out",
            "scores.csv",
            "--threads",
            threads,
        ];
        room.succeed(&with(&fixed, &["--seed", seed]));
        room.bytes("scores.csv")
    };
    assert!(scores("1", "3") == scores("2", "3"), "scores differ");
    assert!(
        scores("1", "3") != scores("1", "4"),
        "another seed changes nothing"
    );
}

/// Wide enough for matrix products and the optimiser to be cut among threads.
#[test]
fn threads_change_no_bit_of_wide_networks() {
    let room = Room::new();
    let data = "product:c=40,n=12,rows=600";
    let one = run(&room, data, "one", &["--hidden", "256", "--threads", "1"]);
    let two = run(&room, data, "two", &["--hidden", "256", "--threads", "2"]);
    assert!(
        one[0].len() > 4 * (1 << 15) * 2,
        "{} bytes are too few",
        one[0].len()
    );
    assert!(one[0] == two[0], "the models differ");
    assert!(one[1] == two[1], "the samples differ");
}

#[test]
fn samples_repeat_with_every_sampler_and_any_batch() {
    let room = Room::new();
    room.write("t.csv", table(100));
    room.fit("t.csv", "model");
    let draw = |sampler: &str, further: &[&str]| {
        let fixed = [
            "sample",
            "model",
            "-n",
            "300",
            "--out",
            "s.csv",
            "-q",
            "--steps",
            "16",
            "--sampler",
        ];
        room.succeed(&with(&with(&fixed, &[sampler]), further));
        room.bytes("s.csv")
    };
    for sampler in [
        "ancestral",
        "localisation",
        "euler",
        "heun",
        "rk4",
        "dormand-prince",
    ] {
        let first = draw(sampler, &["--threads", "1"]);
        assert!(
            first == draw(sampler, &["--threads", "2"]),
            "{sampler}: threads"
        );
        assert!(first != draw(sampler, &["--seed", "8"]), "{sampler}: seed");
    }
}

#[test]
fn the_seed_of_the_fit_is_the_default_of_what_follows() {
    let room = Room::new();
    room.write("t.csv", table(100));
    room.succeed(&with(
        &["fit", "t.csv", "--out", "model", "--seed", "6", "-q"],
        &common::TINY,
    ));
    let draw = |further: &[&str]| {
        room.succeed(&with(
            &["sample", "model", "-n", "50", "--out", "s.csv", "-q"],
            further,
        ));
        room.bytes("s.csv")
    };
    assert!(
        draw(&[]) == draw(&["--seed", "6"]),
        "another seed than the fit's"
    );
    assert!(
        draw(&[]) != draw(&["--seed", "0"]),
        "the seed changes nothing"
    );
}

/// Commands, and what each writes; those before make what those after use.
const COMMANDS: [(&str, &str); 28] = [
    (
        "fit t.csv --out m --steps 12 --hidden 16 --blocks 1 --conditional any",
        "m/model.safetensors",
    ),
    (
        "fit i.npy --out u --network unet --channels 8 --steps 4 --batch-size 8",
        "u/model.safetensors",
    ),
    (
        "energy fit m.uai --out e --method neural --samples 400 --steps 10 --set network.hidden=16",
        "e/model.safetensors",
    ),
    (
        "energy fit m.uai --out a --method neural --data-free --steps 40 --set network.hidden=8",
        "a/model.safetensors",
    ),
    (
        "energy fit m.uai --out r --samples 400 --steps 50 --draws 64",
        "r/model.safetensors",
    ),
    ("sample m -n 300 --out s.csv", "s.csv"),
    ("sample u -n 30 --out s.npy", "s.npy"),
    ("sample a -n 300 --out a.csv", "a.csv"),
    ("score m t.csv --out o.csv", "o.csv"),
    ("score m t.csv --method chain --out o.csv", "o.csv"),
    ("score m t.csv --method orders --out o.csv", "o.csv"),
    ("score m t.csv --method importance --out o.csv", "o.csv"),
    ("score m t.csv --method auto --out o.csv", "o.csv"),
    ("score u i.npy --out o.csv", "o.csv"),
    ("evaluate m t.csv", ""),
    ("evaluate m --quality", ""),
    ("evaluate m --impute 0.3", ""),
    ("evaluate u", ""),
    ("impute m gaps.csv --out f.csv", "f.csv"),
    ("impute m gaps.csv --mode map --out f.csv", "f.csv"),
    ("predict m t.csv --target flag --out p.csv", "p.csv"),
    ("report m", "m/report.json"),
    ("energy infer ising:4x4 --method bp", ""),
    ("energy infer ising:4x4 --method mean-field", ""),
    ("energy infer ising:4x4 --method gibbs --sweeps 500", ""),
    (
        "energy infer ising:4x4 --method swendsen-wang --sweeps 500",
        "",
    ),
    ("energy compare m.uai e --samples 2000", ""),
    ("energy compare m.uai r --samples 2000", ""),
];

fn forget_time(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|name, _| !name.contains("seconds"));
            fields.values_mut().for_each(forget_time);
        }
        Value::Array(values) => values.iter_mut().for_each(forget_time),
        _ => {}
    }
}

fn without_time(text: &[u8]) -> String {
    let mut value: Value = serde_json::from_slice(text).unwrap();
    forget_time(&mut value);
    value.to_string()
}

#[test]
#[ignore = "takes a minute"]
fn threads_change_no_bit_of_what_any_command_says() {
    let room = Room::new();
    room.write("t.csv", table(200));
    room.write("gaps.csv", table(60).replace("red", "?"));
    room.write("i.npy", images(60));
    room.write(
        "m.uai",
        "MARKOV\n3\n2 2 2\n2\n2 0 1\n2 1 2\n4 3 1 1 3\n4 1 2 2 1\n",
    );
    for (command, file) in COMMANDS {
        let words: Vec<&str> = command.split_whitespace().collect();
        let mut fixed = vec!["--json", "--quiet", "--seed", "3", "--threads"];
        if words.contains(&"fit") {
            fixed.insert(0, "--force");
        }
        let [one, two, seven] = ["1", "2", "7"].map(|threads| {
            let said = stdout(&room.succeed(&with(&with(&words, &fixed), &[threads])));
            let said = match said.is_empty() {
                true => said,
                false => without_time(said.as_bytes()),
            };
            let written = match file {
                "" => Vec::new(),
                json if json.ends_with(".json") => without_time(&room.bytes(json)).into_bytes(),
                file => room.bytes(file),
            };
            (said, written)
        });
        for (threads, other) in [(2, &two), (7, &seven)] {
            let [own, others] = [&one.0, &other.0];
            assert!(
                own == others,
                "{command}: {threads} threads say {others}, one {own}"
            );
            assert!(
                one.1 == other.1,
                "{command}: {threads} threads write another {file}"
            );
        }
    }
}

/// Sums in another order differ in their last bits: results of fewer instructions are within a millionth.
#[test]
fn levels_of_instructions_change_no_result_by_more_than_a_millionth() {
    let room = Room::new();
    room.write("t.csv", table(200));
    let results = ["plain", "avx2", "avx512"].map(|level| {
        let run = |words: &str| {
            let words: Vec<&str> = words.split_whitespace().collect();
            let words = with(&words, &["--json", "--quiet", "--seed", "3"]);
            let output = room.command(&words).env("SEGRE_SIMD", level).output();
            let said = output.unwrap().stdout;
            serde_json::from_slice::<Value>(&said).unwrap_or_else(|_| panic!("{words:?}"))
        };
        let table = run("fit t.csv --out m --force --steps 12 --hidden 16 --blocks 1");
        let pictures =
            run("fit digits --out u --force --network unet --channels 8 --steps 3 --batch-size 16");
        let score = run("score m t.csv");
        [
            number(&table, "test_bits_per_dim"),
            number(&pictures, "test_bits_per_dim"),
            number(&score, "nats"),
        ]
    });
    for other in &results[1..] {
        for (plain, other) in results[0].iter().zip(other) {
            assert!((plain - other).abs() < 1e-6 * plain.abs(), "{results:?}");
        }
    }
}
