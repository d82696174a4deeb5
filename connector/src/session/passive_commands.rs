//! Which of EPSV and PASV comes first.

use super::session::Session;
use crate::config::{PassiveAddress, PassiveCommand};
use crate::protocol::verb::Verb;

impl Session {
    /// The command to begin with, and the one that may take its place.
    pub(super) fn passive_commands(&self) -> (Verb, Option<Verb>) {
        let settings = &self.shared.settings;
        let is_swapped = self.shared.server.conventions.second_passive_first.is_known();
        // Through a proxy the peer is the proxy, whatever the server's family.
        let is_ipv6 = self.peer.ip().to_canonical().is_ipv6() && settings.proxy.is_none();
        let (first, second) = match (settings.passive_command, settings.passive_address) {
            (PassiveCommand::Epsv, _) => return (Verb::Epsv, None),
            (PassiveCommand::Pasv, _) => return (Verb::Pasv, None),
            // PASV has no address of IPv6.
            (PassiveCommand::Auto, _) if is_ipv6 => return (Verb::Epsv, None),
            (PassiveCommand::Auto, PassiveAddress::Server) => (Verb::Pasv, Verb::Epsv),
            (PassiveCommand::Auto, PassiveAddress::Control) => (Verb::Epsv, Verb::Pasv),
        };
        if is_swapped { (second, Some(first)) } else { (first, Some(second)) }
    }
}
