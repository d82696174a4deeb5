//! A file of connections, which processes refer to by name: one for each environment.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use host_sdk::{Error, Misfit, expected_one_of};
use serde_json::{Map, Value};

use super::problem::Problems;
use super::source::{Source, key};

/// The name of the file that is used where none is named, beside the process.
pub(super) const USUAL_NAME: &str = "connections.json";

/// The connections that a process takes from a file of their own.
#[derive(Clone, Debug)]
pub(super) struct Connections {
    pub(super) path: PathBuf,
    pub(super) source: Source,
    connections: Map<String, Value>,
    taken: BTreeSet<String>,
}

impl Connections {
    /// Reads `text`, the file at `path`: `{"connections": {…}}`.
    pub(super) fn parse(path: &Path, text: &str, problems: &mut Problems) -> Self {
        let mut found = Problems::default();
        let (source, value) = Source::parse(text, &mut found);
        let mut connections = Map::new();
        match value {
            Some(Value::Object(mut object)) => {
                match object.remove("connections") {
                    Some(Value::Object(members)) => connections = members,
                    _ => {
                        found.error(Error::configuration("", "expected an object \"connections\""));
                    }
                }
                for id in object.keys().filter(|id| *id != "$schema") {
                    let known = expected_one_of(id, ["$schema", "connections"].into_iter());
                    let message = format!("unknown field \"{id}\"; {known}");
                    found.misfit(Misfit::key(Error::configuration(key("$", id), message)));
                }
            }
            Some(_) => found.error(Error::configuration("", "expected an object")),
            None => {}
        }
        // It is another file: its problems say where they are themselves.
        for problem in found.all() {
            let mut place = path.display().to_string();
            if let Some(bytes) = source.bytes(problem) {
                let position = source.position(bytes.start);
                place.push_str(&format!(":{}:{}", position.line, position.column));
            }
            problems.error(Error::configuration("", format!("{place}: {}", problem.error)));
        }
        Self { path: path.to_owned(), source, connections, taken: BTreeSet::new() }
    }

    /// Puts the connections that the steps of `process` name, and that it does not have, into it.
    pub(super) fn put_into(&mut self, process: &mut Value) {
        let Value::Object(process) = process else { return };
        let steps = process.get("steps").and_then(Value::as_array).into_iter().flatten();
        let named: BTreeSet<String> = steps
            .filter_map(|step| step.get("connection").and_then(Value::as_str))
            .map(str::to_owned)
            .collect();
        let own = process.entry("connections").or_insert_with(|| Map::new().into());
        let Value::Object(own) = own else { return };
        for name in named {
            if !own.contains_key(&name)
                && let Some(connection) = self.connections.get(&name)
            {
                own.insert(name.clone(), connection.clone());
                self.taken.insert(name);
            }
        }
    }

    /// Whether `path` is of a connection that was taken from here.
    pub(super) fn has(&self, path: &str) -> bool {
        self.taken.iter().any(|name| {
            let of = key("$.connections", name);
            path.strip_prefix(&of)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        })
    }
}
