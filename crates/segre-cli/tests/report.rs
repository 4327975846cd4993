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
