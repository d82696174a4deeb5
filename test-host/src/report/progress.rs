//! Progress bars on a terminal, one for each step.

use std::collections::BTreeMap;
use std::io::{IsTerminal, stderr};
use std::sync::Mutex;
use std::time::Duration;

use host_sdk::Progress;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::events::DocumentEvent;
use crate::locks::lock;
use host_sdk::kit::shortage;

/// The bars of a run. Without a terminal they draw nothing.
pub(crate) struct ProgressBars {
    all: MultiProgress,
    shown: bool,
    steps: Mutex<BTreeMap<String, Bar>>,
}

struct Bar {
    bar: ProgressBar,
    documents: u64,
    bytes: u64,
    /// True if the connector reports its progress, so that documents are not added up.
    reports_progress: bool,
}

impl ProgressBars {
    pub(crate) fn new(wanted: bool) -> Self {
        let shown = wanted && stderr().is_terminal();
        let target =
            if shown { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        Self { all: MultiProgress::with_draw_target(target), shown, steps: Mutex::default() }
    }

    /// Runs `print` while the bars are hidden.
    pub(crate) fn suspend(&self, print: impl FnOnce()) {
        if self.shown { self.all.suspend(print) } else { print() }
    }

    pub(crate) fn progress(&self, step: &str, progress: Progress) {
        if !self.shown {
            return;
        }
        self.with(step, |bar| {
            bar.reports_progress = true;
            if let Some(total) = progress.bytes_total {
                bar.bar.set_length(total);
                bar.bar.set_style(style(
                    "{prefix:>12} {wide_bar} {bytes}/{total_bytes} {bytes_per_sec} {eta} {msg}",
                ));
            }
            bar.bar.set_position(progress.bytes_done);
            bar.bar.set_message(format!("{} documents", progress.documents_done));
        });
    }

    pub(crate) fn document(&self, event: &DocumentEvent) {
        if !self.shown {
            return;
        }
        self.with(&event.step, |bar| {
            bar.documents += 1;
            bar.bytes += event.bytes;
            if !bar.reports_progress {
                bar.bar.set_position(bar.bytes);
                bar.bar.set_message(format!("{} documents", bar.documents));
            }
        });
    }

    pub(crate) fn finish(&self) {
        for bar in lock(&self.steps).values() {
            bar.bar.finish_and_clear();
        }
    }

    fn with(&self, step: &str, change: impl FnOnce(&mut Bar)) {
        let mut steps = lock(&self.steps);
        let bar = steps.entry(step.to_owned()).or_insert_with(|| {
            let bar = self.all.add(ProgressBar::no_length());
            bar.set_style(style("{prefix:>12} {spinner} {bytes} {bytes_per_sec} {msg}"));
            bar.set_prefix(step.to_owned());
            // Without a thread, the bar moves only with new progress.
            if shortage::has_thread() {
                bar.enable_steady_tick(Duration::from_millis(100));
            }
            Bar { bar, documents: 0, bytes: 0, reports_progress: false }
        });
        change(bar);
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
    fn amounts_read_as_people_write_them() {
        assert_eq!(human_size(1023), "1023 B");
        assert_eq!(human_size(1536), "1.5 KiB");
        assert_eq!(human_size(10 * 1024 * 1024 * 1024), "10.0 GiB");
    }
}
