//! The host's side: context, documents, sinks and services as the connector gets them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use abi_stable::sabi_trait::TD_Opaque;
use abi_stable::std_types::{RArc, ROption, RSlice, RSliceMut, RStr};

use crate::abi::convert::{from_json, into_abi, outcome, to_json};
use crate::abi::guard::Guarded;
use crate::error::{Error, ErrorKind};
use crate::host::context::{Context, Progress};
use crate::host::document::{InputDocument, Properties, RawFile, ResultSink, SmallResult};
use crate::host::services::{HostServices, LogRecord};
use connector_interface::types::{self, Answer};

const SIDE: &str = "host";

/// Lends a context to a connector for one call. When this is dropped, the context and everything
/// that came through it are closed.
pub(super) struct CallScope {
    context: Context,
    open: Arc<AtomicBool>,
}

impl CallScope {
    pub(super) fn new(context: Context) -> Self {
        Self { context, open: Arc::new(AtomicBool::new(true)) }
    }

    /// The context as it crosses.
    pub(super) fn object(&self) -> types::ExecutionContextObject {
        let exported = ExportedContext {
            context: Guarded::new(SIDE, Arc::clone(&self.context)),
            open: Arc::clone(&self.open),
        };
        types::ExecutionContext_TO::from_ptr(RArc::new(exported), TD_Opaque)
    }
}

impl Drop for CallScope {
    fn drop(&mut self) {
        self.open.store(false, Ordering::Release);
    }
}

fn check_open(open: &AtomicBool) -> Result<(), Error> {
    if open.load(Ordering::Acquire) {
        Ok(())
    } else {
        Err(Error::new(ErrorKind::Host, "the execution is over"))
    }
}

struct ExportedContext {
    context: Guarded<Context>,
    open: Arc<AtomicBool>,
}

impl ExportedContext {
    fn call<R>(
        &self,
        entry: &str,
        work: impl FnOnce(&Context) -> Result<R, Error>,
    ) -> Result<R, Error> {
        check_open(&self.open)?;
        self.context.call(entry, work)
    }
}

impl types::ExecutionContext for ExportedContext {
    fn execution_id(&self) -> u64 {
        // Still asked for the last records of a thread that outlives the execution.
        self.context.call("execution_id", |context| Ok(context.execution_id())).unwrap_or(0)
    }

    fn is_cancelled(&self) -> bool {
        // A context that cannot answer must not keep the connector working.
        self.call("is_cancelled", |context| Ok(context.is_cancelled())).unwrap_or(true)
    }

    fn remaining_ms(&self) -> ROption<u64> {
        self.call("remaining", |context| Ok(context.remaining()))
            .map(|remaining| remaining.map(|time| time.as_millis().try_into().unwrap_or(u64::MAX)))
            .unwrap_or(Some(0))
            .into()
    }

    fn on_cancel(&self, hook: types::CancelHookObject) {
        if check_open(&self.open).is_err() {
            // No later cancel would unblock what the hook is for.
            hook.fire();
            return;
        }
        let registered = self.call("on_cancel", |context| {
            context.on_cancel(Box::new(move || hook.fire()));
            Ok(())
        });
        if let Err(error) = registered {
            log::error!("{error}");
        }
    }

    fn next_input(&self) -> Answer<ROption<types::InputDocumentObject>> {
        into_abi(self.call("next_input", |context| {
            let Some(document) = context.next_input()? else { return Ok(None) };
            let exported = ExportedInput {
                id: document.id(),
                size: document.size(),
                header: to_json(document.header())?,
                document: Guarded::new(SIDE, document),
                open: Arc::clone(&self.open),
            };
            Ok(Some(types::InputDocument_TO::from_value(exported, TD_Opaque)))
        }))
    }

    fn begin_result(&self, input: u64, properties: RStr<'_>) -> Answer<types::ResultSinkObject> {
        into_abi(self.call("begin_result", |context| {
            let properties: Properties = from_json("properties", &properties)?;
            let sink = context.begin_result(input, &properties)?;
            let exported =
                ExportedSink { sink: Guarded::new(SIDE, sink), open: Arc::clone(&self.open) };
            Ok(types::ResultSink_TO::from_value(exported, TD_Opaque))
        }))
    }

    fn add_results(&self, batch: RSlice<'_, types::SmallResult<'_>>) -> Answer<()> {
        into_abi(self.call("add_results", |context| {
            let properties = batch
                .iter()
                .map(|result| from_json("properties", &result.properties))
                .collect::<Result<Vec<Properties>, Error>>()?;
            let results: Vec<SmallResult<'_>> = batch
                .iter()
                .zip(&properties)
                .map(|(result, properties)| SmallResult {
                    input: result.input,
                    properties,
                    payload: result.payload.as_slice(),
                })
                .collect();
            context.add_results(&results)
        }))
    }

    fn input_done(&self, input: u64, status: types::Status, report: RStr<'_>) -> Answer<()> {
        into_abi(
            self.call("input_done", |context| context.input_done(input, &outcome(status, &report))),
        )
    }

    fn progress(&self, progress: types::Progress) {
        let reported = self.call("progress", |context| {
            context.progress(Progress {
                documents_done: progress.documents_done,
                bytes_done: progress.bytes_done,
                bytes_total: progress.bytes_total.into_option(),
            });
            Ok(())
        });
        if let Err(error) = reported {
            log::error!("{error}");
        }
    }

    #[cfg(interface_next)]
    fn next(&self) -> u32 {
        11
    }
}

struct ExportedInput {
    id: u64,
    size: Option<u64>,
    header: String,
    document: Guarded<Box<dyn InputDocument>>,
    open: Arc<AtomicBool>,
}

impl types::InputDocument for ExportedInput {
    fn id(&self) -> u64 {
        self.id
    }

    fn size(&self) -> ROption<u64> {
        self.size.into()
    }

    fn header(&self) -> RStr<'_> {
        RStr::from_str(&self.header)
    }

    fn read(&mut self, mut buffer: RSliceMut<'_, u8>) -> Answer<usize> {
        into_abi(check_open(&self.open).and_then(|()| {
            self.document.call_mut("read", |document| document.read(buffer.as_mut_slice()))
        }))
    }

    fn raw_file(&self) -> ROption<types::RawFile> {
        raw_file(self.document.call("raw_file", |document| Ok(document.raw_file())))
    }
}

struct ExportedSink {
    sink: Guarded<Box<dyn ResultSink>>,
    open: Arc<AtomicBool>,
}

impl types::ResultSink for ExportedSink {
    fn write(&mut self, bytes: RSlice<'_, u8>) -> Answer<()> {
        into_abi(
            check_open(&self.open)
                .and_then(|()| self.sink.call_mut("write", |sink| sink.write(bytes.as_slice()))),
        )
    }

    fn raw_file(&self) -> ROption<types::RawFile> {
        raw_file(self.sink.call("raw_file", |sink| Ok(sink.raw_file())))
    }

    fn finish(
        &mut self,
        status: types::Status,
        properties: RStr<'_>,
        report: RStr<'_>,
    ) -> Answer<()> {
        into_abi(check_open(&self.open).and_then(|()| {
            self.sink.call_mut("finish", |sink| {
                let properties: Properties = from_json("properties", &properties)?;
                sink.finish(&outcome(status, &report), &properties)
            })
        }))
    }

    fn resume(&mut self, identity: RStr<'_>, mut tail: RSliceMut<'_, u8>) -> Answer<u64> {
        into_abi(check_open(&self.open).and_then(|()| {
            self.sink.call_mut("resume", |sink| sink.resume(&identity, tail.as_mut_slice()))
        }))
    }

    fn discard(&mut self) -> Answer<()> {
        into_abi(
            check_open(&self.open)
                .and_then(|()| self.sink.call_mut("discard", |sink| sink.discard())),
        )
    }
}

/// Where the host cannot say whether there is a file, the body takes the ordinary way.
fn raw_file(answer: Result<Option<RawFile>, Error>) -> ROption<types::RawFile> {
    answer.ok().flatten().map(types::RawFile::from).into()
}

/// The host's services as they cross.
pub(crate) fn services(services: Arc<dyn HostServices>) -> types::HostServicesObject {
    types::HostServices_TO::from_ptr(
        RArc::new(ExportedServices(Guarded::new(SIDE, services))),
        TD_Opaque,
    )
}

/// Stays in use after a panic: a log that failed once may still take the next record.
struct ExportedServices(Guarded<Arc<dyn HostServices>>);

impl types::HostServices for ExportedServices {
    fn max_level(&self) -> u8 {
        self.0.call_always("max_level", |services| Ok(services.max_level() as u8)).unwrap_or(0)
    }

    fn log(&self, record: types::LogRecord<'_>) {
        let level = match record.level {
            0 | 1 => log::Level::Error,
            2 => log::Level::Warn,
            3 => log::Level::Info,
            4 => log::Level::Debug,
            _ => log::Level::Trace,
        };
        let file = Some(record.file.as_str()).filter(|file| !file.is_empty());
        let record = LogRecord {
            execution: record.execution.into_option(),
            level,
            target: record.target.as_str(),
            file,
            line: Some(record.line).filter(|line| *line > 0),
            message: record.message.as_str(),
        };
        // A host whose log panics cannot be informed; its panic hook has reported it.
        _ = self.0.call_always("log", |services| {
            services.log(&record);
            Ok(())
        });
    }
}
