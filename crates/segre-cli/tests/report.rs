//! `segre report`: one page of a table, of pictures, of sequences and of an energy; text is text, whatever it is.

#![allow(clippy::unwrap_used)] // a failed test is what an unwrap is for here

mod common;

use std::fmt::Write;

use common::{Room, TINY, stderr, stdout, with};

const PAGE: [&str; 3] = ["report", "model", "--quiet"];

fn titles(html: &str) -> Vec<&str> {
    let headings = html.split("<h2 id=").skip(1);
    headings
        .map(|rest| {
            let text = &rest[rest.find('>').unwrap() + 1..];
            &text[..text.find("</h2>").unwrap()]
        })
        .collect()
}

/// Names and words that would be markup, end an attribute, turn the line around, or fill the page.
fn hostile_table() -> String {
    let long = "y".repeat(10_000);
    let mut text =
        String::from("\"<script>alert(1)</script>\",\"a\"\"'>&b\",\u{202e}rtl,emoji 🦀\n");
    for row in 0..240 {
        let word = [
            "<img src=x onerror=alert(2)>",
            "</style>",
            "\u{202e}ltr",
            &long,
        ][row * 7 % 4];
        let other = ["a", "\"\"", "'"][row % 3];
        writeln!(
            text,
            "\"{word}\",\"{other}\",{},{}",
            row % 2,
            row * 37 % 101
        )
        .unwrap();
    }
    text
}

#[test]
fn whatever_a_table_says_is_text() {
    let room = Room::new();
    room.write("hostile.csv", hostile_table());
    room.fit("hostile.csv", "model");
    let said = room.json(&PAGE);
    let html = room.text("model/report.html");
    assert_eq!(said["bytes"].as_u64().unwrap(), html.len() as u64);
    assert!(html.len() < 3_000_000, "{}", html.len());
    let sections = titles(&html);
    for wanted in [
        "Likelihood",
        "Quality and privacy",
        "Columns",
        "Extremes",
        "Training",
        "Settings",
    ] {
        assert!(sections.contains(&wanted), "{wanted}: {sections:?}");
    }
    assert_eq!(html.matches("<script").count(), 1);
    assert_eq!(html.matches("</style>").count(), 1);
    assert!(!html.contains("<img"));
    assert!(
        html.contains("&lt;script&gt;alert(1)&lt;&#x2f;script&gt;")
            || html.contains("&lt;script&gt;alert(1)&lt;/script&gt;")
    );
    assert!(html.contains('🦀'));
    assert!(
        !html.contains("http://")
            || html.matches("http://").count()
                == html.matches("http://www.w3.org/2000/svg").count()
    );
    assert!(!html.contains("https://"));
}

#[test]
fn what_was_seen_is_stored() {
    let room = Room::new();
    room.fit("digits", "model");
    room.succeed(&PAGE);
    let (page, seen) = (
        room.bytes("model/report.html"),
        room.bytes("model/report.json"),
    );
    let sections = room.text("model/report.html");
    for wanted in [
        "Samples",
        "Nearest training pictures",
        "Lower halves filled in",
    ] {
        assert!(titles(&sections).contains(&wanted), "{wanted}");
    }
    // A stored view is drawn as it is: what it says now is on the next page.
    let marked = room
        .text("model/report.json")
        .replacen("\"scored\":", "\"scored\":7", 1);
    room.write("model/report.json", marked);
    room.succeed(&PAGE);
    assert_ne!(room.bytes("model/report.html"), page);
    room.succeed(&with(&PAGE, &["--again"]));
    assert_eq!(room.bytes("model/report.json"), seen);
    assert_eq!(room.bytes("model/report.html"), page);
    // Other parameters are looked at again, and a new fit may take the folder.
    let more = with(
        &[
            "fit", "digits", "--out", "model", "--force", "--quiet", "--seed", "1",
        ],
        &TINY,
    );
    room.succeed(&more);
    assert!(!room.path("model/report.json").exists());
}

#[test]
fn sequences_and_energies_have_pages() {
    let room = Room::new();
    let mut text = String::new();
    for row in 0..120 {
        let letter = ["A", "C", "G", "T"][row * 5 % 4];
        writeln!(text, ">r{row}\n{letter}{letter}ACAC{}", ["G", "T"][row % 2]).unwrap();
    }
    room.write("s.fasta", text);
    room.fit("s.fasta", "model");
    room.succeed(&PAGE);
    let sections = room.text("model/report.html");
    assert!(
        titles(&sections).contains(&"Pairs of places"),
        "{:?}",
        titles(&sections)
    );

    // Of three pairs far enough apart one is in contact, whatever depends on what.
    room.write("s.dat", "1 6 3.5\n1 7 9\n2 7 12\n");
    room.succeed(&with(&PAGE, &["--contacts", "s.dat"]));
    assert!(room.text("model/report.html").contains("in contact"));
    let found = room.json(&["evaluate", "model", "--contacts", "s.dat", "--quiet"]);
    let all = &found["contacts"]["precisions"][1];
    assert_eq!(all["strongest"], 3);
    for share in [&all["samples"], &all["train"], &found["contacts"]["share"]] {
        assert!(
            (share.as_f64().unwrap() - 1.0 / 3.0).abs() < 1e-12,
            "{found}"
        );
    }
    room.write("s.dat", "1 6 3.5\n1 9 9\n");
    for command in ["evaluate", "report"] {
        let line = [command, "model", "--contacts", "s.dat", "--quiet"];
        room.refuse(&line, &["s.dat:2:", "9 is no place"]);
    }

    let energy = [
        "energy",
        "fit",
        "ising:2x3",
        "--steps",
        "20",
        "--out",
        "ising",
        "--quiet",
    ];
    room.succeed(&energy);
    room.succeed(&["report", "ising", "--out", "ising.html", "--quiet"]);
    let html = room.text("ising.html");
    let expected = [
        "Figures",
        "Marginals and correlations",
        "Energies",
        "Training",
        "Settings",
    ];
    assert_eq!(titles(&html), expected);
    assert!(html.contains("exact inference"));
}

#[test]
fn fits_leave_a_page_and_what_has_none_is_refused() {
    let room = Room::new();
    room.refuse(&["report", "nothing", "--quiet"], &["nothing"]);
    room.write(
        "t.csv",
        "a,b\n1,2\n2,1\n1,1\n2,2\n1,2\n2,1\n1,1\n2,2\n1,2\n2,1\n",
    );
    room.fit("t.csv", "model");
    let output = room.run(&with(
        &["fit", "digits", "--out", "d", "--quiet", "--report"],
        &TINY,
    ));
    assert!(
        stdout(&output).contains("page: d/report.html"),
        "{}",
        stdout(&output)
    );
    room.write("t.csv", "a,b\n1,2\n2,1\n");
    room.refuse(&PAGE, &["t.csv"]);
    let output = room.run(&["report", "model", "--energy", "isling:3x3", "--quiet"]);
    assert!(stderr(&output).contains("isling"), "{}", stderr(&output));
}

/// What a page says is to be typed.
fn script(html: &str) -> String {
    let (_, rest) = html.split_once("aria-label=\"A command\">").unwrap();
    let (text, _) = rest.split_once("</pre>").unwrap();
    let signs = [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#x27;", "'"),
    ];
    let all = signs.into_iter().chain([("&#x2f;", "/"), ("&amp;", "&")]);
    all.fold(text.to_owned(), |text, (name, sign)| {
        text.replace(name, sign)
    })
}

/// Types what the page of a model says, and compares the parameters.
fn repeats(room: &Room, model: &str, wanted: &[&str]) {
    room.succeed(&["report", model, "--quiet"]);
    let script = script(&room.text(&format!("{model}/report.html")));
    for word in wanted {
        assert!(script.contains(word), "{word}: {script}");
    }
    let program = std::path::Path::new(env!("CARGO_BIN_EXE_segre"));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = program.parent().map(std::path::Path::to_path_buf);
    let folders = folders.into_iter().chain(std::env::split_paths(&path));
    let output = std::process::Command::new("sh")
        .args(["-c", &script])
        .current_dir(room.path(""))
        .env("PATH", std::env::join_paths(folders).unwrap())
        .output()
        .unwrap();
    assert!(output.status.success(), "{script}\n{}", stderr(&output));
    let parameters = |folder: &str| room.bytes(&format!("{folder}/model.safetensors"));
    assert!(parameters("again") == parameters(model), "{script}");
    std::fs::remove_dir_all(room.path("again")).unwrap();
}

/// A table whose reading needs many words.
#[test]
fn the_page_of_a_table_says_how_to_fit_it_again() {
    let room = Room::new();
    let mut text = String::from("a,\"b, c\",left,heavy,day\n");
    for row in 0..200 {
        let a = ["none", "it's", "x y"][row * 7 % 3];
        let (b, left, heavy, day) = (row % 5, row, 1 + row % 3, 1 + row % 9);
        writeln!(text, "{a},{b},{left},{heavy},0{day}.02.2020").unwrap();
    }
    room.write("my table.csv", text);
    let fit = [
        "fit",
        "my table.csv",
        "--out",
        "model",
        "--missing-words",
        "none",
        "--drop",
        "left",
        "--weights",
        "heavy",
        "--columns-as",
        "\"b, c=category\"",
        "--validation",
        "0.2",
        "--seed",
        "3",
        "--set",
        "network.dropout=0.1",
        "--quiet",
    ];
    room.succeed(&with(&fit, &TINY));
    let wanted = [
        "'my table.csv'",
        "--missing-words none",
        "--drop left",
        "--weights heavy",
        "seed = 3",
    ];
    repeats(&room, "model", &wanted);
}

#[test]
fn the_page_of_pictures_says_how_to_fit_them_again() {
    let room = Room::new();
    let idx = |rows: u32| {
        let mut bytes = vec![0, 0, 8, 3];
        bytes.extend(
            [rows, 4, 5]
                .iter()
                .flat_map(|size: &u32| size.to_be_bytes()),
        );
        bytes.extend((0..rows * 20).map(|at| (at * 37 % 251) as u8));
        bytes
    };
    room.write("p.idx", idx(60));
    room.write("t.idx", idx(20));
    let fit = [
        "fit",
        "p.idx",
        "--out",
        "model",
        "--test-data",
        "t.idx",
        "--threshold",
        "0.3",
        "--invert",
        "--quiet",
    ];
    room.succeed(&with(&fit, &TINY));
    repeats(
        &room,
        "model",
        &["--threshold 0.3", "--invert", "--test-data t.idx"],
    );
}

#[test]
fn the_pages_of_energies_say_how_to_fit_them_again() {
    let room = Room::new();
    let fit = |out: &str, more: &[&str]| {
        let line = ["energy", "fit", "ising:2x3", "--out", out, "--quiet"];
        room.succeed(&with(&line, more));
    };
    fit(
        "published",
        &[
            "--settings",
            "published",
            "--steps",
            "20",
            "--draws",
            "16",
            "--seed",
            "2",
        ],
    );
    repeats(
        &room,
        "published",
        &["--settings published", "--draws 16", "--seed 2"],
    );
    fit(
        "improved",
        &[
            "--steps",
            "20",
            "--rank",
            "3",
            "--end-time",
            "1.5",
            "--samples",
            "500",
        ],
    );
    repeats(
        &room,
        "improved",
        &["--rank 3", "--end-time 1.5", "--samples 500"],
    );
    let tiny = [
        "--method",
        "neural",
        "--steps",
        "20",
        "--set",
        "network.hidden=16",
        "--set",
        "network.blocks=1",
    ];
    fit(
        "neural",
        &with(&tiny, &["--samples", "500"])
            .iter()
            .map(String::as_str)
            .collect::<Vec<_>>(),
    );
    repeats(
        &room,
        "neural",
        &["energy fit ising:2x3", "neural.samples.csv"],
    );
    // The folder knows its energy: the page is that of one, with its training.
    let html = room.text("neural/report.html");
    let expected = [
        "Figures",
        "Marginals and correlations",
        "Energies",
        "Training",
        "Settings",
    ];
    assert_eq!(titles(&html), expected);
    assert!(html.contains("validation, bits/dim"));
    fit(
        "blind",
        &with(&tiny, &["--data-free"])
            .iter()
            .map(String::as_str)
            .collect::<Vec<_>>(),
    );
    repeats(&room, "blind", &["--data-free"]);
    assert!(
        room.text("blind/report.html")
            .contains("inverse temperature")
    );
}
