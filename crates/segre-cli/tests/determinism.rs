//! Same seed, same result, whatever the number of threads; another seed, another result.

mod common;

use common::{Room, table, with};

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
