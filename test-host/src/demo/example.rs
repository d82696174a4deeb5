//! The process of the demonstration: the first example, pointed at its server.

use host_sdk::Error;
use serde_json::json;

use crate::process::Process;
use crate::process::model::Step;

/// The first example.
const EXAMPLE: &str = include_str!("../../examples/ftp-to-database.json");

/// The example, with the server at `port` and the database at `url`.
pub(crate) fn process(port: u16, url: &str) -> Result<Process, Error> {
    let mut process = Process::parse(EXAMPLE)?;
    for connection in process.connections.values_mut() {
        let settings = &mut connection.settings;
        settings.clear();
        settings.insert("host".to_owned(), json!("127.0.0.1"));
        settings.insert("port".to_owned(), json!(port));
        settings.insert("remoteDirectory".to_owned(), json!("/"));
    }
    for step in &mut process.steps {
        if let Step::Database(step) = step {
            url.clone_into(&mut step.url);
        }
    }
    Ok(process)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::proof::TABLE;

    #[test]
    fn the_example_points_at_the_demonstration() {
        let process = process(2121, "sqlite:demo.db").unwrap();
        assert_eq!(process.connections["partner"].settings["port"], 2121);
        let Step::Database(store) = &process.steps[1] else { panic!("no database") };
        assert_eq!((store.url.as_str(), store.table.as_str()), ("sqlite:demo.db", TABLE));
    }
}
