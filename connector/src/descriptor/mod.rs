//! The connector's descriptor: the one declaration from which checks, schemas, screens and
//! documentation come.

pub(crate) mod browse;
mod connection;
mod data_connections;
mod filter;
mod ids;
mod operation;
mod selection;
mod tracked;
mod upload_name;

use host_sdk::descriptor::{ConnectionDescriptor, ConnectorDescriptor, OperationDescriptor};
use once_cell::sync::Lazy;

pub(crate) use ids::{CREATE, DELETE, GET, LIST, QUERY, property};

static DESCRIPTOR: Lazy<ConnectorDescriptor> = Lazy::new(|| ConnectorDescriptor {
    id: "ftp".to_owned(),
    label: "FTP".to_owned(),
    help: "Moves files to and from servers over FTP and FTPS.".to_owned(),
    version: env!("CARGO_PKG_VERSION").to_owned(),
    connection: ConnectionDescriptor {
        fields: connection::fields(),
        can_test: true,
        can_browse: true,
    },
    operations: operation::all(),
    tracked_properties: tracked::all(),
});

/// The descriptor; the same on every call.
pub(crate) fn descriptor() -> &'static ConnectorDescriptor {
    &DESCRIPTOR
}

/// The operation with this id.
pub(crate) fn operation(id: &str) -> Option<&'static OperationDescriptor> {
    DESCRIPTOR.operation(id)
}
