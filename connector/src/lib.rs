//! FTP and FTPS connector.

mod session;
#[cfg_attr(not(test), expect(dead_code, reason = "the operations that call it come next"))]
mod timestamp;
#[cfg_attr(not(test), expect(dead_code, reason = "the operations that call it come next"))]
mod wire_name;
