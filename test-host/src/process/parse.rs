//! Reads process files by hand, so that every error names its path and the valid values.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use host_sdk::{Error, expected_one_of};
use serde_json::{Map, Value};

use super::fields::{Fields, expected, read_json};
use super::model::{
    ConnectionSettings, ConnectorStep, DatabaseStep, MessageDocument, MessageStep, Process,
    ReadFilesStep, STEP_TYPES, SetPropertiesStep, Step, TrackingDirection, WriteFilesStep,
    every_name,
};
use crate::ledger;

impl Process {
    /// Reads the process file at `path`.
    ///
    /// # Errors
    ///
    /// `configuration` when it cannot be read or does not parse, with the JSON path in
    /// [`path`](host_sdk::ErrorReport::path).
    pub fn read(path: &Path) -> Result<Self, Error> {
        let text = std::fs::read_to_string(path)
            .map_err(|e| Error::configuration("", format!("the file cannot be read: {e}")))?;
        Self::parse(text.strip_prefix('\u{feff}').unwrap_or(&text))
    }

    /// Reads a process from `text`.
    ///
    /// # Errors
    ///
    /// `configuration` with line and column where it is not JSON, else with the JSON path of the
    /// first invalid value, and the valid ones.
    pub fn parse(text: &str) -> Result<Self, Error> {
        read_json(text).and_then(process).map_err(rooted)
    }
}

/// Makes a path begin at the root: `steps[0]` becomes `$.steps[0]`.
pub(crate) fn rooted(error: Error) -> Error {
    match &error.report().path {
        Some(path) if !path.is_empty() && !path.starts_with('$') => error.under("$"),
        _ => error,
    }
}

fn process(value: Value) -> Result<Process, Error> {
    let mut fields = Fields::check(value, &["$schema", "process", "connections", "steps"])?;
    let schema = fields.optional_text("$schema")?;
    let process = fields.text("process")?;
    let connections = fields
        .object("connections")?
        .into_iter()
        .map(|(name, value)| {
            let settings = connection(value).map_err(|e| e.under(&key("connections", &name)))?;
            Ok((name, settings))
        })
        .collect::<Result<BTreeMap<_, _>, Error>>()?;
    let mut names = BTreeSet::new();
    let steps = fields
        .array("steps")?
        .into_iter()
        .enumerate()
        .map(|(position, value)| {
            let step = step(value, position, &connections)
                .map_err(|e| e.under(&format!("steps[{position}]")))?;
            if !names.insert(step.name().to_owned()) {
                return Err(Error::configuration(
                    format!("steps[{position}].name"),
                    format!("\"{}\" is the name of an earlier step", step.name()),
                ));
            }
            Ok(step)
        })
        .collect::<Result<Vec<_>, Error>>()?;
    Ok(Process { schema, process, connections, steps })
}

/// `parent.key`, with the key in quotes where it would not read as one.
pub(crate) fn key(parent: &str, key: &str) -> String {
    let plain = key.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-'));
    if plain && !key.is_empty() {
        format!("{parent}.{key}")
    } else {
        format!("{parent}[{}]", Value::from(key))
    }
}

fn connection(value: Value) -> Result<ConnectionSettings, Error> {
    let Value::Object(mut settings) = value else {
        return Err(expected("", "an object", &value));
    };
    match settings.remove("connector") {
        Some(Value::String(connector)) => Ok(ConnectionSettings { connector, settings }),
        Some(other) => Err(expected("connector", "text", &other)),
        None => Err(Error::configuration(
            "connector",
            "required field \"connector\" is missing: the connector's id, such as \"ftp\"",
        )),
    }
}

fn step(
    value: Value,
    position: usize,
    connections: &BTreeMap<String, ConnectionSettings>,
) -> Result<Step, Error> {
    // The type decides which fields are known, so it is read first.
    let step_type = match value.get("type") {
        Some(Value::String(text)) => text.clone(),
        Some(other) => return Err(expected("type", "text", other)),
        None if value.is_object() => {
            return Err(Error::configuration(
                "type",
                format!(
                    "required field \"type\" is missing; {}",
                    expected_one_of("", STEP_TYPES.into_iter())
                ),
            ));
        }
        None => return Err(expected("", "an object", &value)),
    };
    match step_type.as_str() {
        "connector" => connector_step(value, connections).map(Step::Connector),
        "setProperties" => set_properties_step(value).map(Step::SetProperties),
        "message" => message_step(value, position).map(Step::Message),
        "readFiles" => read_files_step(value, position).map(Step::ReadFiles),
        "writeFiles" => write_files_step(value).map(Step::WriteFiles),
        "database" => database_step(value).map(Step::Database),
        other => Err(Error::configuration(
            "type",
            format!(
                "unknown step type \"{other}\"; {}",
                expected_one_of(other, STEP_TYPES.into_iter())
            ),
        )),
    }
}

fn connector_step(
    value: Value,
    connections: &BTreeMap<String, ConnectionSettings>,
) -> Result<ConnectorStep, Error> {
    let mut fields = Fields::check(
        value,
        &[
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
        ],
    )?;
    let name = fields.text("name")?;
    let connection = fields.text("connection")?;
    if !connections.contains_key(&connection) {
        let known = connections.keys().map(String::as_str);
        return Err(Error::configuration(
            "connection",
            format!("unknown connection \"{connection}\"; {}", expected_one_of(&connection, known)),
        ));
    }
    Ok(ConnectorStep {
        name,
        connection,
        operation: fields.text("operation")?,
        options: fields.object("options")?,
        filter: fields.optional("filter"),
        parameters: fields.texts("parameters")?,
        continue_on_error: fields.boolean("continueOnError", true)?,
        discard: fields.boolean("discard", false)?,
        store_errors: fields.boolean("storeErrors", false)?,
        tracking_direction: tracking_direction(&mut fields)?,
    })
}

fn tracking_direction(fields: &mut Fields) -> Result<TrackingDirection, Error> {
    const KEY: &str = "trackingDirection";
    let Some(text) = fields.optional_text(KEY)? else { return Ok(TrackingDirection::default()) };
    match text.as_str() {
        "input" => Ok(TrackingDirection::Input),
        "output" => Ok(TrackingDirection::Output),
        other => {
            let expected = expected_one_of(other, ["input", "output"].into_iter());
            Err(Error::configuration(KEY, format!("unknown direction \"{other}\"; {expected}")))
        }
    }
}

fn set_properties_step(value: Value) -> Result<SetPropertiesStep, Error> {
    let mut fields = Fields::check(value, &["name", "type", "properties"])?;
    let name = fields.text("name")?;
    let properties = fields.texts("properties")?;
    if properties.is_empty() {
        return Err(Error::configuration("properties", "no property is set"));
    }
    Ok(SetPropertiesStep { name, properties })
}

fn message_step(value: Value, position: usize) -> Result<MessageStep, Error> {
    let mut fields = Fields::check(value, &["name", "type", "documents"])?;
    let name = fields.text("name")?;
    let documents = fields
        .array("documents")?
        .into_iter()
        .enumerate()
        .map(|(at, value)| {
            message_document(value).map_err(|e| e.under(&format!("documents[{at}]")))
        })
        .collect::<Result<Vec<_>, Error>>()?;
    if position > 0 && documents.len() > 1 {
        return Err(Error::configuration(
            "documents[1]",
            "a message that is not the first step replaces each document by exactly one",
        ));
    }
    Ok(MessageStep { name, documents })
}

fn message_document(value: Value) -> Result<MessageDocument, Error> {
    let mut fields = Fields::check(value, &["content", "properties"])?;
    let content = fields.require("content")?;
    if !matches!(content, Value::String(_) | Value::Object(_) | Value::Array(_)) {
        return Err(expected("content", "text, an object or an array", &content));
    }
    Ok(MessageDocument { content, properties: fields.texts("properties")? })
}

fn read_files_step(value: Value, position: usize) -> Result<ReadFilesStep, Error> {
    let known = ["name", "type", "directory", "include", "recursive", "includeHidden"];
    let mut fields = Fields::check(value, &known)?;
    let name = fields.text("name")?;
    if position > 0 {
        return Err(Error::configuration("type", "readFiles can only be the first step"));
    }
    Ok(ReadFilesStep {
        name,
        directory: fields.text("directory")?,
        include: fields.optional_text("include")?.unwrap_or_else(every_name),
        recursive: fields.boolean("recursive", false)?,
        include_hidden: fields.boolean("includeHidden", false)?,
    })
}

fn write_files_step(value: Value) -> Result<WriteFilesStep, Error> {
    let mut fields = Fields::check(value, &["name", "type", "directory", "storeErrors"])?;
    Ok(WriteFilesStep {
        name: fields.text("name")?,
        directory: fields.text("directory")?,
        store_errors: fields.boolean("storeErrors", false)?,
    })
}

fn database_step(value: Value) -> Result<DatabaseStep, Error> {
    let mut fields = Fields::check(value, &["name", "type", "url", "table", "storeErrors"])?;
    let step = DatabaseStep {
        name: fields.text("name")?,
        url: fields.text("url")?,
        table: fields.text("table")?,
        store_errors: fields.boolean("storeErrors", false)?,
    };
    ledger::check_url(&step.url).map_err(|e| e.under("url"))?;
    ledger::check_table(&step.table).map_err(|e| e.under("table"))?;
    Ok(step)
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
