//! The connector's side: context, documents and sinks of the host as the plain traits.

use std::time::Duration;

use abi_stable::sabi_trait::TD_Opaque;
use abi_stable::std_types::{RSlice, RSliceMut, RStr};

use crate::abi::convert::{AbiOutcome, from_abi, from_json, to_json};
use crate::abi::guard::Guarded;
use crate::error::Error;
use crate::host::context::{CancelHook, ExecutionContext, Progress};
use crate::host::document::{
    InputDocument, InputHeader, Properties, RawFile, ResultSink, SmallResult,
};
use crate::outcome::Outcome;
use connector_interface::types;

/// A context that the host lent.
pub(super) struct ImportedContext(pub(super) types::ExecutionContextObject);

impl ExecutionContext for ImportedContext {
    fn execution_id(&self) -> u64 {
        self.0.execution_id()
    }

    fn is_cancelled(&self) -> bool {
        self.0.is_cancelled()
    }

    fn remaining(&self) -> Option<Duration> {
        self.0.remaining_ms().into_option().map(Duration::from_millis)
    }

    fn on_cancel(&self, hook: CancelHook) {
        let hook = Hook(Guarded::new("connector", hook));
        self.0.on_cancel(types::CancelHook_TO::from_value(hook, TD_Opaque));
    }

    fn next_input(&self) -> Result<Option<Box<dyn InputDocument>>, Error> {
        let Some(object) = from_abi(self.0.next_input())?.into_option() else { return Ok(None) };
        let header = from_json("input header", &object.header())?;
        Ok(Some(Box::new(ImportedInput { object, header })))
    }

    fn begin_result(
        &self,
        input: u64,
        properties: &Properties,
    ) -> Result<Box<dyn ResultSink>, Error> {
        let properties = to_json(properties)?;
        let object = from_abi(self.0.begin_result(input, RStr::from_str(&properties)))?;
        Ok(Box::new(ImportedSink(object)))
    }

    fn add_results(&self, batch: &[SmallResult<'_>]) -> Result<(), Error> {
        let properties = batch
            .iter()
            .map(|result| to_json(result.properties))
            .collect::<Result<Vec<String>, Error>>()?;
        let results: Vec<types::SmallResult<'_>> = batch
            .iter()
            .zip(&properties)
            .map(|(result, properties)| types::SmallResult {
                input: result.input,
                properties: RStr::from_str(properties),
                payload: RSlice::from_slice(result.payload),
            })
            .collect();
        from_abi(self.0.add_results(RSlice::from_slice(&results)))
    }

    fn input_done(&self, input: u64, outcome: &Outcome) -> Result<(), Error> {
        let parts = AbiOutcome::of(outcome);
        from_abi(self.0.input_done(input, parts.status, RStr::from_str(&parts.report)))
    }

    fn progress(&self, progress: Progress) {
        self.0.progress(types::Progress {
            documents_done: progress.documents_done,
            bytes_done: progress.bytes_done,
            bytes_total: progress.bytes_total.into(),
        });
    }
}

struct Hook(Guarded<CancelHook>);

impl types::CancelHook for Hook {
    fn fire(&self) {
        let fired = self.0.call("a cancel hook", |hook| {
            hook();
            Ok(())
        });
        if let Err(error) = fired {
            log::error!("{error}");
        }
    }
}

struct ImportedInput {
    object: types::InputDocumentObject,
    header: InputHeader,
}

impl InputDocument for ImportedInput {
    fn id(&self) -> u64 {
        self.object.id()
    }

    fn size(&self) -> Option<u64> {
        self.object.size().into_option()
    }

    fn header(&self) -> &InputHeader {
        &self.header
    }

    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Error> {
        let room = buffer.len();
        let length = from_abi(self.object.read(RSliceMut::from_mut_slice(buffer)))?;
        // Callers slice by this number.
        if length > room {
            return Err(Error::internal(format!("the host read {length} bytes into {room}")));
        }
        Ok(length)
    }

    fn raw_file(&self) -> Option<RawFile> {
        self.object.raw_file().into_option().map(RawFile::from)
    }
}

struct ImportedSink(types::ResultSinkObject);

impl ResultSink for ImportedSink {
    fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        from_abi(self.0.write(RSlice::from_slice(bytes)))
    }

    fn raw_file(&self) -> Option<RawFile> {
        self.0.raw_file().into_option().map(RawFile::from)
    }

    fn finish(&mut self, outcome: &Outcome, properties: &Properties) -> Result<(), Error> {
        let parts = AbiOutcome::of(outcome);
        let properties = to_json(properties)?;
        from_abi(self.0.finish(
            parts.status,
            RStr::from_str(&properties),
            RStr::from_str(&parts.report),
        ))
    }

    fn resume(&mut self, identity: &str, tail: &mut [u8]) -> Result<u64, Error> {
        from_abi(self.0.resume(RStr::from_str(identity), RSliceMut::from_mut_slice(tail)))
    }

    fn discard(&mut self) -> Result<(), Error> {
        from_abi(self.0.discard())
    }
}
