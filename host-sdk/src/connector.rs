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

use std::sync::Arc;

use serde_json::Value;

use crate::browse::{BrowseAnswer, BrowseRequest};
use crate::check::CheckReport;
use crate::context::Context;
use crate::descriptor::connector::ConnectorDescriptor;
use crate::error::{Error, ErrorKind};
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

    /// Tells which object types an operation knows, and their profiles. A connector without
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

    /// Ends the connection's sessions; allowed after a panic, and more than once.
    ///
    /// # Errors
    ///
    /// What the goodbye can fail with; the sessions are gone all the same.
    fn close(&self) -> Result<(), Error> {
        Ok(())
    }
}

/// One configured step: checked once, executed often.
pub trait Operation: Send + Sync {
    /// Takes inputs from `context` until there are none, and answers each exactly once.
    ///
    /// Blocks until the last input is answered. Errors of single documents are their answers;
    /// the call itself fails only when the operation cannot go on.
    ///
    /// # Errors
    ///
    /// Any kind: the execution is over, and unanswered inputs are failures.
    fn execute(&self, context: Context) -> Result<Summary, Error>;
}
