//! `describe`: shows what a connector takes and offers.

use std::fmt::Write as _;
use std::io::Write as _;

use clap::{Args, ValueEnum};
use host_sdk::descriptor::{ConnectorDescriptor, Field, FieldType, OperationDescriptor, Unit};
use host_sdk::{Connector, LoadError};

use super::descriptor_xml::to_xml;
use super::failure::Failure;
use super::options::{Options, Output, results};
use crate::exit_code::ExitCode;

#[derive(Debug, Args)]
pub(super) struct DescribeArguments {
    /// The connector's id; all that are found without it
    connector: Option<String>,
    /// One operation alone, by its id
    operation: Option<String>,
    /// Advanced settings, too
    #[arg(long)]
    all: bool,
    /// The form of the description; --output json means json as well
    #[arg(long, value_enum)]
    format: Option<Format>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Text,
    /// The whole descriptor
    Json,
    /// A GenericConnectorDescriptor
    Xml,
}

pub(super) fn describe(
    arguments: &DescribeArguments,
    options: &Options,
) -> Result<ExitCode, Failure> {
    let connectors = options.connectors(&options.log_reporter());
    let descriptors = match &arguments.connector {
        Some(id) => {
            let connector = connectors.connector(id).map_err(|e| match e {
                LoadError::UnknownConnector { .. } => {
                    Failure::Other(host_sdk::Error::configuration("", e.to_string()))
                }
                refused => Failure::Connector(refused),
            })?;
            vec![connector.descriptor()?]
        }
        None => connectors
            .all()
            .into_iter()
            .map(|(_, loaded)| Ok(loaded?.descriptor()?))
            .collect::<Result<_, Failure>>()?,
    };
    let format = arguments.format.unwrap_or(match options.output {
        Output::Text => Format::Text,
        Output::Json => Format::Json,
    });
    if format == Format::Xml && descriptors.len() != 1 {
        let message = "a GenericConnectorDescriptor describes one connector: name it";
        return Err(Failure::Other(host_sdk::Error::configuration("", message)));
    }
    let mut output = results();
    for descriptor in &descriptors {
        match format {
            Format::Text => {
                let text = to_text(descriptor, arguments)?;
                output.write_all(wrapped(&text, width()).as_bytes())?;
            }
            Format::Json if options.output == Output::Json => {
                writeln!(output, "{}", json(descriptor, false)?)?;
            }
            Format::Json => writeln!(output, "{}", json(descriptor, true)?)?,
            Format::Xml => output.write_all(to_xml(descriptor).as_bytes())?,
        }
    }
    Ok(ExitCode::Success)
}

fn json(descriptor: &ConnectorDescriptor, pretty: bool) -> Result<String, host_sdk::Error> {
    let written = if pretty {
        serde_json::to_string_pretty(descriptor)
    } else {
        serde_json::to_string(descriptor)
    };
    written.map_err(|e| host_sdk::Error::internal(format!("the descriptor is unwritable: {e}")))
}

fn to_text(
    descriptor: &ConnectorDescriptor,
    arguments: &DescribeArguments,
) -> Result<String, host_sdk::Error> {
    let mut text = String::new();
    if let Some(id) = &arguments.operation {
        let Some(operation) = descriptor.operation(id) else {
            let known = descriptor.operations.iter().map(|operation| operation.id.as_str());
            let message = format!(
                "\"{}\" has no operation \"{id}\"; {}",
                descriptor.id,
                host_sdk::expected_one_of(id, known)
            );
            return Err(host_sdk::Error::configuration("", message));
        };
        describe_operation(&mut text, operation, arguments.all);
        return Ok(text.trim_start().to_owned());
    }
    let ConnectorDescriptor { id, label, help, version, .. } = descriptor;
    line(&mut text, 0, &format!("{id}: {label} {version}"));
    line(&mut text, 0, help);
    line(&mut text, 0, "\nConnection");
    fields(&mut text, 1, &descriptor.connection.fields, arguments.all);
    for operation in &descriptor.operations {
        describe_operation(&mut text, operation, arguments.all);
    }
    if !descriptor.tracked_properties.is_empty() {
        line(&mut text, 0, "\nProperties");
    }
    for property in &descriptor.tracked_properties {
        let mut of = Vec::new();
        if !property.input_of.is_empty() {
            of.push(format!("in: {}", property.input_of.join(", ")));
        }
        if !property.output_of.is_empty() {
            of.push(format!("out: {}", property.output_of.join(", ")));
        }
        line(&mut text, 1, &format!("{} ({})", property.id, of.join("; ")));
        line(&mut text, 3, &property.help);
    }
    Ok(text)
}

fn describe_operation(text: &mut String, operation: &OperationDescriptor, all: bool) {
    line(text, 0, &format!("\nOperation {}: {}", operation.id, operation.label));
    line(text, 1, &operation.help);
    for parameter in &operation.parameters {
        let required = if parameter.required { ", required" } else { "" };
        line(text, 1, &format!("{} (parameter{required})", parameter.id));
        line(text, 3, &parameter.help);
    }
    fields(text, 1, &operation.fields, all);
    if let Some(filter) = &operation.filter {
        for property in &filter.properties {
            let operators = property.operators.join(", ");
            line(text, 1, &format!("filter {}: {operators}", property.id));
        }
    }
}

fn fields(text: &mut String, depth: usize, of: &[Field], all: bool) {
    let hidden = of.iter().filter(|field| field.advanced && !all).count();
    for field in of.iter().filter(|field| all || !field.advanced) {
        let mut facts = vec![match field.field_type {
            FieldType::String => "text".to_owned(),
            FieldType::Password => "secret".to_owned(),
            FieldType::Integer => match field.unit {
                Unit::Milliseconds => "milliseconds, or text such as 90s".to_owned(),
                Unit::Bytes => "bytes, or text such as 10MiB".to_owned(),
                _ => "integer".to_owned(),
            },
            FieldType::Boolean => "boolean".to_owned(),
            FieldType::Certificate => "certificate".to_owned(),
            FieldType::Group => "group".to_owned(),
            FieldType::List => "list".to_owned(),
            _ => "other".to_owned(),
        }];
        if !field.allowed_values.is_empty() {
            let values = field.allowed_values.iter().map(|allowed| allowed.value.as_str());
            facts[0] = values.collect::<Vec<_>>().join(" | ");
        }
        match (field.minimum, field.maximum) {
            (Some(minimum), Some(maximum)) => facts.push(format!("{minimum} to {maximum}")),
            (Some(minimum), None) => facts.push(format!("from {minimum}")),
            (None, Some(maximum)) => facts.push(format!("up to {maximum}")),
            (None, None) => {}
        }
        facts.extend(field.forbidden.iter().map(|value| format!("not {value}")));
        facts.extend(field.format.clone());
        if let Some(default) = &field.default {
            facts.push(format!("default {default}"));
        }
        if field.required {
            facts.push("required".to_owned());
        }
        if field.consumes_source {
            facts.push("a later step must store the documents".to_owned());
        }
        line(text, depth, &format!("{} ({})", field.id, facts.join(", ")));
        line(text, depth + 2, &field.help);
        fields(text, depth + 2, &field.fields, all);
    }
    if hidden > 0 {
        line(text, depth, &format!("… and {hidden} advanced settings (--all)"));
    }
}

/// The width of the terminal; `None` where the text goes elsewhere.
fn width() -> Option<usize> {
    use std::io::IsTerminal;
    let width = || usize::from(console::Term::stdout().size_checked()?.1).into();
    if std::io::stdout().is_terminal() { width() } else { None }
}

/// `text` with every line of at most `width` characters, broken between words; what follows keeps the
/// indentation.
fn wrapped(text: &str, width: Option<usize>) -> String {
    let Some(width) = width.filter(|width| *width > 20) else { return text.to_owned() };
    let mut wrapped = String::new();
    for line in text.lines() {
        let indentation: String = line.chars().take_while(|c| *c == ' ').collect();
        let mut length = 0;
        for word in line.split_whitespace() {
            let longer = word.chars().count() + 1;
            if length > 0 && length + longer > width {
                wrapped.push('\n');
                length = 0;
            }
            if length == 0 {
                wrapped.push_str(&indentation);
                length = indentation.chars().count();
            } else {
                wrapped.push(' ');
            }
            wrapped.push_str(word);
            length += longer;
        }
        wrapped.push('\n');
    }
    wrapped
}

fn line(text: &mut String, depth: usize, what: &str) {
    if !what.is_empty() {
        // Writing to a String does not fail.
        let _ = writeln!(text, "{}{what}", "  ".repeat(depth));
    }
}
