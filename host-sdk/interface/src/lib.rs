//! The stable ABI between integration runtimes and connectors: what crosses, and how a library
//! says which version of it was built in.
//!
//! The package's version is the interface's. Authors use the plain traits of `host_sdk`, which
//! adapts them to these types.
//!
//! `--cfg interface_next` builds what a later minor version would be, `--cfg changed_record` one
//! that breaks its promises: for the tests of compatibility alone.

pub mod handshake;
#[expect(non_local_definitions, reason = "the macros of abi_stable write so")]
pub mod types;
