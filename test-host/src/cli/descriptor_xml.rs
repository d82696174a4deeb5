//! A descriptor as the `GenericConnectorDescriptor` that other runtimes make their screens of.

use std::fmt::Write as _;

use host_sdk::descriptor::{
    ConnectorDescriptor, Field, FieldScope, FieldType, FilterDescriptor, FilterGrouping,
    FilterType, InputKind, OperationDescriptor, OutputKind,
};
use serde_json::Value;

/// The operation types that the format knows; others are `EXECUTE` with a custom type.
const TYPES: [&str; 6] = ["CREATE", "QUERY", "GET", "DELETE", "UPDATE", "UPSERT"];

/// Writes `descriptor` as XML.
pub(super) fn to_xml(descriptor: &ConnectorDescriptor) -> String {
    let mut xml = Xml::default();
    let connection = &descriptor.connection;
    let attributes = [
        ("browsingType", if connection.can_browse { "any" } else { "none" }),
        ("requireConnectionForBrowse", if connection.can_browse { "true" } else { "false" }),
    ];
    xml.text.push_str("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    xml.open("GenericConnectorDescriptor", &attributes);
    xml.element("description", &[], &descriptor.help);
    fields(&mut xml, "", &connection.fields);
    if connection.can_test {
        xml.empty("testConnection", &[("method", "CUSTOM")]);
    }
    for operation in &descriptor.operations {
        write_operation(&mut xml, operation);
    }
    let mut dynamic: Vec<&str> = Vec::new();
    for id in descriptor.operations.iter().flat_map(|operation| &operation.dynamic_properties) {
        if !dynamic.contains(&id.as_str()) {
            dynamic.push(id);
        }
    }
    for id in dynamic {
        let tracked = descriptor.tracked_properties.iter().find(|property| property.id == id);
        let label = tracked.map_or(id, |property| &property.label);
        xml.empty("dynamicProperty", &[("id", id), ("label", label), ("type", "string")]);
    }
    for property in &descriptor.tracked_properties {
        xml.empty("trackedProperty", &[("id", &property.id), ("label", &property.label)]);
    }
    xml.close("GenericConnectorDescriptor");
    xml.text
}

fn write_operation(xml: &mut Xml, operation: &OperationDescriptor) {
    let kind = operation.id.to_uppercase();
    let known = TYPES.contains(&kind.as_str());
    let mut attributes = vec![("types", if known { kind.as_str() } else { "EXECUTE" })];
    if known {
        attributes.push(("customTypeLabel", &operation.label));
    } else {
        attributes.push(("customTypeId", &kind));
        attributes.push(("customTypeLabel", &operation.label));
    }
    attributes.push((
        "inputType",
        match operation.input {
            InputKind::None => "none",
            InputKind::Id => "id",
            InputKind::Document => "binary",
            _ => "other",
        },
    ));
    attributes.push((
        "outputType",
        match operation.output {
            OutputKind::None => "none",
            OutputKind::Binary => "binary",
            OutputKind::Json => "json",
            _ => "other",
        },
    ));
    // The process chooses the direction.
    attributes.push(("trackedDocument", "user"));
    xml.open("operation", &attributes);
    fields(xml, "", &operation.fields);
    if let Some(filter) = &operation.filter {
        write_filter(xml, filter);
    }
    xml.close("operation");
}

fn write_filter(xml: &mut Xml, filter: &FilterDescriptor) {
    let grouping = match filter.grouping {
        FilterGrouping::None => "none",
        FilterGrouping::Any => "any",
        FilterGrouping::OneLevelAnd => "noNestingImplicitAnd",
        FilterGrouping::OneLevelOr => "noNestingImplicitOr",
        _ => "other",
    };
    xml.open("queryFilter", &[("grouping", grouping), ("sorting", "none")]);
    for operator in &filter.operators {
        let arguments = operator.argument_count.to_string();
        xml.open(
            "operator",
            &[("id", &operator.id), ("label", &operator.label), ("numArguments", &arguments)],
        );
        for value_type in &operator.types {
            let value_type = match value_type {
                FilterType::String => "string",
                FilterType::Timestamp => "date",
                FilterType::Integer | FilterType::Size => "number",
                _ => "other",
            };
            xml.empty("supportedType", &[("type", value_type)]);
        }
        xml.close("operator");
    }
    xml.close("queryFilter");
}

/// The format has no groups, so their members carry the group's id before their own.
fn fields(xml: &mut Xml, group: &str, all: &[Field]) {
    for field in all {
        let id = format!("{group}{}", field.id);
        let field_type = match field.field_type {
            FieldType::String => "string",
            FieldType::Password => "password",
            FieldType::Integer => "integer",
            FieldType::Boolean => "boolean",
            FieldType::Certificate => "publiccertificate",
            FieldType::Group => {
                fields(xml, &format!("{id}."), &field.fields);
                continue;
            }
            _ => "other",
        };
        let scope = match field.scope {
            FieldScope::ConnectionOnly => "connectionOnly",
            FieldScope::OperationOnly => "operationOnly",
            FieldScope::Both => "both",
            _ => "other",
        };
        let mut attributes =
            vec![("id", id.as_str()), ("label", &field.label), ("type", field_type)];
        if field.scope == FieldScope::Both {
            attributes.push(("scope", scope));
        }
        if !field.allowed_values.is_empty() {
            attributes.push(("displayType", "list"));
        }
        xml.open("field", &attributes);
        xml.element("helpText", &[], &field.help);
        match &field.default {
            None => {}
            Some(Value::String(text)) => xml.element("defaultValue", &[], text),
            Some(other) => xml.element("defaultValue", &[], &other.to_string()),
        }
        for allowed in &field.allowed_values {
            xml.open("allowedValue", &[("label", &allowed.label)]);
            xml.element("value", &[], &allowed.value);
            xml.close("allowedValue");
        }
        for condition in &field.visible_when {
            let decider = format!("{group}{}", condition.field);
            xml.open("visibilityCondition", &[]);
            xml.open("valueCondition", &[("fieldId", &decider)]);
            for value in &condition.one_of {
                xml.element("value", &[], value);
            }
            xml.close("valueCondition");
            xml.close("visibilityCondition");
        }
        xml.close("field");
    }
}

/// Elements, indented by their depth.
#[derive(Default)]
struct Xml {
    text: String,
    depth: usize,
}

impl Xml {
    fn open(&mut self, name: &str, attributes: &[(&str, &str)]) {
        self.tag(name, attributes, ">\n");
        self.depth += 1;
    }

    fn close(&mut self, name: &str) {
        self.depth -= 1;
        // Writing to a String does not fail.
        let _ = writeln!(self.text, "{}</{name}>", "  ".repeat(self.depth));
    }

    fn empty(&mut self, name: &str, attributes: &[(&str, &str)]) {
        self.tag(name, attributes, "/>\n");
    }

    fn element(&mut self, name: &str, attributes: &[(&str, &str)], content: &str) {
        if !content.is_empty() {
            self.tag(name, attributes, ">");
            let _ = writeln!(self.text, "{}</{name}>", escaped(content));
        }
    }

    fn tag(&mut self, name: &str, attributes: &[(&str, &str)], end: &str) {
        let _ = write!(self.text, "{}<{name}", "  ".repeat(self.depth));
        for (id, value) in attributes {
            let _ = write!(self.text, " {id}=\"{}\"", escaped(value));
        }
        self.text.push_str(end);
    }
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            // XML 1.0 has no way to write other control characters.
            c if c.is_control() && c != '\n' && c != '\t' => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use host_sdk::descriptor::ConnectionDescriptor;

    use super::*;

    #[test]
    fn fields_groups_and_operations_are_written() {
        let proxy = Field::group("proxy", "Proxy", vec![Field::text("host", "Host", "")], "");
        let descriptor = ConnectorDescriptor {
            id: "ftp".into(),
            label: "FTP".into(),
            help: "Files & \"folders\".".into(),
            version: "1".into(),
            connection: ConnectionDescriptor {
                fields: vec![
                    Field::choice("sslMode", "SSL Mode", &[("none", "None")], "TLS < 2"),
                    proxy,
                ],
                can_test: true,
                can_browse: true,
            },
            operations: vec![OperationDescriptor {
                id: "list".into(),
                label: "List".into(),
                help: String::new(),
                input: InputKind::None,
                output: OutputKind::Json,
                fields: Vec::new(),
                parameters: Vec::new(),
                filter: None,
                dynamic_properties: vec!["remoteDirectory".into()],
            }],
            tracked_properties: Vec::new(),
        };
        let xml = to_xml(&descriptor);
        for part in [
            "<description>Files &amp; &quot;folders&quot;.</description>",
            "  <field id=\"sslMode\" label=\"SSL Mode\" type=\"string\" \
             displayType=\"list\">\n    \
             <helpText>TLS &lt; 2</helpText>\n    <defaultValue>none</defaultValue>\n    \
             <allowedValue label=\"None\">\n      <value>none</value>\n",
            "<field id=\"proxy.host\"",
            "<operation types=\"EXECUTE\" customTypeId=\"LIST\" customTypeLabel=\"List\" \
             inputType=\"none\" outputType=\"json\" \
             trackedDocument=\"user\">\n  </operation>\n",
            "<dynamicProperty id=\"remoteDirectory\"",
            "</GenericConnectorDescriptor>\n",
        ] {
            assert!(xml.contains(part), "{part}\n{xml}");
        }
    }
}
