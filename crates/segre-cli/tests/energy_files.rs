//! What users' files do to `segre energy`: right values from odd ones, refusals of impossible ones, warnings of doubtful answers.

#![allow(clippy::unwrap_used)] // a failed test is what an unwrap is for here

mod common;

use common::{Room, number, stderr, stdout};
use serde_json::Value;

/// `log Z` and all marginals, within 1e-9.
#[track_caller]
fn assert_found(found: &Value, log_z: f64, marginals: &[&[f64]]) {
    let own = number(found, "log_z");
    assert!((own - log_z).abs() < 1e-9, "log Z {own}, not {log_z}");
    let all = found["marginals"].as_array().unwrap();
    assert_eq!(all.len(), marginals.len());
    for (own, expected) in all.iter().zip(marginals) {
        let own = own.as_array().unwrap().iter().map(|p| p.as_f64().unwrap());
        for (own, expected) in own.zip(*expected) {
            assert!((own - expected).abs() < 1e-9, "{own}, not {expected}");
        }
    }
}

/// Tabs, an entry a line, blank lines, exponents, cliques of one variable, the end of lines of other systems.
#[test]
fn layouts_of_other_programs_are_read() {
    let room = Room::new();
    let text = "MARKOV\n3\n2 2 3\n5\n1\t0\n1\t1\n1\t2\n2\t0\t1\n2\t1\t2\n\n2\n1.2500e+00\n5.000e-01 \n\n\n2\n3\n2\n\n3\n0.7\n1.1\n.2\n\
                \n4\n0.5 2\n1.5 0.25\n\n6\n1 2 3\n4 5 6\n\n\n";
    room.write("lines.uai", text);
    room.write(
        "windows.uai",
        format!("\u{feff}{}", text.replace('\n', "\r\n")),
    );
    for file in ["lines.uai", "windows.uai"] {
        assert_found(
            &room.json(&["energy", "infer", file]),
            4.163754013594269,
            &[
                &[0.840621963071, 0.159378036929],
                &[0.224489795918, 0.775510204082],
                &[0.273469387755, 0.590087463557, 0.136443148688],
            ],
        );
    }
}

/// The order of the scope is that of the table, also where a parent of a larger number comes first.
#[test]
fn conditional_tables_have_the_order_of_their_scope() {
    let room = Room::new();
    room.write(
        "net.uai",
        "BAYES\n3\n2 3 2\n3\n1 0\n1 1\n3 1 0 2\n\n2\n0.2 0.8\n\n3\n0.5 0.3 0.2\n\n12\n0.9 0.1 0.6 0.4 0.5 0.5 0.3 0.7 0.25 0.75 \
         0.05 0.95\n",
    );
    room.write("net.evid", "1 2 1\n");
    let plain = room.json(&["energy", "infer", "net.uai"]);
    assert_found(&plain, 0.0, &[&[0.2, 0.8], &[0.5, 0.3, 0.2], &[0.45, 0.55]]);
    let arguments = [
        "energy",
        "infer",
        "net.uai",
        "--evidence",
        "net.evid",
        "--uai-out",
        "out",
    ];
    let given = room.json(&arguments);
    assert_found(
        &given,
        0.55_f64.ln(),
        &[
            &[0.127272727273, 0.872727272727],
            &[0.309090909091, 0.36, 0.330909090909],
            &[0.0, 1.0],
        ],
    );
    let partition: f64 = room.text("out.PR").lines().nth(1).unwrap().parse().unwrap();
    assert!((partition - 0.55_f64.log10()).abs() < 1e-12);
}

/// Two variables that are equal by a third: no factor by itself shows that evidence contradicts the model.
#[test]
fn impossible_evidence_is_refused_by_every_method() {
    let room = Room::new();
    let equal = "\n4\n1 0 0 1\n";
    room.write(
        "copy.uai",
        format!("MARKOV\n3\n2 2 2\n2\n2 0 1\n2 1 2\n{equal}{equal}"),
    );
    room.write("apart.evid", "2 0 0 2 1");
    // Three labels in a row of which neighbours differ, in a ring of odd length: consistent pair by pair.
    let differ = "\n4\n0 1 1 0\n";
    room.write(
        "ring.uai",
        format!("MARKOV\n3\n2 2 2\n3\n2 0 1\n2 1 2\n2 0 2\n{differ}{differ}{differ}"),
    );
    for method in ["auto", "exact", "bp", "mean-field", "gibbs"] {
        for arguments in [&["copy.uai", "--evidence", "apart.evid"][..], &["ring.uai"]] {
            let mut all = vec!["energy", "infer", "--method", method, "-q"];
            all.extend(arguments);
            room.refuse(&all, &["no configuration", "Z = 0"]);
        }
    }
    room.refuse(
        &["energy", "info", "copy.uai", "--evidence", "apart.evid"],
        &["Z = 0"],
    );
}

#[test]
fn sums_beyond_floating_point_numbers_are_their_logarithms() {
    let room = Room::new();
    for power in [300, -300, 400, -400] {
        let scopes: String = (0..30).map(|i| format!("2 {i} {}\n", i + 1)).collect();
        let table = format!("\n4\n2e{power} 1e{power} 1e{power} 2e{power}\n");
        let text = format!(
            "MARKOV\n31\n{}\n30\n{scopes}{}",
            "2 ".repeat(31),
            table.repeat(30)
        );
        room.write("chain.uai", text);
        let expected = 2_f64.ln() + 30.0 * (3_f64.ln() + f64::from(power) * 10_f64.ln());
        for method in ["exact", "bp", "mean-field"] {
            let arguments = [
                "energy",
                "infer",
                "chain.uai",
                "--method",
                method,
                "--uai-out",
                "out",
            ];
            let found = room.json(&arguments);
            let log_z = number(&found, "log_z");
            match method {
                "mean-field" => assert!(log_z <= expected && log_z > expected - 20.0, "{log_z}"),
                _ => assert!(
                    (log_z - expected).abs() < 1e-8,
                    "{method}: {log_z}, not {expected}"
                ),
            }
            for text in [room.text("out.PR"), room.text("out.MAR")] {
                assert!(!text.contains("NaN") && !text.contains("inf"), "{text}");
            }
        }
    }
}

#[test]
fn energies_in_the_place_of_weights_are_refused_with_a_hint() {
    let room = Room::new();
    let network =
        |table: &str| format!("MARKOV\n2\n2 2\n2\n1 0\n2 0 1\n\n2\n1.5 0.5\n\n4\n{table}\n");
    room.write("zero.uai", network("0 0 0 0"));
    room.write("negative.uai", network("-0.7 0 0 -0.7"));
    let hint = "exp(−energy)";
    for command in ["infer", "info"] {
        room.refuse(
            &["energy", command, "zero.uai"],
            &["zero.uai:12:", "factor 1", hint],
        );
        room.refuse(
            &["energy", command, "negative.uai"],
            &["negative.uai:12:", "\"-0.7\"", hint],
        );
    }
}

/// x0 = x1 = x2, no chain gets from one label to the other.
#[test]
fn chains_that_do_not_mix_warn_in_words_and_in_json() {
    let room = Room::new();
    let equal = "\n4\n1 0 0 1\n";
    let text = format!("MARKOV\n3\n2 2 2\n3\n1 0\n2 0 1\n2 1 2\n\n2\n0.3 0.7\n{equal}{equal}");
    room.write("equal.uai", text);
    for seed in ["0", "1", "2"] {
        let arguments = [
            "energy",
            "infer",
            "equal.uai",
            "--method",
            "gibbs",
            "--seed",
            seed,
        ];
        let output = room.succeed(&[&arguments[..], &["--json"]].concat());
        assert!(stderr(&output).contains("warning: the chains do not mix"));
        let found: Value = serde_json::from_str(&stdout(&output)).unwrap();
        let warnings = found["warnings"].as_array().unwrap();
        assert!(
            warnings[0].as_str().unwrap().contains("do not mix"),
            "{found}"
        );
    }
    let exact = room.json(&["energy", "infer", "equal.uai"]);
    assert_found(&exact, 0.0, &[[0.3, 0.7].as_slice(); 3]);
    assert_eq!(exact["warnings"], serde_json::json!([]));
    // On a loop messages settle on one of two configurations, and so does a bound.
    room.write(
        "loop.uai",
        "MARKOV\n3\n2 2 2\n4\n2 0 1\n2 1 2\n2 2 0\n1 0\n4 0 1 1 0\n4 0 1 1 0\n4 1 0 0 1\n2 0.3 0.7\n",
    );
    let exact = room.json(&["energy", "infer", "loop.uai"]);
    assert_found(&exact, 0.0, &[&[0.3, 0.7], &[0.7, 0.3], &[0.3, 0.7]]);
    // Not `-0.000000`, which it is but for rounding.
    let said = stdout(&room.succeed(&["energy", "infer", "loop.uai"]));
    assert!(said.starts_with("log Z    0.000000 nats"), "{said}");
    for method in ["bp", "mean-field"] {
        let found = room.json(&["energy", "infer", "loop.uai", "--method", method]);
        let warning = found["warnings"][0].as_str().unwrap_or_default();
        assert!(
            warning.contains("off the exact marginals by 0.30"),
            "{found}"
        );
    }
}

#[test]
fn variables_of_one_state_change_nothing() {
    let room = Room::new();
    room.write(
        "one.uai",
        "MARKOV\n4\n1 2 1 3\n4\n2 0 1\n3 1 2 3\n1 0\n2 2 0\n\n2\n0.5 2\n\n6\n1 2 3 4 5 6\n\n1\n0.25\n\n1\n3\n",
    );
    room.write("one.evid", "1 0 0\n");
    let marginals: [&[f64]; 4] = [
        &[1.0],
        &[1.0 / 11.0, 10.0 / 11.0],
        &[1.0],
        &[8.5 / 33.0, 11.0 / 33.0, 13.5 / 33.0],
    ];
    let exact = room.json(&["energy", "infer", "one.uai"]);
    assert_found(&exact, 24.75_f64.ln(), &marginals);
    let given = room.json(&["energy", "infer", "one.uai", "--evidence", "one.evid"]);
    assert_found(&given, 24.75_f64.ln(), &marginals);
    for method in ["bp", "mean-field", "gibbs"] {
        let found = room.json(&["energy", "infer", "one.uai", "--method", method]);
        assert_eq!(found["marginals"][2], serde_json::json!([1.0]), "{method}");
    }
}

#[test]
fn every_form_of_evidence_is_read_or_refused() {
    let room = Room::new();
    room.write("m.uai", "MARKOV\n2\n2 3\n1\n2 0 1\n\n6\n1 2 3 4 5 6\n");
    let infer = |text: &str| {
        room.write("e.evid", text);
        number(
            &room.json(&["energy", "infer", "m.uai", "--evidence", "e.evid"]),
            "log_z",
        )
    };
    for one in ["1 0 1", "1\n0 1\n", "1\n1 0 1\n", "1 1 0 1", "1\n1\n0 1\n"] {
        assert!((infer(one) - 15_f64.ln()).abs() < 1e-12, "{one:?}");
    }
    for none in ["0", "1\n0\n", "1 0"] {
        assert!((infer(none) - 21_f64.ln()).abs() < 1e-12, "{none:?}");
    }
    for (text, fragments) in [
        ("", ["e.evid:1:", "0 for no evidence"]),
        ("2\n1 0 1\n1 0 0\n", ["e.evid:1:", "one sample"]),
        ("2\n1 0 1\n0\n", ["e.evid:1:", "one sample"]),
        ("1 1 5", ["variable 1", "\"5\""]),
        ("1 7 0", ["\"7\"", "below 2"]),
        ("2 0 1 0 0", ["token 4", "not observed already"]),
    ] {
        room.write("e.evid", text);
        room.refuse(
            &["energy", "infer", "m.uai", "--evidence", "e.evid"],
            &fragments,
        );
    }
}

/// From about 350 labels another program's marginals no longer add up to 1.
#[test]
fn many_labels_keep_their_sum() {
    let room = Room::new();
    let labels = 350;
    let table = format!(
        "\n{}\n{}\n",
        labels * labels,
        "0.37 ".repeat(labels * labels)
    );
    let text = format!("MARKOV\n3\n350 350 350\n2\n2 0 1\n2 1 2\n{table}{table}");
    room.write("labels.uai", text);
    let expected = 3.0 * 350_f64.ln() + 2.0 * 0.37_f64.ln();
    for method in ["exact", "bp"] {
        let found = room.json(&["energy", "infer", "labels.uai", "--method", method]);
        let uniform = vec![1.0 / 350.0; labels];
        assert_found(&found, expected, &[&uniform, &uniform, &uniform]);
    }
}

#[test]
fn frustrated_and_strong_couplings_have_their_known_values() {
    let room = Room::new();
    let frustrated = "ising:3x3,coupling=-1,periodic";
    let exact = room.json(&["energy", "infer", frustrated]);
    assert_found(&exact, 16.830230363450386, &[[0.5, 0.5].as_slice(); 9]);
    assert!((number(&exact, "energy") + 11.566871882495192).abs() < 1e-9);
    room.refuse(
        &["energy", "infer", frustrated, "--method", "swendsen-wang"],
        &["antiferromagnetic coupling -1"],
    );
    let field = "ising:3x3,coupling=0.8,field=0.3";
    let clusters = room.json(&["energy", "infer", field, "--method", "swendsen-wang"]);
    for (variable, expected) in [
        (0, 0.708839738075),
        (1, 0.740371860038),
        (4, 0.773464131513),
    ] {
        let found = clusters["marginals"][variable][1].as_f64().unwrap();
        assert!((found - expected).abs() < 0.02, "{variable}: {found}");
    }
    let strong = "ising:3x3,coupling=2.5";
    assert_found(
        &room.json(&["energy", "infer", strong]),
        0.7295249101773829,
        &[[0.5, 0.5].as_slice(); 9],
    );
    // Symmetry keeps messages where they are; that this is no good place is said.
    let bp = room.json(&["energy", "infer", strong, "--method", "bp"]);
    assert_eq!(bp["report"]["sweeps"], 1);
    assert!(bp["warnings"][0].as_str().unwrap().contains("unstable"));
    let text = stdout(&room.succeed(&["energy", "infer", strong, "--method", "mean-field", "-q"]));
    assert!(text.contains("lower bound"), "{text}");
}

#[test]
fn words_of_a_grid_are_understood_or_refused_with_the_legal_ones() {
    let room = Room::new();
    for (model, fragments) in [
        (
            "ising:2x2,periodic",
            ["periodic", "no side is longer than 2"],
        ),
        (
            "ising:3x3,torus",
            ["\"torus\"", "coupling, field, boundary, periodic"],
        ),
        ("potts:3x3,k=4", ["\"k\"", "periodic, c"]),
        ("ising:3x3,periodic=yes", ["\"yes\"", "true or false"]),
        ("ising:3x3,", ["no parameter \"\"", "coupling"]),
        ("2x2,periodic", ["2x2,periodic", "ising:3x8"]),
    ] {
        room.refuse(&["energy", "infer", model], &fragments);
    }
}

/// A chain of parities: elimination must not join what evidence and zeros have decided.
#[test]
fn deterministic_chains_with_evidence_stay_narrow() {
    let room = Room::new();
    let length = 100;
    let mut text = format!(
        "BAYES\n{}\n{}\n{}\n",
        2 * length + 1,
        "2 ".repeat(2 * length + 1),
        2 * length + 1
    );
    text += "1 0\n";
    for i in 0..length {
        text += &format!("1 {}\n3 {i} {0} {}\n", length + 1 + i, i + 1);
    }
    text += "\n2\n0.5 0.5\n";
    text += &"\n2\n0.9 0.1\n\n8\n1 0 0 1 0 1 1 0\n".repeat(length);
    room.write("parity.uai", text);
    room.write("parity.evid", format!("2 0 0 {length} 1\n"));
    let arguments = ["energy", "infer", "parity.uai", "--evidence", "parity.evid"];
    let found = room.json(&arguments);
    // An odd number of flips of probability 0.1 each.
    let odd = (1.0 - 0.8_f64.powi(length as i32)) / 2.0;
    assert!((number(&found, "log_z") - (0.5 * odd).ln()).abs() < 1e-9);
    assert!(number(&found["report"], "width") <= 2.0);
    let bp = room.json(&[&arguments[..], &["--method", "bp"]].concat());
    assert!((number(&bp, "log_z") - (0.5 * odd).ln()).abs() < 1e-6);
}

#[test]
fn a_dense_graph_is_refused_with_its_memory_before_it_is_taken() {
    let room = Room::new();
    let count = 45;
    let pairs: Vec<(usize, usize)> = (0..count)
        .flat_map(|j| (0..j).map(move |i| (i, j)))
        .collect();
    let scopes: String = pairs.iter().map(|(i, j)| format!("2 {i} {j}\n")).collect();
    let text = format!(
        "MARKOV\n{count}\n{}\n{}\n{scopes}{}",
        "2 ".repeat(count),
        pairs.len(),
        "\n4\n1.02 1 1 1.02\n".repeat(pairs.len())
    );
    room.write("dense.uai", text);
    let exact = ["energy", "infer", "dense.uai", "--method", "exact"];
    room.refuse(&exact, &["width 44", "TiB", "budget of 4.0 GiB"]);
    let auto = room.json(&["energy", "infer", "dense.uai"]);
    assert_eq!(
        (&auto["method"], &auto["log_z_kind"]),
        (&"bp".into(), &"bethe".into())
    );
    assert_eq!(auto["report"]["converged"], true);
    let reason = auto["not_exact_because"].as_str().unwrap();
    assert!(reason.contains("width 44"), "{reason}");
}
