//! A connection to a test server, and short ways to execute operations over it.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use ftp_connector::FtpConnector;
use host_sdk::testing::{MemoryHost, MemoryResult};
use host_sdk::{Connection, Connector, Error, ErrorKind, InputHeader, Outcome, Properties};
use serde_json::{Value, json};
use test_servers::{Mode, PASSWORD, Server};

/// A server with a connection to it.
pub(crate) struct Bench {
    pub(crate) server: Arc<Server>,
    pub(crate) connection: Arc<dyn Connection>,
    settings: Value,
}

impl Bench {
    /// Connects to `server`; `extra` settings win over the usual ones.
    pub(crate) fn new(server: Server, extra: &Value) -> Self {
        let settings = settings(&server, extra);
        Self::connect(Arc::new(server), settings)
    }

    /// Another connection to the same server, with exactly these settings.
    pub(crate) fn beside(&self, settings: &Value) -> Self {
        Self::connect(Arc::clone(&self.server), settings.clone())
    }

    /// Another connection to the same server; `changes` win over the settings of this one.
    pub(crate) fn with(&self, changes: &Value) -> Self {
        self.beside(&merged(&self.settings, changes))
    }

    fn connect(server: Arc<Server>, settings: Value) -> Self {
        let connection =
            FtpConnector::new().connect(&settings, MemoryHost::new().context()).unwrap();
        Self { server, connection, settings }
    }

    /// The server, for another connection.
    pub(crate) fn into_server(self) -> Server {
        Arc::into_inner(self.server).expect("no other connection uses the server")
    }

    /// Executes `operation` with what is waiting in `host`.
    pub(crate) fn execute(&self, operation: &Value, host: &MemoryHost) -> Result<(), Error> {
        let operation = self.connection.operation(operation)?;
        let result = host.execute(operation.as_ref()).map(drop);
        assert_eq!(host.violations(), Vec::<String>::new());
        result
    }

    /// Executes `operation` with one empty request: its results, and the answer to it.
    pub(crate) fn request(&self, operation: &Value, header: InputHeader) -> Answered {
        self.document(operation, header, Vec::new())
    }

    /// Executes `operation` with one document.
    pub(crate) fn document(
        &self,
        operation: &Value,
        header: InputHeader,
        body: impl Into<Vec<u8>>,
    ) -> Answered {
        let host = MemoryHost::new();
        let input = host.add_input(header, body);
        // An error of the whole execution shows as the answer to its only input as well.
        let _ = self.execute(operation, &host);
        let outcome = host.answer(input).expect("the input was answered");
        assert!(!format!("{outcome:?}").contains(PASSWORD), "an error shows the password");
        Answered { outcome, results: host.results() }
    }

    /// Creates a file named `name`.
    pub(crate) fn create(&self, options: &Value, name: &str, body: &[u8]) -> Answered {
        let header = with_properties(&[("fileName", name)]);
        self.document(&json!({"operation": "create", "options": options}), header, body)
    }

    /// Gets the file named `name`.
    pub(crate) fn get(&self, options: &Value, name: &str) -> Answered {
        self.request(&json!({"operation": "get", "options": options}), with_id(name))
    }

    /// Deletes the file named `name`.
    pub(crate) fn delete(&self, name: &str) -> Answered {
        self.request(&json!({"operation": "delete"}), with_id(name))
    }

    /// Queries `directory`.
    pub(crate) fn query(&self, options: &Value, filter: &Value, directory: &str) -> Answered {
        let operation = json!({"operation": "query", "options": options, "filter": filter});
        self.request(&operation, with_properties(&[("remoteDirectory", directory)]))
    }

    /// Lists `directory`.
    pub(crate) fn list(&self, options: &Value, filter: &Value, directory: &str) -> Answered {
        let operation = json!({"operation": "list", "options": options, "filter": filter});
        self.request(&operation, with_properties(&[("remoteDirectory", directory)]))
    }

    /// The bytes that the server holds under `path`.
    pub(crate) fn on_server(&self, path: &str) -> Option<Vec<u8>> {
        std::fs::read(self.server.root().join(path)).ok()
    }

    /// The paths of the files that the server holds below `folder`, counted from there, sorted.
    pub(crate) fn files_below(&self, folder: &str) -> Vec<String> {
        files_below(&self.server.root().join(folder))
    }

    /// Removes `folder` from the server behind its back, if it is there.
    pub(crate) fn clear(&self, folder: &str) {
        let _ = std::fs::remove_dir_all(self.server.root().join(folder));
    }

    /// The error of an operation whose settings are refused.
    #[track_caller]
    pub(crate) fn refused(&self, operation: &Value) -> Error {
        let error = self.connection.operation(operation).err().expect("the settings are refused");
        assert_eq!(error.kind(), ErrorKind::Configuration, "{error:?}");
        error
    }

    /// Puts a file onto the server behind its back.
    pub(crate) fn place(&self, path: &str, content: &[u8]) {
        self.server.place(path, content).unwrap();
    }

    /// Makes a file on the server look as if it had last been written that long ago.
    pub(crate) fn age(&self, path: &str, age: Duration) {
        let file = std::fs::File::options().append(true).open(self.server.root().join(path));
        file.unwrap().set_modified(SystemTime::now() - age).unwrap();
    }
}

/// The paths of the files below `folder`, counted from there, sorted.
pub(crate) fn files_below(folder: &Path) -> Vec<String> {
    fn walk(folder: &Path, prefix: &str, found: &mut Vec<String>) {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
            if entry.path().is_dir() {
                walk(&entry.path(), &format!("{name}/"), found);
            } else {
                found.push(name);
            }
        }
    }
    let mut found = Vec::new();
    walk(folder, "", &mut found);
    found.sort();
    found
}

/// Prints a line past the harness's capture: the table is the point of the run.
pub(crate) fn report(group: &str, line: &str) {
    let _ = std::io::stderr().write_all(format!("{group} {line}\n").as_bytes());
}

/// How one input ended.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) outcome: Outcome,
    pub(crate) results: Vec<MemoryResult>,
}

impl Answered {
    /// The results of a success.
    #[track_caller]
    pub(crate) fn success(self) -> Vec<MemoryResult> {
        assert_eq!(self.outcome, Outcome::Success);
        self.results
    }

    /// The only result of a success.
    #[track_caller]
    pub(crate) fn single(self) -> MemoryResult {
        let mut results = self.success();
        assert_eq!(results.len(), 1, "{results:?}");
        let result = results.remove(0);
        assert_eq!(result.outcome, Outcome::Success);
        result
    }

    /// The error of a document that was refused.
    #[track_caller]
    pub(crate) fn refusal(self) -> Error {
        assert_eq!(self.results, []);
        match self.outcome {
            Outcome::ApplicationError(error) => error,
            other => panic!("expected an application error, got {other:?}"),
        }
    }

    /// The JSON documents of a success.
    #[track_caller]
    pub(crate) fn json(self) -> Vec<Value> {
        self.success().iter().map(|result| serde_json::from_slice(&result.body).unwrap()).collect()
    }

    /// One property of every result of a success, sorted.
    #[track_caller]
    pub(crate) fn names(self) -> Vec<String> {
        let results = self.success();
        let mut names: Vec<String> = results
            .iter()
            .map(|result| result.properties.get("fileName").unwrap_or_default().to_owned())
            .collect();
        names.sort();
        names
    }
}

/// A request for the object `id`.
pub(crate) fn with_id(id: &str) -> InputHeader {
    InputHeader {
        parameters: [("id".to_owned(), id.to_owned())].into(),
        properties: Properties::new(),
    }
}

/// A request with properties.
pub(crate) fn with_properties(properties: &[(&str, &str)]) -> InputHeader {
    InputHeader { parameters: Default::default(), properties: properties.iter().copied().collect() }
}

/// The settings for `server`; `extra` wins.
pub(crate) fn settings(server: &Server, extra: &Value) -> Value {
    let mut settings = json!({
        "host": "localhost",
        "port": server.port(),
        "userName": server.user(),
        "password": server.password(),
        "sslMode": server.mode().to_string().replace("plain", "none"),
    });
    if server.mode() != Mode::Plain {
        settings["caCertificates"] = json!(server.ca_pem());
        settings["trust"] = json!("only");
    }
    merged(&settings, extra)
}

/// `settings` with `changes`, which win.
pub(crate) fn merged(settings: &Value, changes: &Value) -> Value {
    let mut settings = settings.clone();
    let (Some(all), Some(changes)) = (settings.as_object_mut(), changes.as_object()) else {
        panic!("settings are objects");
    };
    all.extend(changes.clone());
    settings
}
