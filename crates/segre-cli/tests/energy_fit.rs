//! Models fitted to energy models: round trips, figures of a comparison, resumed runs, refusals.

#![allow(clippy::unwrap_used)]

mod common;

use common::{Room, number, stderr, stdout, with};
use serde_json::Value;

const GRID: &str = "ising:2x3,coupling=0.8,field=0.2";
/// A fit of a second or two.
const SMALL: [&str; 7] = [
    "--samples",
    "20000",
    "--steps",
    "250",
    "--draws",
    "128",
    "-q",
];

#[test]
fn a_randomised_flow_is_fitted_sampled_and_compared() {
    let room = Room::new();
    let fit = with(&["energy", "fit", GRID, "--out", "m"], &SMALL);
    let report = room.json(&fit);
    assert_eq!(
        (&report["steps"], &report["samples_from"]),
        (&250.into(), &"exact".into())
    );
    for file in [
        "config.json",
        "model.safetensors",
        "metrics.jsonl",
        "checkpoint.safetensors",
    ] {
        assert!(room.path("m").join(file).is_file(), "{file}");
    }
    let report = room.json(&["sample", "m", "-n", "50", "--out", "s.npz"]);
    assert_eq!(report["samples"], 50);
    room.succeed(&["sample", "m", "-n", "9", "--out", "s.png", "-q"]);
    room.succeed(&["sample", "m", "-n", "9", "--out", "s.csv", "-q"]);
    assert!(room.text("s.csv").starts_with("r0c0,r0c1,r0c2,r1c0"));
    let compare = ["energy", "compare", GRID, "m", "--samples", "50000", "-q"];
    let value = room.json(&compare);
    assert!(number(&value, "kl") < 0.05, "{value}");
    assert!(number(&value, "kl_std_error") < 0.01);
    assert!(number(&value, "marginal_error") < 0.02);
    assert!((number(&value, "energy") - number(&value, "target_energy")).abs() < 0.1);
    assert!((number(&value, "entropy") - number(&value, "target_entropy")).abs() < 0.1);
    assert!(number(&value["mean_field"], "kl") > 0.0);
    let text = stdout(&room.succeed(&compare));
    for part in ["randomized", "mean field", "bp", "exact", "KL"] {
        assert!(text.contains(part), "no {part} in {text}");
    }
    for asked in ["info", "evaluate"] {
        room.refuse(&[asked, "m"], &["randomized", "segre energy compare"]);
    }
    // Without log Z there is no KL, and the rest is still there.
    let value = room.json(&with(&compare, &["--memory", "1B"]));
    assert!(
        value["kl"].is_null() && value["target"] == "swendsen-wang",
        "{value}"
    );
    assert!(number(&value, "marginal_error") < 0.03);
}

#[test]
fn threads_and_interruptions_change_no_parameter() {
    let room = Room::new();
    let fit = |out: &str, further: &[&str]| {
        let words = [
            "energy",
            "fit",
            GRID,
            "--out",
            out,
            "--samples",
            "5000",
            "-q",
        ];
        room.succeed(&with(
            &with(&words, &["--steps", "60", "--draws", "64"]),
            further,
        ));
        room.bytes(&format!("{out}/model.safetensors"))
    };
    let one = fit("one", &["--threads", "1"]);
    assert_eq!(one, fit("two", &["--threads", "2"]));
    // A finished run goes on if it may do more; the schedule then ends later.
    let resumed = [
        "energy", "fit", GRID, "--out", "two", "--resume", "--steps", "80", "-q",
    ];
    room.succeed(&resumed);
    assert_ne!(one, room.bytes("two/model.safetensors"));
    let started = with(
        &["energy", "fit", GRID, "--out", "three", "--samples", "5000"],
        &["--steps", "3000", "--draws", "64"],
    );
    let running = {
        let mut running = room.start(&started);
        running.wait_for_log(&room.path("three/metrics.jsonl"));
        running.interrupt()
    };
    assert!(
        stderr(&running).contains("--resume"),
        "{}",
        stderr(&running)
    );
    room.succeed(&["sample", "three", "-n", "3", "--out", "s.npy", "-q"]);
}

#[test]
fn the_reverse_objective_needs_no_samples() {
    let room = Room::new();
    let words = [
        "energy",
        "fit",
        GRID,
        "--out",
        "m",
        "--objective",
        "reverse",
        "-q",
    ];
    let report = room.json(&with(&words, &["--steps", "200", "--draws", "128"]));
    assert!(report["samples_from"].is_null());
    let value = room.json(&["energy", "compare", GRID, "m", "--samples", "20000", "-q"]);
    assert!(number(&value, "kl") < 0.5, "{value}");
}

#[test]
fn a_network_is_fitted_to_samples() {
    let room = Room::new();
    let fit = |out: &'static str| {
        let words = ["energy", "fit", GRID, "--out", out, "--method", "neural"];
        with(&words, &["--samples", "6000", "--steps", "40", "-q"])
    };
    let report = room.json(&fit("n"));
    assert_eq!(report["steps"], 40);
    assert!(room.path("n.samples.csv").is_file());
    let value = room.json(&["energy", "compare", GRID, "n", "--samples", "5000", "-q"]);
    assert_eq!(value["method"], "neural");
    let kl = number(&value, "kl");
    assert!(kl < 0.1, "{value}");
    // Without the energy as prior the same steps teach less.
    let mut plain = fit("plain");
    plain.extend(["--prior", "marginals"].map(str::to_owned));
    room.succeed(&plain);
    let value = room.json(&[
        "energy",
        "compare",
        GRID,
        "plain",
        "--samples",
        "5000",
        "-q",
    ]);
    assert!(number(&value, "kl") > 2.0 * kl, "{kl}, {value}");
    let again = [
        "energy", "fit", GRID, "--out", "n", "--method", "neural", "--resume",
    ];
    room.refuse(
        &with(&again, &["--prior", "marginals"]),
        &["leave --prior out"],
    );
    room.succeed(&with(&again, &["--steps", "50", "-q"]));
    // Two variables that must differ.
    room.write("differ.uai", "MARKOV\n2\n2 2\n1\n2 0 1\n4 0 1 1 0\n");
    let words = [
        "energy",
        "fit",
        "differ.uai",
        "--out",
        "d",
        "--method",
        "neural",
    ];
    room.refuse(
        &with(&words, &["--prior", "beliefs"]),
        &["differ.uai", "impossible", "--prior marginals"],
    );
    room.succeed(&with(&words, &["--samples", "500", "--steps", "5", "-q"]));
}

#[test]
fn who_wants_a_model_of_another_kind_is_told_what_the_folder_holds() {
    let room = Room::new();
    let fit = |out, further: &[&str]| {
        let words = ["energy", "fit", "ising:2x2", "--out", out, "-q"];
        with(&words, further)
    };
    let (samples, steps) = (["--samples", "600"], ["--steps", "3"]);
    let neural = ["--method", "neural"];
    let blind = ["--method", "neural", "--data-free"];
    room.succeed(&with(&fit("flow", &samples), &steps));
    room.succeed(&with(&with(&fit("net", &neural), &samples), &steps));
    room.succeed(&with(&fit("blind", &blind), &steps));
    let kinds = [
        ("flow", "randomized", &[][..]),
        ("net", "data", &neural[..]),
        ("blind", "energy-data-free", &blind[..]),
    ];
    for (folder, kind, _) in kinds {
        let config: Value =
            serde_json::from_str(&room.text(&format!("{folder}/config.json"))).unwrap();
        assert_eq!(config["kind"], kind);
        assert_eq!(config["fingerprint"].is_null(), kind != "data");
        let refused = [folder, &format!("kind {kind}")];
        for (_, other, method) in kinds {
            let resume = with(&fit(folder, method), &["--resume"]);
            match other == kind {
                true => room.succeed(&resume).status.success(),
                false => !room.refuse(&resume, &refused).is_empty(),
            };
        }
        if kind != "data" {
            let resume = ["fit", "net.samples.csv", "--out", folder, "--resume"];
            room.refuse(&resume, &refused);
            room.refuse(&["evaluate", folder], &["segre energy compare"]);
        }
    }
    // A network is one whatever it learned.
    room.succeed(&["info", "blind"]);
    room.succeed(&[
        "score",
        "blind",
        "net.samples.csv",
        "--max-rounds",
        "1",
        "-q",
    ]);
    // What an earlier version wrote says no kind.
    let config = room.text("net/config.json");
    room.write(
        "net/config.json",
        config.replacen("\"kind\": \"data\",", "", 1),
    );
    for asked in ["info", "evaluate"] {
        room.refuse(&[asked, "net"], &["net", "earlier Segre", "fit again"]);
    }
}

#[test]
fn chains_and_files_give_samples_too() {
    let room = Room::new();
    let words = |out: &'static str, from: &'static str| {
        let words = ["energy", "fit", GRID, "--out", out, "--samples-from", from];
        with(&with(&words, &SMALL), &["--force"])
    };
    let report = room.json(&words("c", "chain"));
    assert_eq!(report["samples_from"], "chain");
    room.succeed(&["sample", "c", "-n", "200", "--out", "s.csv", "-q"]);
    let file = with(
        &[
            "energy",
            "fit",
            GRID,
            "--out",
            "f",
            "--samples-from",
            "s.npz",
        ],
        &["--steps", "5", "-q"],
    );
    room.refuse(&file, &["s.npz", "no file"]);
    room.succeed(&["sample", "c", "-n", "200", "--out", "s.npz", "-q"]);
    assert_eq!(room.json(&file)["samples"], 200);
}

#[test]
fn bad_input_is_refused_in_one_line() {
    let room = Room::new();
    let fit = |arguments: &[&str], fragments: &[&str]| {
        let all = with(&["energy", "fit"], arguments);
        room.refuse(&all, fragments);
    };
    fit(&[GRID, "--out", "m", "--method", "oracle"], &["oracle"]);
    fit(&["nowhere.uai", "--out", "m"], &["nowhere.uai", "path"]);
    fit(
        &[GRID, "--out", "m", "--end-time", "-1"],
        &["end time is -1", "positive"],
    );
    fit(
        &[
            GRID,
            "--out",
            "m",
            "--samples-from",
            "exact",
            "--memory",
            "1B",
        ],
        &["exact inference needs", "--samples-from chain"],
    );
    fit(
        &[
            GRID,
            "--out",
            "m",
            "--objective",
            "reverse",
            "--samples",
            "9",
        ],
        &["no samples"],
    );
    fit(
        &[GRID, "--out", "m", "--method", "neural", "--rank", "3"],
        &["--rank", "randomized"],
    );
    fit(&[GRID, "--out", "m", "--resume"], &["config.json"]);
    room.succeed(&with(
        &["energy", "fit", GRID, "--out", "m", "--steps", "3"],
        &["-q", "--samples", "50"],
    ));
    fit(&[GRID, "--out", "m"], &["exists", "--resume", "--force"]);
    fit(
        &[GRID, "--out", "m", "--resume", "--objective", "both"],
        &["--objective", "own settings"],
    );
    fit(&["ising:2x2", "--out", "m", "--resume"], &["was fitted to"]);
    room.refuse(
        &["energy", "compare", "ising:3x3", "m"],
        &["not fitted to the variables of ising:3x3"],
    );
    room.refuse(
        &["energy", "compare", GRID, "none"],
        &["none", "config.json"],
    );
    room.refuse(
        &[
            "sample",
            "m",
            "-n",
            "1",
            "--out",
            "x.npz",
            "--sampler",
            "rk4",
        ],
        &["one sampler"],
    );
    std::fs::write(room.path("m/model.safetensors"), b"damaged").unwrap();
    room.refuse(
        &["energy", "compare", GRID, "m"],
        &["model.safetensors", "damaged"],
    );
}
