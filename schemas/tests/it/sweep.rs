//! Every setting and every comparison with values of every kind: the schemas made of descriptors
//! and the checks made of descriptors cannot tell different stories.

use ftp_connector::FtpConnector;
use host_sdk::descriptor::Field;
use host_sdk::descriptor::schema::{operation_schema, settings_schema};
use host_sdk::testing::MemoryHost;
use host_sdk::{Connector, ConnectorDescriptor, Settings};
use serde_json::{Value, json};

use crate::libraries::connectors;

fn values() -> Vec<Value> {
    let mut values = vec![
        json!(null),
        json!(""),
        json!(" \t"),
        json!("x"),
        json!("21"),
        json!(true),
        json!(-2),
        json!(-1),
        json!(0),
        json!(1),
        json!(70_000),
        json!(i64::MAX),
        json!(1.5),
        json!([]),
        json!({}),
        json!({"env": "NAME"}),
        json!({"file": "path"}),
        json!({"env": "NAME", "file": "path"}),
        json!({"env": 1}),
        json!({"host": "h"}),
        json!({"host": "h", "port": 0}),
        json!({"attempts": 1, "delay": null}),
    ];
    for field in ftp().connection.fields.iter().chain(operation_fields(&ftp())) {
        values.extend(field.allowed_values.iter().map(|allowed| json!(allowed.value)));
    }
    values
}

fn ftp() -> ConnectorDescriptor {
    FtpConnector::new().descriptor().unwrap()
}

fn operation_fields(descriptor: &ConnectorDescriptor) -> impl Iterator<Item = &Field> {
    descriptor.operations.iter().flat_map(|operation| &operation.fields)
}

#[test]
fn every_setting_is_judged_alike() {
    let echo = connectors().connector("echo").unwrap().descriptor().unwrap();
    let values = values();
    for descriptor in [ftp(), echo] {
        let all = descriptor.connection.fields.iter().chain(operation_fields(&descriptor));
        for field in all {
            for required in [false, true] {
                let fields = [Field { required, ..field.clone() }];
                let validator = jsonschema::draft202012::new(&settings_schema(&fields)).unwrap();
                let given = values.iter().map(|value| json!({&field.id: value}));
                for settings in given.chain([json!({}), json!({"surelyUnknown": null})]) {
                    let checked = Settings::check(&fields, &settings);
                    let is_valid = validator.is_valid(&settings);
                    assert_eq!(is_valid, checked.is_ok(), "{settings}, {required}: {checked:?}");
                }
            }
        }
    }
}

#[test]
fn every_comparison_is_judged_alike() {
    let context = MemoryHost::new().context();
    let connection = FtpConnector::new().connect(&json!({"host": "localhost"}), context).unwrap();
    let properties = ["fileName", "timestamp", "size", "fileType", "owner"];
    let operators = ["equals", "notEquals", "lessThan", "greaterThan", "regex", "wildcard", "like"];
    let values = [
        json!("2026-11-01 00:00:00.000"),
        json!("2026-11-01 24:00:00.000"),
        json!("2026-1-01 00:00:00.000"),
        json!("2026-11-01 00:00:00"),
        json!("-12"),
        json!("1 MB"),
        json!("directory"),
        json!("a*"),
        json!(""),
        json!(12),
        json!(1.5),
        json!(true),
        json!(null),
        json!([]),
    ];
    let mut taken = 0;
    for operation in ftp().operations {
        let validator = jsonschema::draft202012::new(&operation_schema(&operation)).unwrap();
        for (property, operator) in
            properties.iter().flat_map(|property| operators.iter().map(move |one| (property, one)))
        {
            for value in &values {
                let condition = json!({"property": property, "operator": operator, "value": value});
                for filter in [condition.clone(), json!({"or": [{"and": [condition]}]})] {
                    let code = connection
                        .operation(&json!({"operation": operation.id, "filter": filter}))
                        .map(drop);
                    let step = json!({"filter": filter, "parameters": parameters(&operation.id)});
                    let is_valid = validator.is_valid(&step);
                    assert_eq!(is_valid, code.is_ok(), "{}: {filter}: {code:?}", operation.id);
                    taken += usize::from(is_valid);
                }
            }
        }
    }
    assert!(taken > 100, "only {taken} comparisons are taken");
}

/// The parameters that `operation` needs.
fn parameters(operation: &str) -> Value {
    match operation {
        "get" | "delete" => json!({"id": "a"}),
        _ => json!({}),
    }
}
