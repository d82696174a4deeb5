//! Progress bars on a terminal, one for each step.

use std::collections::BTreeMap;
use std::io::{IsTerminal, stderr};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use host_sdk::Progress;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::events::DocumentEvent;
use crate::locks::lock;
use host_sdk::kit::shortage;

/// How often a line is written where there is no terminal.
const EVERY: Duration = Duration::from_secs(10);

/// The progress of a run's steps: bars on a terminal, a line now and then elsewhere.
pub(crate) struct ProgressBars {
    all: MultiProgress,
    shown: bool,
    wanted: bool,
    steps: Mutex<BTreeMap<String, StepProgress>>,
}

struct StepProgress {
    bar: ProgressBar,
    amounts: Amounts,
    started: Instant,
    /// When the last line was written.
    written: Instant,
}

/// How far a step is.
#[derive(Clone, Copy, Debug, Default)]
struct Amounts {
    documents: u64,
    bytes: u64,
    /// The bytes that there will be, as far as the connector knows.
    total: Option<u64>,
    /// The sizes of the documents on their way into the step.
    expected: u64,
    /// True if the connector reports its progress, so that documents are not added up.
    reports_progress: bool,
}

impl Amounts {
    fn total(&self) -> Option<u64> {
        self.total.or(Some(self.expected)).filter(|total| *total >= self.bytes && *total > 0)
    }

    /// `45 % (450.0 MiB of 1.0 GiB), 12.3 MiB/s, 42 s left, 17 documents`.
    fn in_words(&self, elapsed: Duration) -> String {
        let rate = self.bytes as f64 / elapsed.as_secs_f64().max(0.001);
        let done = human_size(self.bytes);
        let mut text = match self.total() {
            Some(total) => {
                let percent = self.bytes as f64 / total as f64 * 100.0;
                format!("{percent:.0} % ({done} of {})", human_size(total))
            }
            None => done,
        };
        text.push_str(&format!(", {}/s", human_size(rate as u64)));
        if let Some(total) = self.total().filter(|_| rate >= 1.0) {
            text.push_str(&format!(", {:.0} s left", (total - self.bytes) as f64 / rate));
        }
        let plural = if self.documents == 1 { "" } else { "s" };
        text.push_str(&format!(", {} document{plural}", self.documents));
        text
    }
}

impl ProgressBars {
    pub(crate) fn new(wanted: bool) -> Self {
        let shown = wanted && stderr().is_terminal();
        let target =
            if shown { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let all = MultiProgress::with_draw_target(target);
        Self { all, shown, wanted, steps: Mutex::default() }
    }

    /// Runs `print` while the bars are hidden.
    pub(crate) fn suspend(&self, print: impl FnOnce()) {
        if self.shown { self.all.suspend(print) } else { print() }
    }

    /// Returns the line to write, if it is time for one.
    pub(crate) fn progress(&self, step: &str, progress: Progress) -> Option<String> {
        self.with(step, |amounts| {
            amounts.reports_progress = true;
            amounts.total = progress.bytes_total;
            amounts.bytes = progress.bytes_done;
            amounts.documents = progress.documents_done;
        })
    }

    /// `bytes` more will pass `step`.
    pub(crate) fn expect(&self, step: &str, bytes: u64) -> Option<String> {
        self.with(step, |amounts| amounts.expected += bytes)
    }

    /// Returns the line to write, if it is time for one.
    pub(crate) fn document(&self, event: &DocumentEvent) -> Option<String> {
        self.with(&event.step, |amounts| {
            if !amounts.reports_progress {
                amounts.documents += 1;
                amounts.bytes += event.bytes;
            }
        })
    }

    pub(crate) fn finish(&self) {
        for step in lock(&self.steps).values() {
            step.bar.finish_and_clear();
        }
    }

    fn with(&self, step: &str, change: impl FnOnce(&mut Amounts)) -> Option<String> {
        if !self.wanted {
            return None;
        }
        let mut steps = lock(&self.steps);
        if !steps.contains_key(step) {
            steps.insert(step.to_owned(), self.begin(step));
        }
        let state = steps.get_mut(step)?;
        change(&mut state.amounts);
        if self.shown {
            state.draw();
            return None;
        }
        if state.written.elapsed() < EVERY {
            return None;
        }
        state.written = Instant::now();
        Some(state.amounts.in_words(state.started.elapsed()))
    }

    fn begin(&self, step: &str) -> StepProgress {
        let bar = self.all.add(ProgressBar::no_length());
        bar.set_style(style("{prefix:>12} {spinner} {bytes} {bytes_per_sec} {msg}"));
        bar.set_prefix(step.to_owned());
        // Without a thread, the bar moves only with new progress.
        if self.shown && shortage::has_thread() {
            bar.enable_steady_tick(Duration::from_millis(100));
        }
        let now = Instant::now();
        StepProgress { bar, amounts: Amounts::default(), started: now, written: now }
    }
}

impl StepProgress {
    fn draw(&self) {
        if let Some(total) = self.amounts.total()
            && self.bar.length() != Some(total)
        {
            self.bar.set_length(total);
            self.bar.set_style(style(
                "{prefix:>12} {wide_bar} {percent:>3} % {bytes}/{total_bytes} {bytes_per_sec} \
                 {eta} {msg}",
            ));
        }
        self.bar.set_position(self.amounts.bytes);
        self.bar.set_message(format!("{} documents", self.amounts.documents));
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

/// `bytes` with a binary unit, such as `1.5 KiB`.
pub(crate) fn human_size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let mut value = bytes as f64 / 1024.0;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    format!("{value:.1} {}", UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_how_far_it_is_and_how_long_it_takes() {
        let mut amounts = Amounts { documents: 1, bytes: 1024, ..Amounts::default() };
        let elapsed = Duration::from_secs(2);
        assert_eq!(amounts.in_words(elapsed), "1.0 KiB, 512 B/s, 1 document");
        amounts.expected = 4096;
        let words = "25 % (1.0 KiB of 4.0 KiB), 512 B/s, 6 s left, 1 document";
        assert_eq!(amounts.in_words(elapsed), words);
        // More than was expected: what there will be is not known any more.
        amounts.bytes = 5000;
        assert!(!amounts.in_words(elapsed).contains('%'));
    }

    #[test]
    fn amounts_read_as_people_write_them() {
        assert_eq!(human_size(1023), "1023 B");
        assert_eq!(human_size(1536), "1.5 KiB");
        assert_eq!(human_size(10 * 1024 * 1024 * 1024), "10.0 GiB");
    }
}
