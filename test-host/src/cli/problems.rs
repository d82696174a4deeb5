//! What is wrong with a process file, as text with the lines of the file and as JSON.

use std::io::{self, IsTerminal, Write};
use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use host_sdk::kit::text::printable;
use serde_json::{Value, json};

use crate::process::{Place, Problem, Problems, ProcessFile, Severity};

/// The characters of a line that are shown on each side of what is wrong in it.
const CONTEXT: usize = 72;

/// `problems` in the order of the file.
pub(super) fn sorted<'a>(file: &ProcessFile, problems: &'a Problems) -> Vec<&'a Problem> {
    let mut sorted: Vec<&Problem> = problems.all().iter().collect();
    sorted.sort_by_key(|problem| {
        file.place(problem).map(|place| (place.path != file.path, place.bytes.start))
    });
    sorted
}

/// Prints the problems of `file` to standard error, each with its line.
pub(super) fn print(file: &ProcessFile, problems: &Problems) {
    let mut output = io::stderr().lock();
    let renderer = if is_coloured(&output) { Renderer::styled() } else { Renderer::plain() };
    for problem in sorted(file, problems) {
        let _ = writeln!(output, "{}", render(file, problem, &renderer));
    }
    if problems.all().len() > 1 {
        let name = printable(&file.path.display().to_string());
        let _ = writeln!(output, "{name}: {}", counts(problems));
    }
}

/// True if colours are wanted: on a terminal, and without `NO_COLOR`.
fn is_coloured(output: &impl IsTerminal) -> bool {
    output.is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// `2 errors, 1 warning`.
pub(super) fn counts(problems: &Problems) -> String {
    let errors = problems.errors().count();
    let warnings = problems.all().len() - errors;
    let count = |count: usize, what: &str| match count {
        0 => None,
        1 => Some(format!("1 {what}")),
        _ => Some(format!("{count} {what}s")),
    };
    let counts: Vec<String> =
        [count(errors, "error"), count(warnings, "warning")].into_iter().flatten().collect();
    counts.join(", ")
}

/// `process.json:7:9: $.connections.partner.prot: unknown field "prot"; did you mean "port"?`
pub(super) fn line(file: &ProcessFile, problem: &Problem) -> String {
    let mut line = match file.place(problem) {
        Some(Place { path, source, bytes }) => {
            let position = source.position(bytes.start);
            format!("{}:{}:{}", path.display(), position.line, position.column)
        }
        None => file.path.display().to_string(),
    };
    if let Some(path) = problem.error.report().path.as_deref().filter(|path| !path.is_empty()) {
        line.push_str(&format!(": {path}"));
    }
    line.push_str(&format!(": {}", problem.error));
    printable(&line)
}

/// A problem for editors. Lines and columns count from 1, columns in characters; the end is the
/// first column after the text.
pub(super) fn json(file: &ProcessFile, problem: &Problem) -> Value {
    let report = problem.error.report();
    let mut value = json!({
        "severity": problem.severity.as_str(),
        "path": report.path.as_deref().unwrap_or_default(),
        "message": report.message,
    });
    if let Some(hint) = &report.hint {
        value["hint"] = json!(hint);
    }
    if let Some(Place { path, source, bytes }) = file.place(problem) {
        let (start, end) = (source.position(bytes.start), source.position(bytes.end));
        value["file"] = json!(path.display().to_string());
        value["line"] = json!(start.line);
        value["column"] = json!(start.column);
        value["endLine"] = json!(end.line);
        value["endColumn"] = json!(end.column);
    }
    value
}

fn render(file: &ProcessFile, problem: &Problem, renderer: &Renderer) -> String {
    let level = match problem.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let mut group = Group::with_title(level.primary_title(line(file, problem)));
    if let Some(Place { source, bytes, .. }) = file.place(problem) {
        let line_number = source.position(bytes.start).line;
        let excerpt = Excerpt::of(source.text(), bytes);
        group = group.element(
            Snippet::source(excerpt.text)
                .line_start(line_number)
                .annotation(AnnotationKind::Primary.span(excerpt.bytes)),
        );
    }
    if let Some(hint) = &problem.error.report().hint {
        group = group.element(Level::HELP.message(printable(hint)));
    }
    renderer.render(&[group])
}

/// The part of a line that is shown, with escapes for what is invisible.
#[derive(Debug, PartialEq, Eq)]
struct Excerpt {
    text: String,
    bytes: Range<usize>,
}

impl Excerpt {
    /// The line of `text` around `bytes`; what is wrong in more than one line is shown in its first.
    fn of(text: &str, bytes: Range<usize>) -> Self {
        let (before, rest) = text.split_at_checked(bytes.start).unwrap_or((text, ""));
        let before = &before[before.rfind('\n').map_or(0, |at| at + 1)..];
        let rest = rest.lines().next().unwrap_or_default();
        let length = bytes.end.saturating_sub(bytes.start);
        let (marked, after) = rest.split_at_checked(length).unwrap_or((rest, ""));
        let before = shown(&last(before, CONTEXT));
        let marked = shown(&first(marked, CONTEXT));
        let after = shown(&first(after, CONTEXT));
        let bytes = before.len()..before.len() + marked.len();
        Self { text: format!("{before}{marked}{after}"), bytes }
    }
}

/// `text` without what is invisible; indentation stays.
fn shown(text: &str) -> String {
    printable(&text.replace('\t', "    "))
}

fn first(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

fn last(text: &str, most: usize) -> String {
    let count = text.chars().count();
    if count <= most {
        return text.to_owned();
    }
    format!("…{}", text.chars().skip(count - most).collect::<String>())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::process::Variables;

    #[test]
    fn an_error_is_shown_under_its_line() {
        let text = "{\n  \"process\": \"p\",\n  \"stpes\": []\n}";
        let file = ProcessFile::parse(Path::new("a.json"), text, &Variables::default());
        let problem = sorted(&file, file.problems())
            .into_iter()
            .find(|problem| problem.error.message().contains("stpes"))
            .unwrap();
        assert_eq!(
            render(&file, problem, &Renderer::plain()),
            "error: a.json:3:3: $.stpes: unknown field \"stpes\"; did you mean \"steps\"?\n  \
             |\n3 |   \"stpes\": []\n  |   ^^^^^^^"
        );
    }

    #[test]
    fn long_lines_are_cut_and_what_is_invisible_is_escaped() {
        let text = format!("{}\"a\u{202e}\u{1b}\"{}\nnext", "x".repeat(500), "y".repeat(500));
        let excerpt = Excerpt::of(&text, 500..507);
        assert!(excerpt.text.chars().count() < 180, "{excerpt:?}");
        assert_eq!(&excerpt.text[excerpt.bytes.clone()], "\"a\\u{202e}\\x1b\"");
        let beyond = Excerpt::of("a\nb", 9..12);
        assert_eq!(beyond.bytes, 1..1);
    }
}
