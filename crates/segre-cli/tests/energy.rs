//! Energy models in the command line: results, files, hints, and refusals in one line.

#![allow(clippy::unwrap_used)]

mod common;

use common::{Room, number, stderr, stdout};

/// x0 prefers 1, and x1 equals x0 mostly; the last state of x1 excludes 0.
const NETWORK: &str = "MARKOV\n2\n2 3\n2\n1 0\n2 0 1\n\n2\n 0.5 2\n\n6\n 1 2 0\n 4 3 6\n";

#[test]
fn published_figures_of_the_grid_are_printed() {
    let room = Room::new();
    let text = stdout(&room.succeed(&["energy", "infer", "ising:3x8", "--quiet"]));
    for part in [
        "5.136200 nats",
        "exact",
        "-1.5395 nats",
        "3.5967 nats",
        "0.9851 0.0149",
    ] {
        assert!(text.contains(part), "no {part} in {text}");
    }
    let arguments = [
        "energy",
        "infer",
        "ising:3x8",
        "--method",
        "mean-field",
        "--compare",
    ];
    let value = room.json(&arguments);
    assert_eq!(value["method"], "mean-field");
    assert_eq!(value["exact"], false);
    assert_eq!(value["log_z_kind"], "lower-bound");
    let comparison = &value["compared_with_exact"];
    assert!((number(comparison, "kl") - 1.968).abs() < 5e-4);
    assert!((number(comparison, "mean_marginal_error") - 0.1979).abs() < 5e-5);
}

#[test]
fn json_has_its_keys_for_every_method() {
    let room = Room::new();
    let model = "potts:3x3,c=3,coupling=0.6,field=0.4";
    for method in [
        "auto",
        "exact",
        "mean-field",
        "bp",
        "gibbs",
        "swendsen-wang",
    ] {
        let value = room.json(&["energy", "infer", model, "--method", method]);
        for key in [
            "method",
            "exact",
            "log_z",
            "log10_z",
            "marginals",
            "report",
            "seconds",
        ] {
            assert!(value.get(key).is_some(), "{method}: no {key}");
        }
        let exact = matches!(method, "auto" | "exact");
        assert_eq!(value["exact"], exact, "{method}");
        let marginals = value["marginals"].as_array().unwrap();
        assert_eq!(marginals.len(), 9);
        for marginal in marginals {
            let states = marginal.as_array().unwrap();
            assert_eq!(states.len(), 3);
            let sum: f64 = states.iter().map(|p| p.as_f64().unwrap()).sum();
            assert!((sum - 1.0).abs() < 1e-9, "{method}: {sum}");
        }
        let chains = matches!(method, "gibbs" | "swendsen-wang");
        assert_eq!(value["log_z"].is_null(), chains, "{method}");
    }
}

#[test]
fn evidence_beside_a_model_is_mentioned_and_used_only_when_asked_for() {
    let room = Room::new();
    room.write("m.uai", NETWORK);
    room.write("m.uai.evid", "1\n1 1 2\n");
    let plain = room.succeed(&["energy", "infer", "m.uai", "--json"]);
    assert!(
        stderr(&plain).contains("m.uai.evid is not used"),
        "{}",
        stderr(&plain)
    );
    let plain: serde_json::Value = serde_json::from_str(&stdout(&plain)).unwrap();
    // 0.5 (1 + 2) + 2 (4 + 3 + 6)
    assert!((number(&plain, "log_z") - 27.5_f64.ln()).abs() < 1e-12);
    let arguments = [
        "energy",
        "infer",
        "m.uai",
        "--evidence",
        "m.uai.evid",
        "--uai-out",
        "out",
    ];
    let given = room.json(&arguments);
    assert!((number(&given, "log_z") - 12_f64.ln()).abs() < 1e-12);
    assert!((number(&given, "log10_z") - 12_f64.log10()).abs() < 1e-12);
    assert_eq!(
        given["marginals"],
        serde_json::json!([[0.0, 1.0], [0.0, 0.0, 1.0]])
    );
    assert_eq!(room.text("out.MAR"), "MAR\n2 2 0 1 3 0 0 1\n");
    let partition = room.text("out.PR");
    let (_, value) = partition.trim_end().split_once('\n').unwrap();
    assert!((value.parse::<f64>().unwrap() - 12_f64.log10()).abs() < 1e-12);
    // Without log Z there is no .PR.
    room.succeed(&[
        "energy",
        "infer",
        "m.uai",
        "--method",
        "gibbs",
        "-q",
        "--uai-out",
        "g",
    ]);
    assert!(room.path("g.MAR").exists() && !room.path("g.PR").exists());
}

#[test]
fn auto_says_why_it_is_not_exact() {
    let room = Room::new();
    let model = "ising:12x12,coupling=0.4";
    let output = room.succeed(&["energy", "infer", model, "--memory", "1KiB", "--json"]);
    assert!(stderr(&output).contains("using bp"), "{}", stderr(&output));
    let value: serde_json::Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert_eq!(
        (&value["method"], &value["exact"]),
        (&"bp".into(), &false.into())
    );
    assert!(
        value["not_exact_because"]
            .as_str()
            .unwrap()
            .contains("1.0 KiB")
    );
    let arguments = [
        "energy", "infer", model, "--memory", "1KiB", "--method", "exact",
    ];
    room.refuse(&arguments, &["width 1", "budget of 1.0 KiB", "bp"]);
}

#[test]
fn a_model_is_described() {
    let room = Room::new();
    room.write("m.uai", NETWORK);
    let value = room.json(&["energy", "info", "m.uai"]);
    assert_eq!(number(&value, "variables") as usize, 2);
    assert_eq!(number(&value, "factors") as usize, 2);
    assert_eq!(number(&value, "zero_entries") as usize, 1);
    assert_eq!(
        (&value["fits"], &value["ferromagnetic_potts"]),
        (&true.into(), &false.into())
    );
    let text = stdout(&room.succeed(&["energy", "info", "potts:30x30,c=4"]));
    assert!(text.contains("does not fit 4.0 GiB"), "{text}");
}

#[test]
fn the_same_seed_gives_the_same_result_for_any_number_of_threads() {
    let room = Room::new();
    for method in ["gibbs", "mean-field", "swendsen-wang"] {
        let run = |seed: &str, threads: &str| {
            let model = "ising:4x4,coupling=0.5,field=0.3";
            let value = room.json(&[
                "energy",
                "infer",
                model,
                "--method",
                method,
                "--seed",
                seed,
                "--threads",
                threads,
            ]);
            (value["marginals"].clone(), value["report"].clone())
        };
        assert_eq!(run("1", "1"), run("1", "2"), "{method}");
        if method != "mean-field" {
            assert_ne!(run("1", "1"), run("2", "1"), "{method}");
        }
    }
}

#[test]
fn bad_input_is_refused_in_one_line() {
    let room = Room::new();
    room.write("m.uai", NETWORK);
    room.write("short.uai", &NETWORK[..40]);
    room.write("negative.uai", NETWORK.replace("0.5 2", "0.5 -2"));
    room.write("zero.uai", NETWORK.replace("0.5 2", "0 0"));
    room.write("range.evid", "1 1 3");
    room.write("impossible.evid", "2 0 0 1 2");
    room.write("m.txt", NETWORK);
    let infer = |arguments: &[&str], fragments: &[&str]| {
        let mut all = vec!["energy", "infer"];
        all.extend(arguments);
        room.refuse(&all, fragments);
    };
    infer(&["nowhere.uai"], &["\"nowhere.uai\"", "ising:3x8", "path"]);
    infer(&["m.txt"], &["m.txt", ".uai", ".fg"]);
    infer(&["short.uai"], &["short.uai:", "ends after", "truncated"]);
    infer(
        &["negative.uai"],
        &["negative.uai:9:", "token 13", "\"-2\""],
    );
    infer(
        &["zero.uai"],
        &["zero.uai:9:", "factor 0", "no configuration"],
    );
    infer(
        &["m.uai", "--evidence", "range.evid"],
        &["range.evid:1:", "\"3\"", "below 3"],
    );
    let impossible = ["impossible.evid", "Z = 0", "factor 1"];
    infer(&["m.uai", "--evidence", "impossible.evid"], &impossible);
    infer(
        &["m.uai", "--evidence", "none.evid"],
        &["none.evid", "cannot read"],
    );
    infer(&["ising:3"], &["size=\"3\"", "3x8"]);
    infer(&["ising:3x8,beta=2"], &["\"beta\"", "coupling"]);
    infer(
        &["m.uai", "--method", "swendsen-wang"],
        &["ferromagnetic", "factor 1"],
    );
    infer(
        &["ising:3x8", "--method", "bp", "--damping", "1"],
        &["damping is 1"],
    );
    infer(
        &["ising:3x8", "--method", "exact", "--chains", "2"],
        &["--chains", "gibbs"],
    );
    infer(
        &["ising:3x8", "--method", "gibbs", "--sweeps", "0"],
        &["--sweeps is 0"],
    );
    infer(&["ising:3x8", "--memory", "4 bananas"], &["4 bananas"]);
    infer(
        &["ising:3x8", "--uai-out", "short.uai/out"],
        &["cannot write"],
    );
    room.refuse(&["energy", "info", "short.uai"], &["short.uai:"]);
}
