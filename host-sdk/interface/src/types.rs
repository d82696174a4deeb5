//! What crosses the boundary, in memory layouts that do not change.
//!
//! Objects are `#[sabi_trait]` traits: methods are only ever appended after the last prefix
//! field, with a default body. Records are frozen. Words of open sets are transparent integers.
//! Settings, descriptors, properties and error reports cross as JSON text, which grows
//! by itself.

use abi_stable::StableAbi;
use abi_stable::library::RootModule;
use abi_stable::sabi_trait;
use abi_stable::sabi_types::VersionStrings;
use abi_stable::std_types::{RArc, RBox, ROption, RResult, RSlice, RSliceMut, RStr, RString};

use crate::handshake::INTERFACE;

/// What a call across the boundary answers.
pub type Answer<T> = RResult<T, Error>;

/// The number of an `host_sdk::ErrorKind`.
#[repr(transparent)]
#[derive(StableAbi, Clone, Copy, PartialEq, Eq, Debug)]
pub struct ErrorKind(pub u16);

/// The number of a `host_sdk::Status`.
#[repr(transparent)]
#[derive(StableAbi, Clone, Copy, PartialEq, Eq, Debug)]
pub struct Status(pub u8);

/// An `host_sdk::Error`.
#[repr(C)]
#[derive(StableAbi, Clone, Debug)]
pub struct Error {
    /// The kind; the number wins over the word in `report`.
    pub kind: ErrorKind,
    /// Whether the same request may succeed later.
    pub retryable: bool,
    /// What failed, readable even if `report` is not.
    pub message: RString,
    /// The whole `host_sdk::ErrorReport` as JSON.
    pub report: RString,
}

/// A `host_sdk::SmallResult`; borrowed, so that a batch costs no allocation.
#[repr(C)]
#[derive(StableAbi, Clone, Copy, Debug)]
pub struct SmallResult<'a> {
    /// The input that it answers.
    pub input: u64,
    /// Its properties as JSON.
    pub properties: RStr<'a>,
    /// Its body.
    pub payload: RSlice<'a, u8>,
}

/// A `host_sdk::LogRecord`.
#[repr(C)]
#[derive(StableAbi, Clone, Copy, Debug)]
pub struct LogRecord<'a> {
    /// The execution it belongs to.
    pub execution: ROption<u64>,
    /// The number of its level: 1 is an error, 5 is a trace.
    pub level: u8,
    /// The line in `file`; 0 if unknown.
    pub line: u32,
    /// Where in the connector's modules it comes from.
    pub target: RStr<'a>,
    /// The source file; empty if unknown.
    pub file: RStr<'a>,
    /// The text.
    pub message: RStr<'a>,
}

/// A `host_sdk::RawFile`.
#[repr(C)]
#[derive(StableAbi, Clone, Copy, Debug)]
pub struct RawFile {
    /// The descriptor, lent.
    pub descriptor: i32,
    /// Where the body begins.
    pub offset: u64,
    /// How many bytes the body has or may have.
    pub length: u64,
    #[cfg(changed_record)]
    /// What a frozen record must never get.
    pub surplus: u64,
}

/// A `host_sdk::Progress`.
#[repr(C)]
#[derive(StableAbi, Clone, Copy, Debug)]
pub struct Progress {
    /// Documents that are done.
    pub documents_done: u64,
    /// Bytes that were moved.
    pub bytes_done: u64,
    /// Bytes that there will be, if that is known.
    pub bytes_total: ROption<u64>,
}

/// What the host offers for as long as a connector is loaded; implemented by the host.
#[sabi_trait]
pub trait HostServices: Send + Sync {
    /// The number of the most verbose level that the host wants; 0 is silence.
    fn max_level(&self) -> u8;

    /// Takes one record.
    #[sabi(last_prefix_field)]
    fn log(&self, record: LogRecord<'_>);
}

/// The host's services as they are handed over.
pub type HostServicesObject = HostServices_TO<'static, RArc<()>>;

/// One input; implemented by the host.
#[sabi_trait]
pub trait InputDocument: Send {
    /// See `host_sdk::InputDocument::id`.
    fn id(&self) -> u64;

    /// See `host_sdk::InputDocument::size`.
    fn size(&self) -> ROption<u64>;

    /// The `host_sdk::InputHeader` as JSON.
    fn header(&self) -> RStr<'_>;

    /// See `host_sdk::InputDocument::read`.
    fn read(&mut self, buffer: RSliceMut<'_, u8>) -> Answer<usize>;

    /// See `host_sdk::InputDocument::raw_file`.
    #[sabi(last_prefix_field)]
    fn raw_file(&self) -> ROption<RawFile>;
}

/// An input as it is handed over.
pub type InputDocumentObject = InputDocument_TO<'static, RBox<()>>;

/// Declares an object that has more methods in some interfaces than in others: the tests of
/// compatibility build them all.
macro_rules! growing_object {
    (
        $(#[$attribute:meta])*
        trait $name:ident: $first:ident $(+ $more:ident)* { $($method:tt)* }
        when [$when:meta] { $($added:tt)* }
    ) => {
        #[cfg(not($when))]
        $(#[$attribute])*
        #[sabi_trait]
        pub trait $name: $first $(+ $more)* { $($method)* }

        #[cfg($when)]
        $(#[$attribute])*
        #[sabi_trait]
        pub trait $name: $first $(+ $more)* { $($method)* $($added)* }
    };
}

/// Where one result is written; implemented by the host. Dropped unfinished, it is discarded.
#[sabi_trait]
pub trait ResultSink: Send {
    /// See `host_sdk::ResultSink::resume`.
    fn resume(&mut self, identity: RStr<'_>, tail: RSliceMut<'_, u8>) -> Answer<u64>;

    /// See `host_sdk::ResultSink::write`.
    fn write(&mut self, bytes: RSlice<'_, u8>) -> Answer<()>;

    /// See `host_sdk::ResultSink::raw_file`.
    fn raw_file(&self) -> ROption<RawFile>;

    /// See `host_sdk::ResultSink::discard`.
    fn discard(&mut self) -> Answer<()>;

    /// See `host_sdk::ResultSink::finish`; `properties` and `report`, an error report or nothing,
    /// are JSON.
    #[sabi(last_prefix_field)]
    fn finish(&mut self, status: Status, properties: RStr<'_>, report: RStr<'_>) -> Answer<()>;
}

/// A sink as it is handed over.
pub type ResultSinkObject = ResultSink_TO<'static, RBox<()>>;

/// What unblocks a connector's threads; implemented by the connector.
#[sabi_trait]
pub trait CancelHook: Send + Sync {
    /// Called when the host cancels.
    #[sabi(last_prefix_field)]
    fn fire(&self);
}

/// A hook as it is handed over.
pub type CancelHookObject = CancelHook_TO<'static, RBox<()>>;

growing_object! {
    /// One execution; implemented by the host. Shared, so that threads of the connector may
    /// outlive it.
    trait ExecutionContext: Send + Sync {
        /// See `host_sdk::ExecutionContext::execution_id`.
        fn execution_id(&self) -> u64;

        /// See `host_sdk::ExecutionContext::is_cancelled`.
        fn is_cancelled(&self) -> bool;

        /// The milliseconds left until the deadline, if there is one.
        fn remaining_ms(&self) -> ROption<u64>;

        /// See `host_sdk::ExecutionContext::on_cancel`.
        fn on_cancel(&self, hook: CancelHookObject);

        /// See `host_sdk::ExecutionContext::next_input`.
        fn next_input(&self) -> Answer<ROption<InputDocumentObject>>;

        /// See `host_sdk::ExecutionContext::begin_result`;
        /// `properties` are JSON.
        fn begin_result(&self, input: u64, properties: RStr<'_>) -> Answer<ResultSinkObject>;

        /// See `host_sdk::ExecutionContext::add_results`.
        fn add_results(&self, batch: RSlice<'_, SmallResult<'_>>) -> Answer<()>;

        /// See `host_sdk::ExecutionContext::input_done`; `report`, an error report or nothing, is
        /// JSON.
        fn input_done(&self, input: u64, status: Status, report: RStr<'_>) -> Answer<()>;

        /// See `host_sdk::ExecutionContext::progress`.
        #[sabi(last_prefix_field)]
        fn progress(&self, progress: Progress);
    }
    when [interface_next] {
        /// What the next interface asks of a host; 0 from a host that does not know it.
        fn next(&self) -> u32 {
            0
        }
    }
}

/// A context as it is handed over.
pub type ExecutionContextObject = ExecutionContext_TO<'static, RArc<()>>;

growing_object! {
    /// One configured step; implemented by the connector.
    trait Operation: Send + Sync {
        /// See `host_sdk::Operation::execute`; answers a
        /// `host_sdk::Summary` as JSON.
        #[sabi(last_prefix_field)]
        fn execute(&self, context: ExecutionContextObject) -> Answer<RString>;
    }
    when [interface_next] {
        /// What the next interface asks of a connector; 0 from one that does not know it.
        fn next(&self) -> u32 {
            0
        }
    }
}

/// An operation as it is handed over.
pub type OperationObject = Operation_TO<'static, RBox<()>>;

/// One configured service; implemented by the connector.
#[sabi_trait]
pub trait Connection: Send + Sync {
    /// See `host_sdk::Connection::test`; answers a
    /// `host_sdk::CheckReport` as JSON.
    fn test(&self, context: ExecutionContextObject) -> Answer<RString>;

    /// See `host_sdk::Connection::browse`; request and answer are JSON.
    fn browse(&self, request: RStr<'_>, context: ExecutionContextObject) -> Answer<RString>;

    /// See `host_sdk::Connection::operation`; `settings` are JSON.
    fn operation(&self, settings: RStr<'_>) -> Answer<OperationObject>;

    /// See `host_sdk::Connection::close`.
    #[sabi(last_prefix_field)]
    fn close(&self) -> Answer<()>;
}

/// A connection as it is handed over.
pub type ConnectionObject = Connection_TO<'static, RBox<()>>;

/// A kind of service; implemented by the connector.
#[sabi_trait]
pub trait Connector: Send + Sync {
    /// The `host_sdk::ConnectorDescriptor` as JSON.
    fn descriptor(&self) -> Answer<RString>;

    /// See `host_sdk::Connector::connect`; `settings` are JSON.
    #[sabi(last_prefix_field)]
    fn connect(
        &self,
        settings: RStr<'_>,
        context: ExecutionContextObject,
    ) -> Answer<ConnectionObject>;
}

/// A connector as it is handed over.
pub type ConnectorObject = Connector_TO<'static, RBox<()>>;

/// Makes a connector that uses these services; [`Module`] spells it out, as its layout needs.
pub type Create = extern "C" fn(HostServicesObject) -> Answer<ConnectorObject>;

/// What a library exports: who it is, and how to make a connector.
#[repr(C)]
#[derive(StableAbi)]
#[sabi(kind(Prefix(prefix_ref = ModuleRef, prefix_fields = ModulePrefix)))]
#[sabi(missing_field(option))]
pub struct Module {
    /// The `host_sdk::Manifest` as JSON, readable without creating anything.
    pub manifest: RStr<'static>,
    /// Makes a connector.
    #[sabi(last_prefix_field)]
    pub create: extern "C" fn(HostServicesObject) -> RResult<ConnectorObject, Error>,
}

impl RootModule for ModuleRef {
    abi_stable::declare_root_module_statics! {ModuleRef}
    const BASE_NAME: &'static str = "connector";
    const NAME: &'static str = "connector";
    const VERSION_STRINGS: VersionStrings = VersionStrings::new(INTERFACE);
}

#[cfg(test)]
mod tests {
    use std::mem::size_of;

    use super::*;
    use crate::handshake::Handshake;

    #[cfg(target_pointer_width = "64")]
    #[test]
    fn frozen_records_keep_their_sizes() {
        let sizes = [
            size_of::<Handshake>(),
            size_of::<Error>(),
            size_of::<SmallResult<'_>>(),
            size_of::<LogRecord<'_>>(),
            size_of::<RawFile>(),
            size_of::<Progress>(),
        ];
        assert_eq!(sizes, [32, 72, 40, 72, 24, 32]);
    }
}
