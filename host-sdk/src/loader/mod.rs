//! Finds, opens and checks the libraries of connectors.
//!
//! A library runs in the host's own process from the moment it is opened: open none that you do
//! not trust. It is never unloaded, because threads and thread-local values of it may live on.

mod library;
mod load_error;
mod loaded;
mod search_path;

pub use crate::abi::layout::LayoutMismatch;
pub use load_error::LoadError;
pub use loaded::{LoadedConnector, load};
pub use search_path::SearchPath;
