//! Checks of connections and of what they say to wrong settings.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::browse::BrowseRequest;
use crate::conformance::profile::{OperationCase, Profile};
use crate::conformance::report::{CheckOutcome, Report, ensure, ensure_none, failed, skipped};
use crate::connector::{Connection, Connector};
use crate::descriptor::connector::ConnectorDescriptor;
use crate::descriptor::field::FieldType;
use crate::error::{Error, ErrorKind};
use crate::testing::memory_host::MemoryHost;

/// A key that no connector has.
const UNKNOWN: &str = "surelyUnknown";

/// Checks the connection; without one there is nothing to execute.
pub(super) fn check(
    connector: &dyn Connector,
    descriptor: &ConnectorDescriptor,
    profile: &Profile,
    report: &mut Report,
) -> Option<Arc<dyn Connection>> {
    report.add(
        "a wrong connection setting is refused",
        wrong_settings(connector, descriptor, profile),
    );
    let connection = match connect(connector, &profile.connection) {
        Ok(connection) => connection,
        Err(error) => {
            report.add("the connection opens", failed(error.to_string()));
            return None;
        }
    };
    report.add("the connection tests itself", test(descriptor, connection.as_ref()));
    report.add("the connection can be browsed", browse(descriptor, connection.as_ref()));
    report.add("an unknown operation is refused", unknown_operation(connection.as_ref()));
    for case in &profile.operations {
        report.add(
            format!("{}: an unknown setting is refused", case.name),
            unknown_setting(connection.as_ref(), case),
        );
    }
    Some(connection)
}

fn connect(connector: &dyn Connector, settings: &Value) -> Result<Arc<dyn Connection>, Error> {
    connector.connect(settings, MemoryHost::new().context())
}

/// Makes sure that `result` is a refusal of the setting at `path`.
fn refuses<T>(what: &str, path: &str, result: Result<T, Error>) -> CheckOutcome {
    match result {
        Ok(_) => failed(format!("{what} was taken")),
        Err(error) if error.kind() != ErrorKind::Configuration => {
            failed(format!("{what} is refused as {}: {error}", error.kind()))
        }
        Err(error) => {
            let named = error.report().path.as_deref().unwrap_or_default();
            ensure(named == path, || format!("{what} is refused at \"{named}\", not \"{path}\""))
        }
    }
}

fn wrong_settings(
    connector: &dyn Connector,
    descriptor: &ConnectorDescriptor,
    profile: &Profile,
) -> CheckOutcome {
    let with = |id: &str, value: Value| {
        let mut settings = profile.connection.clone();
        settings[id] = value;
        connect(connector, &settings)
    };
    refuses("an unknown setting", UNKNOWN, with(UNKNOWN, json!(1)))?;
    for field in &descriptor.connection.fields {
        // A value of no field's type, and nothing where there must be something.
        let (what, wrong) = match field.field_type {
            FieldType::List => ("a number", json!(5)),
            _ => ("a list", json!([])),
        };
        refuses(&format!("{what} for {}", field.id), &field.id, with(&field.id, wrong))?;
        if field.required && field.field_type != FieldType::Group {
            let absent = format!("absence of {}", field.id);
            refuses(&absent, &field.id, with(&field.id, Value::Null))?;
        }
    }
    Ok(())
}

fn test(descriptor: &ConnectorDescriptor, connection: &dyn Connection) -> CheckOutcome {
    if !descriptor.connection.can_test {
        return skipped("the descriptor says that it cannot");
    }
    match connection.test(MemoryHost::new().context()) {
        Err(error) => failed(error.to_string()),
        Ok(report) => ensure(report.is_usable() && !report.findings.is_empty(), || {
            format!("the report is {report:?}")
        }),
    }
}

fn browse(descriptor: &ConnectorDescriptor, connection: &dyn Connection) -> CheckOutcome {
    if !descriptor.connection.can_browse {
        return skipped("the descriptor says that it cannot");
    }
    let ask = |operation: &str, object_type: Option<String>| {
        let request = BrowseRequest { operation: operation.to_owned(), object_type };
        connection.browse(&request, MemoryHost::new().context())
    };
    let mut problems = Vec::new();
    for operation in &descriptor.operations {
        let types = match ask(&operation.id, None) {
            Ok(answer) => answer.object_types,
            Err(error) => {
                problems.push(format!("{}: {error}", operation.id));
                continue;
            }
        };
        if types.is_empty() {
            problems.push(format!("{} has no object types", operation.id));
        }
        for known in types {
            if let Err(error) = ask(&operation.id, Some(known.id.clone())) {
                problems.push(format!("{}.{}: {error}", operation.id, known.id));
            }
        }
    }
    ensure_none(&problems)?;
    match ask(UNKNOWN, None) {
        Err(error) if error.kind() == ErrorKind::Configuration => Ok(()),
        Err(error) => failed(format!("an unknown operation is refused as {}", error.kind())),
        Ok(_) => failed("an unknown operation can be browsed"),
    }
}

fn unknown_operation(connection: &dyn Connection) -> CheckOutcome {
    let settings = json!({"operation": UNKNOWN});
    refuses("an unknown operation", "operation", connection.operation(&settings))?;
    refuses("the absence of an operation", "operation", connection.operation(&json!({})))
}

fn unknown_setting(connection: &dyn Connection, case: &OperationCase) -> CheckOutcome {
    let mut settings = case.settings.clone();
    settings[UNKNOWN] = json!(1);
    refuses("an unknown setting", UNKNOWN, connection.operation(&settings))?;
    let mut settings = case.settings.clone();
    if settings["options"].is_null() {
        settings["options"] = json!({});
    }
    settings["options"][UNKNOWN] = json!(1);
    let path = format!("options.{UNKNOWN}");
    refuses("an unknown option", &path, connection.operation(&settings))
}
