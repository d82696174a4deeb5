//! The description of a connector from which screens, schemas, documentation and checks are made.
//!
//! A connector declares its settings once, as [`Field`]s. The same declaration checks raw
//! settings ([`Settings`](crate::Settings)), yields their JSON Schema and lets a runtime build
//! screens.

pub(crate) mod conflict;
pub(crate) mod connector;
pub(crate) mod field;
pub(crate) mod filter;
pub mod schema;

pub use conflict::{Conflict, ConflictSeverity};
pub use connector::{
    ConnectionDescriptor, ConnectorDescriptor, InputKind, OperationDescriptor, OutputKind,
    Parameter, TrackedProperty,
};
pub use field::{AllowedValue, Field, FieldScope, FieldType, Unit, VisibleWhen};
pub use filter::{FilterDescriptor, FilterGrouping, FilterOperator, FilterProperty, FilterType};
