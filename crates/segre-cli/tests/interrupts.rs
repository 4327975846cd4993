//! Ctrl-C and SIGTERM: how long commands take to their end. The table is in `docs/trust.md`.
//!
//! `cargo test --release --workspace --locked --test interrupts -- --ignored --nocapture` measures it.

#![cfg(unix)]
#![allow(clippy::unwrap_used)] // a failed test is what an unwrap is for here

mod common;

use std::fs;
use std::io::Read;
use std::process::{Child, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use common::{Room, dice, table};

/// What a user may be asked to wait.
const SOON: Duration = Duration::from_secs(5);
/// Times that each command is stopped.
const TIMES: u64 = 5;

fn start(room: &Room, words: &str) -> Child {
    let words: Vec<&str> = words.split_whitespace().collect();
    let mut command = room.command(&words);
    command.stdin(Stdio::piped()).stdout(Stdio::null());
    command.stderr(Stdio::piped()).spawn().unwrap()
}

fn ask(running: &Child, signal: &str) {
    let id = running.id().to_string();
    // It may have ended by itself just now.
    let mut kill = std::process::Command::new("kill");
    let _ = kill.args([signal, &id]).stderr(Stdio::null()).status();
}

fn said(running: &mut Child) -> String {
    let mut said = String::new();
    let mut stderr = running.stderr.take().unwrap();
    stderr.read_to_string(&mut said).unwrap();
    said
}

/// Reading what never ends hears nothing: time ends it, or the second signal.
#[test]
fn what_cannot_hear_ends_soon_and_at_once_when_asked_twice() {
    let room = Room::new();
    for (twice, signal) in [(false, "-INT"), (false, "-TERM"), (true, "-INT")] {
        let mut running = start(&room, "info -");
        // Held open, so that the file does not end.
        let _input = running.stdin.take();
        sleep(Duration::from_millis(500));
        let asked = Instant::now();
        ask(&running, signal);
        if twice {
            sleep(Duration::from_millis(200));
            ask(&running, signal);
        }
        let status = running.wait().unwrap();
        let took = asked.elapsed();
        let said = said(&mut running);
        assert_eq!(status.code(), Some(130), "{said}");
        assert!(
            took < if twice { Duration::from_secs(2) } else { SOON },
            "{took:?}"
        );
        assert_eq!(said.lines().count(), if twice { 1 } else { 2 }, "{said}");
        assert_eq!(
            said.contains("what was stored before is kept"),
            !twice,
            "{said}"
        );
    }
}

/// Nobody reads what is said, as the pipe is closed.
#[test]
fn what_nobody_reads_holds_nothing_up() {
    let room = Room::new();
    for twice in [false, true] {
        let mut running = start(&room, "info -");
        let _input = running.stdin.take();
        drop(running.stderr.take());
        sleep(Duration::from_millis(500));
        let asked = Instant::now();
        ask(&running, "-INT");
        if twice {
            sleep(Duration::from_millis(200));
            ask(&running, "-INT");
        }
        let status = running.wait().unwrap();
        assert_eq!(status.code(), Some(130));
        let soon = if twice { Duration::from_secs(2) } else { SOON };
        assert!(asked.elapsed() < soon, "{:?}", asked.elapsed());
    }
}

/// Commands by name, and milliseconds from and until which they are asked to stop.
const COMMANDS: [(&str, &str, [u64; 2]); 33] = [
    (
        "fit, reading",
        "fit big.csv --time 60s --out run",
        [50, 4000],
    ),
    (
        "fit, tree of hidden states",
        "fit wide.csv --time 60s --out run",
        [500, 9000],
    ),
    (
        "fit, table",
        "fit large.csv --time 60s --out run",
        [300, 6000],
    ),
    (
        "fit, after training",
        "fit large.csv --steps 5 --out run",
        [500, 4000],
    ),
    (
        "fit, pictures",
        "fit digits --network unet --time 60s --out run",
        [300, 6000],
    ),
    (
        "fit, pictures, after training",
        "fit digits --network unet --steps 1 --out run",
        [500, 6000],
    ),
    (
        "energy fit, samples",
        "energy fit ising:8x8 --method neural --time 60s --out run",
        [200, 6000],
    ),
    (
        "energy fit, chains",
        "energy fit ising:32x32 --method neural --samples-from chain --time 60s --out run",
        [200, 6000],
    ),
    (
        "energy fit, without data",
        "energy fit ising:8x8 --method neural --data-free --time 60s --out run",
        [200, 6000],
    ),
    (
        "energy fit, randomised",
        "energy fit ising:4x4 --time 60s --out run",
        [200, 6000],
    ),
    (
        "experiment run",
        "experiment run toys --out run",
        [300, 6000],
    ),
    ("sample", "sample m -n 5000000 --out s.csv", [200, 4000]),
    (
        "sample, pictures",
        "sample d -n 50000 --out s.npy",
        [200, 4000],
    ),
    (
        "score",
        "score m large.csv --std-error 0.00001",
        [200, 4000],
    ),
    (
        "score, chain",
        "score m large.csv --method chain",
        [200, 4000],
    ),
    (
        "score, orders",
        "score m large.csv --method orders",
        [200, 4000],
    ),
    (
        "score, importance",
        "score m large.csv --method importance",
        [200, 4000],
    ),
    (
        "score, auto",
        "score m large.csv --method auto",
        [200, 4000],
    ),
    (
        "evaluate",
        "evaluate m large.csv --std-error 0.00001",
        [200, 4000],
    ),
    (
        "evaluate --quality",
        "evaluate m --quality --synthetic large.csv",
        [200, 4000],
    ),
    ("impute", "impute m gaps.csv --out f.csv", [200, 4000]),
    (
        "predict",
        "predict m large.csv --target flag --out p.csv",
        [200, 4000],
    ),
    ("report", "report m", [200, 3000]),
    ("info", "info big.csv", [50, 2000]),
    ("energy info", "energy info ising:1000x1000", [50, 3000]),
    (
        "energy infer, exact",
        "energy infer ising:20x20 --method exact",
        [50, 3000],
    ),
    (
        "energy infer, bp",
        "energy infer ising:600x600 --method bp",
        [100, 4000],
    ),
    (
        "energy infer, mean field",
        "energy infer ising:300x300 --method mean-field",
        [100, 4000],
    ),
    (
        "energy infer, gibbs",
        "energy infer ising:32x32 --method gibbs --sweeps 1000000",
        [100, 4000],
    ),
    (
        "energy infer, gibbs, large",
        "energy infer ising:1000x1000 --method gibbs --sweeps 1000000",
        [100, 6000],
    ),
    (
        "energy infer, Swendsen–Wang",
        "energy infer ising:300x300 --method swendsen-wang --sweeps 1000000",
        [100, 4000],
    ),
    (
        "energy compare, network",
        "energy compare m.uai e --samples 5000000",
        [200, 4000],
    ),
    (
        "energy compare, flow",
        "energy compare m.uai r --samples 5000000",
        [200, 4000],
    ),
];

/// A table of small words.
fn words(rows: u64, columns: u64, words: u64) -> String {
    let mut dice = dice(3);
    let mut text: String = (0..columns).map(|column| format!("c{column},")).collect();
    for _ in 0..rows {
        text.pop();
        text.push('\n');
        text.extend((0..columns).map(|_| format!("w{},", dice(words))));
    }
    text.pop();
    text + "\n"
}

#[test]
#[ignore = "takes minutes, and the time is that of an idle computer"]
fn every_command_ends_soon_after_an_interrupt() {
    let room = Room::new();
    room.write("t.csv", table(200));
    room.write("large.csv", table(20_000));
    room.write("gaps.csv", table(20_000).replace("red", "?"));
    room.write("big.csv", words(300_000, 30, 8));
    room.write("wide.csv", words(20_000, 200, 2));
    room.write(
        "m.uai",
        "MARKOV\n3\n2 2 2\n2\n2 0 1\n2 1 2\n4 3 1 1 3\n4 1 2 2 1\n",
    );
    for fit in [
        "fit t.csv --out m --steps 20 --conditional any -q",
        "fit digits --network unet --channels 8 --steps 3 --out d -q",
        "energy fit m.uai --method neural --steps 20 --samples 500 --out e -q",
        "energy fit m.uai --steps 50 --out r -q",
    ] {
        room.succeed(&fit.split_whitespace().collect::<Vec<_>>());
    }
    let mut dice = dice(5);
    let mut slow = Vec::new();
    println!("| command | stopped | longest |");
    for (name, words, [from, until]) in COMMANDS {
        let (mut longest, mut stopped) = (Duration::ZERO, 0);
        for time in 0..TIMES {
            let mut running = start(&room, &format!("{words} --quiet"));
            sleep(Duration::from_millis(from + dice(until - from)));
            if let Some(status) = running.try_wait().unwrap() {
                let said = said(&mut running);
                assert!(status.success(), "{name}: {said}");
            } else {
                let asked = Instant::now();
                ask(&running, ["-INT", "-TERM"][time as usize % 2]);
                running.wait().unwrap();
                longest = longest.max(asked.elapsed());
                stopped += 1;
                let said = said(&mut running);
                assert!(!said.contains("panicked"), "{name}: {said}");
            }
            let _ = fs::remove_dir_all(room.path("run"));
        }
        println!("| {name} | {stopped} | {:.1} s |", longest.as_secs_f64());
        if longest > SOON {
            slow.push(name);
        }
    }
    assert!(slow.is_empty(), "{slow:?}");
}
