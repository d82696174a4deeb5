//! Raw settings become checked types here, once; nothing else reads raw settings.

mod connection;
mod operation;

pub(crate) use connection::{
    ConnectionSettings, DataMode, ListingPreference, PassiveAddress, Proxy, ProxyKind, RetryPolicy,
    Security, TlsSettings, Trust, Versions,
};
pub(crate) use operation::{
    AfterReading, CreateSettings, FileExists, GetSettings, ListSettings, OperationSettings,
    QuerySettings, Removal, SelectionSettings, SortBy, TransferFormat, WalkSettings,
};
