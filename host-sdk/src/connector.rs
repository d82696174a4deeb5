//! The traits a connector's author implements, and the contract between host and connector.
//!
//! ```text
//! descriptor ─► connect ─► operation ─► execute … execute ─► close
//! ```
//!
//! The host reads the descriptor at any time. It calls [`Connector::connect`] once per
//! configured connection, [`Connection::operation`] once per configured step, and
//! [`Operation::execute`] as often as it likes, from any thread, also at the same time. It calls
//! [`Connection::close`] when no execution is left.
//!
//! # How long things are valid
//!
//! | thing | valid |
//! |---|---|
//! | context of `connect`, `test`, `browse`, `execute` | until that call returns |
//! | inputs and sinks of an execution | until `execute` returns, also for other threads |
//! | [`RawFile`](crate::RawFile) | until its input is answered or its sink is finished or dropped |
//! | settings that are passed to `connect` and `operation` | until that call returns |
//! | connection, operation | until the host drops it; a host may drop the connection first |
//! | [`HostServices`](crate::HostServices) | as long as the process runs |
//!
//! A thread of the connector may keep a context, an input or a sink beyond that. Every call then
//! fails with `host`, [`is_cancelled`](crate::ExecutionContext::is_cancelled) is true and a hook
//! is called at once.
//!
//! # How objects end
//!
//! The host drops operations, connections and the connector without a further call; their `Drop`
//! must not block. A connection may be dropped without `close`, such as after a failed step. A
//! panic in any method becomes an error of kind `internal`; the object answers every later call
//! with it, except `close` and `Drop`, which still run.

use std::sync::Arc;

use serde_json::Value;

use crate::browse::{BrowseAnswer, BrowseRequest};
use crate::check::CheckReport;
use crate::descriptor::connector::ConnectorDescriptor;
use crate::error::{Error, ErrorKind};
use crate::host::context::Context;
use crate::outcome::Summary;

/// A kind of service that processes can use, such as FTP.
pub trait Connector: Send + Sync {
    /// What the connector is, takes and offers; the same on every call.
    ///
    /// # Errors
    ///
    /// `internal`, when a loaded connector failed to answer.
    fn descriptor(&self) -> Result<ConnectorDescriptor, Error>;

    /// Checks the settings of one connection and opens it.
    ///
    /// Opens no socket: the first execution or [`Connection::test`] does, so that a host can
    /// validate a whole process before anything is sent.
    ///
    /// # Errors
    ///
    /// `configuration` with the path of the setting below `settings`.
    fn connect(&self, settings: &Value, context: Context) -> Result<Arc<dyn Connection>, Error>;
}

/// One configured service; sessions are pooled inside and shared by its operations.
pub trait Connection: Send + Sync {
    /// Tries the connection out and explains what it finds. Blocks; cancellable. A connector
    /// without this reports nothing.
    ///
    /// # Errors
    ///
    /// Only where no report could be made: `cancelled`, `internal`. A server that cannot be
    /// reached is a finding of the report.
    fn test(&self, context: Context) -> Result<CheckReport, Error> {
        let _ = context;
        Ok(CheckReport::default())
    }

    /// Returns the object types of an operation, and their profiles. A connector without
    /// this answers `unsupported`.
    ///
    /// # Errors
    ///
    /// `configuration` for an unknown operation or object type; what a connection attempt can
    /// fail with, where the answer needs the server.
    fn browse(&self, request: &BrowseRequest, context: Context) -> Result<BrowseAnswer, Error> {
        let _ = (request, context);
        Err(Error::new(ErrorKind::Unsupported, "this connector has nothing to browse"))
    }

    /// Checks one step's settings: `{"operation": …, "options": {…}, "filter": …}`.
    ///
    /// # Errors
    ///
    /// `configuration` with the path of the setting below `settings`.
    fn operation(&self, settings: &Value) -> Result<Arc<dyn Operation>, Error>;

    /// Ends the connection's sessions. Blocks for a few seconds at most: there is no context, so
    /// that the host cannot cancel it.
    ///
    /// The host calls it when no execution, `test` or `browse` of the connection is left. It may
    /// call it more than once, also after a panic, and may use the connection again afterwards:
    /// the next execution opens new sessions.
    ///
    /// # Errors
    ///
    /// What ending the sessions can fail with; they are gone nevertheless.
    fn close(&self) -> Result<(), Error> {
        Ok(())
    }
}

/// One configured step: checked once, executed often.
pub trait Operation: Send + Sync {
    /// Takes inputs from `context` until there are none, and answers each exactly once.
    ///
    /// Blocks until the last input is answered. Errors of single documents are their answers;
    /// the call itself fails only if the operation cannot continue. Several inputs may be open at
    /// once, and may be answered in any order and from any thread.
    ///
    /// # Errors
    ///
    /// Any kind: the execution is over. An input that was taken and not answered is a failure
    /// with this error. A call that succeeds and leaves an input unanswered makes that input a
    /// failure too, with an error of the host.
    fn execute(&self, context: Context) -> Result<Summary, Error>;
}
