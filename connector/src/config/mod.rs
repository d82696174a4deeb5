//! Raw settings become checked types here, once; nothing else reads raw settings.

mod connection;
mod operation;
mod tls;

pub(crate) use connection::{
    ConnectionSettings, DataMode, ListingPreference, PassiveAddress, Proxy, ProxyKind, RetryPolicy,
};
pub(crate) use operation::{
    Checksum, CreateSettings, FileExists, GetSettings, ListSettings, OperationSettings,
    QuerySettings, ReadingSettings, Removal, SelectionSettings, SortBy, TransferFormat,
    WalkSettings,
};
pub(crate) use tls::{Security, TlsSettings, Trust, Versions};
