//! Raw settings become checked types here, once; nothing else reads raw settings.

mod connection;
mod operation;

pub(crate) use connection::{
    ConnectionSettings, DataMode, ListingPreference, PassiveAddress, Proxy, ProxyKind, RetryPolicy,
    Security, TlsSettings, Trust, Versions,
};
pub(crate) use operation::{
    Checksum, CreateSettings, FileExists, GetSettings, ListSettings, OperationSettings,
    QuerySettings, ReadingSettings, Removal, SelectionSettings, SortBy, TransferFormat,
    WalkSettings,
};
