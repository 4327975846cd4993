//! Value stability: the same commands give the same results, whatever is moved about in the sources.
//!
//! `commands.txt` has the commands, in scenes. What a command prints and every file that it writes is one result, as a text
//! without wall times (`canonical.rs`). Two things are done with results:
//!
//! * The scenes marked `checked` are run by every `cargo test` and compared with the texts in `results/`, number by number
//!   (`tolerance.rs`): matrix products use what instructions the processor has, so their last digits differ between machines.
//!   `SEGRE_BLESS=1 cargo test --release --test values` renews the texts, when results change on purpose.
//! * `./compare OLD NEW` runs all scenes with two programs on one machine and names the results that are not equal byte
//!   for byte; those that may differ are listed with their reasons in `differences.txt`.

#![allow(clippy::unwrap_used)] // a failed test is what an unwrap is for here

mod canonical;
#[path = "../common/mod.rs"]
mod common;
mod data;
mod scenes;
mod tolerance;

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::{env, fs};

use scenes::Scene;

/// Scenes that are run at a time, each with two threads: none of them keeps two processors busy by itself.
const WORKERS: usize = 2;

/// Beside this file.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/values")
}

/// The program whose results are wanted.
fn program() -> PathBuf {
    let other = env::var_os("SEGRE_VALUES_PROGRAM");
    other.map_or_else(|| env!("CARGO_BIN_EXE_segre").into(), PathBuf::from)
}

/// Runs scenes, a few at a time, and hands over their results in the order in which they end.
fn play(scenes: Vec<Scene>, take: impl Fn(&Scene, scenes::Results) + Sync) {
    let waiting = Mutex::new(scenes.into_iter());
    std::thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                loop {
                    let Some(scene) = waiting.lock().unwrap().next() else {
                        return;
                    };
                    let results = scene.play(&program());
                    take(&scene, results);
                }
            });
        }
    });
}

/// Every result is what it was, up to the arithmetic of the processor.
#[test]
fn results_are_as_stored() {
    let folder = folder().join("results");
    let bless = env::var_os("SEGRE_BLESS").is_some();
    let differences = Mutex::new(Vec::new());
    let checked = Scene::all().into_iter().filter(|scene| scene.checked);
    play(checked.collect(), |scene, results| {
        let path = folder.join(format!("{}.txt", scene.name));
        let found = tolerance::stored_form(&results);
        if bless {
            fs::create_dir_all(&folder).unwrap();
            fs::write(&path, &found).unwrap();
            return;
        }
        let stored = fs::read_to_string(&path).unwrap_or_default();
        let own = tolerance::differences(&stored, &found);
        let named = own
            .into_iter()
            .map(|line| format!("{}: {line}", scene.name));
        differences.lock().unwrap().extend(named);
    });
    let differences = differences.into_inner().unwrap();
    assert!(
        differences.is_empty(),
        "{} results differ; if they shall, say so in CHANGELOG.md and renew them with SEGRE_BLESS=1:\n{}",
        differences.len(),
        differences.join("\n")
    );
}

/// Writes all results of all scenes, for `compare`.
#[test]
#[ignore = "takes minutes; ./compare runs it"]
fn record() {
    let Some(folder) = env::var_os("SEGRE_VALUES_FOLDER") else {
        println!("not recorded: SEGRE_VALUES_FOLDER is not set");
        return;
    };
    let (folder, only) = (PathBuf::from(folder), env::var("SEGRE_VALUES_SCENES").ok());
    let wanted = |scene: &Scene| match &only {
        None => true,
        Some(names) => names.split(',').any(|name| name == scene.name),
    };
    let scenes = Scene::all().into_iter().filter(wanted);
    play(scenes.collect(), |scene, results| {
        for (name, text) in results {
            let path = folder.join(&scene.name).join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
    });
}
