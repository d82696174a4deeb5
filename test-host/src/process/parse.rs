//! Reads process files by hand, so that every error names its path and the valid values.

use std::collections::{BTreeMap, BTreeSet};

use host_sdk::{Error, Misfit, expected_one_of};
use serde_json::{Map, Value};

use super::draft::Draft;
use super::fields::{Fields, expected};
use super::model::{
    ConnectionSettings, ConnectorStep, DatabaseStep, IfExists, MessageDocument, MessageStep,
    ReadFilesStep, STEP_TYPES, SetPropertiesStep, Step, TrackingDirection, WriteFilesStep,
    every_name,
};
use super::problem::Problems;
use super::source::key;
use crate::ledger;

/// Makes a path begin at the root: `steps[0]` becomes `$.steps[0]`.
pub(crate) fn rooted(error: Error) -> Error {
    match &error.report().path {
        Some(path) if !path.is_empty() && !path.starts_with('$') => error.under("$"),
        _ => error,
    }
}

/// What `value` says as a process, as far as it can be read.
pub(super) fn draft(value: Value, problems: &mut Problems) -> Draft {
    let known = ["$schema", "process", "connections", "steps"];
    let Some(mut fields) = Fields::check(value, &known, problems) else { return Draft::default() };
    let schema = fields.optional_text("$schema");
    let process = fields.text("process");
    let connections = fields.object("connections");
    let raw_steps = fields.array("steps");
    let connections: Option<BTreeMap<_, _>> = connections.map(|connections| {
        connections
            .into_iter()
            .map(|(name, value)| {
                let path = key("connections", &name);
                let connection = problems.under(&path, |problems| connection(value, problems));
                (name, connection)
            })
            .collect()
    });
    let mut names = BTreeSet::new();
    let steps = raw_steps
        .into_iter()
        .enumerate()
        .map(|(position, value)| {
            let path = format!("steps[{position}]");
            let step = problems
                .under(&path, |problems| step(value, position, connections.as_ref(), problems))?;
            let name = step.name();
            if !name.is_empty() && !names.insert(name.to_owned()) {
                problems.error(Error::configuration(
                    format!("{path}.name"),
                    format!("\"{name}\" is the name of an earlier step"),
                ));
            }
            Some(step)
        })
        .collect();
    Draft { schema, process, connections, steps }
}

fn connection(value: Value, problems: &mut Problems) -> Option<ConnectionSettings> {
    let Value::Object(mut settings) = value else {
        problems.error(expected("", "an object", &value));
        return None;
    };
    match settings.remove("connector") {
        Some(Value::String(connector)) => Some(ConnectionSettings { connector, settings }),
        Some(other) => {
            problems.error(expected("connector", "text", &other));
            None
        }
        None => {
            problems.misfit(Misfit::missing(Error::configuration(
                "connector",
                "required field \"connector\" is missing: the connector's id, such as \"ftp\"",
            )));
            None
        }
    }
}

type Connections = BTreeMap<String, Option<ConnectionSettings>>;

fn step(
    value: Value,
    position: usize,
    connections: Option<&Connections>,
    problems: &mut Problems,
) -> Option<Step> {
    // The type decides which fields are known, so it is read first.
    let step_type = match value.get("type") {
        Some(Value::String(text)) => text.clone(),
        Some(other) => {
            problems.error(expected("type", "text", other));
            return None;
        }
        None if value.is_object() => {
            let known = expected_one_of("", STEP_TYPES.into_iter());
            let message = format!("required field \"type\" is missing; {known}");
            problems.misfit(Misfit::missing(Error::configuration("type", message)));
            return None;
        }
        None => {
            problems.error(expected("", "an object", &value));
            return None;
        }
    };
    match step_type.as_str() {
        "connector" => connector_step(value, connections, problems).map(Step::Connector),
        "setProperties" => set_properties_step(value, problems).map(Step::SetProperties),
        "message" => message_step(value, position, problems).map(Step::Message),
        "readFiles" => read_files_step(value, position, problems).map(Step::ReadFiles),
        "writeFiles" => write_files_step(value, problems).map(Step::WriteFiles),
        "database" => database_step(value, problems).map(Step::Database),
        other => {
            let known = expected_one_of(other, STEP_TYPES.into_iter());
            problems.error(Error::configuration(
                "type",
                format!("unknown step type \"{other}\"; {known}"),
            ));
            None
        }
    }
}

fn connector_step(
    value: Value,
    connections: Option<&Connections>,
    problems: &mut Problems,
) -> Option<ConnectorStep> {
    let known = [
        "name",
        "type",
        "connection",
        "operation",
        "options",
        "filter",
        "parameters",
        "continueOnError",
        "discard",
        "storeErrors",
        "trackingDirection",
    ];
    let mut fields = Fields::check(value, &known, problems)?;
    let name = fields.text("name");
    let connection = fields.text("connection");
    // Where the connections cannot be read, no name is known to be wrong.
    if let Some(connections) = connections.filter(|_| !connection.is_empty())
        && !connections.contains_key(&connection)
    {
        let known = expected_one_of(&connection, connections.keys().map(String::as_str));
        fields.problems().error(Error::configuration(
            "connection",
            format!("unknown connection \"{connection}\"; {known}"),
        ));
    }
    Some(ConnectorStep {
        name,
        connection,
        operation: fields.text("operation"),
        options: fields.object("options").unwrap_or_default(),
        filter: fields.optional("filter"),
        parameters: fields.texts("parameters"),
        continue_on_error: fields.boolean("continueOnError", true),
        discard: fields.boolean("discard", false),
        store_errors: fields.boolean("storeErrors", false),
        tracking_direction: fields.choice(
            "trackingDirection",
            &[("input", TrackingDirection::Input), ("output", TrackingDirection::Output)],
            TrackingDirection::default(),
        ),
    })
}

fn set_properties_step(value: Value, problems: &mut Problems) -> Option<SetPropertiesStep> {
    let mut fields = Fields::check(value, &["name", "type", "properties"], problems)?;
    let name = fields.text("name");
    let is_empty = fields.is_empty("properties");
    let properties = fields.texts("properties");
    if is_empty {
        fields.problems().error(Error::configuration("properties", "no property is set"));
    }
    Some(SetPropertiesStep { name, properties })
}

fn message_step(value: Value, position: usize, problems: &mut Problems) -> Option<MessageStep> {
    let mut fields = Fields::check(value, &["name", "type", "documents"], problems)?;
    let name = fields.text("name");
    let raw = fields.array("documents");
    if position > 0 && raw.len() > 1 {
        problems.error(Error::configuration(
            "documents[1]",
            "a message that is not the first step replaces each document by exactly one",
        ));
    }
    let documents = raw
        .into_iter()
        .enumerate()
        .filter_map(|(at, value)| {
            problems
                .under(&format!("documents[{at}]"), |problems| message_document(value, problems))
        })
        .collect();
    Some(MessageStep { name, documents })
}

fn message_document(value: Value, problems: &mut Problems) -> Option<MessageDocument> {
    let mut fields = Fields::check(value, &["content", "properties"], problems)?;
    let mut content = fields.require("content").unwrap_or_else(|| Value::from(""));
    if !matches!(content, Value::String(_) | Value::Object(_) | Value::Array(_)) {
        fields.problems().error(expected("content", "text, an object or an array", &content));
        content = Value::from("");
    }
    Some(MessageDocument { content, properties: fields.texts("properties") })
}

fn read_files_step(
    value: Value,
    position: usize,
    problems: &mut Problems,
) -> Option<ReadFilesStep> {
    let known = ["name", "type", "directory", "include", "exclude", "recursive", "includeHidden"];
    let mut fields = Fields::check(value, &known, problems)?;
    if position > 0 {
        let message = "readFiles can only be the first step";
        fields.problems().error(Error::configuration("type", message));
    }
    Some(ReadFilesStep {
        name: fields.text("name"),
        directory: fields.text("directory"),
        include: fields.optional_text("include").unwrap_or_else(every_name),
        exclude: fields.optional_text("exclude"),
        recursive: fields.boolean("recursive", false),
        include_hidden: fields.boolean("includeHidden", false),
    })
}

fn write_files_step(value: Value, problems: &mut Problems) -> Option<WriteFilesStep> {
    let known = ["name", "type", "directory", "ifExists", "preserveTimestamp", "storeErrors"];
    let mut fields = Fields::check(value, &known, problems)?;
    Some(WriteFilesStep {
        name: fields.text("name"),
        directory: fields.text("directory"),
        if_exists: fields.choice(
            "ifExists",
            &[
                ("replace", IfExists::Replace),
                ("skip", IfExists::Skip),
                ("unique", IfExists::Unique),
                ("error", IfExists::Error),
            ],
            IfExists::default(),
        ),
        preserve_timestamp: fields.boolean("preserveTimestamp", false),
        store_errors: fields.boolean("storeErrors", false),
    })
}

fn database_step(value: Value, problems: &mut Problems) -> Option<DatabaseStep> {
    let known = ["name", "type", "url", "table", "storeErrors"];
    let mut fields = Fields::check(value, &known, problems)?;
    let step = DatabaseStep {
        name: fields.text("name"),
        url: fields.text("url"),
        table: fields.text("table"),
        store_errors: fields.boolean("storeErrors", false),
    };
    if !step.url.is_empty() {
        problems.take(ledger::check_url(&step.url).map_err(|e| e.under("url")));
    }
    if !step.table.is_empty() {
        problems.take(ledger::check_table(&step.table).map_err(|e| e.under("table")));
    }
    Some(step)
}

/// The settings of a connection as its connector takes them.
pub(crate) fn connection_settings(settings: &Map<String, Value>) -> Value {
    Value::Object(settings.clone())
}

/// The settings of a step as its operation takes them.
pub(crate) fn operation_settings(step: &ConnectorStep) -> Value {
    let mut settings = serde_json::json!({"operation": step.operation, "options": step.options});
    // An operation that selects nothing need not declare a filter.
    if let Some(filter) = &step.filter {
        settings["filter"] = filter.clone();
    }
    settings
}
