//! What a host implements: its services, an execution, the documents going in and out.

pub(crate) mod context;
pub(crate) mod document;
pub(crate) mod services;
