//! A connector whose operations are the closures of a test, and what runs it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use host_sdk::descriptor::{
    ConnectionDescriptor, Field, InputKind, OperationDescriptor, OutputKind,
};
use host_sdk::{
    BrowseAnswer, BrowseRequest, CheckReport, Connection, Connector, ConnectorDescriptor, Context,
    Error, HostServices, InputDocument, LogRecord, Operation, Outcome, Properties, SearchPath,
    Summary,
};
use serde_json::{Value, json};

use super::prepare::Prepared;
use super::refusal::Refusal;
use super::run::RunOutcome;
use crate::cancellation::Cancellation;
use crate::connectors::Connectors;
use crate::locks::lock;
use crate::process::Process;
use crate::report::Reporter;
use crate::report::events::{DocumentCounts, DocumentEvent, Event};

type Script = Arc<dyn Fn(Context) -> Result<Summary, Error> + Send + Sync>;

/// A connector whose operations are the closures of a test.
#[derive(Clone, Default)]
pub(crate) struct Scripted {
    operations: Vec<(&'static str, InputKind, Option<Script>)>,
    /// The settings of every operation.
    fields: Vec<Field>,
    /// The settings of every connection.
    connection_fields: Vec<Field>,
}

impl Scripted {
    pub(crate) fn with(
        mut self,
        id: &'static str,
        input: InputKind,
        script: impl Fn(&Context) -> Result<(), Error> + Send + Sync + 'static,
    ) -> Self {
        let script: Script = Arc::new(move |context| {
            script(&context)?;
            Ok(Summary::default())
        });
        self.operations.push((id, input, Some(script)));
        self
    }

    /// The same with `fields` as the settings of its operations.
    pub(crate) fn taking(mut self, fields: Vec<Field>) -> Self {
        self.fields = fields;
        self
    }

    /// The same with `fields` as the settings of its connections.
    pub(crate) fn connected_by(mut self, fields: Vec<Field>) -> Self {
        self.connection_fields = fields;
        self
    }
}

impl Connector for Scripted {
    fn descriptor(&self) -> Result<ConnectorDescriptor, Error> {
        let operation = |id: &str, input| OperationDescriptor {
            id: id.to_owned(),
            label: String::new(),
            help: String::new(),
            input,
            output: OutputKind::Binary,
            fields: self.fields.clone(),
            parameters: Vec::new(),
            filter: None,
            dynamic_properties: Vec::new(),
        };
        Ok(ConnectorDescriptor {
            id: "scripted".to_owned(),
            label: String::new(),
            help: String::new(),
            version: String::new(),
            connection: ConnectionDescriptor {
                fields: self.connection_fields.clone(),
                can_test: false,
                can_browse: false,
            },
            operations: self
                .operations
                .iter()
                .map(|(id, input, _)| operation(id, *input))
                .collect(),
            tracked_properties: Vec::new(),
        })
    }

    fn connect(&self, _: &Value, _: Context) -> Result<Arc<dyn Connection>, Error> {
        Ok(Arc::new(self.clone()))
    }
}

impl Connection for Scripted {
    fn test(&self, _: Context) -> Result<CheckReport, Error> {
        Ok(CheckReport::default())
    }

    fn browse(&self, _: &BrowseRequest, _: Context) -> Result<BrowseAnswer, Error> {
        Ok(BrowseAnswer::default())
    }

    fn operation(&self, settings: &Value) -> Result<Arc<dyn Operation>, Error> {
        let found = self.operations.iter().find(|(id, ..)| settings["operation"] == *id);
        Ok(Arc::new(ScriptedOperation(found.and_then(|(.., script)| script.clone()).unwrap())))
    }

    fn close(&self) -> Result<(), Error> {
        Ok(())
    }
}

struct ScriptedOperation(Script);

impl Operation for ScriptedOperation {
    fn execute(&self, context: Context) -> Result<Summary, Error> {
        (self.0)(context)
    }
}

#[derive(Default)]
pub(crate) struct Recorder {
    events: Mutex<Vec<Event>>,
    pub(crate) panics_at: AtomicU64,
}

impl Recorder {
    pub(crate) fn documents(&self) -> Vec<DocumentEvent> {
        let events = lock(&self.events);
        let documents = events.iter().filter_map(|event| match event {
            Event::Document(document) => Some(document.clone()),
            _ => None,
        });
        documents.collect()
    }

    /// `step document status` of each document event.
    pub(crate) fn lines(&self) -> Vec<String> {
        let line =
            |event: DocumentEvent| format!("{} {} {:?}", event.step, event.document, event.status);
        self.documents().into_iter().map(line).collect()
    }
}

impl Reporter for Recorder {
    fn event(&self, event: &Event) {
        if let Event::Document(document) = event
            && document.document == self.panics_at.load(Ordering::SeqCst)
        {
            panic!("asked to panic in a callback of the host");
        }
        lock(&self.events).push(event.clone());
    }

    fn new_execution(&self, _: &str) -> u64 {
        1
    }

    fn step_of(&self, _: u64) -> Option<String> {
        None
    }
}

struct NoServices;

impl HostServices for NoServices {
    fn max_level(&self) -> log::LevelFilter {
        log::LevelFilter::Off
    }

    fn log(&self, _: &LogRecord<'_>) {}
}

/// Steps of the connector by the operation's id, each named like its operation.
pub(crate) fn steps(operations: &[&str]) -> Value {
    operations
        .iter()
        .map(|id| json!({"name": id, "type": "connector", "connection": "c", "operation": id}))
        .collect()
}

/// Prepares `steps` over the connections `c` and `d`.
pub(crate) fn prepare(
    connector: Scripted,
    steps: &Value,
    cancellation: &Arc<Cancellation>,
) -> Result<Prepared, Refusal> {
    let connection = json!({"connector": "scripted"});
    let text = json!({"process": "p", "connections": {"c": connection, "d": connection},
                      "steps": steps});
    let process = Process::parse(&text.to_string()).unwrap();
    let connectors = Connectors::new(SearchPath::default(), Arc::new(NoServices))
        .with("scripted", Arc::new(connector));
    Prepared::new(process, &connectors, cancellation)
}

pub(crate) fn run_with(
    connector: Scripted,
    steps: &Value,
    recorder: &Arc<Recorder>,
    cancellation: &Arc<Cancellation>,
) -> RunOutcome {
    let prepared = prepare(connector, steps, cancellation).unwrap();
    let reporter: Arc<dyn Reporter> = Arc::clone(recorder) as Arc<dyn Reporter>;
    prepared.run(&reporter, cancellation).unwrap()
}

pub(crate) fn run(connector: Scripted, steps: &Value) -> (RunOutcome, Arc<Recorder>) {
    let recorder = Arc::new(Recorder::default());
    let outcome = run_with(connector, steps, &recorder, &Cancellation::new());
    (outcome, recorder)
}

pub(crate) fn counts(
    success: u64,
    empty: u64,
    application_error: u64,
    failure: u64,
) -> DocumentCounts {
    DocumentCounts { success, empty, application_error, failure }
}

pub(crate) fn named(name: impl ToString) -> Properties {
    Properties::new().with("fileName", name.to_string())
}

/// Takes the first step's request, lets `body` answer it, and answers that it was done.
pub(crate) fn request(
    context: &Context,
    body: impl FnOnce(u64) -> Result<(), Error>,
) -> Result<(), Error> {
    let input = context.next_input()?.unwrap();
    assert_eq!(input.header(), &host_sdk::InputHeader::default());
    body(input.id())?;
    context.input_done(input.id(), &Outcome::Success)
}

pub(crate) fn send(context: &Context, input: u64, name: &str, body: &[u8]) -> Result<(), Error> {
    let mut sink = context.begin_result(input, &named(name))?;
    for chunk in body.chunks(100_000) {
        sink.write(chunk)?;
    }
    sink.finish(&Outcome::Success, &Properties::new())
}

pub(crate) fn read_all(input: &mut dyn InputDocument) -> Result<Vec<u8>, Error> {
    let mut all = Vec::new();
    let mut chunk = vec![0; 50_000];
    loop {
        match input.read(&mut chunk)? {
            0 => return Ok(all),
            count => all.extend_from_slice(&chunk[..count]),
        }
    }
}

/// Returns every input as it is, streaming.
pub(crate) fn echo(context: &Context) -> Result<(), Error> {
    while let Some(mut input) = context.next_input()? {
        let answer = (|| {
            let mut sink = context.begin_result(input.id(), &Properties::new())?;
            let mut chunk = vec![0; 30_000];
            loop {
                match input.read(&mut chunk)? {
                    0 => return sink.finish(&Outcome::Success, &Properties::new()),
                    count => sink.write(&chunk[..count])?,
                }
            }
        })();
        let outcome = answer.map_or_else(Outcome::Failure, |()| Outcome::Success);
        context.input_done(input.id(), &outcome)?;
    }
    Ok(())
}

pub(crate) fn body(seed: usize) -> Vec<u8> {
    (0..700_000 + seed).map(|n| ((n * 31 + seed) % 251) as u8).collect()
}
