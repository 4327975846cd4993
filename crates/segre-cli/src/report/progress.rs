//! Progress of long work on standard error: a bar in a terminal, plain lines elsewhere.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressFinish, ProgressStyle};

use super::axis::number;

/// When the work ends: after so many steps, after so much time, or whichever comes first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Budget {
    /// Steps from the very beginning, those of an interrupted run included.
    pub steps: Option<u64>,
    /// Time from the very beginning, that of an interrupted run included.
    pub time: Option<Duration>,
}

/// What an interrupted run has already spent; zero for a new one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spent {
    /// Steps done.
    pub steps: u64,
    /// Time used.
    pub time: Duration,
}

/// Where progress is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Display {
    /// A bar that is drawn over itself, for a terminal.
    Bar,
    /// A line every ten seconds, for a log.
    Lines,
    /// Nowhere.
    Silent,
}

impl Display {
    /// Silent if asked to be quiet, a bar if standard error is a terminal, lines otherwise.
    pub fn choose(quiet: bool) -> Self {
        match (quiet, io::stderr().is_terminal()) {
            (true, _) => Self::Silent,
            (false, true) => Self::Bar,
            (false, false) => Self::Lines,
        }
    }
}

/// Progress of one piece of work.
///
/// Call [`Progress::update`] as often as you like: what is shown changes at a readable rate.
pub struct Progress {
    task: String,
    pace: Pace,
    started: Instant,
    shown: Option<Duration>,
    output: Output,
}

enum Output {
    Bar(ProgressBar),
    Lines(Box<dyn Write + Send>),
    Silent,
}

/// Resolution of the bar.
const PARTS: u64 = 1000;
const BETWEEN_REDRAWS: Duration = Duration::from_millis(100);
const BETWEEN_LINES: Duration = Duration::from_secs(10);

impl Progress {
    /// Begins to show the progress of `task` (one word, such as `fit`).
    pub fn new(task: &str, budget: Budget, spent: Spent, display: Display) -> Self {
        let output = match display {
            Display::Bar => Output::Bar(bar(task)),
            Display::Lines => Output::Lines(Box::new(io::stderr())),
            Display::Silent => Output::Silent,
        };
        Self::with_output(task, budget, spent, output)
    }

    fn with_output(task: &str, budget: Budget, spent: Spent, output: Output) -> Self {
        let pace = Pace {
            budget,
            spent,
            counted: true,
        };
        Self {
            task: task.to_owned(),
            pace,
            started: Instant::now(),
            shown: None,
            output,
        }
    }

    /// Shows no number of steps, where they are but parts of the whole.
    #[must_use]
    pub fn uncounted(mut self) -> Self {
        self.pace.counted = false;
        self
    }

    /// Tells how many steps are done (from the very beginning) and what to say, such as the loss.
    ///
    /// `message` is called only when something is shown.
    pub fn update(&mut self, steps: u64, message: impl FnOnce() -> String) {
        self.update_at(self.started.elapsed(), steps, message);
    }

    fn update_at(&mut self, elapsed: Duration, steps: u64, message: impl FnOnce() -> String) {
        let pause = match self.output {
            Output::Bar(_) => BETWEEN_REDRAWS,
            Output::Lines(_) => BETWEEN_LINES,
            Output::Silent => return,
        };
        let due = match self.shown {
            // A bar is there at once; the first line of a log waits its turn.
            None => matches!(self.output, Output::Bar(_)) || elapsed >= pause,
            Some(shown) => elapsed.saturating_sub(shown) >= pause,
        };
        if !due {
            return;
        }
        self.shown = Some(elapsed);
        let status = self.pace.status(steps, elapsed);
        match &mut self.output {
            Output::Bar(bar) => {
                bar.set_position((self.pace.fraction(steps, elapsed) * PARTS as f64) as u64);
                bar.set_message(joined(&status, &message()));
            }
            Output::Lines(lines) => {
                // Nobody is left to tell when the log cannot be written.
                let _ = writeln!(lines, "{}: {}", self.task, joined(&status, &message()));
            }
            Output::Silent => {}
        }
    }

    /// Shows a line that stays, above the bar or in the log; nothing when silent.
    pub fn note(&mut self, line: &str) {
        match &mut self.output {
            Output::Bar(bar) => bar.println(format!("{}: {line}", self.task)),
            Output::Lines(lines) => {
                let _ = writeln!(lines, "{}: {line}", self.task);
            }
            Output::Silent => {}
        }
    }

    /// Removes the bar and leaves one last line; nothing when silent.
    pub fn finish(mut self, summary: &str) {
        self.note(summary);
        if let Output::Bar(bar) = &self.output {
            bar.finish_and_clear();
        }
    }
}

fn bar(task: &str) -> ProgressBar {
    let style = ProgressStyle::with_template("{prefix} {bar:16.blue/dim} {wide_msg}")
        .expect("the template is valid")
        .progress_chars("━╸─");
    ProgressBar::with_draw_target(Some(PARTS), ProgressDrawTarget::stderr())
        .with_style(style)
        .with_prefix(task.to_owned())
        // An error that ends the work must not leave half a bar behind.
        .with_finish(ProgressFinish::AndClear)
}

fn joined(status: &str, message: &str) -> String {
    let separator = if message.is_empty() { "" } else { " · " };
    format!("{status}{separator}{message}")
}

/// The arithmetic of progress, apart from any clock.
struct Pace {
    budget: Budget,
    spent: Spent,
    /// Whether steps are worth a number.
    counted: bool,
}

impl Pace {
    /// Part of the budget used: the larger of steps and time, at most 1.
    fn fraction(&self, steps: u64, elapsed: Duration) -> f64 {
        let by_steps = self.budget.steps.map(|all| ratio(steps as f64, all as f64));
        let time = (self.spent.time + elapsed).as_secs_f64();
        let by_time = self.budget.time.map(|all| ratio(time, all.as_secs_f64()));
        by_steps.into_iter().chain(by_time).fold(0.0, f64::max)
    }

    /// Time to the end: what is left of the time budget, or of the steps at the speed so far,
    /// whichever is shorter; unknown before the first step of this run.
    fn remaining(&self, steps: u64, elapsed: Duration) -> Option<Duration> {
        let by_time = self
            .budget
            .time
            .map(|all| all.saturating_sub(self.spent.time + elapsed));
        let done = steps.saturating_sub(self.spent.steps);
        let by_steps = self.budget.steps.filter(|_| done > 0).map(|all| {
            let left = all.saturating_sub(steps) as f64;
            Duration::try_from_secs_f64(elapsed.as_secs_f64() * left / done as f64)
                .unwrap_or(Duration::MAX)
        });
        by_time.into_iter().chain(by_steps).min()
    }

    /// `step 1200 of 6000 (20 %), 0:34 left`.
    fn status(&self, steps: u64, elapsed: Duration) -> String {
        let percent = (100.0 * self.fraction(steps, elapsed)).floor();
        let mut status = match self.counted {
            true => format!("step {}", number(steps as f64, 0)),
            false => format!("{percent:.0} %"),
        };
        if let Some(all) = self.budget.steps.filter(|_| self.counted) {
            status += &format!(" of {}", number(all as f64, 0));
        }
        if self.counted && self.budget != Budget::default() {
            status += &format!(" ({percent:.0} %)");
        }
        if let Some(remaining) = self.remaining(steps, elapsed) {
            status += &format!(", {} left", clock(remaining));
        }
        status
    }
}

fn ratio(part: f64, whole: f64) -> f64 {
    if whole > 0.0 {
        (part / whole).clamp(0.0, 1.0)
    } else {
        1.0
    }
}

/// A duration as `0:07`, `12:34` or `3:05:09`, rounded up to whole seconds.
pub fn clock(duration: Duration) -> String {
    let seconds = duration.as_secs() + u64::from(duration.subsec_nanos() > 0);
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 {
        format!("{hours}:{minutes:02}:{seconds:02}")
    } else {
        format!("{minutes}:{seconds:02}")
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn pace(steps: Option<u64>, seconds: Option<u64>, spent: Spent) -> Pace {
        Pace {
            budget: Budget {
                steps,
                time: seconds.map(Duration::from_secs),
            },
            spent,
            counted: true,
        }
    }

    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl Log {
        fn lines(&self) -> Vec<String> {
            let bytes = self.0.lock().expect("log").clone();
            String::from_utf8(bytes)
                .expect("UTF-8")
                .lines()
                .map(str::to_owned)
                .collect()
        }
    }

    impl Write for Log {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("log").write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn steps_give_fraction_and_remaining_time() {
        let pace = pace(Some(6000), None, Spent::default());
        assert_eq!(pace.fraction(1200, 10 * SECOND), 0.2);
        assert_eq!(pace.remaining(1200, 10 * SECOND), Some(40 * SECOND));
        assert_eq!(pace.remaining(0, 10 * SECOND), None);
        let status = pace.status(1200, 10 * SECOND);
        assert_eq!(status, "step 1200 of 6000 (20 %), 0:40 left");
    }

    #[test]
    fn time_gives_fraction_and_remaining_time() {
        let pace = pace(None, Some(90), Spent::default());
        assert_eq!(pace.fraction(7, 45 * SECOND), 0.5);
        assert_eq!(pace.remaining(0, 30 * SECOND), Some(60 * SECOND));
        assert_eq!(pace.remaining(7, 100 * SECOND), Some(Duration::ZERO));
        assert_eq!(pace.fraction(7, 100 * SECOND), 1.0);
        assert_eq!(pace.status(7, 45 * SECOND), "step 7 (50 %), 0:45 left");
    }

    #[test]
    fn of_two_budgets_the_nearer_end_counts() {
        let pace = pace(Some(1000), Some(100), Spent::default());
        assert_eq!(pace.fraction(900, 10 * SECOND), 0.9);
        assert_eq!(pace.remaining(500, 10 * SECOND), Some(10 * SECOND));
        assert_eq!(pace.remaining(10, 90 * SECOND), Some(10 * SECOND));
    }

    #[test]
    fn a_resumed_run_goes_on_where_it_stopped_at_its_own_speed() {
        let spent = Spent {
            steps: 500,
            time: 50 * SECOND,
        };
        let by_steps = pace(Some(1000), None, spent);
        assert_eq!(by_steps.remaining(600, 20 * SECOND), Some(80 * SECOND));
        let by_time = pace(None, Some(100), spent);
        assert_eq!(by_time.fraction(600, 25 * SECOND), 0.75);
    }

    #[test]
    fn a_log_gets_a_line_every_ten_seconds_and_one_at_the_end() {
        let log = Log::default();
        let budget = Budget {
            steps: Some(100),
            time: None,
        };
        let output = Output::Lines(Box::new(log.clone()));
        let mut progress = Progress::with_output("fit", budget, Spent::default(), output);
        for second in 0..=35 {
            progress.update_at(second * SECOND, u64::from(second), || "loss 1.5".to_owned());
        }
        assert_eq!(log.lines().len(), 3);
        assert_eq!(
            log.lines()[0],
            "fit: step 10 of 100 (10 %), 1:30 left · loss 1.5"
        );
        progress.finish("done");
        assert_eq!(log.lines()[3..], ["fit: done"]);
    }

    #[test]
    fn silence_is_silent_and_never_makes_the_message() {
        let budget = Budget {
            steps: Some(1),
            time: None,
        };
        let mut progress = Progress::new("fit", budget, Spent::default(), Display::Silent);
        progress.update_at(100 * SECOND, 1, || panic!("a message nobody sees"));
        assert_eq!(Display::choose(true), Display::Silent);
    }

    #[test]
    fn clocks_read_like_clocks() {
        let read = [0, 7, 60, 754, 3599, 11_109].map(|s| clock(Duration::from_secs(s)));
        assert_eq!(read, ["0:00", "0:07", "1:00", "12:34", "59:59", "3:05:09"]);
        assert_eq!(clock(Duration::from_millis(1)), "0:01");
    }
}
