//! Settings and inputs of a connector, and the results that the suite expects.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use crate::error::ErrorKind;
use crate::host::document::{InputHeader, Properties};
use crate::outcome::Status;
use crate::testing::memory_host::MemoryHost;

/// A connection that works, and what its operations are expected to do.
#[derive(Clone, Debug)]
pub struct Profile {
    pub(super) connection: Value,
    pub(super) operations: Vec<OperationCase>,
    pub(super) patience: Duration,
}

impl Profile {
    /// A profile without operations; `connection` are settings that work.
    #[must_use]
    pub fn new(connection: Value) -> Self {
        Self { connection, operations: Vec::new(), patience: Duration::from_secs(30) }
    }

    /// Adds an operation to examine.
    #[must_use]
    pub fn operation(mut self, case: OperationCase) -> Self {
        self.operations.push(case);
        self
    }

    /// Sets how long an execution may take before it counts as stuck; 30 s by default.
    #[must_use]
    pub fn with_patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }
}

/// One operation with settings and inputs that work.
#[derive(Clone)]
pub struct OperationCase {
    pub(super) name: String,
    pub(super) settings: Value,
    pub(super) inputs: Vec<InputCase>,
    pub(super) is_repeatable: bool,
    pub(super) prepare: Option<Arc<dyn Fn() + Send + Sync>>,
}

impl OperationCase {
    /// A case called `name`; `settings` are those of
    /// [`Connection::operation`](crate::Connection::operation).
    #[must_use]
    pub fn new(name: &str, settings: Value) -> Self {
        Self {
            name: name.to_owned(),
            settings,
            inputs: Vec::new(),
            is_repeatable: true,
            prepare: None,
        }
    }

    /// Adds an input.
    #[must_use]
    pub fn input(mut self, input: InputCase) -> Self {
        self.inputs.push(input);
        self
    }

    /// Says that an execution changes what the next one finds; it is executed once only.
    #[must_use]
    pub fn once(mut self) -> Self {
        self.is_repeatable = false;
        self
    }

    /// Calls `prepare` before every execution, such as to put back what the last one deleted.
    #[must_use]
    pub fn prepared_by(mut self, prepare: impl Fn() + Send + Sync + 'static) -> Self {
        self.prepare = Some(Arc::new(prepare));
        self
    }

    /// The id of the operation.
    pub(super) fn operation(&self) -> &str {
        self.settings["operation"].as_str().unwrap_or_default()
    }

    /// Adds the inputs to `host`, after preparing.
    pub(super) fn feed(&self, host: &MemoryHost) {
        if let Some(prepare) = &self.prepare {
            prepare();
        }
        for input in &self.inputs {
            host.add_input(input.header.clone(), input.body.clone());
        }
    }
}

impl fmt::Debug for OperationCase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OperationCase")
            .field("name", &self.name)
            .field("inputs", &self.inputs)
            .finish_non_exhaustive()
    }
}

/// One input and what is expected of it: a success, unless said otherwise.
#[derive(Clone, Debug)]
pub struct InputCase {
    pub(super) header: InputHeader,
    pub(super) body: Vec<u8>,
    pub(super) status: Status,
    pub(super) kind: Option<ErrorKind>,
    pub(super) results: Option<usize>,
    pub(super) bodies: Vec<Vec<u8>>,
    pub(super) properties: Properties,
}

impl InputCase {
    /// A request without a body, with these parameters.
    #[must_use]
    pub fn request(parameters: &[(&str, &str)]) -> Self {
        Self::new(InputHeader::request(parameters), Vec::new())
    }

    /// A document.
    #[must_use]
    pub fn document(properties: Properties, body: impl Into<Vec<u8>>) -> Self {
        Self::new(InputHeader { properties, ..InputHeader::default() }, body.into())
    }

    fn new(header: InputHeader, body: Vec<u8>) -> Self {
        Self {
            header,
            body,
            status: Status::Success,
            kind: None,
            results: None,
            bodies: Vec::new(),
            properties: Properties::new(),
        }
    }

    /// Expects so many results.
    #[must_use]
    pub fn gives(mut self, results: usize) -> Self {
        self.results = Some(results);
        self
    }

    /// Expects a result with this body, besides those expected already.
    #[must_use]
    pub fn gives_body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.bodies.push(body.into());
        self.results = Some(self.bodies.len());
        self
    }

    /// Expects every result to have this property.
    #[must_use]
    pub fn with_result_property(mut self, id: &str, value: &str) -> Self {
        self.properties.insert(id, value);
        self
    }

    /// Expects the service to refuse it with an error of `kind`.
    #[must_use]
    pub fn is_refused(mut self, kind: ErrorKind) -> Self {
        self.status = Status::ApplicationError;
        self.kind = Some(kind);
        self
    }

    /// Expects it to fail with an error of `kind`.
    #[must_use]
    pub fn fails(mut self, kind: ErrorKind) -> Self {
        self.status = Status::Failure;
        self.kind = Some(kind);
        self
    }
}
