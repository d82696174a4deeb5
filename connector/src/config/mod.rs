//! Raw settings become checked types here, once; nothing else reads raw settings.

mod connection;
pub(crate) mod filter;
mod operation;
mod selection;
mod tls;
mod transfer;

pub(crate) use connection::{
    ConnectionSettings, DataMode, ListingPreference, PassiveAddress, Proxy, ProxyKind,
};
pub(crate) use operation::{
    CreateSettings, FileExists, GetSettings, ListSettings, OperationSettings, QuerySettings,
    UploadName,
};
pub(crate) use selection::{AgeLimits, SelectionSettings, SortBy, WalkSettings};
pub(crate) use tls::{ClientIdentity, Security, TlsSettings, Trust, Versions};
pub(crate) use transfer::{AfterReading, Checksum, ReadingSettings, Removal, TransferFormat};
