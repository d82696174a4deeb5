//! A process file that was read: its text, what it says, and what is wrong with it so far.

use std::fs::File;
use std::io::{self, Read};
use std::ops::Range;
use std::path::{Path, PathBuf};

use host_sdk::Error;

use super::connections::{Connections, USUAL_NAME};
use super::draft::Draft;
use super::model::{Process, Step};
use super::parse;
use super::problem::{Problem, Problems};
use super::source::Source;
use super::variables::{Secrets, Variables};

/// The longest process file: far beyond what people write.
const MAXIMUM_SIZE: u64 = 16 * 1024 * 1024;

/// A process file that was read.
#[derive(Clone, Debug)]
pub struct ProcessFile {
    /// Where it is.
    pub path: PathBuf,
    /// Its text, with the place of each value.
    pub source: Source,
    pub(crate) draft: Draft,
    pub(crate) problems: Problems,
    /// Whether what it takes from its surroundings must be there.
    pub(crate) secrets: Secrets,
    connections: Option<Connections>,
}

/// Where something is: a file, its text, and the bytes in it.
#[derive(Clone, Debug)]
pub struct Place<'a> {
    /// The file.
    pub path: &'a Path,
    /// Its text.
    pub source: &'a Source,
    /// The bytes.
    pub bytes: Range<usize>,
}

impl ProcessFile {
    /// Reads the file at `path`; `-` is standard input. What is wrong with it is kept beside it.
    ///
    /// Connections that it does not have are taken from the file `connections`, or from
    /// `connections.json` beside it.
    #[must_use]
    pub fn read(path: &Path, variables: &Variables, connections: Option<&Path>) -> Self {
        let mut problems = Problems::default();
        let connections = connections_of(path, connections, &mut problems);
        match text_of(path) {
            Ok(text) => {
                let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
                Self::with(path, text, variables, connections, problems)
            }
            Err(error) => {
                problems.error(error);
                let (source, draft) = (Source::default(), Draft::default());
                let secrets = variables.secrets;
                Self { path: path.to_owned(), source, draft, problems, secrets, connections }
            }
        }
    }

    /// Reads `text` as the file at `path`.
    #[must_use]
    pub fn parse(path: &Path, text: &str, variables: &Variables) -> Self {
        Self::with(path, text, variables, None, Problems::default())
    }

    fn with(
        path: &Path,
        text: &str,
        variables: &Variables,
        mut connections: Option<Connections>,
        mut problems: Problems,
    ) -> Self {
        let mut found = Problems::default();
        let (source, mut value) = Source::parse(text, &mut found);
        if let Some(value) = &mut value {
            if let Some(connections) = &mut connections {
                connections.put_into(value);
            }
            variables.put_into(value, "$", &mut found);
        }
        let draft = value.map(|value| parse::draft(value, &mut found)).unwrap_or_default();
        for mut problem in found.all().iter().cloned() {
            problem.error = parse::rooted(problem.error);
            problems.push(problem);
        }
        let secrets = variables.secrets;
        Self { path: path.to_owned(), source, draft, problems, secrets, connections }
    }

    /// Where `problem` is.
    #[must_use]
    pub fn place(&self, problem: &Problem) -> Option<Place<'_>> {
        let path = problem.error.report().path.as_deref().unwrap_or_default();
        let (file, source) = match self.connections.as_ref().filter(|from| from.has(path)) {
            Some(connections) => (connections.path.as_path(), &connections.source),
            None => (self.path.as_path(), &self.source),
        };
        source.bytes(problem).map(|bytes| Place { path: file, source, bytes })
    }

    /// What is wrong with it, as far as its text alone shows.
    #[must_use]
    pub fn problems(&self) -> &Problems {
        &self.problems
    }

    /// The process, if every part of it could be read; it may still be wrong.
    #[must_use]
    pub fn process(&self) -> Option<Process> {
        self.draft.clone().complete()
    }

    /// The name of its last step, if it can be read.
    #[must_use]
    pub fn last_step(&self) -> &str {
        self.draft.steps.last().and_then(Option::as_ref).map_or("", Step::name)
    }
}

/// The file of connections that is named, or the usual one beside the process at `path`.
fn connections_of(
    path: &Path,
    named: Option<&Path>,
    problems: &mut Problems,
) -> Option<Connections> {
    let usual = || {
        let beside = path.parent().unwrap_or(Path::new("")).join(USUAL_NAME);
        (beside != path && beside.is_file()).then_some(beside)
    };
    let file = named.map(Path::to_owned).or_else(usual)?;
    match text_of(&file) {
        Ok(text) => Some(Connections::parse(&file, &text, problems)),
        Err(error) => {
            let message = format!("{}: {error}", file.display());
            problems.error(Error::configuration("", message));
            None
        }
    }
}

fn text_of(path: &Path) -> Result<String, Error> {
    let failed = |e: io::Error| Error::configuration("", format!("the file cannot be read: {e}"));
    let input: Box<dyn Read> = if path == Path::new("-") {
        Box::new(io::stdin())
    } else {
        // A named pipe would be waited for without limit.
        if !std::fs::metadata(path).map_err(failed)?.is_file() {
            return Err(Error::configuration("", "the file cannot be read: it is no regular file"));
        }
        Box::new(File::open(path).map_err(failed)?)
    };
    let mut bytes = Vec::new();
    input.take(MAXIMUM_SIZE + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > MAXIMUM_SIZE {
        let message = format!("the file is longer than {} MiB", MAXIMUM_SIZE >> 20);
        return Err(Error::configuration("", message));
    }
    String::from_utf8(bytes)
        .map_err(|e| Error::configuration("", format!("the file is not UTF-8: {}", e.utf8_error())))
}

impl Process {
    /// Reads the process file at `path`.
    ///
    /// # Errors
    ///
    /// `configuration` when it cannot be read or does not parse, with the JSON path in
    /// [`path`](host_sdk::ErrorReport::path). [`ProcessFile`] has all of them.
    pub fn read(path: &Path) -> Result<Self, Error> {
        Self::of(ProcessFile::read(path, &Variables::default(), None))
    }

    /// Reads a process from `text`.
    ///
    /// # Errors
    ///
    /// `configuration` with the JSON path of the first invalid value, and the valid ones.
    pub fn parse(text: &str) -> Result<Self, Error> {
        Self::of(ProcessFile::parse(Path::new(""), text, &Variables::default()))
    }

    fn of(file: ProcessFile) -> Result<Self, Error> {
        match file.problems.into_first_error() {
            Some(error) => Err(error),
            None => {
                file.draft.complete().ok_or_else(|| Error::internal("a part of it was not read"))
            }
        }
    }
}
