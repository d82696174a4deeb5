//! Checks of a process that need its connectors: connections, operations and parameters.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use host_sdk::descriptor::{InputKind, OperationDescriptor};
use host_sdk::{
    Connection, ConnectorDescriptor, Context, Error, ErrorKind, LoadError, Operation,
    expected_one_of,
};

use super::durability;
use crate::cancellation::Cancellation;
use crate::connectors::Connectors;
use crate::engine::execution::NoExecution;
use crate::process::model::{ConnectorStep, Process, Step};
use crate::process::{connection_settings, key, operation_settings, rooted};
use crate::steps::message::Message;
use crate::template::{Template, parse_all};

/// A process whose connections are configured and whose steps are checked; nothing was sent.
pub struct Prepared {
    pub(crate) process: Process,
    pub(crate) connections: BTreeMap<String, Arc<dyn Connection>>,
    pub(crate) steps: Vec<PreparedStep>,
}

/// What preparing adds to the text of a step.
pub(crate) enum PreparedStep {
    Connector {
        operation: Arc<dyn Operation>,
        /// True if the operation reads bodies.
        bodies: bool,
        parameters: BTreeMap<String, Template>,
        /// Ids of the properties that override a setting of the operation or the connection.
        overrides: BTreeSet<String>,
        /// True if an input names an object of the service.
        names_objects: bool,
    },
    SetProperties(Arc<BTreeMap<String, Template>>),
    Message(Vec<Message>),
    ReadFiles,
    WriteFiles,
    Database,
}

/// Why a process was rejected.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// Something in the process is invalid.
    #[error(transparent)]
    Process(#[from] Error),
    /// A connector's library was refused.
    #[error(transparent)]
    Connector(#[from] LoadError),
}

impl Prepared {
    /// Loads the connectors of `process`, configures its connections and checks its steps.
    ///
    /// # Errors
    ///
    /// A [`Refusal`]: mostly `configuration` with the JSON path of the invalid value.
    pub fn new(
        process: Process,
        connectors: &Connectors,
        cancellation: &Arc<Cancellation>,
    ) -> Result<Self, Refusal> {
        let context: Context = Arc::new(NoExecution::new(cancellation));
        let mut descriptors = BTreeMap::new();
        let mut connections = BTreeMap::new();
        for (name, settings) in &process.connections {
            let path = key("$.connections", name);
            let connector = connectors.connector(&settings.connector).map_err(|e| match e {
                LoadError::UnknownConnector { .. } => Refusal::Process(Error::configuration(
                    format!("{path}.connector"),
                    format!("unknown connector: {e}"),
                )),
                refused => Refusal::Connector(refused),
            })?;
            descriptors.insert(name.clone(), connector.descriptor()?);
            let connection = connector
                .connect(&connection_settings(&settings.settings), Arc::clone(&context))
                .map_err(|e| under_path(e, &path))?;
            connections.insert(name.clone(), connection);
        }
        let steps = process
            .steps
            .iter()
            .enumerate()
            .map(|(position, step)| {
                prepare(step, position, &descriptors, &connections)
                    .map_err(|e| under_path(e, &format!("$.steps[{position}]")))
            })
            .collect::<Result<_, Error>>()?;
        durability::check(&process, &descriptors)?;
        Ok(Self { process, connections, steps })
    }

    /// The process.
    #[must_use]
    pub fn process(&self) -> &Process {
        &self.process
    }

    /// The connection of this name.
    #[must_use]
    pub fn connection(&self, name: &str) -> Option<&Arc<dyn Connection>> {
        self.connections.get(name)
    }
}

/// Puts a setting's path below `path`; other errors keep what they have.
fn under_path(error: Error, path: &str) -> Error {
    if error.kind() == ErrorKind::Configuration { error.under(path) } else { error }
}

fn prepare(
    step: &Step,
    position: usize,
    descriptors: &BTreeMap<String, ConnectorDescriptor>,
    connections: &BTreeMap<String, Arc<dyn Connection>>,
) -> Result<PreparedStep, Error> {
    let step = match step {
        Step::Connector(step) => return prepare_connector(step, descriptors, connections),
        Step::Message(step) => return Message::all(step).map(PreparedStep::Message),
        Step::ReadFiles(_) => return Ok(PreparedStep::ReadFiles),
        Step::SetProperties(step) => {
            let templates = parse_all(&step.properties).map_err(|e| e.under("properties"))?;
            PreparedStep::SetProperties(Arc::new(templates))
        }
        Step::WriteFiles(_) => PreparedStep::WriteFiles,
        Step::Database(_) => PreparedStep::Database,
    };
    if position == 0 {
        return Err(Error::configuration(
            "type",
            "the first step must produce documents: \"connector\", \"message\" or \"readFiles\"",
        ));
    }
    Ok(step)
}

fn prepare_connector(
    step: &ConnectorStep,
    descriptors: &BTreeMap<String, ConnectorDescriptor>,
    connections: &BTreeMap<String, Arc<dyn Connection>>,
) -> Result<PreparedStep, Error> {
    let (Some(descriptor), Some(connection)) =
        (descriptors.get(&step.connection), connections.get(&step.connection))
    else {
        return Err(Error::internal(format!("connection \"{}\" was not made", step.connection)));
    };
    let Some(declared) = descriptor.operation(&step.operation) else {
        let known: Vec<&str> = descriptor.operations.iter().map(|known| &*known.id).collect();
        return Err(Error::configuration(
            "operation",
            format!(
                "unknown operation \"{}\"; {}",
                step.operation,
                expected_one_of(&step.operation, known.into_iter())
            ),
        ));
    };
    if step.filter.is_some() && declared.filter.is_none() {
        return Err(Error::configuration(
            "filter",
            format!("operation \"{}\" takes no filter", declared.id),
        ));
    }
    let parameters = check_parameters(step, declared)?;
    let operation = connection.operation(&operation_settings(step))?;
    let bodies = declared.input == InputKind::Document;
    let names_objects = declared.input == InputKind::Id;
    let is_setting = |id: &&String| {
        declared.fields.iter().chain(&descriptor.connection.fields).any(|field| field.id == **id)
    };
    let overrides = declared.dynamic_properties.iter().filter(is_setting).cloned().collect();
    Ok(PreparedStep::Connector { operation, bodies, parameters, overrides, names_objects })
}

fn check_parameters(
    step: &ConnectorStep,
    declared: &OperationDescriptor,
) -> Result<BTreeMap<String, Template>, Error> {
    let known = || declared.parameters.iter().map(|parameter| parameter.id.as_str());
    for id in step.parameters.keys() {
        if !known().any(|known| known == id) {
            return Err(Error::configuration(
                key("parameters", id),
                format!(
                    "operation \"{}\" has no parameter \"{id}\"; {}",
                    declared.id,
                    expected_one_of(id, known())
                ),
            ));
        }
    }
    for parameter in declared.parameters.iter().filter(|parameter| parameter.required) {
        if !step.parameters.contains_key(&parameter.id) {
            return Err(Error::configuration(
                format!("parameters.{}", parameter.id),
                format!("required parameter \"{}\" ({}) is missing", parameter.id, parameter.label),
            ));
        }
    }
    parse_all(&step.parameters).map_err(|e| e.under("parameters"))
}

impl Refusal {
    /// The refusal with its path from the document's root.
    #[must_use]
    pub fn rooted(self) -> Self {
        match self {
            Self::Process(error) => Self::Process(rooted(error)),
            other => other,
        }
    }
}
