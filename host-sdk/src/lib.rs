//! The interface between integration runtimes and connectors.
//!
//! A connector is a plugin that a runtime loads as a dynamic library. This crate has both
//! sides: the plain traits that an author implements ([`Connector`], [`Connection`],
//! [`Operation`]), their stable ABI with adapters, the [`loader`] that a host opens plugins
//! with, and a [`conformance`] suite that any connector can run. A *loaded* connector
//! implements the same traits as a native one.
//!
//! A host implements [`HostServices`] for a connector's lifetime and [`ExecutionContext`] for each
//! execution, with the [`InputDocument`]s and [`ResultSink`]s that it hands out;
//! [`testing::MemoryHost`] is a whole one.
//!
//! In-process means no isolation: a connector that corrupts memory takes its host with it.
//! Panics, on the other hand, never cross the boundary; they become errors of kind `internal`.

pub mod abi;
mod browse;
mod check;
pub mod conformance;
mod connector;
pub mod descriptor;
mod error;
mod filter;
mod host;
pub mod kit;
pub mod loader;
mod manifest;
mod misfit;
mod outcome;
mod secret;
mod setting_value;
mod settings;
mod suggest;
pub mod testing;

pub use browse::{BrowseAnswer, BrowseRequest, ObjectType};
pub use check::{CheckReport, CheckStatus, Finding};
pub use connector::{Connection, Connector, Operation};
pub use descriptor::ConnectorDescriptor;
pub use error::{Error, ErrorKind, ErrorReport, ReplyText};
pub use filter::{AndGroup, Condition, Filter, FilterValue, OrGroup};
pub use host::context::{CancelHook, Context, ExecutionContext, Progress};
pub use host::document::{
    InputDocument, InputHeader, Properties, RawFile, ResultSink, SmallResult,
};
pub use host::services::{ExecutionScope, HostServices, LogRecord};
pub use loader::{LoadError, LoadedConnector, SearchPath};
pub use manifest::Manifest;
pub use misfit::{Misfit, Part};
pub use outcome::{Outcome, Status, Summary};
pub use secret::{Secret, SecretBytes, SecretReference};
pub use settings::Settings;
pub use suggest::{expected_one_of, nearest};

/// The connector of the project's README, compiled as it is there.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
