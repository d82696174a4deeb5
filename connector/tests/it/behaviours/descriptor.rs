//! What a runtime's screens are made from.

use ftp_connector::FtpConnector;
use host_sdk::Connector;
use host_sdk::descriptor::{
    ConnectorDescriptor, Field, FieldScope, FieldType, FilterGrouping, FilterType, InputKind,
    OperationDescriptor, OutputKind,
};
use serde_json::{Value, json};

use super::{Behaviour, parity};

pub(super) const CASES: &[Behaviour] = parity! {
    "Connection", Once => {
        "the connection has its nine fields with labels, types, values and defaults":
            declares_the_connection,
    }
    "Shared fields", Once => {
        "every operation has its fields, and no other's, with labels, types, values and defaults":
            declares_the_fields_of_operations,
        "maximums forbid 0 and default to all": declares_maximums,
    }
    "Query", Once => {
        "filters nest freely and have six operators with one argument": declares_filters,
    }
    "List", Once => {
        "the filter has the types of entries besides what Query has": declares_the_filter_of_types,
    }
    "Tracked properties", Once => {
        "the properties are inputs and outputs of their operations":
            declares_tracked_properties,
        "what overrides settings is declared as dynamic": declares_dynamic_properties,
    }
    "Runtime contract", Once => {
        "operations declare what comes in and what goes out": declares_kinds,
        "connection test and browse are offered": declares_test_and_browse,
        "every field has a label, a help text and its scope": declares_help_for_everything,
    }
};

fn descriptor() -> ConnectorDescriptor {
    FtpConnector::new().descriptor().unwrap()
}

const OPERATIONS: [&str; 5] = ["create", "query", "get", "list", "delete"];

fn operation(id: &str) -> OperationDescriptor {
    descriptor().operation(id).unwrap().clone()
}

/// What the table says of a field: id, label, type, default, allowed values.
type Told = (&'static str, &'static str, FieldType, Value, &'static [&'static str]);

#[track_caller]
fn check(field: Option<&Field>, told: &Told) {
    let (id, label, field_type, default, values) = told;
    let field = field.unwrap_or_else(|| panic!("{id} is missing"));
    let allowed: Vec<&str> = field.allowed_values.iter().map(|it| it.value.as_str()).collect();
    assert_eq!(field.label, *label);
    assert_eq!(field.field_type, *field_type, "{id}");
    assert_eq!(field.default.clone().unwrap_or_default(), *default, "{id}");
    assert_eq!(allowed, *values, "{id}");
    assert!(field.allowed_values.iter().all(|value| !value.label.trim().is_empty()), "{id}");
}

fn find<'a>(fields: &'a [Field], id: &str) -> Option<&'a Field> {
    fields.iter().find(|field| field.id == id)
}

fn declares_the_connection() {
    use FieldType::{Integer, Password, String};
    let none = Value::Null;
    let fields = descriptor().connection.fields;
    let table: [Told; 9] = [
        ("host", "Host", String, none.clone(), &[]),
        ("port", "Port", Integer, none.clone(), &[]),
        ("connectionMode", "Connection Mode", String, json!("passive"), &["passive", "active"]),
        ("connectionTimeout", "Connection Timeout (ms)", Integer, json!(30_000), &[]),
        ("readTimeout", "Read Timeout (ms)", Integer, json!(60_000), &[]),
        ("remoteDirectory", "Remote Directory", String, none.clone(), &[]),
        ("sslMode", "SSL Mode", String, json!("none"), &["none", "explicit", "implicit"]),
        ("userName", "User Name", String, none.clone(), &[]),
        ("password", "Password", Password, none, &[]),
    ];
    for told in &table {
        check(find(&fields, told.0), told);
        assert_eq!(find(&fields, told.0).unwrap().required, told.0 == "host", "{}", told.0);
    }
}

fn declares_the_fields_of_operations() {
    use FieldType::{Boolean, Integer, String};
    let off = json!(false);
    let none = Value::Null;
    let exists: &[&str] = &["createUniqueName", "overwrite", "append", "generateError"];
    let table: [(&[&str], Told); 11] = [
        (
            &["create", "query", "get"],
            ("transferFormat", "Transfer Format", String, json!("binary"), &["binary", "ascii"]),
        ),
        (
            &["create"],
            (
                "actionIfFileExists",
                "Action if File Exists",
                String,
                json!("createUniqueName"),
                exists,
            ),
        ),
        (&["create"], ("stagingDirectory", "Staging Directory", String, none.clone(), &[])),
        (&["create"], ("temporaryExtension", "Temporary Extension", String, none, &[])),
        (
            &["create", "get"],
            ("includeAllMetadata", "Include all metadata", Boolean, off.clone(), &[]),
        ),
        (
            &["get", "query"],
            ("deleteAfterReading", "Delete file(s) after reading", Boolean, off.clone(), &[]),
        ),
        (
            &["get", "query"],
            ("failIfUnableToDelete", "Fail if unable to delete", Boolean, off.clone(), &[]),
        ),
        (
            &["query"],
            ("maximumFiles", "Maximum Number of Files to Return", Integer, json!(-1), &[]),
        ),
        (&["query"], ("followSymbolicLinks", "Follow symbolic links", Boolean, off.clone(), &[])),
        (&["list"], ("maximumResults", "Maximum Results", Integer, json!(-1), &[])),
        (
            &OPERATIONS,
            ("returnApplicationErrors", "Return Application Error Responses", Boolean, off, &[]),
        ),
    ];
    for (operations, told) in &table {
        for id in OPERATIONS {
            let fields = operation(id).fields;
            if operations.contains(&id) {
                check(find(&fields, told.0), told);
            } else {
                assert!(find(&fields, told.0).is_none(), "{id} has {}", told.0);
            }
        }
    }
}

fn declares_maximums() {
    for (id, maximum) in [("query", "maximumFiles"), ("list", "maximumResults")] {
        let fields = operation(id).fields;
        let field = find(&fields, maximum).unwrap();
        assert_eq!((field.minimum, &field.forbidden[..]), (Some(-1), &[0][..]), "{id}");
    }
}

fn declares_filters() {
    let filter = operation("query").filter.unwrap();
    assert_eq!(filter.grouping, FilterGrouping::Any);
    let all = ["equals", "notEquals", "lessThan", "greaterThan", "regex", "wildcard"];
    let declared: Vec<&str> = filter.operators.iter().map(|it| it.id.as_str()).collect();
    assert_eq!(declared, all);
    for operator in &filter.operators {
        assert_eq!(operator.argument_count, 1, "{}", operator.id);
        assert!(!operator.label.is_empty() && !operator.help.is_empty(), "{}", operator.id);
        for value_type in [FilterType::String, FilterType::Timestamp] {
            assert!(operator.types.contains(&value_type), "{}", operator.id);
        }
    }
    for (id, label, value_type) in [
        ("fileName", "File Name", FilterType::String),
        ("timestamp", "Timestamp", FilterType::Timestamp),
    ] {
        let property = filter.properties.iter().find(|property| property.id == id).unwrap();
        assert_eq!((property.label.as_str(), property.value_type), (label, value_type));
        assert_eq!(property.operators, all, "{id}");
    }
}

fn declares_the_filter_of_types() {
    let properties = |id: &str| operation(id).filter.unwrap().properties;
    let (query, list) = (properties("query"), properties("list"));
    assert_eq!(list[..query.len()], query[..]);
    let [more] = &list[query.len()..] else { panic!("{list:?}") };
    assert_eq!(more.id, "fileType");
    let values: Vec<&str> = more.allowed_values.iter().map(|it| it.value.as_str()).collect();
    assert_eq!(values, ["regular_file", "directory", "symbolic_link", "unknown"]);
    for id in ["create", "get", "delete"] {
        assert!(operation(id).filter.is_none(), "{id}");
    }
}

fn declares_tracked_properties() {
    let all: &[&str] = &["create", "query", "delete", "get", "list"];
    // Create takes a timestamp as well, for Preserve Timestamp.
    let table: [(&str, &str, &[&str], &[&str]); 8] = [
        ("fileName", "File Name", &["create"], &["query", "get"]),
        ("remoteDirectory", "Remote Directory", all, &["query", "get"]),
        ("relativeDirectory", "Relative Directory", &[], &["query"]),
        ("stagingDirectory", "Staging Directory", &["create"], &[]),
        ("temporaryExtension", "Temporary Extension", &["create"], &[]),
        ("timestamp", "Timestamp", &["create"], &["query", "get"]),
        ("timestampUtc", "Timestamp (UTC)", &[], &["query", "get"]),
        ("timestampPrecision", "Timestamp Precision", &[], &["query", "get"]),
    ];
    let declared = descriptor().tracked_properties;
    assert_eq!(declared.len(), table.len());
    for ((id, label, input_of, output_of), property) in table.into_iter().zip(declared) {
        assert_eq!((property.id.as_str(), property.label.as_str()), (id, label));
        assert_eq!(property.input_of, input_of, "{id}");
        assert_eq!(property.output_of, output_of, "{id}");
    }
}

fn declares_dynamic_properties() {
    for tracked in descriptor().tracked_properties {
        for id in OPERATIONS {
            let is_dynamic = operation(id).dynamic_properties.contains(&tracked.id);
            let is_input = tracked.input_of.iter().any(|of| of == id);
            assert_eq!(is_dynamic, is_input, "{} of {id}", tracked.id);
        }
    }
}

fn declares_kinds() {
    use InputKind::{Document, Id};
    use OutputKind::{Binary, Json};
    let kinds =
        descriptor().operations.into_iter().map(|it| (it.id, it.label, it.input, it.output));
    let kinds: Vec<_> = kinds.collect();
    let told = |at: usize| (kinds[at].0.as_str(), kinds[at].1.as_str(), kinds[at].2, kinds[at].3);
    assert_eq!(kinds.len(), OPERATIONS.len());
    assert_eq!(told(0), ("create", "Create", Document, Json));
    assert_eq!(told(1), ("query", "Query", InputKind::None, Binary));
    assert_eq!(told(2), ("get", "Get", Id, Binary));
    assert_eq!(told(3), ("list", "List", InputKind::None, Json));
    assert_eq!(told(4), ("delete", "Delete", Id, OutputKind::None));
    for id in ["get", "delete"] {
        let parameters = operation(id).parameters;
        assert_eq!(parameters.len(), 1, "{id}");
        assert!(parameters[0].id == "id" && parameters[0].required, "{parameters:?}");
    }
}

fn declares_test_and_browse() {
    let connection = descriptor().connection;
    assert!(connection.can_test && connection.can_browse);
}

fn declares_help_for_everything() {
    let explained = |field: &Field, scope: FieldScope| {
        assert!(!field.label.trim().is_empty() && !field.help.trim().is_empty(), "{}", field.id);
        assert_eq!(field.scope, scope, "{}", field.id);
    };
    let descriptor = descriptor();
    for field in &descriptor.connection.fields {
        explained(field, FieldScope::ConnectionOnly);
    }
    for operation in &descriptor.operations {
        assert!(!operation.help.trim().is_empty(), "{}", operation.id);
        for field in &operation.fields {
            explained(field, FieldScope::OperationOnly);
        }
    }
}
