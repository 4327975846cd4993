//! Data that do not suit a model, and damaged model folders: refused, and kept as they are.

mod common;

use common::{Room, TINY, images, npy, table, with};

fn room_with_model() -> Room {
    let room = Room::new();
    room.write("t.csv", table(100));
    room.fit("t.csv", "model");
    room
}

#[test]
fn a_category_unseen_at_fit_time_is_named_with_line_column_and_value() {
    let room = room_with_model();
    let header = "colour,flag,size,\"a \"\"quoted\"\", name\"\n";
    let scored = |name: &str| with(&["score", "model", name, "--out", "scores.csv"], &[]);
    room.write(
        "new.csv",
        format!("{header}red,yes,1,quiet\ngreen,maybe,2,quiet\n"),
    );
    let fragments = [
        "new.csv:3:",
        "column \"flag\"",
        "\"maybe\"",
        "3 categories seen at fit time",
        "fit again",
    ];
    room.refuse(&scored("new.csv"), &fragments);
    room.refuse(&["evaluate", "model", "new.csv"], &fragments);
    // Quoted line breaks count, and the column has a comma and quotes in its own name.
    room.write(
        "lines.csv",
        format!("{header}red,yes,\"1\n\",quiet\ngreen,no,2,\"loud\"\n"),
    );
    room.refuse(
        &scored("lines.csv"),
        &["lines.csv:4:", "name", "\"loud\"", "2 categories"],
    );
    // There is no "missing" among the colours.
    room.write("missing.csv", format!("{header}?,no,2,quiet\n"));
    room.refuse(
        &scored("missing.csv"),
        &["missing.csv:2:", "\"colour\"", "\"?\""],
    );
}

#[test]
fn data_of_another_schema_are_refused() {
    let room = room_with_model();
    let scored = |name: &str| with(&["score", "model", name, "--out", "scores.csv"], &[]);
    room.write("few.csv", "colour,flag\nred,yes\n");
    room.refuse(
        &scored("few.csv"),
        &["few.csv", "\"size\"", "missing", "named as in"],
    );
    let extra = table(3)
        .replace('\n', ",1\n")
        .replacen(",1\n", ",weight\n", 1);
    room.write("extra.csv", extra);
    room.refuse(
        &scored("extra.csv"),
        &["extra.csv", "\"weight\"", "the model has no column"],
    );
    room.refuse(&scored("digits"), &["layout", "8", "matching data"]);
    room.refuse(
        &scored("coupled-binary"),
        &["sites", "2", "4", "matching data"],
    );
    room.refuse(&scored("nowhere.csv"), &["\"nowhere.csv\"", "no such file"]);
    room.write("wide.npy", npy::<u8>(&[2, 5], &[0; 10]));
    room.refuse(&scored("wide.npy"), &["wide.npy", "[5]", "[4]"]);
    room.write("label.npy", npy::<u8>(&[2, 4], &[0, 0, 0, 0, 0, 3, 0, 0]));
    room.refuse(
        &scored("label.npy"),
        &["label.npy", "row 1", "[1]", "3 is no label", "from 0 to 2"],
    );
    room.write("i.npy", images(60));
    room.fit("i.npy", "images");
    room.refuse(&["score", "images", "t.csv"], &["t.csv"]);
    room.refuse(&["score", "images", "digits"], &["matching data"]);
}

#[test]
fn folders_that_hold_no_model_are_refused() {
    let room = room_with_model();
    std::fs::create_dir(room.path("empty")).expect("a new folder");
    for folder in ["empty", "nowhere"] {
        let fragments = [folder, "not a model folder", "config.json", "segre fit"];
        room.refuse(&["sample", folder, "-n", "3", "--out", "s.csv"], &fragments);
        room.refuse(&["score", folder, "t.csv", "--out", "s.csv"], &fragments);
        room.refuse(&["evaluate", folder], &fragments);
        let resume = with(&["fit", "t.csv", "--out", folder, "--resume"], &TINY);
        room.refuse(&resume, &fragments);
    }
    room.refuse(&["info", "empty"], &["empty", "not a model folder"]);
    std::fs::remove_file(room.path("model/model.safetensors")).expect("it is there");
    let sample = ["sample", "model", "-n", "3", "--out", "s.csv"];
    room.refuse(&sample, &["model", "model.safetensors is missing"]);
}

#[test]
fn a_run_is_resumed_with_its_own_data_and_seed_only() {
    let room = room_with_model();
    room.write("other.csv", table(50));
    let resume = |data: &str| {
        with(
            &["fit", data, "--out", "model", "--resume", "--steps", "40"],
            &[],
        )
    };
    room.refuse(
        &resume("other.csv"),
        &["model", "t.csv", "other.csv", "resume with that data"],
    );
    room.refuse(
        &resume("digits"),
        &["t.csv", "digits", "resume with that data"],
    );
    room.refuse(&with(&resume("t.csv"), &["--seed", "9"]), &["seed 0", "9"]);
    room.write("t.csv", table(99));
    room.refuse(&resume("t.csv"), &["t.csv", "changed since the fit"]);
    room.refuse(&["evaluate", "model"], &["t.csv", "changed since the fit"]);
    std::fs::remove_file(room.path("t.csv")).expect("it is there");
    room.refuse(&resume("t.csv"), &["\"t.csv\"", "no such file"]);
}

/// Positions all over a file of this length, its first bytes and its last among them.
fn positions(length: usize) -> Vec<usize> {
    let spread = (1..16).map(|part| part * (length - 1) / 15);
    [0, 1, 5, 7, 8, 9, 30].into_iter().chain(spread).collect()
}

#[test]
fn a_damaged_checkpoint_is_refused_and_kept() {
    let room = room_with_model();
    let name = "model/checkpoint.safetensors";
    let whole = room.bytes(name);
    let resume = [
        "fit", "t.csv", "--out", "model", "--resume", "--steps", "40", "--quiet",
    ];
    for position in positions(whole.len()) {
        let mut damaged = whole.clone();
        damaged[position] ^= 1;
        room.write(name, damaged);
        let line = room.refuse(&resume, &["checkpoint.safetensors"]);
        let remedy = line.contains("again") || line.contains("another network");
        assert!(remedy, "byte {position}: {line}");
    }
    for length in [0, 4, 100, whole.len() / 2, whole.len() - 1] {
        room.write(name, &whole[..length]);
        let fragments = ["checkpoint.safetensors", "truncated or damaged"];
        let line = room.refuse(&resume, &fragments);
        // A checkpoint cannot be downloaded again: the remedy must be one that helps.
        assert!(line.contains("--force"), "{line}");
    }
    // The whole one again: the refusals were for the damage alone.
    room.write(name, &whole);
    room.succeed(&resume);
}

#[test]
fn damaged_parameters_are_refused() {
    let room = room_with_model();
    let name = "model/model.safetensors";
    let whole = room.bytes(name);
    let sample = ["sample", "model", "-n", "3", "--out", "s.csv", "--quiet"];
    for position in positions(whole.len()) {
        let mut damaged = whole.clone();
        damaged[position] ^= 1;
        room.write(name, damaged);
        room.refuse(&sample, &["model.safetensors"]);
    }
    for length in [0, 4, 100, whole.len() / 2, whole.len() - 1] {
        room.write(name, &whole[..length]);
        room.refuse(
            &sample,
            &["model.safetensors", "truncated or damaged", "again"],
        );
    }
    room.refuse(&["score", "model", "t.csv"], &["model.safetensors"]);
    room.refuse(&["evaluate", "model"], &["model.safetensors"]);
    room.refuse(&["info", "model"], &["model.safetensors"]);
    room.write(name, &whole);
    room.succeed(&sample);
}

#[test]
fn damaged_settings_are_refused() {
    let room = room_with_model();
    let name = "model/config.json";
    let whole = room.text(name);
    let sample = ["sample", "model", "-n", "3", "--out", "s.csv", "--quiet"];
    for length in [0, 1, whole.len() / 2, whole.len() - 1] {
        room.write(name, &whole[..length]);
        room.refuse(&sample, &["config.json", "damaged"]);
        let resume = ["fit", "t.csv", "--out", "model", "--resume"];
        room.refuse(&resume, &["config.json", "damaged"]);
    }
    for (old, new) in [
        ("\"hidden\": 16", "\"hidden\": 17"),
        ("\"blocks\": 1", "\"blocks\": 2"),
        ("\"vocabulary\": 3", "\"vocabulary\": 9"),
        ("\"rate\": 0.5", "\"rate\": -0.5"),
        ("\"hidden\": 16", "\"hidden\": \"many\""),
    ] {
        assert!(whole.contains(old), "{old} is not in\n{whole}");
        room.write(name, whole.replacen(old, new, 1));
        let line = room.refuse(&sample, &[]);
        assert!(
            line.contains("must be")
                || line.contains("another")
                || line.contains("again")
                || line.contains("matching"),
            "{line}"
        );
    }
}
