//! Tables as people have them: numbers, dates, gaps, counters and many words, through all commands.

#![allow(clippy::unwrap_used)] // a failed test is what an unwrap is for here

mod common;

use std::fmt::Write;

use common::{Room, with};

const ROWS: usize = 1200;

/// A counter, dates, prices with many zeros, whole numbers that follow the prices with gaps, many words, a category.
fn orders() -> String {
    let mut text = String::from("id,day,price,amount,product,paid\n");
    for row in 0..ROWS {
        let random = |step: usize| row * step % 997;
        let day = format!("{:02}.{:02}.2023", random(7) % 28 + 1, random(11) % 12 + 1);
        let cents = if random(13) % 3 == 0 {
            0
        } else {
            100 + random(17) * 5
        };
        let amount = match random(19) % 10 {
            0 => String::new(),
            _ => (cents / 10 + random(23) % 3).to_string(),
        };
        let (price, product) = (cents as f64 / 100.0, random(29) % 300);
        let paid = if cents > 2500 { "yes" } else { "no" };
        writeln!(text, "{row},{day},{price:.2},{amount},p{product:03},{paid}").unwrap();
    }
    text
}

fn room_with_model() -> Room {
    let room = Room::new();
    room.write("orders.csv", orders());
    let fit = [
        "fit",
        "orders.csv",
        "--out",
        "model",
        "--steps",
        "60",
        "--hidden",
        "32",
    ];
    room.succeed(&fit);
    room
}

fn columns(line: &str) -> Vec<&str> {
    line.split(',').collect()
}

#[test]
fn what_columns_hold_is_found_out_and_can_be_said() {
    let room = Room::new();
    room.write("orders.csv", orders());
    let info = room.succeed(&["info", "orders.csv"]);
    let (out, notes) = (
        String::from_utf8_lossy(&info.stdout),
        String::from_utf8_lossy(&info.stderr),
    );
    for found in [
        "day      dates or times",
        "price    numbers",
        "amount   whole numbers",
        "some missing",
        "product  words",
        "paid     categories",
    ] {
        assert!(out.contains(found), "{found}: {out}");
    }
    assert!(
        notes.contains("\"id\" is left out") && notes.contains("--columns-as \"id=category\""),
        "{notes}"
    );

    let kinds = "--columns-as=id=number,paid=leave-out,amount=category";
    let info = room.succeed(&["info", "orders.csv", kinds]);
    let out = String::from_utf8_lossy(&info.stdout);
    assert!(
        out.contains("id       whole numbers") && !out.contains("paid"),
        "{out}"
    );
    for (kinds, words) in [
        (
            "paid=number",
            ["column \"paid\"", "is no number", "--columns-as"],
        ),
        (
            "price=date",
            ["column \"price\"", "is no date", "--columns-as"],
        ),
        (
            "prize=number",
            ["no column \"prize\"", "price", "orders.csv"],
        ),
        (
            "price=color",
            ["no kind of column", "leave-out", "--columns-as"],
        ),
    ] {
        room.refuse(&["info", "orders.csv", "--columns-as", kinds], &words);
    }
}

#[test]
fn samples_are_written_as_the_data_are() {
    let room = room_with_model();
    room.succeed(&["sample", "model", "-n", "300", "--out", "new.csv"]);
    let text = room.text("new.csv");
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("day,price,amount,product,paid"));
    let mut rows = 0;
    for line in lines {
        let fields = columns(line);
        let day: Vec<u32> = fields[0]
            .split('.')
            .map(|part| part.parse().unwrap())
            .collect();
        assert!(
            (1..=31).contains(&day[0]) && (1..=12).contains(&day[1]) && day[2] == 2023,
            "{line}"
        );
        let (whole, cents) = fields[1].split_once('.').unwrap();
        assert!(
            cents.len() == 2 && whole.parse::<u32>().unwrap() <= 51,
            "{line}"
        );
        assert!(
            fields[2] == "?" || fields[2].parse::<u32>().unwrap() <= 511,
            "{line}"
        );
        assert!(fields[3].starts_with('p') && fields[3].len() == 4, "{line}");
        rows += 1;
    }
    assert_eq!(rows, 300);
    // Cells to numbers is a function of seed and model.
    room.succeed(&["sample", "model", "-n", "300", "--out", "again.csv"]);
    assert_eq!(room.text("again.csv"), text);
}

#[test]
fn what_is_known_stays_and_other_numbers_are_read() {
    let room = room_with_model();
    // Columns in another order, a number between those that were seen and one beyond, the counter again.
    let holes =
        "product,price,id,amount,day,paid\np007,3.33,7,?,01.02.2023,no\n?,99.99,8,12,,yes\n";
    room.write("holes.csv", holes);
    for mode in ["sample", "map"] {
        let impute = [
            "impute",
            "model",
            "holes.csv",
            "--out",
            "whole.csv",
            "--mode",
            mode,
        ];
        room.succeed(&impute);
        let text = room.text("whole.csv");
        let rows: Vec<Vec<&str>> = text.lines().skip(1).map(columns).collect();
        assert_eq!(
            (rows[0][1], rows[0][2], rows[0][4], rows[0][5]),
            ("01.02.2023", "3.33", "p007", "no")
        );
        assert_eq!((rows[1][2], rows[1][3], rows[1][5]), ("99.99", "12", "yes"));
        // The counter is no part of the model, and comes back.
        assert_eq!((rows[0][0], rows[1][0]), ("7", "8"));
        assert!(
            rows[1][1].ends_with(".2023") && rows[1][4].starts_with('p'),
            "{text}"
        );
        assert!(rows[0][3].parse::<u32>().is_ok(), "{text}");
    }
    let scored = room.succeed(&["score", "model", "orders.csv", "--out", "scores.csv"]);
    let out = String::from_utf8_lossy(&scored.stdout);
    assert!(out.contains("the numbers within their cells add"), "{out}");
    assert!(
        room.text("scores.csv")
            .starts_with("row,nats,nats_std_error,bits_per_dim,nats_within_cells\n")
    );
    room.succeed(&["score", "model", "orders.csv", "--given", "product,price"]);

    for (row, words) in [
        (
            "p007,cheap,7,1,01.02.2023,no",
            ["odd.csv:2", "column \"price\"", "\"cheap\" is no number"],
        ),
        (
            "p999,1.00,7,1,01.02.2023,no",
            ["odd.csv:2", "column \"product\"", "\"p999\""],
        ),
        (
            "p007,1.00,7,1,2023-02-01,no",
            ["odd.csv:2", "column \"day\"", "\"2023-02-01\""],
        ),
    ] {
        room.write(
            "odd.csv",
            format!("product,price,id,amount,day,paid\n{row}\n"),
        );
        room.refuse(&["score", "model", "odd.csv"], &words);
    }
}

#[test]
fn numbers_are_predicted_with_intervals_and_filled_in_with_centres() {
    let room = room_with_model();
    let predicted = room.succeed(&[
        "predict",
        "model",
        "orders.csv",
        "--target",
        "amount",
        "--out",
        "p.csv",
    ]);
    let out = String::from_utf8_lossy(&predicted.stdout);
    for word in ["amount: RMSE", "MAE", "R²", "90 % intervals"] {
        assert!(out.contains(word), "{out}");
    }
    let text = room.text("p.csv");
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("row,amount,mean,low,high"));
    for line in lines {
        let row: Vec<f64> = columns(line).iter().map(|x| x.parse().unwrap()).collect();
        assert!(row[3] <= row[1] && row[1] <= row[4], "{line}");
        assert!(row[3] <= row[2] && row[2] <= row[4] + 50.0, "{line}");
    }
    let dates = [
        "predict",
        "model",
        "orders.csv",
        "--target",
        "day",
        "--out",
        "d.csv",
    ];
    room.succeed(&dates);
    let text = room.text("d.csv");
    assert!(
        text.lines().nth(1).unwrap().matches(".2023").count() == 4,
        "{text}"
    );
    room.refuse(
        &["predict", "model", "orders.csv", "--target", "product"],
        &["\"product\"", "more words than one site takes"],
    );
    room.refuse(
        &["predict", "model", "orders.csv", "--target", "prize"],
        &["\"prize\"", "did you mean price?"],
    );
    room.write(
        "holes.csv",
        "day,price,amount,product,paid\n,3.33,?,p007,no\n",
    );
    let fill = |mode: &str| {
        let impute = [
            "impute",
            "model",
            "holes.csv",
            "--out",
            "w.csv",
            "--mode",
            mode,
        ];
        room.succeed(&impute);
        let text = room.text("w.csv");
        text.lines().nth(1).unwrap().to_owned()
    };
    // No dice: the same every time, in the notation of the column.
    for mode in ["map", "expected"] {
        let row = fill(mode);
        assert_eq!(row, fill(mode));
        assert!(columns(&row)[0].ends_with(".2023"), "{row}");
        assert!(columns(&row)[2].parse::<i64>().is_ok(), "{row}");
    }
    // A column of numbers that the file does not have.
    room.write(
        "holes.csv",
        "day,price,product,paid\n01.02.2023,3.33,p007,no\n",
    );
    for mode in ["map", "expected", "sample"] {
        assert!(columns(&fill(mode))[2].parse::<i64>().is_ok());
    }
    let evaluated = room.succeed(&["evaluate", "model", "--impute", "0.3"]);
    let out = String::from_utf8_lossy(&evaluated.stdout);
    assert!(out.contains("RMSE, σ"), "{out}");
}

#[test]
fn a_run_with_numbers_goes_on_where_it_was() {
    let room = Room::new();
    room.write("orders.csv", orders());
    let fit = ["fit", "orders.csv", "--hidden", "32", "--quiet"];
    room.succeed(&with(&fit, &["--out", "whole", "--steps", "40"]));
    room.succeed(&with(&fit, &["--out", "parts", "--steps", "20"]));
    room.succeed(&[
        "fit",
        "orders.csv",
        "--out",
        "parts",
        "--steps",
        "40",
        "--resume",
        "--quiet",
    ]);
    room.succeed(&["sample", "parts", "-n", "20", "--out", "parts.csv"]);
    assert_eq!(room.text("parts.csv").lines().count(), 21);
}
