//! What to type to fit a model again: every option that its fit had, for a shell.

use std::fmt::Write;

use segre::data::{
    Class, ClassMap, IN_MEMORY, IgnoreAs, ImageOptions, Levels, MISSING_WORDS, Missing, ReadOptions,
};
use segre::flow::PriorConfig;
use segre::learning::Budget;
use segre::randomized::{Covariance, EntropyGradient, Objective, Parametrisation};
use segre::run::{ModelCard, RandomizedCard};
use serde_json::json;

use super::{Block, Section};

/// Folder of the repetition, and files that it reads.
const OUT: &str = "again";
const RECIPE: &str = "recipe.toml";
const CLASSES: &str = "classes.csv";
const KINDS: &str = "columns.json";
/// Names of classes that need no file.
const KNOWN_CLASSES: [&str; 2] = ["camvid12", "cityscapes8"];

/// A command, and files that it reads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Script {
    /// Names and texts.
    pub files: Vec<(&'static str, String)>,
    /// Program and arguments.
    pub words: Vec<String>,
}

impl Script {
    fn of(words: &[&str]) -> Self {
        Self {
            files: Vec::new(),
            words: words.iter().map(|word| (*word).to_owned()).collect(),
        }
    }

    fn option(&mut self, name: &str, value: impl ToString) {
        self.words.extend([name.to_owned(), value.to_string()]);
    }

    fn flag(&mut self, name: &str, given: bool) {
        if given {
            self.words.push(name.to_owned());
        }
    }

    fn file(&mut self, option: &str, name: &'static str, text: String) {
        self.files.push((name, text));
        self.option(option, name);
    }

    fn recipe(&mut self, recipe: &str) {
        // Explanations are beside the command.
        let said = recipe.lines().filter(|line| !line.starts_with('#'));
        let lines: Vec<&str> = said.filter(|line| !line.is_empty()).collect();
        self.file("--recipe", RECIPE, lines.join("\n") + "\n");
    }

    /// The script as it is typed: files are written first.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for (name, content) in &self.files {
            let _ = write!(text, "cat > {name} <<'END'\n{content}END\n");
        }
        let words: Vec<String> = self.words.iter().map(|word| quoted(word)).collect();
        text + &words.join(" ")
    }
}

/// A word as a shell reads it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,+@%".contains(c);
    match !word.is_empty() && word.chars().all(plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', "'\\''")),
    }
}

/// A word of a list between commas.
fn listed(word: &str) -> String {
    match word.contains([',', '"', '\n']) {
        true => format!("\"{}\"", word.replace('"', "\"\"")),
        false => word.to_owned(),
    }
}

fn list<'a>(words: impl IntoIterator<Item = &'a String>) -> String {
    let words: Vec<String> = words.into_iter().map(|word| listed(word)).collect();
    words.join(",")
}

/// How data are read, as options; what changes no result is left out.
pub fn reading(script: &mut Script, options: &ReadOptions) {
    script.flag("--no-header", !options.has_header);
    if options.missing == Missing::DropRows {
        script.option("--missing", "drop");
    }
    if options.missing_words != MISSING_WORDS {
        script.option("--missing-words", list(&options.missing_words));
    }
    if !options.drop_columns.is_empty() {
        script.option("--drop", list(&options.drop_columns));
    }
    if let Some(columns) = &options.only_columns {
        script.option("--columns", list(columns));
    }
    if !options.kinds.is_empty() || !options.date_formats.is_empty() {
        let kinds = options
            .kinds
            .iter()
            .map(|(name, kind)| (name, kind.to_string()));
        let said = json!({
            "columns_as": kinds.collect::<std::collections::BTreeMap<_, _>>(),
            "date_formats": options.date_formats,
        });
        script.file("--columns-as", KINDS, format!("{said:#}\n"));
    }
    for (name, kind) in &options.columns_as {
        script.option("--columns-as", listed(&format!("{name}={kind}")));
    }
    if let Some(weights) = &options.weights {
        script.option("--weights", weights);
    }
    for constraint in &options.constraints {
        script.option("--constraint", constraint);
    }
    if options.text_window != ReadOptions::default().text_window {
        script.option("--text-window", options.text_window);
    }
    pictures(script, &options.images);
}

fn pictures(script: &mut Script, options: &ImageOptions) {
    script.flag("--gray", options.gray);
    script.flag("--invert", options.invert);
    match options.levels {
        Some(Levels::Threshold(threshold)) => script.option("--threshold", threshold),
        Some(Levels::Equal(levels)) => script.option("--levels", levels),
        None => {}
    }
    if let Some(size) = options.size {
        script.option("--size", size);
    }
    if let Some(size) = options.pad_to {
        script.option("--pad", size);
    }
    if let Some(classes) = &options.classes {
        let same = |name: &&str| ClassMap::load(name).is_ok_and(|known| known == *classes);
        match KNOWN_CLASSES.into_iter().find(same) {
            Some(name) => script.option("--classes", name),
            None => script.file("--classes", CLASSES, table_of(classes)),
        }
    }
    if !options.ignore.is_empty() {
        let ids: Vec<String> = options.ignore.iter().map(u8::to_string).collect();
        script.option("--ignore", ids.join(","));
        if options.ignore_as == IgnoreAs::Fill {
            script.option("--ignore-as", "fill");
        }
    }
}

/// Classes as the file that says so: classes are numbered as they first occur.
fn table_of(map: &ClassMap) -> String {
    let mut ids: Vec<(u16, u8)> = map
        .label_of_id
        .iter()
        .map(|(id, label)| (*label, *id))
        .collect();
    ids.sort_unstable();
    let mut text = "id,class,colour\n".to_owned();
    for (label, id) in ids {
        if let Some(Class { name, colour }) = map.classes.get(usize::from(label)) {
            let colour = colour.map(|[r, g, b]| format!("#{r:02x}{g:02x}{b:02x}"));
            let _ = writeln!(text, "{id},{},{}", listed(name), colour.unwrap_or_default());
        }
    }
    text
}

/// The script of a fit to data; none where they were in memory.
pub fn of_data(card: &ModelCard, recipe: &str) -> Option<Script> {
    if card.source == IN_MEMORY {
        return None;
    }
    let mut source = card.source.clone();
    if let Some(rows) = card
        .read_options
        .builtin_rows
        .filter(|_| !source.contains("rows="))
    {
        source += &format!(
            "{}rows={rows}",
            if source.contains(':') { ',' } else { ':' }
        );
    }
    let mut script = match &card.energy {
        Some(energy) => {
            let words = ["segre", "energy", "fit", energy, "--method", "neural"];
            let mut script = Script::of(&words);
            script.option("--samples-from", source);
            prior(&mut script, card);
            script
        }
        None => Script::of(&["segre", "fit", &source]),
    };
    if let Some(test) = &card.test_data {
        script.option("--test-data", &test.source);
    }
    if let Some(labels) = &card.labels {
        script.option("--labels", labels.path.display());
        if let Some(column) = &labels.column {
            script.option("--label-column", column);
        }
    }
    reading(&mut script, &card.read_options);
    script.recipe(recipe);
    script.option("--out", OUT);
    Some(script)
}

/// The script of a fit to an energy alone.
pub fn of_energy(card: &ModelCard, recipe: &str) -> Script {
    let words = [
        "segre",
        "energy",
        "fit",
        &card.source,
        "--method",
        "neural",
        "--data-free",
    ];
    let mut script = Script::of(&words);
    prior(&mut script, card);
    script.recipe(recipe);
    script.option("--out", OUT);
    script
}

fn prior(script: &mut Script, card: &ModelCard) {
    if card.model.prior == PriorConfig::Marginals {
        script.option("--prior", "marginals");
    }
}

/// The script of a randomised flow.
pub fn of_randomized(card: &RandomizedCard) -> Script {
    let (model, training) = (&card.model, &card.training);
    let mut script = Script::of(&["segre", "energy", "fit", &card.source]);
    if model.parametrisation != Parametrisation::General {
        script.option("--settings", "published");
    }
    let objective = match training.objective {
        Objective::Forward => "forward",
        Objective::Reverse {
            entropy: EntropyGradient::LogDerivative,
        } => "reverse",
        Objective::Reverse {
            entropy: EntropyGradient::SmoothedPlugIn,
        } => "reverse-plug-in",
        Objective::Both => "both",
    };
    script.option("--objective", objective);
    match model.covariance {
        Covariance::Diagonal => script.option("--rank", 0),
        Covariance::LowRank { rank } => script.option("--rank", rank),
        Covariance::Full => {}
    }
    script.option("--end-time", model.end_time);
    script.option("--draws", training.draws);
    script.option("--learning-rate", training.optimizer.learning_rate);
    if let Some(from) = &card.samples_from {
        script.option("--samples-from", from);
        script.option("--samples", card.samples);
    }
    if let Some(steps) = training.budget.steps {
        script.option("--steps", steps);
    }
    if let Some(seconds) = training.budget.seconds {
        script.option("--time", format!("{seconds}s"));
    }
    script.option("--seed", training.seed);
    script.option("--out", OUT);
    script
}

/// The section of a page that says how its fit is repeated, with its settings.
pub fn section(
    (version, seed): (&str, u64),
    budget: &Budget,
    script: Option<&Script>,
    settings: &str,
) -> Section {
    let mut lead = format!("Segre {version}, seed {seed}. ");
    lead += match (script, budget.seconds) {
        (None, _) => {
            "The rows were in memory. With the settings below as recipe.toml, segre.fit(rows, recipe=\"recipe.toml\") repeats \
             the fit."
        }
        (_, None) => "This fits the same model again, in the folder where it was fitted:",
        (_, Some(_)) => {
            "This repeats the fit, in the folder where it was fitted. It was limited by time, so a repetition takes other \
             steps and its numbers differ a little; one that is limited by steps alone repeats exactly."
        }
    };
    let script = script.map(|script| Block::Command {
        text: script.text(),
    });
    let lines = Block::Lines {
        name: "Settings, explained".to_owned(),
        text: settings.to_owned(),
        open: false,
    };
    let blocks = script.into_iter().chain([lines]).collect();
    Section::new("Settings", lead, blocks)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_those_of_a_shell_and_of_a_list() {
        assert_eq!(quoted("a b"), "'a b'");
        assert_eq!(quoted("it's"), "'it'\\''s'");
        assert_eq!(quoted("x=1,y"), "x=1,y");
        assert_eq!(quoted(""), "''");
        let words = ["a".to_owned(), "b,c".to_owned(), "say \"d\"".to_owned()];
        assert_eq!(list(&words), "a,\"b,c\",\"say \"\"d\"\"\"");
    }

    #[test]
    fn files_are_written_before_they_are_read() {
        let mut script = Script::of(&["segre", "fit", "my file.csv"]);
        script.recipe("# explained\nseed = 3\n\n[training]\n# so many\nsteps = 5\n# time =\n");
        let text = script.text();
        let expected = "cat > recipe.toml <<'END'\nseed = 3\n[training]\nsteps = 5\nEND\nsegre fit 'my file.csv' --recipe \
                        recipe.toml";
        assert_eq!(text, expected);
    }
}
