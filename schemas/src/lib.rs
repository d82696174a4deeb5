//! The project's JSON Schemas, generated from the Rust types and the FTP connector's descriptor.
//!
//! `cargo run -p schemas` writes them beside this crate's `README.md`; a test compares what is
//! checked in.

mod process;
mod settings_page;
mod shape;

use ftp_connector::FtpConnector;
use host_sdk::descriptor::schema::{operation_schema, settings_schema};
use host_sdk::{Connector, ConnectorDescriptor, Error};
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};
use test_host::report::events::Event;

pub use settings_page::settings_page;

/// The dialect of every schema.
const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

/// A schema and the name of its file.
#[derive(Clone, Debug, PartialEq)]
pub struct SchemaFile {
    /// The file's name, which is the schema's `$id` as well.
    pub name: &'static str,
    /// The schema.
    pub schema: Value,
}

impl SchemaFile {
    /// The file's content.
    #[must_use]
    pub fn text(&self) -> String {
        format!("{:#}\n", self.schema)
    }
}

/// Every schema of the project.
///
/// # Errors
///
/// `internal` where the connector has no descriptor.
pub fn generate() -> Result<Vec<SchemaFile>, Error> {
    let ftp = FtpConnector::new().descriptor()?;
    Ok(vec![
        file("descriptor.schema.json", "Connector descriptor", descriptor()),
        file("connection.schema.json", "FTP connection", connection(&ftp)),
        file("operation.schema.json", "FTP operation", operation(&ftp)),
        file("process.schema.json", "Process", process::schema(&ftp)),
        file("event.schema.json", "Event", event()),
    ])
}

/// Where the page of all settings lies, from the top of the project.
pub const SETTINGS_PAGE: &str = "connector/SETTINGS.md";

/// The page of all settings of the FTP connector, in Markdown.
///
/// # Errors
///
/// `internal` where the connector has no descriptor.
pub fn ftp_settings_page() -> Result<String, Error> {
    Ok(settings_page(&FtpConnector::new().descriptor()?))
}

fn file(name: &'static str, title: &str, mut schema: Value) -> SchemaFile {
    shape::tidy_descriptions(&mut schema);
    schema["$schema"] = json!(DIALECT);
    schema["$id"] = json!(name);
    schema["title"] = json!(title);
    SchemaFile { name, schema }
}

/// The schema that `T` derives.
fn derived<T: JsonSchema>(settings: SchemaSettings) -> Value {
    settings.into_generator().into_root_schema_for::<T>().into()
}

fn descriptor() -> Value {
    // What a host reads: a connector may leave out what has a default.
    let mut schema = derived::<ConnectorDescriptor>(SchemaSettings::draft2020_12());
    shape::unless_null(&mut schema);
    shape::open_words(&mut schema);
    schema
}

fn connection(descriptor: &ConnectorDescriptor) -> Value {
    let mut schema = settings_schema(&descriptor.connection.fields);
    schema["description"] = json!(format!(
        "A connection of the {} connector: an entry of a process's connections. {}",
        descriptor.label, descriptor.help
    ));
    schema["properties"]["connector"] =
        json!({"description": "The connector's id.", "const": descriptor.id});
    if let Value::Array(required) = schema["required"].take() {
        schema["required"] = [json!("connector")].into_iter().chain(required).collect();
    }
    schema
}

/// The schema of an operation alone is closed; that of a process's step, which has fields of its
/// own, refers to `$defs/operation`.
fn operation(descriptor: &ConnectorDescriptor) -> Value {
    let ids: Vec<&str> =
        descriptor.operations.iter().map(|operation| operation.id.as_str()).collect();
    let cases: Vec<Value> = descriptor
        .operations
        .iter()
        .map(|operation| {
            shape::case(
                "operation",
                &operation.id,
                json!({"$ref": format!("#/$defs/{}", operation.id)}),
            )
        })
        .collect();
    let mut definitions: Map<String, Value> = descriptor
        .operations
        .iter()
        .map(|operation| (operation.id.clone(), operation_schema(operation)))
        .collect();
    let any = json!({
        "type": "object",
        "properties": {
            "operation": {"description": "What is done.", "enum": ids},
            "options": {"type": "object"},
            "filter": {"type": ["object", "null"]},
            "parameters": {"type": "object"},
        },
        "required": ["operation"],
        "allOf": cases,
    });
    definitions.insert("operation".to_owned(), any);
    json!({
        "description": format!(
            "An operation of the {} connector: what a process's step of type connector says \
             besides its name, type and connection.",
            descriptor.label
        ),
        "$ref": "#/$defs/operation",
        "unevaluatedProperties": false,
        "$defs": definitions,
    })
}

fn event() -> Value {
    let mut schema = derived::<Event>(SchemaSettings::draft2020_12().for_serialize());
    shape::by_tag(&mut schema, "event");
    shape::never_null(&mut schema);
    let text = |description: &str| json!({"description": description, "type": "string"});
    schema["properties"]["time"] = text("When it happened, in UTC.");
    schema["properties"]["run"] = text("The number of the run.");
    schema["properties"]["process"] = text("The name of the process.");
    schema
}
