//! What a report says of a run: its process, and what its steps connect to.

use serde_json::Value;

use crate::process::model::{ConnectionSettings, Process, Step};
use crate::report::RunIdentity;

/// A new run of `process`.
pub(super) fn of(process: &Process) -> RunIdentity {
    let mut identity = RunIdentity::new(&process.process);
    for step in &process.steps {
        let Step::Connector(step) = step else { continue };
        let Some(connection) = process.connections.get(&step.connection) else { continue };
        let service = match address(connection) {
            Some(address) => format!("{} ({address})", step.connection),
            None => step.connection.clone(),
        };
        identity.services.insert(step.name.clone(), service);
    }
    identity
}

/// `user@host:port`, as far as the settings with these usual ids say it.
fn address(connection: &ConnectionSettings) -> Option<String> {
    let text = |id: &str| connection.settings.get(id).and_then(Value::as_str);
    let host = text("host")?.trim();
    let mut address = String::new();
    if let Some(user) = text("userName") {
        address.push_str(&format!("{user}@"));
    }
    address.push_str(host);
    if let Some(port) = connection.settings.get("port").and_then(Value::as_u64) {
        address.push_str(&format!(":{port}"));
    }
    Some(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_has_its_connection_and_address() {
        let process = Process::parse(
            r#"{"process": "p", "connections": {"c": {"connector": "ftp", "host": "h", "port": 2121,
                "userName": "u", "password": "secret"}}, "steps": [{"name": "s",
                "type": "connector", "connection": "c", "operation": "list"}]}"#,
        );
        let identity = of(&process.unwrap());
        assert_eq!(identity.services["s"], "c (u@h:2121)");
        assert_eq!(identity.run.len(), 12);
    }
}
