//! Written conversations with what the connector is to make of them, in one file each.
//!
//! The file is a script of [`test_servers::scripted`], with lines of its own in its comments:
//!
//! | line | meaning |
//! |---|---|
//! | `#: settings {…}` | connection settings beside the usual ones |
//! | `#: options {…}` | the options of the requests below |
//! | `#: filter {…}` | the filter of the requests below |
//! | `#: properties {…}` | the properties of the inputs below |
//! | `#: get NAME`, `create NAME TEXT`, `delete NAME`, `list`, `query`, `test` | a request |
//! | `#: gives TEXT`, `gives nothing` | the body of its only result; that it has none |
//! | `#: names A B` | the file names of its results, in their order |
//! | `#: delivers A B and N failures` | the file names of those that are well, and how many are not |
//! | `#: file NAME fails KIND` | one of its results is this failure |
//! | `#: file NAME reports KIND` | its document was delivered, and this failure after it |
//! | `#: unknown` | the failure says that its outcome is unknown |
//! | `#: fails KIND`, `says TEXT`, `hides TEXT` | how it failed, in which words |
//! | `#: lies in DIRECTORY` | the remote directory of its first result |
//! | `#: advises TEXT` | what the failure's hint holds |
//! | `#: tells LINE` | how a line of the error's transcript begins |
//! | `#: times N COMMAND`, `never COMMAND` | how often a command that begins so was sent in all |
//! | `#: leaves early` | the connector hangs up somewhere before the end of the script |
//! | `#: sent N TEXT` | what came over the Nth data connection that the script read |
//!
//! `@{3..9}` is a piece of a long text in which no two places look alike. `@answers` are those to a
//! login, given to every command that the script does not expect itself; `@login` is a greeting
//! before them.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;

use ftp_connector::FtpConnector;
use host_sdk::testing::{MemoryHost, MemoryResult};
use host_sdk::{Connection, Connector, Error, InputHeader, Outcome};
use serde_json::{Value, json};
use test_servers::scripted::{Report, Script, ScriptedServer};

use crate::support::{with_id, with_properties};

/// Nothing in these conversations takes longer; what does is hanging.
const HANGING: Duration = Duration::from_secs(30);

/// What `@answers` stands for.
const ANSWERS: &str = "\
otherwise USER * < 331 Password?
otherwise PASS * < 230 Welcome.
otherwise FEAT < 502 What?
otherwise PWD < 257 \"/\" is the current directory
otherwise TYPE * < 200 Done.
otherwise NOOP < 200 Done.
otherwise CWD * < 250 Done.";

/// What follows them in `@login`.
const GREETING: &str = "\n< 220 ready";

/// The password of every conversation; no error may show it.
const PASSWORD: &str = "tops3cret";

/// A conversation and what is expected of it.
pub(crate) struct Transcript {
    text: String,
}

/// Where the transcripts are.
pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/transcripts")
}

/// The bytes from `from` to `to` of the long text.
pub(crate) fn piece(from: usize, to: usize) -> String {
    let numbers = (from / 8..=to / 8).map(|number| format!("{number:07},")).collect::<String>();
    numbers[from % 8..][..to - from].to_owned()
}

impl Transcript {
    /// Reads the transcript called `name`.
    pub(crate) fn read(name: &str) -> Self {
        let path = folder().join(name).with_extension("ftp");
        Self::parse(&std::fs::read_to_string(path).unwrap())
    }

    /// Makes a transcript of its text.
    pub(crate) fn parse(text: &str) -> Self {
        let mut whole = String::new();
        for line in text.lines() {
            let line = match line {
                "@answers" => ANSWERS.to_owned(),
                "@login" => ANSWERS.to_owned() + GREETING,
                _ => expanded(line),
            };
            writeln!(whole, "{line}").unwrap();
        }
        Self { text: whole }
    }

    /// The script alone.
    pub(crate) fn script(&self) -> Script {
        Script::parse(&self.text).unwrap().wait(Duration::from_secs(10))
    }

    /// Plays it as it is written and checks everything.
    pub(crate) fn prove(&self) {
        let mut play = Play::start(&self.script(), &self.settings());
        let mut counts = Vec::new();
        let mut expectations = 0;
        let mut leaves_early = false;
        for line in self.directives() {
            let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
            match word {
                "settings" => {}
                "leaves" => leaves_early = true,
                "properties" => play.properties = serde_json::from_str(rest).unwrap(),
                "options" => play.options = serde_json::from_str(rest).unwrap(),
                "filter" => play.filter = serde_json::from_str(rest).unwrap(),
                "times" | "never" | "sent" => counts.push((word, rest)),
                "get" | "create" | "delete" | "list" | "query" | "test" => play.request(word, rest),
                _ => {
                    expectations += 1;
                    play.last().check(line, word, rest);
                }
            }
        }
        assert!(expectations > 0, "nothing is expected of this conversation");
        let report = play.end();
        if !leaves_early {
            report.assert_matched();
        }
        for (word, rest) in counts {
            check_report(&report, word, rest);
        }
    }

    /// The lines that are no script, without their mark.
    pub(crate) fn directives(&self) -> impl Iterator<Item = &str> {
        self.text.lines().filter_map(|line| line.strip_prefix("#: "))
    }

    /// The connection settings that the transcript asks for.
    pub(crate) fn settings(&self) -> Value {
        let lines = self.directives().filter_map(|line| line.strip_prefix("settings "));
        let mut settings = json!({});
        for line in lines {
            let more: Value = serde_json::from_str(line).unwrap();
            settings.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        }
        settings
    }
}

/// `line` with its pieces of the long text.
fn expanded(line: &str) -> String {
    let mut whole = String::new();
    let mut rest = line;
    while let Some((before, after)) = rest.split_once("@{") {
        let (range, after) = after.split_once('}').unwrap();
        let (from, to) = range.split_once("..").unwrap();
        whole.push_str(before);
        whole.push_str(&piece(from.parse().unwrap(), to.parse().unwrap()));
        rest = after;
    }
    whole + rest
}

fn check_report(report: &Report, word: &str, rest: &str) {
    if word == "sent" {
        let (number, text) = rest.split_once(' ').unwrap_or((rest, ""));
        let uploads = report.uploads();
        let upload = uploads[number.parse::<usize>().unwrap() - 1];
        assert!(
            upload == text.as_bytes(),
            "{rest}: {} bytes\n{}",
            upload.len(),
            report.transcript()
        );
        return;
    }
    let (expected, command) = match word {
        "never" => (0, rest),
        _ => {
            let (number, command) = rest.split_once(' ').unwrap();
            (number.parse().unwrap(), command)
        }
    };
    let sent = match command.contains(" /") {
        true => report.commands_with_paths(),
        false => report.commands(),
    };
    let found = sent.iter().filter(|sent| sent.starts_with(command)).count();
    assert_eq!(found, expected, "{command}\n{}", report.transcript());
}

/// A scripted server with a connection to it.
pub(crate) struct Play {
    server: ScriptedServer,
    connection: std::sync::Arc<dyn Connection>,
    options: Value,
    filter: Value,
    properties: BTreeMap<String, String>,
    /// What hosts before held of bodies that were cut.
    held: BTreeMap<String, Vec<u8>>,
    last: Option<Answer>,
}

/// What came of a request.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) outcome: Outcome,
    pub(crate) results: Vec<MemoryResult>,
}

impl Play {
    /// Starts `script` and connects to it with the usual settings and `extra` ones.
    pub(crate) fn start(script: &Script, extra: &Value) -> Self {
        let server = ScriptedServer::start(script).unwrap();
        let mut settings = json!({
            "host": server.host(),
            "port": server.port(),
            "userName": "anna",
            "password": PASSWORD,
            "connectionTimeout": 5000,
            "readTimeout": 5000,
            "retry": {"attempts": 1, "delay": 0},
        });
        let all = settings.as_object_mut().unwrap();
        all.extend(extra.as_object().unwrap().clone());
        if all.contains_key("sslMode") {
            all.insert("caCertificates".to_owned(), json!(server.ca_pem()));
            all.insert("trust".to_owned(), json!("only"));
        }
        let connection =
            FtpConnector::new().connect(&settings, MemoryHost::new().context()).unwrap();
        let held = BTreeMap::new();
        let (options, filter) = (json!({}), Value::Null);
        let properties = BTreeMap::new();
        Self { server, connection, options, filter, properties, held, last: None }
    }

    /// The connection, for what no request does.
    pub(crate) fn connection(&self) -> &std::sync::Arc<dyn Connection> {
        &self.connection
    }

    /// Sets the options of the requests that follow.
    pub(crate) fn with_options(mut self, options: Value) -> Self {
        self.options = options;
        self
    }

    /// Makes a request and waits for its answer.
    pub(crate) fn request(&mut self, verb: &str, rest: &str) {
        let answer = match verb {
            "test" => self.test(),
            _ => self.execute(verb, rest),
        };
        answer.check_words();
        self.last = Some(answer);
    }

    /// The answer to the last request, which is then forgotten.
    pub(crate) fn take_last(&mut self) -> Answer {
        self.last.take().expect("a request comes first")
    }

    /// The answer to the last request.
    fn last(&self) -> &Answer {
        self.last.as_ref().expect("a request comes first")
    }

    /// Closes the connection and ends the server.
    pub(crate) fn end(self) -> Report {
        let connection = self.connection;
        in_time("closing", move || connection.close()).unwrap();
        self.server.finish()
    }

    fn test(&self) -> Answer {
        let connection = self.connection.clone();
        let report = in_time("test", move || connection.test(MemoryHost::new().context())).unwrap();
        for finding in &report.findings {
            check_printable(&finding.detail);
        }
        let outcome = report.error.map_or(Outcome::Success, Outcome::Failure);
        Answer { outcome, results: Vec::new() }
    }

    fn execute(&mut self, verb: &str, rest: &str) -> Answer {
        let host = std::mem::take(&mut self.held)
            .into_iter()
            .fold(MemoryHost::new(), |host, (identity, body)| host.keeping(&identity, body));
        let given = self.properties.iter().map(|(id, value)| (id.as_str(), value.as_str()));
        let given: Vec<_> = given.collect();
        let input = match verb {
            "get" | "delete" => {
                let properties = with_properties(&given).properties;
                host.add_input(InputHeader { properties, ..with_id(rest) }, Vec::new())
            }
            "create" => {
                let (name, body) = rest.split_once(' ').unwrap_or((rest, ""));
                let all: Vec<_> = given.into_iter().chain([("fileName", name)]).collect();
                host.add_input(with_properties(&all), body)
            }
            _ => host.add_input(with_properties(&given), Vec::new()),
        };
        let mut settings = json!({"operation": verb});
        if self.options != json!({}) {
            settings["options"] = self.options.clone();
        }
        if !self.filter.is_null() {
            settings["filter"] = self.filter.clone();
        }
        let operation = self.connection.operation(&settings).unwrap();
        let executing = host.clone();
        // An error of the whole execution shows as the answer to its only input as well.
        let _ = in_time(verb, move || executing.execute(operation.as_ref()));
        assert_eq!(host.violations(), Vec::<String>::new());
        self.held = host.kept();
        Answer {
            outcome: host.answer(input).expect("the input was answered"),
            results: host.results(),
        }
    }
}

impl Answer {
    /// The error of the request, else the first one among its results.
    pub(crate) fn error(&self) -> Option<&Error> {
        self.outcome
            .error()
            .or_else(|| self.results.iter().find_map(|result| result.outcome.error()))
    }

    #[track_caller]
    fn check(&self, line: &str, word: &str, rest: &str) {
        match word {
            "gives" if rest == "nothing" => {
                assert_eq!((&self.outcome, self.results.len()), (&Outcome::Success, 0), "{line}");
            }
            "gives" => {
                assert_eq!(self.outcome, Outcome::Success, "{line:.80}");
                assert_eq!(self.results.len(), 1, "{line:.80}");
                let body = &self.results[0].body;
                assert!(body == rest.as_bytes(), "{line:.80}: {} bytes came", body.len());
            }
            "names" => {
                assert_eq!(self.outcome, Outcome::Success, "{line}");
                assert_eq!(self.names(), rest.split_whitespace().collect::<Vec<_>>(), "{line}");
            }
            "delivers" => {
                assert_eq!(self.outcome, Outcome::Success, "{line}");
                let (names, failures) = rest.split_once(" and ").unwrap();
                let (well, failed): (Vec<_>, Vec<_>) =
                    self.results.iter().partition(|result| result.outcome == Outcome::Success);
                let well: Vec<String> = well.into_iter().map(name_of).collect();
                assert_eq!(well, names.split_whitespace().collect::<Vec<_>>(), "{line}");
                assert_eq!(format!("{} failures", failed.len()), failures, "{line}: {self:?}");
            }
            "fails" => {
                let kind = self.outcome.error().map(|error| error.kind().as_str());
                assert_eq!(kind, Some(rest), "{line}: {self:?}");
            }
            "unknown" => {
                let error = self.error().expect("a failure");
                assert!(error.report().outcome_unknown, "{error:?}");
            }
            "file" => {
                let words: Vec<&str> = rest.split_whitespace().collect();
                let mut outcomes = self.results.iter().filter_map(|result| {
                    let name = result.properties.get("fileName")?;
                    (name == words[0]).then(|| result.outcome.error().map(|e| e.kind().as_str()))
                });
                if words[1] == "reports" {
                    // Its document was delivered before.
                    assert_eq!(outcomes.next(), Some(None), "{line}: {self:?}");
                }
                assert_eq!(outcomes.next(), Some(Some(words[2])), "{line}: {self:?}");
            }
            "says" => {
                let error = self.error().expect("a failure");
                assert!(error.message().contains(rest), "{line}: {error:?}");
            }
            "tells" => {
                let told = &self.error().expect("a failure").report().transcript;
                assert!(told.iter().any(|line| line.starts_with(rest)), "{line}: {told:#?}");
            }
            "lies" => {
                let first = self.results.first().expect("a result");
                let directory = first.properties.get("remoteDirectory");
                assert_eq!(directory, rest.strip_prefix("in "), "{line}");
            }
            "advises" => {
                let report = self.error().expect("a failure").report();
                let hint = report.hint.as_deref().unwrap_or_default();
                assert!(hint.contains(rest), "{line}: {hint}");
            }
            "hides" => {
                let shown = format!("{:?}", self.error());
                assert!(!shown.contains(rest), "{line}: {shown}");
            }
            _ => panic!("`{line}` is not understood"),
        }
    }

    /// The file names of the results, in their order.
    pub(crate) fn names(&self) -> Vec<String> {
        self.results.iter().map(name_of).collect()
    }

    /// Whatever went wrong is told without secrets and without what could steer a terminal.
    fn check_words(&self) {
        let errors = self.results.iter().map(|result| &result.outcome).chain([&self.outcome]);
        for error in errors.filter_map(Outcome::error) {
            let report = error.report();
            let reply = report.reply.as_ref().map(|reply| &reply.text);
            let texts = [Some(&report.message), reply, report.command.as_ref()];
            for text in texts.into_iter().flatten().chain(&report.transcript) {
                check_printable(text);
                assert!(!text.contains(PASSWORD), "the password is in {error:?}");
            }
        }
    }
}

/// The file name of a result.
fn name_of(result: &MemoryResult) -> String {
    match result.properties.get("fileName") {
        Some(name) => name.to_owned(),
        None => {
            let document: Value = serde_json::from_slice(&result.body).unwrap();
            document["fileName"].as_str().unwrap().to_owned()
        }
    }
}

fn check_printable(text: &str) {
    assert!(!text.contains(|c: char| c.is_control()), "{text:?} could steer a terminal");
}

/// Runs `work` on a thread of its own; that it ends at all is a promise.
pub(crate) fn in_time<T: Send + 'static>(
    what: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> T {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let _ = sender.send(work());
    });
    receiver.recv_timeout(HANGING).unwrap_or_else(|e| panic!("{what} does not end: {e}"))
}
