//! TLS tickets, of which each data connection uses one.

use std::sync::atomic::Ordering;

use host_sdk::kit::Deadline;
use rustls::ProtocolVersion;

use crate::failure::Failure;
use crate::session::session::Session;

impl Session {
    /// Logs in anew where the next data connection could not resume the TLS session: a server
    /// that wants it resumed would refuse, in the middle of an upload that cannot be repeated.
    /// The transfer that is about to begin must be over by `deadline`.
    ///
    /// # Errors
    ///
    /// As [`Session::open_with_retry`]; those of going back to the directory.
    pub(in crate::session) fn renew_for_tickets(
        &mut self,
        deadline: Deadline,
    ) -> Result<(), Failure> {
        let (Some(tls), Some(factory)) = (&self.tls, &self.shared.tls) else { return Ok(()) };
        let version = self.control.stream().tls().and_then(|tls| tls.protocol_version());
        let is_tls_13 = version == Some(ProtocolVersion::TLSv1_3);
        let protects = self.shared.settings.tls.protect_data && factory.reuses_sessions();
        if !(is_tls_13 && protects && tls.is_out_of_tickets()) {
            return Ok(());
        }
        let server = &self.shared.server;
        if factory.can_fall_back() {
            server.prefer_tls_12();
        } else if !server.wants_reuse.load(Ordering::Relaxed) {
            // Without TLS 1.2 the way out costs a login every few files: not before it is needed.
            return Ok(());
        }
        self.renew(deadline)
    }
}
