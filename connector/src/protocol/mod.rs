//! What FTP's replies say, without a socket.

mod expectation;
pub(crate) mod features;
pub(crate) mod refusal;
pub(crate) mod reply;
pub(crate) mod reply_line;
pub(crate) mod reply_text;
pub(crate) mod reply_values;
pub(crate) mod verb;
