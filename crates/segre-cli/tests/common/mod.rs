//! What the tests of the command line share: a folder to work in, tiny data, checks of refusals.

#![allow(dead_code, reason = "no test file uses all of it")]
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::process::{Child, Output, Stdio};
use std::time::{Duration, Instant};

use npyz::WriterBuilder;
use serde_json::Value;

/// The options of a training run of a fraction of a second.
///
/// The patience is out of reach: such a run ends with its steps.
pub const TINY: [&str; 8] = [
    "--steps",
    "20",
    "--hidden",
    "16",
    "--blocks",
    "1",
    "--set",
    "training.patience=99",
];

/// A folder of one test's own in which the commands run.
pub struct Room(tempfile::TempDir);

impl Room {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn write(&self, name: &str, contents: impl AsRef<[u8]>) {
        fs::write(self.path(name), contents).unwrap();
    }

    pub fn bytes(&self, name: &str) -> Vec<u8> {
        let path = self.path(name);
        fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    pub fn text(&self, name: &str) -> String {
        String::from_utf8(self.bytes(name)).unwrap()
    }

    /// The command, ready to run here.
    pub fn command<S: AsRef<str>>(&self, arguments: &[S]) -> std::process::Command {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_segre"));
        command.args(arguments.iter().map(AsRef::as_ref));
        command.current_dir(self.0.path());
        command
    }

    pub fn run<S: AsRef<str>>(&self, arguments: &[S]) -> Output {
        assert_cmd::Command::from_std(self.command(arguments))
            .timeout(Duration::from_secs(120))
            .output()
            .unwrap()
    }

    /// Runs a command that must succeed.
    #[track_caller]
    pub fn succeed<S: AsRef<str>>(&self, arguments: &[S]) -> Output {
        let output = self.run(arguments);
        let shown: Vec<&str> = arguments.iter().map(AsRef::as_ref).collect();
        assert!(
            output.status.success(),
            "segre {} failed:\n{}",
            shown.join(" "),
            stderr(&output)
        );
        output
    }

    /// Runs a command with `--json` that must print exactly one line with one object.
    #[track_caller]
    pub fn json<S: AsRef<str>>(&self, arguments: &[S]) -> Value {
        let arguments = with(arguments, &["--json"]);
        let text = stdout(&self.succeed(&arguments));
        assert_eq!(text.matches('\n').count(), 1, "not one line: {text:?}");
        assert!(text.ends_with('\n'), "{text:?}");
        let value: Value = serde_json::from_str(&text).unwrap();
        assert!(value.is_object(), "{text}");
        value
    }

    /// Fits a tiny model to data, quietly.
    #[track_caller]
    pub fn fit(&self, data: &str, out: &str) {
        self.succeed(&with(&["fit", data, "--out", out, "--quiet"], &TINY));
    }

    /// Runs a command that must be refused, and returns its one line.
    ///
    /// Exit code 1 with exactly one line, or 2 with clap's message; the line starts with `error:` and
    /// holds all `fragments`; standard output is empty; and the whole folder is as it was.
    #[track_caller]
    pub fn refuse<S: AsRef<str>>(&self, arguments: &[S], fragments: &[&str]) -> String {
        let before = self.snapshot();
        let output = self.run(arguments);
        let after = self.snapshot();
        let shown: Vec<&str> = arguments.iter().map(AsRef::as_ref).collect();
        let shown = shown.join(" ");
        let line = check_refusal(&output, &shown);
        for fragment in fragments {
            assert!(
                line.contains(fragment),
                "segre {shown}: no {fragment:?} in\n{line}"
            );
        }
        assert_same_files(&before, &after, &shown);
        line
    }

    /// Every file with its contents, every folder with nothing.
    pub fn snapshot(&self) -> BTreeMap<PathBuf, Option<Vec<u8>>> {
        let mut found = BTreeMap::new();
        let mut folders = vec![self.0.path().to_path_buf()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path.clone());
                    found.insert(path, None);
                } else if !path.ends_with("run.lock") {
                    // A lock of a process that was killed is nobody's.
                    let bytes = fs::read(&path).unwrap();
                    found.insert(path, Some(bytes));
                }
            }
        }
        found
    }

    /// Starts a command without waiting for it.
    pub fn start<S: AsRef<str>>(&self, arguments: &[S]) -> Running {
        let mut command = self.command(arguments);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        Running(Some(command.spawn().unwrap()))
    }
}

/// A started command; it is killed if the test fails before its end.
pub struct Running(Option<Child>);

impl Running {
    fn child(&mut self) -> &mut Child {
        self.0.as_mut().unwrap()
    }

    /// Waits until something is there; fails if the command ends before.
    #[track_caller]
    pub fn wait_until(&mut self, what: &str, there: impl Fn() -> bool) {
        let start = Instant::now();
        while !there() {
            let ended = self.child().try_wait().unwrap();
            assert!(ended.is_none(), "ended before {what}: {ended:?}");
            assert!(start.elapsed() < Duration::from_secs(60), "never {what}");
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Waits for the first line of a run's log.
    #[track_caller]
    pub fn wait_for_log(&mut self, log: &Path) {
        self.wait_until("the first step", || {
            fs::metadata(log).is_ok_and(|file| file.len() > 0)
        });
    }

    /// Kills it at once, as a power failure would; fails if it had ended by itself.
    #[track_caller]
    pub fn kill(mut self) {
        use std::os::unix::process::ExitStatusExt;
        self.child().kill().unwrap();
        let status = self.child().wait().unwrap();
        assert_eq!(status.signal(), Some(9), "it ended by itself: {status}");
    }

    /// Asks it to stop, as Ctrl-C does, and waits for its end.
    pub fn interrupt(mut self) -> Output {
        let id = self.child().id().to_string();
        let sent = std::process::Command::new("kill")
            .args(["-INT", &id])
            .status()
            .unwrap();
        assert!(sent.success(), "kill -INT {id}");
        self.0.take().unwrap().wait_with_output().unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(child) = &mut self.0 {
            // It may have ended already.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Arguments and further ones.
pub fn with<S: AsRef<str>>(arguments: &[S], further: &[&str]) -> Vec<String> {
    let own = arguments
        .iter()
        .map(|argument| argument.as_ref().to_owned());
    own.chain(further.iter().map(|argument| (*argument).to_owned()))
        .collect()
}

pub fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

pub fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// The line of a refusal.
#[track_caller]
pub fn check_refusal(output: &Output, shown: &str) -> String {
    let text = stderr(output);
    let code = output.status.code();
    assert!(
        matches!(code, Some(1 | 2)),
        "segre {shown}: exit code {code:?}\n{text}"
    );
    assert!(!text.contains("panicked"), "segre {shown}:\n{text}");
    assert_eq!(stdout(output), "", "segre {shown}");
    let first = text.lines().next().unwrap_or_default().to_owned();
    assert!(first.starts_with("error: "), "segre {shown}:\n{text}");
    let errors = text.lines().filter(|line| line.starts_with("error"));
    assert_eq!(errors.count(), 1, "segre {shown}:\n{text}");
    // Clap adds a hint and the usage on further lines.
    if code == Some(1) {
        assert_eq!(text.lines().count(), 1, "segre {shown}:\n{text}");
    }
    first
}

#[track_caller]
fn assert_same_files(
    before: &BTreeMap<PathBuf, Option<Vec<u8>>>,
    after: &BTreeMap<PathBuf, Option<Vec<u8>>>,
    shown: &str,
) {
    let paths: std::collections::BTreeSet<&Path> = before
        .keys()
        .chain(after.keys())
        .map(PathBuf::as_path)
        .collect();
    for path in paths {
        assert!(
            before.get(path) == after.get(path),
            "segre {shown}: {} has changed ({} before, {} after)",
            path.display(),
            size(before.get(path)),
            size(after.get(path))
        );
    }
}

fn size(entry: Option<&Option<Vec<u8>>>) -> String {
    match entry {
        None => "absent".into(),
        Some(None) => "a folder".into(),
        Some(Some(bytes)) => format!("{} bytes", bytes.len()),
    }
}

#[track_caller]
pub fn number(value: &Value, key: &str) -> f64 {
    value[key]
        .as_f64()
        .unwrap_or_else(|| panic!("no number {key:?} in {value}"))
}

/// Small numbers that look random: `0..below`.
pub fn dice(seed: u64) -> impl FnMut(u64) -> u64 {
    let mut state = seed;
    move |below| {
        // SplitMix64, Steele, Lea & Flood 2014.
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % below
    }
}

/// Header of [`table`], as its fields.
pub const COLUMNS: [&str; 4] = ["colour", "flag", "size", "a \"quoted\", name"];

/// The categories of [`table`]'s columns, in the order of the labels.
pub const CATEGORIES: [&[&str]; 4] = [
    &["blue, dark", "green", "red"],
    &["no", "yes", "?"],
    &["1", "2", "10", "20", "?"],
    &["he said \"hi\"", "quiet"],
];

/// A table with mixed cardinalities, quoted fields and missing ones.
pub fn table(rows: u64) -> String {
    let mut dice = dice(1);
    let mut text = String::from("colour,flag,size,\"a \"\"quoted\"\", name\"\n");
    for _ in 0..rows {
        let (colour, flag) = (dice(3) as usize, dice(3) as usize);
        // Something to learn: red is never unknown.
        let flag = if colour == 2 { 1 } else { flag };
        let size = ["1", "2", "10", "20", ""][dice(5) as usize];
        let colour = CATEGORIES[0][colour];
        let last = ["\"he said \"\"hi\"\"\"", "quiet"][dice(2) as usize];
        text += &format!("\"{colour}\",{},{size},{last}\n", CATEGORIES[1][flag]);
    }
    text
}

/// A `.npy` file.
pub fn npy<T: npyz::AutoSerialize + Copy>(shape: &[u64], values: &[T]) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    let options = npyz::WriteOptions::<T>::new().default_dtype().shape(shape);
    let mut writer = options.writer(&mut bytes).begin_nd().unwrap();
    writer.extend(values.iter().copied()).unwrap();
    writer.finish().unwrap();
    bytes.into_inner()
}

/// A `.npz` file with one array.
pub fn npz(key: &str, shape: &[u64], values: &[u16]) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    let mut archive = npyz::npz::NpzWriter::new(&mut bytes);
    let array = archive.array::<u16>(key, Default::default()).unwrap();
    let mut array = array.default_dtype().shape(shape).begin_nd().unwrap();
    array.extend(values.iter().copied()).unwrap();
    array.finish().unwrap();
    archive.zip_writer().finish().unwrap();
    drop(archive);
    bytes.into_inner()
}

/// Images of 2 × 3 pixels with 4 levels, all levels used.
pub fn images(rows: u64) -> Vec<u8> {
    let mut dice = dice(2);
    let values: Vec<u8> = (0..rows * 6).map(|_| dice(4) as u8).collect();
    npy(&[rows, 2, 3], &values)
}

/// The fields of a table, quoted or not.
pub fn parse_csv(text: &str) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut field) = (Vec::new(), Vec::new(), String::new());
    let mut quoted = false;
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match (quoted, character) {
            (true, '"') if characters.peek() == Some(&'"') => {
                characters.next();
                field.push('"');
            }
            (_, '"') => quoted = !quoted,
            (false, ',') => row.push(std::mem::take(&mut field)),
            (false, '\n') => {
                row.push(std::mem::take(&mut field));
                rows.push(std::mem::take(&mut row));
            }
            _ => field.push(character),
        }
    }
    assert!(
        row.is_empty() && field.is_empty() && !quoted,
        "no line break at the end"
    );
    rows
}

/// Steps done in a checkpoint, from the file's own header.
pub fn checkpoint_step(bytes: &[u8]) -> u64 {
    let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let header = String::from_utf8(bytes[8..8 + length].to_vec()).unwrap();
    // The header holds the run's state as JSON within JSON.
    let (_, rest) = header.split_once("\\\"step\\\":").expect("the step");
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().unwrap()
}
