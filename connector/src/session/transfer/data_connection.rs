//! Data connections: agreed on over the control connection, opened by either side
//! (RFC 959 §3.2, RFC 2428).

use std::net::{TcpListener, TcpStream};

use crate::config::DataMode;
use crate::failure::Failure;
use crate::protocol::verb::Verb;
use crate::session::session::Session;

/// A data connection that is agreed on: open already, or awaited.
pub(in crate::session) enum DataEndpoint {
    /// This side has connected.
    Connected(TcpStream),
    /// The server will connect, from the control connection's peer.
    Listening(TcpListener),
}

impl Session {
    /// Agrees with the server on a data connection; the command that did it comes back too.
    ///
    /// # Errors
    ///
    /// What the server's refusal means; `connection`, `timeout`, `cancelled`.
    pub(in crate::session) fn negotiate(&mut self) -> Result<(DataEndpoint, Verb), Failure> {
        match self.shared.settings.mode {
            DataMode::Active => {
                self.listen().map(|(listener, verb)| (DataEndpoint::Listening(listener), verb))
            }
            DataMode::Passive => {
                self.open_passive().map(|(socket, verb)| (DataEndpoint::Connected(socket), verb))
            }
        }
    }
}
