//! A process as far as its file can be read.

use std::collections::BTreeMap;

use super::model::{ConnectionSettings, Process, Step};

/// What a process file says, as far as it can be read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Draft {
    pub(crate) schema: Option<String>,
    pub(crate) process: String,
    /// `None` where they cannot be read; a connection is `None` where that one cannot.
    pub(crate) connections: Option<BTreeMap<String, Option<ConnectionSettings>>>,
    /// A step is `None` where its type cannot be read.
    pub(crate) steps: Vec<Option<Step>>,
}

impl Draft {
    /// The process, if every part of it could be read.
    pub(crate) fn complete(self) -> Option<Process> {
        let connections = self
            .connections?
            .into_iter()
            .map(|(name, connection)| Some((name, connection?)))
            .collect::<Option<_>>()?;
        let steps = self.steps.into_iter().collect::<Option<_>>()?;
        Some(Process { schema: self.schema, process: self.process, connections, steps })
    }
}

impl From<Process> for Draft {
    fn from(process: Process) -> Self {
        let Process { schema, process, connections, steps } = process;
        Self {
            schema,
            process,
            connections: Some(connections.into_iter().map(|(name, c)| (name, Some(c))).collect()),
            steps: steps.into_iter().map(Some).collect(),
        }
    }
}
