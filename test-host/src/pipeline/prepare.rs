//! Checks of a process that need its connectors: connections, operations and parameters.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use host_sdk::descriptor::{FilterGrouping, InputKind, OperationDescriptor};
use host_sdk::{
    Connection, ConnectorDescriptor, Context, Error, ErrorKind, Filter, LoadError, Misfit,
    Operation, Properties, Settings, expected_one_of,
};
use serde_json::Value;

use super::configure::{configure, without_missing_secrets};
use super::refusal::Refusal;
use super::templates::report_unset;
use super::{durability, literals, settings_advice, templates};
use crate::cancellation::Cancellation;
use crate::connectors::Connectors;
use crate::engine::execution::NoExecution;
use crate::process::model::{ConnectionSettings, ConnectorStep, Process, Step};
use crate::process::{
    Draft, Problems, ProcessFile, Secrets, connection_settings, key, operation_settings,
};
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

/// What was found in a process file.
pub struct Examined {
    /// Everything that is wrong with it, in the order of the checks.
    pub problems: Problems,
    /// The process; absent where something refuses it.
    pub prepared: Option<Prepared>,
    /// The first library of a connector that was refused.
    pub refused: Option<LoadError>,
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
        let Examined { problems, prepared, refused } = examine(
            process.into(),
            Problems::default(),
            connectors,
            cancellation,
            Secrets::Required,
        );
        match (prepared, refused, problems.into_first_error()) {
            (_, Some(error), _) => Err(Refusal::Connector(error)),
            (_, None, Some(error)) => Err(Refusal::Process(error)),
            (Some(prepared), None, None) => Ok(prepared),
            (None, None, None) => Err(Error::internal("the process was not prepared").into()),
        }
    }

    /// The same with everything that is wrong in `file`, not the first alone.
    #[must_use]
    pub fn of_file(
        file: &ProcessFile,
        connectors: &Connectors,
        cancellation: &Arc<Cancellation>,
    ) -> Examined {
        let (draft, problems) = (file.draft.clone(), file.problems.clone());
        examine(draft, problems, connectors, cancellation, file.secrets)
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

/// What the checks of steps need to know.
struct Examination<'a> {
    problems: Problems,
    secrets: Secrets,
    descriptors: BTreeMap<String, ConnectorDescriptor>,
    connections: BTreeMap<String, Arc<dyn Connection>>,
    connectors: &'a Connectors,
    context: Context,
    refused: Option<LoadError>,
}

fn examine(
    mut draft: Draft,
    problems: Problems,
    connectors: &Connectors,
    cancellation: &Arc<Cancellation>,
    secrets: Secrets,
) -> Examined {
    let mut examination = Examination {
        problems,
        secrets,
        descriptors: BTreeMap::new(),
        connections: BTreeMap::new(),
        connectors,
        context: Arc::new(NoExecution::new(cancellation)),
        refused: None,
    };
    for (name, settings) in draft.connections.iter().flatten() {
        if let Some(settings) = settings {
            examination.connect(name, settings);
        }
    }
    let mut steps = Vec::new();
    for (position, step) in draft.steps.iter_mut().enumerate() {
        let Some(step) = step else { continue };
        steps.extend(examination.step(step, position));
    }
    let Examination { mut problems, descriptors, connections, refused, .. } = examination;
    templates::check(&draft, &descriptors, secrets, &mut problems);
    settings_advice::check(&draft, &descriptors, &mut problems);
    durability::check(&draft, &descriptors, &mut problems);
    let is_refused = problems.is_refused() || refused.is_some();
    let is_prepared = !is_refused && steps.len() == draft.steps.len();
    let process = if is_prepared { draft.complete() } else { None };
    let prepared = process.map(|process| Prepared { process, connections, steps });
    Examined { problems, prepared, refused }
}

impl Examination<'_> {
    fn connect(&mut self, name: &str, settings: &ConnectionSettings) {
        let path = key("$.connections", name);
        let Self { problems, context, .. } = self;
        let connector = match self.connectors.connector(&settings.connector) {
            Ok(connector) => connector,
            Err(unknown @ LoadError::UnknownConnector { .. }) => {
                problems.error(Error::configuration(
                    format!("{path}.connector"),
                    format!("unknown connector: {unknown}"),
                ));
                return;
            }
            Err(refused) => {
                self.refused.get_or_insert(refused);
                return;
            }
        };
        let descriptor = match connector.descriptor() {
            Ok(descriptor) => descriptor,
            Err(error) => {
                problems.error(error);
                return;
            }
        };
        let fields = &descriptor.connection.fields;
        let mut raw = settings.settings.clone();
        let connection = within(problems, &path, |problems| {
            literals::check(&raw, fields, problems);
            let absent = match self.secrets {
                Secrets::Required => Vec::new(),
                Secrets::Optional => without_missing_secrets(fields, &mut raw, problems),
            };
            let raw = connection_settings(&raw);
            Settings::warnings(fields, &raw).into_iter().for_each(|w| problems.warning(w));
            let misfits = Settings::misfits(fields, &raw);
            configure(raw, misfits, &absent, problems, |settings| {
                connector.connect(settings, Arc::clone(context))
            })
        });
        self.descriptors.insert(name.to_owned(), descriptor);
        if let Some(connection) = connection {
            self.connections.insert(name.to_owned(), connection);
        }
    }

    fn step(&mut self, step: &mut Step, position: usize) -> Option<PreparedStep> {
        let path = format!("$.steps[{position}]");
        let mut problems = std::mem::take(&mut self.problems);
        let prepared = within(&mut problems, &path, |problems| {
            if position == 0 && !produces(step) {
                problems.error(Error::configuration(
                    "type",
                    "the first step must produce documents: \"connector\", \"message\" or \
                     \"readFiles\"",
                ));
            }
            match step {
                Step::Connector(step) => self.connector_step(step, problems),
                Step::Message(step) => {
                    // What is wrong with templates is found below.
                    Message::all(step).ok().map(PreparedStep::Message)
                }
                Step::SetProperties(step) => {
                    let templates = parse_all(&step.properties).ok()?;
                    Some(PreparedStep::SetProperties(Arc::new(templates)))
                }
                Step::ReadFiles(step) => {
                    self.expand("directory", &mut step.directory, problems);
                    Some(PreparedStep::ReadFiles)
                }
                Step::WriteFiles(step) => {
                    self.expand("directory", &mut step.directory, problems);
                    Some(PreparedStep::WriteFiles)
                }
                Step::Database(step) => {
                    self.expand("url", &mut step.url, problems);
                    Some(PreparedStep::Database)
                }
            }
        });
        self.problems = problems;
        prepared
    }

    fn connector_step(
        &self,
        step: &ConnectorStep,
        problems: &mut Problems,
    ) -> Option<PreparedStep> {
        let descriptor = self.descriptors.get(&step.connection)?;
        if step.operation.is_empty() {
            return None;
        }
        let Some(declared) = descriptor.operation(&step.operation) else {
            let known: Vec<&str> = descriptor.operations.iter().map(|known| &*known.id).collect();
            let expected = expected_one_of(&step.operation, known.into_iter());
            problems.error(Error::configuration(
                "operation",
                format!("unknown operation \"{}\"; {expected}", step.operation),
            ));
            return None;
        };
        check_parameters(step, declared, problems);
        problems.under("options", |problems| {
            literals::check(&step.options, &declared.fields, problems);
        });
        let operation = self.operation(step, declared, problems);
        let bodies = declared.input == InputKind::Document;
        let names_objects = declared.input == InputKind::Id;
        let is_setting = |id: &&String| {
            let fields = declared.fields.iter().chain(&descriptor.connection.fields);
            fields.into_iter().any(|field| field.id == **id)
        };
        let overrides = declared.dynamic_properties.iter().filter(is_setting).cloned().collect();
        let (operation, parameters) = (operation?, parse_all(&step.parameters).ok()?);
        Some(PreparedStep::Connector { operation, bodies, parameters, overrides, names_objects })
    }

    fn operation(
        &self,
        step: &ConnectorStep,
        declared: &OperationDescriptor,
        problems: &mut Problems,
    ) -> Option<Arc<dyn Operation>> {
        let mut settings = operation_settings(step);
        let raw = Value::Object(step.options.clone());
        for warning in Settings::warnings(&declared.fields, &raw) {
            problems.warning(warning.under("options"));
        }
        let options = Settings::misfits(&declared.fields, &raw);
        let misfits: Vec<Misfit> = options.into_iter().map(|m| m.under("options")).collect();
        match (&step.filter, &declared.filter) {
            (Some(raw), Some(offered)) => {
                let (fitting, of_filter) = Filter::misfits(offered, raw);
                if !of_filter.is_empty() {
                    // What fits is checked by the connector, too.
                    let fitting = fitting.filter(|_| offered.grouping == FilterGrouping::Any);
                    settings["filter"] = serde_json::to_value(fitting).unwrap_or_default();
                }
                for misfit in of_filter {
                    problems.misfit(misfit.under("filter"));
                }
                problems.under("filter", |problems| literals::check_filter(raw, problems));
            }
            (Some(_), None) => {
                let message = format!("operation \"{}\" takes no filter", declared.id);
                problems.misfit(Misfit::key(Error::configuration("filter", message)));
                settings.as_object_mut()?.remove("filter");
            }
            (None, _) => {}
        }
        let Some(connection) = self.connections.get(&step.connection) else {
            misfits.into_iter().for_each(|misfit| problems.misfit(misfit));
            return None;
        };
        configure(settings, misfits, &[], problems, |settings| connection.operation(settings))
    }

    /// Expands a text that holds for the whole run: no document is there to refer to.
    fn expand(&self, path: &str, text: &mut String, problems: &mut Problems) {
        let template = match Template::parse(text) {
            Ok(template) => template,
            Err(error) => return problems.error(error.under(path)),
        };
        if let Some(reference) = template.references().next() {
            let message = format!(
                "\"{{{}}}\" is of a document, and one {path} holds for the whole run; allowed are \
                 {{now:FORMAT}}, {{uuid}} and {{env:NAME}}",
                reference.written
            );
            problems.error(Error::configuration(path, message).with_hint(
                "writeFiles puts each document into the directory below that its property \
                 relativeDirectory names: set that one with a setProperties step",
            ));
            return;
        }
        if report_unset(&template, path, self.secrets, problems) == 0 {
            match template.expand(&Properties::new()) {
                Ok(expanded) => *text = expanded,
                Err(error) => problems.error(error.under(path)),
            }
        }
    }
}

fn produces(step: &Step) -> bool {
    matches!(step, Step::Connector(_) | Step::Message(_) | Step::ReadFiles(_))
}

/// Collects problems of settings below `path`; other errors keep the path that they have.
fn within<T>(problems: &mut Problems, path: &str, find: impl FnOnce(&mut Problems) -> T) -> T {
    let mut inner = Problems::default();
    let found = find(&mut inner);
    for mut problem in inner.all().iter().cloned() {
        if problem.error.kind() == ErrorKind::Configuration {
            problem.error = problem.error.under(path);
        }
        problems.push(problem);
    }
    found
}

fn check_parameters(step: &ConnectorStep, declared: &OperationDescriptor, problems: &mut Problems) {
    let known = || declared.parameters.iter().map(|parameter| parameter.id.as_str());
    for id in step.parameters.keys().filter(|id| !known().any(|known| known == *id)) {
        let expected = expected_one_of(id, known());
        problems.misfit(Misfit::key(Error::configuration(
            key("parameters", id),
            format!("operation \"{}\" has no parameter \"{id}\"; {expected}", declared.id),
        )));
    }
    let required = declared.parameters.iter().filter(|parameter| parameter.required);
    for parameter in required.filter(|parameter| !step.parameters.contains_key(&parameter.id)) {
        problems.misfit(Misfit::missing(Error::configuration(
            format!("parameters.{}", parameter.id),
            format!("required parameter \"{}\" ({}) is missing", parameter.id, parameter.label),
        )));
    }
}
