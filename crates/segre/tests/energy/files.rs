//! Files of models, evidence and results: round trips, refusals with their place, and no panic.

use super::{Recipe, SMALL, assert_close, seconds_computed};
use segre::energy::exact::enumerate;
use segre::energy::format::{
    marginals_text, parse_evidence, parse_fg, parse_uai, partition_text, read_model, uai_text,
};
use segre::energy::{EnergyModel, ModelSource};
use std::path::Path;

/// Two variables of two and three states, one field, one pair; a Markov network by hand.
const NETWORK: &str = "MARKOV\n2\n2 3\n2\n1 0\n2 0 1\n\n2\n 0.5 2\n\n6\n 1 2 3\n 4 0 6e0\n";

fn path() -> &'static Path {
    Path::new("m.uai")
}

fn network() -> EnergyModel {
    parse_uai(NETWORK, path()).unwrap()
}

#[test]
fn a_network_by_hand_has_its_energies_whatever_its_header() {
    let model = network();
    assert_eq!(model.cardinalities(), [2, 3]);
    assert_close("energy", model.energy(&[1, 2]), -(12_f64.ln()), 1e-15);
    assert_eq!(model.energy(&[1, 1]), f64::INFINITY);
    let bayes = parse_uai(&NETWORK.replace("MARKOV", "bayes"), path()).unwrap();
    assert_eq!(bayes.factors(), model.factors());
    // Its tables are no probabilities.
    assert!(model.doubt().is_none() && bayes.doubt().unwrap().contains("BAYES"));
    // 0.5 (1 + 2 + 3) + 2 (4 + 6)
    assert_close(
        "Z",
        enumerate(&model).unwrap().log_z.unwrap(),
        23_f64.ln(),
        1e-15,
    );
}

#[test]
fn what_is_written_is_read_back() {
    for seed in 0..20 {
        let model = Recipe {
            zeros: 0.2,
            ..SMALL
        }
        .model(seed);
        let read = parse_uai(&uai_text(&model, path()).unwrap(), path()).unwrap();
        assert_eq!(read.cardinalities(), model.cardinalities());
        for (found, expected) in read.factors().iter().zip(model.factors()) {
            assert_eq!(found.variables(), expected.variables());
            for (a, b) in found.log_values().iter().zip(expected.log_values()) {
                assert!(a == b || (a - b).abs() < 1e-14, "{a} {b}");
            }
        }
    }
    let large = Recipe {
        range: 2000.0,
        ..SMALL
    }
    .model(1);
    let error = uai_text(&large, path()).unwrap_err().to_string();
    assert!(
        error.contains("m.uai") && error.contains("cannot hold"),
        "{error}"
    );
}

#[test]
fn factor_graphs_have_the_first_variable_fastest_and_leave_out_zeros() {
    let text = "# a comment\n2\n\n2\n0 3 # scope\n2 3\n5\n0 1\n1 4\n2 2\n4 3\n5 6\n\n1\n0\n2\n2\n0 0.5\n1 2\n";
    let model = parse_fg(text, Path::new("m.fg")).unwrap();
    // Variables 1 and 2 are in no factor.
    assert_eq!(model.cardinalities(), [2, 1, 1, 3]);
    for (labels, weight) in [
        ([0, 0, 0, 1], 1.0),
        ([1, 0, 0, 0], 8.0),
        ([1, 0, 0, 2], 12.0),
    ] {
        assert_close("energy", model.energy(&labels), -f64::ln(weight), 1e-14);
    }
    assert_eq!(model.energy(&[1, 0, 0, 1]), f64::INFINITY);
}

#[test]
fn evidence_is_read_in_both_formats() {
    let model = network();
    let read = |text: &str| parse_evidence(text, Path::new("e.evid"), &model).unwrap();
    assert_eq!(read("2 1 2 0 1"), [(1, 2), (0, 1)]);
    assert_eq!(read("1\n2 1 2 0 1\n"), [(1, 2), (0, 1)]);
    assert_eq!(read("1 2 1 2 0 1"), [(1, 2), (0, 1)]);
    assert_eq!(read("1 1 0"), [(1, 0)]);
    assert_eq!(read("1\n1 1 0"), [(1, 0)]);
    for none in ["0", "0\n", "1\n0\n", "1 0"] {
        assert_eq!(read(none), [], "{none:?}");
    }
    // Lines, where they can be read as two samples too: one without evidence, one of one observation.
    for plain in ["2 1 1 0 0", "2\n1 1\n0 0\n", "2\n1 1 0 0\n"] {
        assert_eq!(read(plain), [(1, 1), (0, 0)], "{plain:?}");
    }
    assert_eq!(read("\u{feff}1 1 0\r\n"), [(1, 0)]);
}

#[test]
fn bad_networks_are_refused_with_line_token_and_remedy() {
    for (from, to, fragments) in [
        (
            "MARKOV",
            "MARKOW",
            ["m.uai:1:", "token 1", "MARKOV or BAYES"],
        ),
        (
            "2\n2 3",
            "x\n2 3",
            ["m.uai:2:", "\"x\"", "number of variables"],
        ),
        (
            "2 3\n",
            "2 0\n",
            ["m.uai:3:", "token 4", "states of variable 1"],
        ),
        ("2 3\n", "2 -3\n", ["m.uai:3:", "\"-3\"", "from 1"]),
        ("2 0 1", "2 0 2", ["m.uai:6:", "token 10", "below 2"]),
        ("2 0 1", "2 0 0", ["m.uai:6:", "\"0\"", "another variable"]),
        ("2 0 1", "3 0 1", ["m.uai:6:", "\"3\"", "at most 2"]),
        (
            "6\n 1",
            "5\n 1",
            ["m.uai:11:", "factor 1 has 5", "6 configurations"],
        ),
        (
            "6\n 1",
            "99999999999999999999\n 1",
            ["m.uai:11:", "token 14", "whole number"],
        ),
        ("3\n 4", "-3\n 4", ["m.uai:12:", "\"-3\"", "not negative"]),
        ("3\n 4", "NaN\n 4", ["m.uai:12:", "\"NaN\"", "finite"]),
        (
            "3\n 4",
            "-0.7\n 4",
            ["m.uai:12:", "exp(−energy)", "logarithm"],
        ),
        (
            "2\n2 3",
            "2\n16777216 3",
            ["m.uai:3:", "token 3", "1048576"],
        ),
        ("3\n 4", "inf\n 4", ["m.uai:12:", "token 17", "finite"]),
        (
            "0.5 2",
            "0 0",
            ["m.uai:9:", "all 2 entries of factor 0", "exp(−energy)"],
        ),
        ("6e0\n", "6e0\n7\n", ["m.uai:14:", "\"7\"", "last table"]),
        (
            "6e0\n",
            "\n",
            ["m.uai:13:", "ends after 19 tokens", "truncated"],
        ),
    ] {
        let text = NETWORK.replace(from, to);
        assert_ne!(text, NETWORK, "{from}");
        let message = parse_uai(&text, path()).unwrap_err().to_string();
        for fragment in fragments {
            assert!(
                message.contains(fragment),
                "{to}: no {fragment:?} in {message}"
            );
        }
        assert!(!message.contains('\n'), "{message}");
    }
}

#[test]
fn bad_evidence_is_refused_with_its_place() {
    let model = network();
    for (text, fragments) in [
        ("", ["e.evid:1:", "ends after 0", "observations"]),
        ("2 0 1", ["e.evid:1:", "ends after 3", "observed variable"]),
        ("1 2 0", ["e.evid:1:", "token 2", "below 2"]),
        ("1\n1 1 3", ["e.evid:2:", "token 4", "below 3"]),
        ("1 0 -1", ["e.evid:1:", "\"-1\"", "state of variable 0"]),
        ("2\n1 0 1\n1 0 0", ["e.evid:1:", "one sample", "split"]),
        ("1 0 1 7 7", ["e.evid:1:", "\"7\"", "end of the evidence"]),
        ("2\n1 0 1\n0", ["e.evid:1:", "one sample", "split"]),
        ("2\n1 1 0\n0\n", ["e.evid:1:", "one sample", "split"]),
        ("2\n0\n1 1 0\n", ["e.evid:1:", "one sample", "split"]),
        (
            "1\n2 0 1",
            ["e.evid:2:", "ends after 4", "observed variable"],
        ),
        (
            "2 0 1 0 1",
            ["e.evid:1:", "token 4", "not observed already"],
        ),
        (
            "2 1 1 1 2",
            ["e.evid:1:", "token 4", "not observed already"],
        ),
        ("1 0 1.0", ["e.evid:1:", "\"1.0\"", "state of variable 0"]),
        ("one 0 1", ["e.evid:1:", "\"one\"", "observations"]),
    ] {
        let error = parse_evidence(text, Path::new("e.evid"), &model).unwrap_err();
        let message = error.to_string();
        for fragment in fragments {
            assert!(
                message.contains(fragment),
                "{text:?}: no {fragment:?} in {message}"
            );
        }
    }
}

#[test]
fn bad_factor_graphs_are_refused_with_their_place() {
    for (text, fragments) in [
        ("1\n1\n0\n2\n2\n0 1\n2 1\n", ["m.fg:7:", "\"2\"", "below 2"]),
        (
            "1\n1\n0\n2\n2\n0 1\n0 1\n",
            ["m.fg:7:", "not given before", "factor 0"],
        ),
        (
            "1\n1\n0\n2\n3\n0 1\n",
            ["m.fg:5:", "has 3 entries", "2 configurations"],
        ),
        (
            "2\n1\n0\n2\n1\n0 1\n1\n0\n3\n1\n0 1\n",
            ["m.fg:9:", "\"3\"", "variable 0 before"],
        ),
        ("1\n1\n0\n2\n0\n", ["m.fg:5:", "all 2 entries", "factor 0"]),
        (
            "1\n1\n99999999999\n2\n0\n",
            ["m.fg:3:", "\"99999999999\"", "below"],
        ),
        (
            "1\n2\n0 1\n65536 65536\n1\n0 1\n",
            ["m.fg:5:", "factor 0 has 4294967296", "smaller table"],
        ),
        ("1\n2\n0 1\n2\n", ["m.fg:4:", "ends after 5", "truncated"]),
    ] {
        let message = parse_fg(text, Path::new("m.fg")).unwrap_err().to_string();
        for fragment in fragments {
            assert!(
                message.contains(fragment),
                "{text:?}: no {fragment:?} in {message}"
            );
        }
    }
}

#[test]
fn weights_beyond_floating_point_numbers_are_read() {
    let text = NETWORK
        .replace("0.5 2", "1e-400 3e-400")
        .replace("6e0", "6e400");
    let model = parse_uai(&text, path()).unwrap();
    let ten = std::f64::consts::LN_10;
    assert_close("small", -model.energy(&[0, 0]), -400.0 * ten, 1e-14);
    assert_close("large", -model.energy(&[1, 2]), 18_f64.ln(), 1e-12);
    let message = uai_text(&model, path()).unwrap_err().to_string();
    assert!(message.contains("cannot hold"), "{message}");
}

/// Many variables of one state in one factor: what is quadratic in them would take minutes.
#[test]
fn a_factor_of_many_variables_is_read_at_once() {
    let count = 200_000;
    let words = |word: &dyn Fn(usize) -> String| (0..count).map(word).collect::<Vec<_>>().join(" ");
    let (states, scope) = (words(&|_| "1".into()), words(&|v| v.to_string()));
    let text = format!("MARKOV\n{count}\n{states}\n1\n{count} {scope}\n1\n 2.5\n");
    let started = seconds_computed();
    let model = parse_uai(&text, path()).unwrap();
    assert_eq!(model.factors()[0].variables().len(), count);
    assert!(seconds_computed() - started < 2.0);
}

#[test]
fn results_are_in_the_format_of_the_competitions() {
    assert_eq!(partition_text(1000_f64.ln()), "PR\n2.9999999999999996\n");
    let text = marginals_text(&[vec![0.25, 0.75], vec![1.0]]);
    assert_eq!(text, "MAR\n2 2 0.25 0.75 1 1\n");
}

#[test]
fn files_are_known_by_their_extension() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, contents: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, contents).unwrap();
        path
    };
    let good = write("a.uai", NETWORK.as_bytes());
    let source = ModelSource::parse(good.to_str().unwrap()).unwrap();
    assert_eq!(source.load().unwrap(), network());
    let message = |path: &Path| read_model(path).unwrap_err().to_string();
    assert!(message(&write("a.txt", b"MARKOV")).contains(".uai"));
    assert!(message(&write("b.uai", b"MARKOV\n\xff")).contains("not UTF-8"));
    assert!(message(&folder.path().join("none.uai")).contains("none.uai"));
    assert!(ModelSource::parse("nowhere.uai").is_err());
}
