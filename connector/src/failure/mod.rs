//! What can go wrong between the connector and a server, as a type that the code decides by.
//!
//! Inside the connector nothing is decided by a message. A [`Failure`] becomes the interface's
//! [`Error`] where it leaves the connector: at the end of an operation's document, of a connection
//! test and of browsing.

mod cause;
mod door;
mod failure;
mod retry;

pub(crate) use self::cause::Cause;
pub(crate) use self::failure::Failure;
pub(crate) use self::retry::pause_before_retry;
