//! Progress of long work on standard error: a bar in a terminal, plain lines elsewhere.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressFinish, ProgressStyle};
use segre::progress::{Control, Event, Observer, Progress};

use crate::interrupt;
use crate::wording::with_flags;
use segre_report::pictures::axis::number;

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

/// Who watches all long work: draws how far it is, and stops it after Ctrl-C.
///
/// It may be told as often as the work likes: what is shown changes at a readable rate.
pub struct Bar {
    output: Output,
    /// What is being done, and since when.
    task: Option<Task>,
    shown: Option<Duration>,
    /// Bits per dimension of the last validation.
    validation: Option<f64>,
    /// What the last round has found.
    round: Option<String>,
}

enum Output {
    /// With the bar of the task.
    Bar(Option<ProgressBar>),
    Lines(Box<dyn Write + Send>),
    Silent,
}

/// Resolution of the bar.
const PARTS: u64 = 1000;
const BETWEEN_REDRAWS: Duration = Duration::from_millis(100);
const BETWEEN_LINES: Duration = Duration::from_secs(10);

impl Bar {
    /// Shows nothing before it is told of some work.
    pub fn new(display: Display) -> Self {
        Self::with_output(match display {
            Display::Bar => Output::Bar(None),
            Display::Lines => Output::Lines(Box::new(io::stderr())),
            Display::Silent => Output::Silent,
        })
    }

    fn with_output(output: Output) -> Self {
        Self {
            output,
            task: None,
            shown: None,
            validation: None,
            round: None,
        }
    }

    /// Shows how far the work is and what there is to say of it; `message` is called only when something is shown.
    pub fn show(&mut self, progress: &Progress, message: impl FnOnce() -> String) {
        self.begin(progress);
        let elapsed = self.task.as_ref().map(|task| task.started.elapsed());
        self.show_at(elapsed.unwrap_or_default(), progress, message);
    }

    /// Takes up another task than the one before.
    fn begin(&mut self, progress: &Progress) {
        if self
            .task
            .as_ref()
            .is_some_and(|task| task.name == progress.task)
        {
            return;
        }
        self.note("done");
        self.task = Some(Task {
            name: progress.task,
            first: progress.fraction,
            started: Instant::now(),
        });
        self.shown = None;
        if let Output::Bar(bar) = &mut self.output {
            // The one before is cleared when it is dropped.
            *bar = Some(bar_of(progress.task));
        }
    }

    fn show_at(
        &mut self,
        elapsed: Duration,
        progress: &Progress,
        message: impl FnOnce() -> String,
    ) {
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
        let Some(task) = self.task.as_ref().filter(|_| due) else {
            return;
        };
        self.shown = Some(elapsed);
        let status = task.status(progress, elapsed);
        match &mut self.output {
            Output::Bar(Some(bar)) => {
                bar.set_position((progress.fraction * PARTS as f64) as u64);
                bar.set_message(joined(&status, &message()));
            }
            Output::Lines(lines) => {
                // Nobody is left to tell when the log cannot be written.
                let _ = writeln!(lines, "{}: {}", task.name, joined(&status, &message()));
            }
            Output::Bar(None) | Output::Silent => {}
        }
    }

    /// Shows a line that stays, above the bar or in the log; nothing when silent.
    pub fn note(&mut self, line: &str) {
        if let Some(task) = &self.task {
            self.line(&format!("{}: {line}", task.name));
        }
    }

    fn line(&mut self, line: &str) {
        match &mut self.output {
            Output::Bar(Some(bar)) => bar.println(line),
            Output::Bar(None) => eprintln!("{line}"),
            Output::Lines(lines) => {
                let _ = writeln!(lines, "{line}");
            }
            Output::Silent => {}
        }
    }

    /// Removes the bar and leaves one last line; nothing when silent.
    pub fn finish(mut self, summary: &str) {
        self.note(summary);
        if let Output::Bar(Some(bar)) = &self.output {
            bar.finish_and_clear();
        }
    }
}

impl Observer for Bar {
    fn tell(&mut self, progress: &Progress) -> Control {
        let message = match &progress.event {
            Event::Notice(words) => {
                self.line(&format!("{}: {}", progress.task, with_flags(words)));
                return interrupt::control();
            }
            Event::Step { loss, .. } => match (&self.round, self.validation) {
                (Some(round), _) => round.clone(),
                (None, Some(bits)) => format!("loss {loss:.4}, validation {bits:.4} bits/dim"),
                (None, None) => format!("loss {loss:.4}"),
            },
            Event::Validation { bits_per_dim, .. } => {
                self.validation = Some(bits_per_dim.value);
                return interrupt::control();
            }
            Event::Round(found) => {
                let words = format!(
                    "β {:.3}, effective {:.0} %, log Z(β) {:.3} ≥ {:.3}",
                    found.inverse_temperature,
                    100.0 * found.effective_share,
                    found.log_z.value,
                    found.bound.value
                );
                self.round.insert(words).clone()
            }
            _ => self.round.clone().unwrap_or_default(),
        };
        self.show(progress, || message);
        interrupt::control()
    }
}

fn bar_of(task: &'static str) -> ProgressBar {
    let style = ProgressStyle::with_template("{prefix} {bar:16.blue/dim} {wide_msg}")
        .expect("the template is valid")
        .progress_chars("━╸─");
    ProgressBar::with_draw_target(Some(PARTS), ProgressDrawTarget::stderr())
        .with_style(style)
        .with_prefix(task)
        // An error that ends the work must not leave half a bar behind.
        .with_finish(ProgressFinish::AndClear)
}

fn joined(status: &str, message: &str) -> String {
    let separator = if message.is_empty() { "" } else { " · " };
    format!("{status}{separator}{message}")
}

/// A task under way; its arithmetic is apart from any clock.
struct Task {
    name: &'static str,
    /// The part that was done when it began: by an interrupted run.
    first: f64,
    started: Instant,
}

impl Task {
    /// Time to the end at the speed so far; unknown before anything is done.
    fn remaining(&self, fraction: f64, elapsed: Duration) -> Option<Duration> {
        let done = Some(fraction - self.first).filter(|done| *done > 0.0)?;
        let left = elapsed.as_secs_f64() * (1.0 - fraction) / done;
        Some(Duration::try_from_secs_f64(left).unwrap_or(Duration::MAX))
    }

    /// `step 1200 of 6000 (20 %), 0:34 left`.
    fn status(&self, progress: &Progress, elapsed: Duration) -> String {
        let percent = format!("{:.0} %", (100.0 * progress.fraction).floor());
        let mut status = match &progress.count {
            None => percent,
            Some(count) => {
                let done = number(count.done as f64, 0);
                let of = count
                    .total
                    .map(|all| format!(" of {}", number(all as f64, 0)));
                format!(
                    "{} {done}{} ({percent})",
                    count.unit,
                    of.unwrap_or_default()
                )
            }
        };
        if let Some(remaining) = self.remaining(progress.fraction, elapsed) {
            status += &format!(", {} left", clock(remaining));
        }
        status
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

    use segre::progress::Count;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn from(first: f64) -> Task {
        Task {
            name: "fit",
            first,
            started: Instant::now(),
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
    fn what_is_done_gives_the_remaining_time() {
        let task = from(0.0);
        let status = |told: &Progress, seconds: u32| task.status(told, seconds * SECOND);
        let steps = Progress::pieces("fit", "step", 1200, 6000);
        assert_eq!(status(&steps, 10), "step 1200 of 6000 (20 %), 0:40 left");
        let none = Progress::pieces("fit", "step", 0, 6000);
        assert_eq!(status(&none, 10), "step 0 of 6000 (0 %)");
        assert_eq!(
            status(&Progress::part("score", 0.999), 0),
            "99 %, 0:00 left"
        );
        let count = Count {
            unit: "step",
            done: 7,
            total: None,
        };
        let by_time = Progress {
            count: Some(count),
            ..Progress::part("fit", 0.5)
        };
        assert_eq!(status(&by_time, 45), "step 7 (50 %), 0:45 left");
        assert_eq!(task.remaining(1.0, 100 * SECOND), Some(Duration::ZERO));
    }

    #[test]
    fn a_resumed_run_goes_on_where_it_stopped_at_its_own_speed() {
        assert_eq!(from(0.5).remaining(0.625, 20 * SECOND), Some(60 * SECOND));
        assert_eq!(from(0.5).remaining(0.5, 20 * SECOND), None);
    }

    #[test]
    fn a_log_gets_a_line_every_ten_seconds_and_one_at_the_end() {
        let log = Log::default();
        let mut bar = Bar::with_output(Output::Lines(Box::new(log.clone())));
        bar.begin(&Progress::pieces("fit", "step", 0, 100));
        for second in 0..=35 {
            let told = Progress::pieces("fit", "step", second, 100);
            bar.show_at(second as u32 * SECOND, &told, || "loss 1.5".to_owned());
        }
        assert_eq!(log.lines().len(), 3);
        assert_eq!(
            log.lines()[0],
            "fit: step 10 of 100 (10 %), 1:30 left · loss 1.5"
        );
        bar.finish("done");
        assert_eq!(log.lines()[3..], ["fit: done"]);
    }

    #[test]
    fn every_task_has_its_own_clock() {
        let log = Log::default();
        let mut bar = Bar::with_output(Output::Lines(Box::new(log.clone())));
        bar.begin(&Progress::part("sample", 0.0));
        bar.show_at(30 * SECOND, &Progress::part("sample", 1.0), String::new);
        bar.begin(&Progress::part("score", 0.0));
        bar.show_at(9 * SECOND, &Progress::part("score", 0.5), String::new);
        assert_eq!(log.lines(), ["sample: 100 %, 0:00 left", "sample: done"]);
        bar.tell(&Progress::note("`size` is used".to_owned()));
        bar.finish("2 rows");
        assert_eq!(log.lines()[2..], ["note: --size is used", "score: 2 rows"]);
    }

    #[test]
    fn silence_is_silent_and_never_makes_the_message() {
        let mut bar = Bar::new(Display::Silent);
        let told = Progress::part("fit", 1.0);
        bar.begin(&told);
        bar.show_at(100 * SECOND, &told, || panic!("a message nobody sees"));
        assert_eq!(Display::choose(true), Display::Silent);
    }

    #[test]
    fn clocks_read_like_clocks() {
        let read = [0, 7, 60, 754, 3599, 11_109].map(|s| clock(Duration::from_secs(s)));
        assert_eq!(read, ["0:00", "0:07", "1:00", "12:34", "59:59", "3:05:09"]);
        assert_eq!(clock(Duration::from_millis(1)), "0:01");
    }
}
