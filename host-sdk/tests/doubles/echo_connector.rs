//! A connector for tests: it returns what it is sent. Its fields `panic`, `log` and `outlive` show
//! what a host makes of a misbehaving connector.

#![forbid(unsafe_code)]

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::thread;

use host_sdk::descriptor::{
    ConnectionDescriptor, Field, InputKind, OperationDescriptor, OutputKind, TrackedProperty,
};
use host_sdk::{
    BrowseAnswer, BrowseRequest, CheckReport, CheckStatus, Connection, Connector,
    ConnectorDescriptor, Context, Error, ErrorKind, ExecutionScope, Finding, InputDocument,
    ObjectType, Operation, Outcome, Progress, Properties, Settings, SmallResult, Summary,
};
use serde_json::{Value, json};

host_sdk::export_connector!(EchoConnector::new, "echo", label = "Echo", silence = ["chatty"]);

/// Where `panic` makes the connector panic.
const PANICS: [(&str, &str); 8] = [
    ("never", "Never"),
    ("descriptor", "In the descriptor"),
    ("connect", "In connect"),
    ("test", "In test"),
    ("operation", "In operation"),
    ("execute", "In execute"),
    ("close", "In close"),
    ("drop", "When dropped"),
];

/// A connector that returns what it is sent.
pub(crate) struct EchoConnector;

impl EchoConnector {
    pub(crate) fn new() -> Self {
        // Only the environment reaches a connector before its settings do.
        assert!(std::env::var_os("ECHO_REFUSES").is_none(), "asked not to be created");
        Self
    }
}

fn panic_field(help: &str) -> Field {
    Field::choice("panic", "Panic", &PANICS, help)
}

fn connection_fields() -> Vec<Field> {
    vec![
        Field::text("prefix", "Prefix", "What is put before every body; nothing by default."),
        Field::secret("password", "Password", "Never used, never shown."),
        panic_field("Where the connection panics, to show that its host goes on."),
    ]
}

fn operation_fields() -> Vec<Field> {
    vec![
        Field::integer("copies", "Copies", 0, "How many results every input has.")
            .up_to(1000)
            .or(1),
        Field::text("refuse", "Refuse", "Inputs whose property `name` is this are refused."),
        Field::text("resume", "Resume", "What a body is kept and held under; none by default."),
        Field::text("log", "Log", "A text to log at every level, from this and another thread."),
        Field::boolean(
            "outlive",
            "Outlive",
            false,
            "Asks the context of the execution before this one, which is over.",
        ),
        panic_field("Where the operation panics, to show that its host goes on."),
    ]
}

impl Connector for EchoConnector {
    fn descriptor(&self) -> Result<ConnectorDescriptor, Error> {
        let operation = |id: &str, label: &str, help: &str, input, output| OperationDescriptor {
            id: id.to_owned(),
            label: label.to_owned(),
            help: help.to_owned(),
            input,
            output,
            fields: operation_fields(),
            parameters: Vec::new(),
            filter: None,
            dynamic_properties: Vec::new(),
        };
        let (document, none) = (InputKind::Document, InputKind::None);
        Ok(ConnectorDescriptor {
            id: "echo".to_owned(),
            label: "Echo".to_owned(),
            help: "Returns what it is sent.".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            connection: ConnectionDescriptor {
                fields: connection_fields(),
                can_test: true,
                can_browse: true,
            },
            operations: vec![
                operation("echo", "Echo", "Returns every input.", document, OutputKind::Binary),
                operation("list", "List", "Answers with small results.", none, OutputKind::Json),
                operation("wait", "Wait", "Blocks until cancelled.", none, OutputKind::None),
            ],
            tracked_properties: vec![TrackedProperty {
                id: "name".to_owned(),
                label: "Name".to_owned(),
                help: "Any text; it comes back as it was sent.".to_owned(),
                input_of: vec!["echo".to_owned()],
                output_of: vec!["echo".to_owned(), "list".to_owned()],
            }],
        })
    }

    fn connect(&self, settings: &Value, _context: Context) -> Result<Arc<dyn Connection>, Error> {
        let settings = Settings::check(&connection_fields(), settings)?;
        let panic = settings.require::<String>("panic")?;
        panic_where(&panic, "connect");
        Ok(Arc::new(EchoConnection {
            prefix: settings.text("prefix").unwrap_or_default().to_owned(),
            panic,
        }))
    }
}

fn panic_where(wanted: &str, here: &str) {
    assert!(wanted != here, "asked to panic in {here}");
}

struct EchoConnection {
    prefix: String,
    panic: String,
}

impl Connection for EchoConnection {
    fn test(&self, context: Context) -> Result<CheckReport, Error> {
        panic_where(&self.panic, "test");
        if context.is_cancelled() {
            return Err(Error::cancelled());
        }
        let finding = Finding {
            name: "echo".to_owned(),
            status: CheckStatus::Ok,
            detail: "nothing to reach".to_owned(),
            milliseconds: 0,
            advice: None,
        };
        Ok(CheckReport { findings: vec![finding], error: None })
    }

    fn browse(&self, request: &BrowseRequest, _context: Context) -> Result<BrowseAnswer, Error> {
        check_operation(&request.operation)?;
        let object_types =
            vec![ObjectType { id: "document".to_owned(), label: "Document".to_owned() }];
        Ok(BrowseAnswer { object_types, input_profile: None, output_profile: None })
    }

    fn operation(&self, settings: &Value) -> Result<Arc<dyn Operation>, Error> {
        panic_where(&self.panic, "operation");
        let shape = [
            Field::text("operation", "Operation", "").required(),
            Field::group("options", "Options", operation_fields(), "").or(json!({})),
        ];
        let settings = Settings::check(&shape, settings)?;
        let id = settings.require::<String>("operation")?;
        check_operation(&id)?;
        let options = settings.group("options").ok_or_else(|| Error::internal("no options"))?;
        Ok(Arc::new(EchoOperation {
            id,
            prefix: self.prefix.clone(),
            copies: options.require("copies")?,
            refuse: options.text("refuse").map(str::to_owned),
            resume: options.text("resume").map(str::to_owned),
            log: options.text("log").map(str::to_owned),
            kept: options.is("outlive").then(Mutex::default),
            panic: options.require("panic")?,
        }))
    }

    fn close(&self) -> Result<(), Error> {
        panic_where(&self.panic, "close");
        Ok(())
    }
}

impl Drop for EchoConnection {
    fn drop(&mut self) {
        panic_where(&self.panic, "drop");
    }
}

fn check_operation(id: &str) -> Result<(), Error> {
    let known = ["echo", "list", "wait"];
    if known.contains(&id) {
        return Ok(());
    }
    let advice = host_sdk::expected_one_of(id, known.into_iter());
    Err(Error::configuration("operation", format!("unknown operation \"{id}\"; {advice}")))
}

struct EchoOperation {
    id: String,
    prefix: String,
    copies: u32,
    refuse: Option<String>,
    resume: Option<String>,
    log: Option<String>,
    kept: Option<Mutex<Option<Context>>>,
    panic: String,
}

impl Operation for EchoOperation {
    fn execute(&self, context: Context) -> Result<Summary, Error> {
        panic_where(&self.panic, "execute");
        if let Some(text) = &self.log {
            log_everywhere(text, context.execution_id());
        }
        if let Some(kept) = &self.kept {
            let before = kept.lock().map_err(|_| Error::internal("a lock is poisoned"))?.take();
            if let Some(before) = before {
                let (called, call) = mpsc::channel();
                before.on_cancel(Box::new(move || _ = called.send(())));
                call.try_recv().map_err(|_| Error::internal("a late hook was not called"))?;
                before.next_input()?;
            }
            *kept.lock().map_err(|_| Error::internal("a lock is poisoned"))? =
                Some(Arc::clone(&context));
        }
        let mut summary = Summary::default();
        while let Some(mut input) = context.next_input()? {
            let outcome = match self.id.as_str() {
                "wait" => wait(&context),
                "list" => self.list(&context, input.id(), &mut summary),
                _ => self.echo(&context, input.as_mut(), &mut summary),
            };
            // An input that failed is answered so; a cancelled execution is over.
            let outcome = match outcome {
                Ok(outcome) => outcome,
                Err(error) if error.kind() == ErrorKind::Cancelled => return Err(error),
                Err(error) => Outcome::Failure(error),
            };
            context.input_done(input.id(), &outcome)?;
            summary.inputs += 1;
            context.progress(Progress {
                documents_done: summary.inputs,
                bytes_done: summary.bytes,
                bytes_total: None,
            });
        }
        Ok(summary)
    }
}

impl EchoOperation {
    fn echo(
        &self,
        context: &Context,
        input: &mut dyn InputDocument,
        summary: &mut Summary,
    ) -> Result<Outcome, Error> {
        let properties = input.header().properties.clone();
        let name = properties.get("name");
        if name.is_some() && name == self.refuse.as_deref() {
            let error = Error::new(ErrorKind::Permission, "refused as configured");
            return Ok(Outcome::ApplicationError(error.with_reply(550, "no")));
        }
        let mut sinks = (0..self.copies)
            .map(|_| context.begin_result(input.id(), &properties))
            .collect::<Result<Vec<_>, Error>>()?;
        let mut held = 0;
        if let (Some(identity), [only]) = (&self.resume, sinks.as_mut_slice()) {
            held = only.resume(identity, &mut [])? as usize;
            log::info!("the host holds {held} bytes");
        }
        // What is held has the prefix already.
        let prefix = if held == 0 { self.prefix.as_bytes() } else { &[] };
        held = held.saturating_sub(self.prefix.len());
        for sink in &mut sinks {
            sink.write(prefix)?;
        }
        let mut buffer = vec![0; 64 * 1024];
        loop {
            let length = input.read(&mut buffer)?;
            if length == 0 {
                break;
            }
            let skipped = held.min(length);
            held -= skipped;
            for sink in &mut sinks {
                sink.write(&buffer[skipped..length])?;
                summary.bytes += (length - skipped) as u64;
            }
        }
        for (copy, sink) in sinks.iter_mut().enumerate() {
            let properties = Properties::new().with("copy", (copy + 1).to_string());
            sink.finish(&Outcome::Success, &properties)?;
            summary.results += 1;
        }
        Ok(Outcome::Success)
    }

    fn list(&self, context: &Context, input: u64, summary: &mut Summary) -> Result<Outcome, Error> {
        let names: Vec<Properties> =
            (1..=self.copies).map(|n| Properties::new().with("name", n.to_string())).collect();
        for batch in names.chunks(64) {
            let results: Vec<SmallResult<'_>> = batch
                .iter()
                .map(|properties| SmallResult { input, properties, payload: b"{}" })
                .collect();
            context.add_results(&results)?;
            summary.results += results.len() as u64;
        }
        Ok(Outcome::Success)
    }
}

/// Blocks as a read from a silent server does, until the host's hook unblocks it.
fn wait(context: &Context) -> Result<Outcome, Error> {
    let (unblock, blocked) = mpsc::channel::<()>();
    let fired = AtomicBool::new(false);
    context.on_cancel(Box::new(move || {
        // The waiting end may be gone already.
        if !fired.swap(true, Ordering::AcqRel) {
            _ = unblock.send(());
        }
    }));
    match context.remaining() {
        Some(time) if blocked.recv_timeout(time).is_err() => Err(Error::timeout("waiting", time)),
        Some(_) => Err(Error::cancelled()),
        None => {
            _ = blocked.recv();
            Err(Error::cancelled())
        }
    }
}

fn log_everywhere(text: &str, execution: u64) {
    log::error!("{text}");
    log::warn!("{text}");
    log::info!("{text}");
    log::debug!("{text}");
    log::trace!("{text}");
    log::error!(target: "chatty", "{text} secret");
    log::error!(target: "chatty::below", "{text} secret");
    let text = text.to_owned();
    // A machine may have no thread left: that is no reason to panic.
    let worker = thread::Builder::new().spawn(move || {
        let _scope = ExecutionScope::enter(execution);
        log::info!(target: "worker", "{text}");
    });
    match worker.map(thread::JoinHandle::join) {
        Ok(Ok(())) => {}
        Ok(Err(_)) => log::error!("the worker panicked"),
        Err(e) => log::error!("no thread can be started: {e}"),
    }
}
