//! Fits of every kind, killed at random moments: gone on with, they end as if nothing had happened. And one process a folder.
//!
//! `SEGRE_KILLS=200 cargo test --release --workspace --locked --test kills -- --ignored --nocapture runs_of` kills so many of each
//! kind, and as many are asked to stop.

#![cfg(unix)]
#![allow(clippy::unwrap_used)] // a failed test is what an unwrap is for here

#[path = "../common/mod.rs"]
mod common;
mod kinds;

use std::fs;
use std::process::{Child, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime};

use common::{Room, dice, stderr, with};
use kinds::{ALONE, EXPERIMENT, Kind, OUT, PICTURES, RANDOMISED, SAMPLES, TABLE, left, room};

/// Kills of each kind, if nothing else is said.
const KILLS: u64 = 2;
/// Microseconds between what is seen of a file that is being written and the kill, at most.
const SPREAD: u64 = 3000;

/// How long a process may get nothing done.
const IDLE: Duration = Duration::from_secs(300);

/// How a process ends.
#[derive(Clone, Copy, PartialEq)]
enum End {
    /// By SIGKILL.
    Killed,
    /// By SIGKILL, while it writes or has just written a file.
    KilledInWriting,
    /// As Ctrl-C asks it to: it stores what it has.
    Asked,
}

fn start(room: &Room, words: &[String]) -> Child {
    let mut command = room.command(words);
    command.stdout(Stdio::null()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

/// When the folder was last changed: a file has come, gone or been replaced.
fn changed(room: &Room) -> Option<SystemTime> {
    fs::metadata(room.path(OUT)).ok()?.modified().ok()
}

/// Whether a file is there that was being written.
fn is_writing(room: &Room) -> bool {
    let entries = [room.path(OUT), room.path("")]
        .into_iter()
        .flat_map(|folder| fs::read_dir(folder).into_iter().flatten().flatten());
    entries
        .into_iter()
        .any(|entry| entry.file_name().to_string_lossy().ends_with(".partial"))
}

/// Ends a process in some way after a while, if it does not end before; whether it was alive.
fn end(room: &Room, mut running: Child, how: End, after: Duration, spread: Duration) -> bool {
    let start = Instant::now();
    let mut before = None;
    while running.try_wait().unwrap().is_none() {
        let late = start.elapsed() >= after;
        if late && how != End::KilledInWriting {
            break;
        }
        let now = changed(room);
        if late && before.is_some_and(|before| before != now) {
            sleep(spread);
            break;
        }
        if late || before.is_none() {
            before = Some(now);
        }
        sleep(Duration::from_micros(100));
    }
    let alive = running.try_wait().unwrap().is_none();
    if alive && how == End::Asked {
        let id = running.id().to_string();
        // It may end by itself just now.
        let mut kill = std::process::Command::new("kill");
        let _ = kill.args(["-INT", &id]).stderr(Stdio::null()).status();
    } else {
        let _ = running.kill();
    }
    running.wait().unwrap();
    alive
}

/// Seconds of the processor that a process has had, where the system says it.
fn worked(id: u32) -> Option<f64> {
    let text = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    // After the name, which is in brackets: ticks of 1/100 s of itself and of the system for it.
    let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks: u64 = fields[11].parse::<u64>().ok()? + fields[12].parse::<u64>().ok()?;
    Some(ticks as f64 / 100.0)
}

/// Waits for the end of a run, however long it takes on a busy computer: it hangs if it does nothing, or works far too long.
fn wait(mut running: Child, usual: f64) -> (Output, f64) {
    let (mut last, mut since) = (0.0, Instant::now());
    while running.try_wait().unwrap().is_none() {
        if let Some(found) = worked(running.id()) {
            if found > last {
                (last, since) = (found, Instant::now());
            }
            let hangs = last > 20.0 * usual + 20.0 || since.elapsed() > IDLE;
            assert!(
                !hangs,
                "process {} hangs after {last} s of work; it is left to be looked at",
                running.id()
            );
        }
        sleep(Duration::from_millis(5));
    }
    (running.wait_with_output().unwrap(), last)
}

/// Kills runs of a kind, and asks some to stop, until enough were killed; all end alike.
fn campaign(kind: &Kind) {
    let kills: u64 = std::env::var("SEGRE_KILLS").map_or(KILLS, |text| text.parse().unwrap());
    let room = room();
    let mut dice = dice(26);
    let started = Instant::now();
    let (done, usual) = wait(start(&room, &kind.begin()), 60.0);
    assert!(done.status.success(), "{}: {}", kind.name, stderr(&done));
    let lasted = started.elapsed();
    let whole = left(&room);
    let (mut killed, mut writing, mut asked, mut trials) = (0, 0, 0, 0);
    while killed < kills {
        trials += 1;
        fs::remove_dir_all(room.path(OUT)).unwrap();
        let mut words = kind.begin();
        let mut story = Vec::new();
        // Once, or several times in a row.
        for _ in 0..=dice(3) {
            let how = [End::Asked, End::Killed, End::KilledInWriting][dice(3) as usize];
            let after = lasted.mul_f64(dice(1000) as f64 / 1000.0);
            let spread = Duration::from_micros(dice(SPREAD));
            let alive = end(&room, start(&room, &words), how, after, spread);
            match how {
                End::Asked => asked += u64::from(alive),
                _ => killed += u64::from(alive),
            }
            writing += u64::from(is_writing(&room));
            story.push(format!("{alive} after {after:?}"));
            words = kind.go_on(&room);
        }
        let (ended, _) = wait(start(&room, &words), usual);
        let which = format!("{}, trial {trials} ({})", kind.name, story.join(", "));
        assert!(ended.status.success(), "{which}: {}", stderr(&ended));
        let found = left(&room);
        let names = found.keys().chain(whole.keys());
        let other = names.filter(|name| found.get(*name) != whole.get(*name));
        let other: Vec<&String> = other.collect();
        assert!(other.is_empty(), "{which}: {other:?} differ");
        if trials % 20 == 0 {
            println!("{}: {killed} of {kills} kills", kind.name);
        }
    }
    println!(
        "{}: {killed} kills, {writing} with a file half written, and {asked} stops in {trials} runs, all ended alike; {:.0} s",
        kind.name,
        started.elapsed().as_secs_f64()
    );
}

#[test]
#[ignore = "a campaign"]
fn runs_of_tables_that_are_killed_end_like_uninterrupted_ones() {
    campaign(&TABLE);
}

#[test]
#[ignore = "a campaign"]
fn runs_of_pictures_that_are_killed_end_like_uninterrupted_ones() {
    campaign(&PICTURES);
}

#[test]
#[ignore = "a campaign"]
fn runs_of_samples_of_energies_that_are_killed_end_like_uninterrupted_ones() {
    campaign(&SAMPLES);
}

#[test]
#[ignore = "a campaign"]
fn runs_of_energies_alone_that_are_killed_end_like_uninterrupted_ones() {
    campaign(&ALONE);
}

#[test]
#[ignore = "a campaign"]
fn runs_of_randomised_flows_that_are_killed_end_like_uninterrupted_ones() {
    campaign(&RANDOMISED);
}

#[test]
#[ignore = "a campaign: a minute for a few kills"]
fn runs_of_experiments_that_are_killed_end_like_uninterrupted_ones() {
    campaign(&EXPERIMENT);
}

/// The second is refused with the name of the first, which goes on; when that is dead, the folder is free.
#[test]
fn a_folder_belongs_to_one_process() {
    let room = room();
    for (begin, seconds) in [
        (
            &["fit", "t.csv", "--time", "60s"][..],
            &["fit", "t.csv"][..],
        ),
        (
            &["energy", "fit", "m.uai", "--time", "60s"],
            &["energy", "fit", "m.uai"],
        ),
        (
            &["experiment", "run", "toys"],
            &["experiment", "run", "toys"],
        ),
    ] {
        let mut first = start(&room, &with(begin, &["--out", "run", "--quiet"]));
        let id = first.id().to_string();
        let settings = ["config.json", "results.json"].map(|name| room.path("run").join(name));
        let since = Instant::now();
        while !settings.iter().any(|path| path.is_file()) {
            assert!(first.try_wait().unwrap().is_none(), "{begin:?} has ended");
            assert!(
                since.elapsed() < Duration::from_secs(60),
                "{begin:?}: no settings"
            );
            sleep(Duration::from_millis(5));
        }
        for how in ["--force", "--resume"] {
            let output = room.run(&with(seconds, &["--out", "run", "--quiet", how]));
            let said = stderr(&output);
            let holder = format!("process {id} since 20");
            assert_eq!(output.status.code(), Some(1), "{begin:?} {how}: {said}");
            assert!(
                said.contains("run is in use by") && said.contains(&holder),
                "{said}"
            );
        }
        assert!(first.try_wait().unwrap().is_none(), "{begin:?} has ended");
        first.kill().unwrap();
        first.wait().unwrap();
        assert!(room.path("run/run.lock").is_file());
        let again = start(&room, &with(begin, &["--out", "run", "--quiet", "--force"]));
        sleep(Duration::from_millis(500));
        assert!(
            end(&room, again, End::Killed, Duration::ZERO, Duration::ZERO),
            "{begin:?} --force"
        );
        fs::remove_dir_all(room.path("run")).unwrap();
    }
}
