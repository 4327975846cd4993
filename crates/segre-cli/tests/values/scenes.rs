//! Scenes: commands that are run one after the other in a folder of their own.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Instant;

use crate::common::Room;
use crate::{canonical, data};

/// Results by name: `LABEL/stdout`, and `LABEL/FILE` for every file that the command wrote or changed.
pub type Results = BTreeMap<String, String>;

/// Commands and where they are run.
pub struct Scene {
    pub name: String,
    /// Whether `cargo test` runs it.
    pub checked: bool,
    /// Label and arguments.
    commands: Vec<(String, Vec<String>)>,
}

impl Scene {
    /// The list.
    pub fn all() -> Vec<Self> {
        let mut scenes: Vec<Self> = Vec::new();
        for line in include_str!("commands.txt").lines() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            if let Some(heading) = line.strip_prefix('[') {
                let heading = heading.strip_suffix(']').expect("[NAME] or [NAME checked]");
                let (name, mark) = heading.split_once(' ').unwrap_or((heading, ""));
                scenes.push(Self {
                    name: name.to_owned(),
                    checked: mark == "checked",
                    commands: Vec::new(),
                });
                continue;
            }
            let (label, command) = line.split_once(": ").expect("LABEL: COMMAND");
            let arguments = command.split_whitespace().map(str::to_owned).collect();
            let scene = scenes.last_mut().expect("a scene before its commands");
            assert!(
                scene.commands.iter().all(|(known, _)| known != label),
                "{}: {label} twice",
                scene.name
            );
            scene.commands.push((label.to_owned(), arguments));
        }
        scenes
    }

    /// Runs all commands; one that fails has its message as its result.
    pub fn play(&self, program: &Path) -> Results {
        let room = Room::new();
        data::write(&room);
        if self.mentions("large.idx") {
            data::write_many_pictures(&room);
        }
        let mut before = room.snapshot();
        let mut results = Results::new();
        for (label, arguments) in &self.commands {
            let start = Instant::now();
            let output = run(program, &room.path("."), arguments);
            let printed = canonical::printed(&output, arguments.iter().any(|a| a == "--json"));
            results.insert(format!("{label}/stdout"), printed);
            let after = room.snapshot();
            for (path, bytes) in &after {
                let Some(bytes) = bytes else { continue };
                if before.get(path) != Some(&Some(bytes.clone())) {
                    let name = relative(path, &room);
                    results.insert(format!("{label}/{name}"), canonical::file(path, bytes));
                }
            }
            before = after;
            let seconds = start.elapsed().as_secs_f64();
            println!("{}/{label}: {seconds:.1} s", self.name);
        }
        results
    }

    fn mentions(&self, file: &str) -> bool {
        let mut arguments = self.commands.iter().flat_map(|(_, arguments)| arguments);
        arguments.any(|argument| argument == file)
    }
}

fn relative(path: &Path, room: &Room) -> String {
    let root: PathBuf = room.path("");
    let inner = path.strip_prefix(root).expect("within the room");
    inner.to_string_lossy().into_owned()
}

/// On the plain instructions: what is left to depend on the processor are burn's matrix products.
fn run(program: &Path, folder: &Path, arguments: &[String]) -> Output {
    let mut command = Command::new(program);
    command.args(arguments).args(["--threads", "2", "--quiet"]);
    command.current_dir(folder).env("SEGRE_SIMD", "plain");
    command.output().expect("the program starts")
}
