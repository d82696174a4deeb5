//! Refusals of data connections and of transfers, with the hints that the settings suggest.

use crate::config::DataMode;
use crate::failure::{Cause, Failure};
use crate::protocol::refusal::Phase;
use crate::protocol::reply::Reply;
use crate::protocol::verb::Verb;
use crate::session::session::Session;

/// What to do about a server that does not open a data connection.
pub(in crate::session) const UNREACHABLE: &str = "the server cannot reach this machine: check activePorts and \
    activeAddress, or use connectionMode passive";

/// What to do about a server that wants data protected.
pub(in crate::session) const DATA_IN_CLEAR: &str =
    "the server may not send data in clear: leave dataProtection at private";

impl Session {
    /// The error of a transfer that was refused, with the hint that the settings suggest.
    pub(in crate::session) fn data_refusal(&mut self, reply: &Reply, verb: Verb) -> Failure {
        let error = self.refusal(reply, Phase::Transfer, verb, verb.as_str());
        self.refused_listing = reply.emptiness();
        let settings = &self.shared.settings;
        if self.tls.is_some()
            && !settings.tls.protect_data
            && matches!(error.cause(), Cause::Tls | Cause::Denied)
        {
            return error.with_hint(DATA_IN_CLEAR);
        }
        if settings.mode == DataMode::Active && error.is(Cause::Lost) {
            return error.with_hint(UNREACHABLE);
        }
        error
    }
}
