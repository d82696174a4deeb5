//! Scores the parser by lines of which it is known what they mean, each read by itself.
//!
//! The project's own lines must all be read right. `LISTING_CORPUS=/path/to/lines.jsonl` scores
//! other lines of the same form instead and prints, per source, how many agree and which do not.

use std::collections::BTreeMap;

use jiff::civil::{DateTime, datetime};
use serde::Deserialize;

use super::date::ls::Clock;
use super::entry::{Entry, Kind};
use super::format::{DETECTED, Format};
use super::tests::{entries, settings};
use super::{Listing, ListingSettings};
use crate::file::time::text::format_text;

/// One line and what it means.
#[derive(Deserialize)]
struct Sample {
    source: String,
    #[serde(default)]
    format: String,
    line: String,
    /// Absent where the line is no entry.
    expect: Option<Expected>,
    /// The time that the source pretends it is.
    now: Option<String>,
}

/// The facts that a source states; those it leaves out may be anything.
#[derive(Deserialize, Default)]
struct Expected {
    name: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    size: Option<u64>,
    /// `2026-11-22` or `2026-11-22T18:00:00`, with `*` for a year that depends on the day.
    mtime: Option<String>,
    link_target: Option<String>,
    mode: Option<String>,
    /// Facts that must be absent, because the line does not tell them.
    #[serde(default)]
    absent: Vec<String>,
}

impl Sample {
    fn settings(&self) -> ListingSettings {
        let now: Option<DateTime> = self.now.as_ref().map(|now| now.parse().unwrap());
        ListingSettings { now: now.unwrap_or(datetime(2026, 11, 22, 18, 0, 0, 0)), ..settings() }
    }

    fn read(&self, heading: &str) -> Option<Vec<Entry>> {
        let text = format!("{heading}{}\r\n", self.line);
        let format = self.format.to_ascii_lowercase();
        let has_facts = ["mls", "machine"].iter().any(|name| format.contains(name));
        let listing = match has_facts {
            true => Listing::mlsd(text.as_bytes(), self.settings()),
            false => Listing::list(text.as_bytes(), self.settings()),
        };
        entries(listing).ok().map(|(entries, _)| entries)
    }

    /// What is wrong with how the line is read, below the source's last heading where it needs one.
    fn misread(&self, heading: &str) -> Option<String> {
        let mut found = self.read("");
        if found.is_none() && self.expect.is_some() {
            found = self.read(heading);
        }
        match (&self.expect, found) {
            (None, Some(found)) if !found.is_empty() => Some("is read as an entry".to_owned()),
            (None, _) => None,
            (Some(_), None) => Some("is refused".to_owned()),
            (Some(expected), Some(found)) => match found.first() {
                Some(entry) => expected.differs(entry),
                // Decoration, the directory itself and its parent are no entries here.
                None => None,
            },
        }
    }
}

impl Expected {
    fn differs(&self, entry: &Entry) -> Option<String> {
        let kind = match entry.kind {
            Kind::RegularFile => "file",
            Kind::Directory => "dir",
            Kind::SymbolicLink => "symlink",
            Kind::Unknown | Kind::Untold => "unknown",
        };
        let time = entry.modified.map(|modified| format_text(modified.at).replace(' ', "T"));
        let mode = entry.mode.map(|mode| format!("{mode:04o}"));
        let mut wrong = Vec::new();
        if self.name.as_ref().is_some_and(|name| *name != entry.name) {
            wrong.push(format!("name {:?}", entry.name));
        }
        if self.kind.as_ref().is_some_and(|expected| expected != kind) {
            wrong.push(format!("type {kind}"));
        }
        // Other clients have no way to say that a size is unknown but 0.
        if self.size.is_some_and(|size| entry.approximate_size().unwrap_or_default() != size) {
            wrong.push(format!("size {:?}", entry.approximate_size()));
        }
        if self.mtime.as_ref().is_some_and(|expected| !is_time(expected, time.as_deref())) {
            wrong.push(format!("mtime {time:?}"));
        }
        if self.link_target.is_some() && self.link_target != entry.link_target {
            wrong.push(format!("target {:?}", entry.link_target));
        }
        if self.mode.is_some() && self.mode != mode {
            wrong.push(format!("mode {mode:?}"));
        }
        for fact in &self.absent {
            let present = match fact.as_str() {
                "size" => entry.size.is_some(),
                "mtime" => entry.modified.is_some(),
                "mode" => entry.mode.is_some(),
                "link_target" => entry.link_target.is_some(),
                other => panic!("no fact is called {other}"),
            };
            if present {
                wrong.push(format!("{fact} is there"));
            }
        }
        (!wrong.is_empty()).then(|| wrong.join(", "))
    }
}

/// Whether `found` begins with `expected`, which may leave out the time and the year.
fn is_time(expected: &str, found: Option<&str>) -> bool {
    let Some(found) = found else { return false };
    match expected.strip_prefix('*') {
        Some(rest) => found.get(4..).is_some_and(|found| found.starts_with(rest)),
        None => found.starts_with(expected),
    }
}

#[derive(Default)]
struct Score {
    right: usize,
    disputed: usize,
    wrong: Vec<String>,
}

fn score(samples: &[Sample]) -> BTreeMap<&str, Score> {
    let mut accepted: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for sample in samples.iter().filter(|sample| sample.expect.is_some()) {
        accepted.entry(&sample.line).or_default().push(&sample.source);
    }
    let mut scores: BTreeMap<&str, Score> = BTreeMap::new();
    let mut headings: BTreeMap<&str, String> = BTreeMap::new();
    for sample in samples {
        let score = scores.entry(&sample.source).or_default();
        let heading = headings.entry(&sample.source).or_default();
        match sample.misread(heading) {
            None => score.right += 1,
            // Where one reads an entry, another's refusal is a matter of what it supports.
            Some(_) if sample.expect.is_none() && accepted.contains_key(&*sample.line) => {
                score.disputed += 1;
            }
            Some(wrong) => score.wrong.push(format!("{:?} {wrong}", sample.line)),
        }
        if sample.read("").is_some_and(|entries| entries.is_empty()) {
            *heading = format!("{}\r\n", sample.line);
        }
    }
    scores
}

fn samples(text: &str) -> Vec<Sample> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn own_samples() -> Vec<Sample> {
    samples(include_str!("samples.jsonl"))
}

#[test]
fn lines_are_read_as_they_are_meant() {
    if let Some(corpus) = std::env::var_os("LISTING_CORPUS") {
        let samples = samples(&std::fs::read_to_string(corpus).unwrap());
        for (source, Score { right, disputed, wrong }) in score(&samples) {
            let all = right + wrong.len();
            let percent = 100.0 * right as f64 / all.max(1) as f64;
            eprintln!("{source}: {right} of {all} ({percent:.1} %), {disputed} disputed");
            for line in wrong {
                eprintln!("    {line}");
            }
        }
        return;
    }
    let samples = own_samples();
    let scores = score(&samples);
    let wrong: Vec<&String> = scores.values().flat_map(|score| &score.wrong).collect();
    assert_eq!(wrong, Vec::<&String>::new());
    assert!(samples.len() > 100, "only {} lines", samples.len());
    assert!(scores.values().all(|score| score.disputed == 0));
}

#[test]
fn no_line_fits_two_formats() {
    let clock = Clock::new(settings().now);
    for Sample { line, .. } in own_samples() {
        let fits = |format: &&Format| format.detect(line.as_bytes(), &clock).is_some();
        let formats: Vec<&Format> = DETECTED.iter().filter(fits).collect();
        assert!(formats.len() <= 1, "{line:?} {formats:?}");
    }
}
