//! What a process file says, version 1.

use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;
use serde_json::{Map, Value};

/// A process: connections, and steps that every document flows through.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Process {
    /// Where the schema of this file is, for editors.
    #[serde(rename = "$schema", default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<String>,
    /// The process's name; rows and ledger entries carry it.
    #[schemars(regex(pattern = r"\S"))]
    pub process: String,
    /// The connections by the names that steps use.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub connections: BTreeMap<String, ConnectionSettings>,
    /// The steps, in the order documents flow through them.
    #[schemars(length(min = 1))]
    pub steps: Vec<Step>,
}

/// A connection: which connector, and its settings beside it.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ConnectionSettings {
    /// The connector's id, such as `ftp`.
    pub connector: String,
    /// The connector's own settings, as its descriptor declares them.
    #[serde(flatten)]
    pub settings: Map<String, Value>,
}

/// One step of a process.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(tag = "type", rename_all = "camelCase")]
pub enum Step {
    /// Runs an operation of a connector: as the first step for one empty request, later once per
    /// document.
    Connector(ConnectorStep),
    /// Sets document properties.
    SetProperties(SetPropertiesStep),
    /// Produces documents, or replaces each incoming one.
    Message(MessageStep),
    /// Produces documents from local files. The first step only.
    ReadFiles(ReadFilesStep),
    /// Writes each body to a local file, and passes the document on.
    WriteFiles(WriteFilesStep),
    /// Stores each document as a row, and passes it on.
    Database(DatabaseStep),
}

/// The words for the step types.
pub(crate) const STEP_TYPES: [&str; 6] =
    ["connector", "setProperties", "message", "readFiles", "writeFiles", "database"];

impl Step {
    /// The step's name.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Connector(step) => &step.name,
            Self::SetProperties(step) => &step.name,
            Self::Message(step) => &step.name,
            Self::ReadFiles(step) => &step.name,
            Self::WriteFiles(step) => &step.name,
            Self::Database(step) => &step.name,
        }
    }
}

/// A step that runs an operation of a connector.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ConnectorStep {
    /// The step's name, once per process.
    #[schemars(regex(pattern = r"\S"))]
    pub name: String,
    /// The name of the connection.
    #[schemars(regex(pattern = r"\S"))]
    pub connection: String,
    /// The operation's id, such as `query`.
    #[schemars(regex(pattern = r"\S"))]
    pub operation: String,
    /// The operation's settings, as the connector's descriptor declares them.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub options: Map<String, Value>,
    /// Which results are wanted, for operations that select.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<host_sdk::Filter>")]
    pub filter: Option<Value>,
    /// What every request names besides its properties, such as `id`; text with references to
    /// document properties.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub parameters: BTreeMap<String, String>,
    /// Whether other documents go on after one failed; otherwise the step takes no more and the
    /// process ends failed.
    #[serde(default = "yes")]
    pub continue_on_error: bool,
    /// Whether documents may leave their source although no later step stores them; otherwise
    /// such a process is refused.
    #[serde(default)]
    pub discard: bool,
    /// Whether a later step takes documents that the service refused in an earlier one, too;
    /// otherwise they end before it.
    #[serde(default)]
    pub store_errors: bool,
    /// Whose properties the step's events report: those of the documents that went out, or of the
    /// documents that they answer.
    #[serde(default)]
    pub tracking_direction: TrackingDirection,
}

/// Which documents of a connector step are tracked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum TrackingDirection {
    /// Those that come in.
    Input,
    /// Those that go out.
    #[default]
    Output,
}

fn yes() -> bool {
    true
}

/// A step that sets document properties.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SetPropertiesStep {
    /// The step's name, once per process.
    #[schemars(regex(pattern = r"\S"))]
    pub name: String,
    /// The values by property: text with references to the properties the document came with.
    #[schemars(extend("minProperties" = 1))]
    pub properties: BTreeMap<String, String>,
}

/// A step that produces documents, or replaces each incoming one.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MessageStep {
    /// The step's name, once per process.
    #[schemars(regex(pattern = r"\S"))]
    pub name: String,
    /// The documents; exactly one where the step is not the first.
    #[schemars(length(min = 1))]
    pub documents: Vec<MessageDocument>,
}

/// A document that a message step produces.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MessageDocument {
    /// The body: text with references to document properties, or a JSON object or array in whose
    /// texts they are.
    #[schemars(schema_with = "content_schema")]
    pub content: Value,
    /// The properties: text with references to the properties of the incoming document, which
    /// the new one inherits.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub properties: BTreeMap<String, String>,
}

fn content_schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": ["string", "object", "array"]})
}

/// A step that produces documents from local files, with the properties `fileName`, `timestamp` and
/// `relativeDirectory`: the file's directory relative to the step's, `.` for that one itself
/// (`directory` is the same). Only regular
/// files and links to them are read; the summary counts what was left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReadFilesStep {
    /// The step's name, once per process.
    #[schemars(regex(pattern = r"\S"))]
    pub name: String,
    /// The directory, relative to the current one.
    #[schemars(regex(pattern = r"\S"))]
    pub directory: String,
    /// Which files, with `*` and `?`, compared with their names alone; `*` where it is absent.
    #[serde(default = "every_name")]
    #[schemars(with = "Option<String>", regex(pattern = r"\S"))]
    pub include: String,
    /// Which files are left out although `include` matches them, with `*` and `?`, compared with
    /// their names alone; none where it is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"\S"))]
    pub exclude: Option<String>,
    /// Whether directories in it are read too, to any depth up to 256; links to directories are
    /// followed.
    #[serde(default)]
    pub recursive: bool,
    /// Whether files and directories are read whose names begin with a dot; otherwise `include`
    /// must begin with a dot itself, and hidden directories are left out.
    #[serde(default)]
    pub include_hidden: bool,
}

pub(crate) fn every_name() -> String {
    "*".to_owned()
}

/// A step that writes each body to a local file, named by the property `fileName`, in the directory
/// that the property `relativeDirectory` names below the step's; in the step's own without it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WriteFilesStep {
    /// The step's name, once per process.
    #[schemars(regex(pattern = r"\S"))]
    pub name: String,
    /// The directory, relative to the current one; made where it is missing. Text with `{now:…}`,
    /// `{uuid}` and `{env:…}`, which hold for the whole run.
    #[schemars(regex(pattern = r"\S"))]
    pub directory: String,
    /// What happens where a file of this name is there before the run.
    #[serde(default)]
    pub if_exists: IfExists,
    /// Whether the file gets the time of the properties `timestampUtc` or `timestamp`.
    #[serde(default)]
    pub preserve_timestamp: bool,
    /// Whether documents that the service refused in an earlier step are written, too; otherwise
    /// they are passed on only.
    #[serde(default)]
    pub store_errors: bool,
}

/// What a step does where a file is there already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum IfExists {
    /// The new file takes its place.
    #[default]
    Replace,
    /// The file stays, and the document counts as done.
    Skip,
    /// The new file gets another name: `a (1).txt`.
    Unique,
    /// The document fails.
    Error,
}

/// A step that stores each document as a row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DatabaseStep {
    /// The step's name, once per process.
    #[schemars(regex(pattern = r"\S"))]
    pub name: String,
    /// The database: `sqlite:` and a path, relative to the current directory.
    #[schemars(regex(pattern = r"^(sqlite:.+|postgres(ql)?://.+)$"))]
    pub url: String,
    /// The table; made where it is missing.
    #[schemars(regex(pattern = r"^[A-Za-z_][A-Za-z0-9_]{0,62}$"))]
    pub table: String,
    /// Whether documents that the service refused in an earlier step are stored, too; otherwise
    /// they are passed on only.
    #[serde(default)]
    pub store_errors: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_knows_each_step_by_its_type_and_nothing_beside_its_fields() {
        let schema = schemars::schema_for!(Process);
        let schema = schema.as_value();
        let mut types = Vec::new();
        for step in schema["$defs"]["Step"]["oneOf"].as_array().unwrap() {
            types.push(step["properties"]["type"]["const"].as_str().unwrap());
            let strict =
                step["additionalProperties"] == false || step["unevaluatedProperties"] == false;
            assert!(strict, "{step:#}");
        }
        assert_eq!(types, STEP_TYPES);
        assert_eq!(schema["additionalProperties"], false);
    }
}
