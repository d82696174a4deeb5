//! Why a server and this side have no TLS in common: one more connection asks what the server would
//! agree to. Nothing secret is said on it.

use std::sync::Arc;
use std::time::Duration;

use super::dial::{dial, greeting};
use crate::config::Security;
use crate::failure::Failure;
use crate::protocol::verb::Verb;
use crate::session::control::{Control, ControlLimits};
use crate::session::server::Shared;
use crate::session::transcript::{Transcript, TranscriptWriter};
use crate::transport::error::io_error;
use crate::transport::stream::NetStream;
use crate::transport::tls::factory::TlsFactory;
use crate::transport::tls::handshake::CONTROL_HANDSHAKE;
use crate::transport::tls::probe::{Answer, ask};
use host_sdk::kit::CancelToken;
use host_sdk::kit::Deadline;

/// How long the question may take in all: it only explains an error.
const PATIENCE: Duration = Duration::from_secs(10);

/// `error`, which ended the opening of a session, or what the server would agree to where it is
/// that the two sides have nothing in common.
pub(super) fn explained(
    shared: &Arc<Shared>,
    cancel: &CancelToken,
    transcript: &Transcript,
    error: Failure,
) -> Failure {
    let Some(tls) = shared.tls.as_ref().filter(|tls| tls.take_mismatch()) else { return error };
    let answer = tls.agreeable.get_or_init(|| {
        let writer = TranscriptWriter::new(shared, transcript);
        probe(shared, tls, cancel, writer).unwrap_or_else(|e| {
            log::debug!("what TLS the server would agree to is not known: {e}");
            None
        })
    });
    answer.and_then(|answer| answer.failure(CONTROL_HANDSHAKE)).unwrap_or(error)
}

fn probe(
    shared: &Arc<Shared>,
    tls: &TlsFactory,
    cancel: &CancelToken,
    writer: TranscriptWriter,
) -> Result<Option<Answer>, Failure> {
    let settings = &shared.settings;
    let deadline = Deadline::after(settings.connection_timeout, "connectionTimeout")
        .earlier(Deadline::after(Some(PATIENCE), "connectionTimeout"));
    writer.note("connecting again to ask what TLS the server would agree to");
    let socket = dial(settings, deadline, cancel, &mut |_| {})?;
    let what = "the control connection";
    let _watch = cancel.register(&socket).map_err(|e| io_error(what, &e))?;
    if settings.security == Security::Explicit {
        let stream = NetStream::Plain(socket.try_clone().map_err(|e| io_error(what, &e))?);
        let mut control = Control::new(stream, ControlLimits::of(settings), deadline, writer);
        greeting(&mut control)?;
        let reply = control.exchange(b"AUTH TLS", Verb::Auth)?;
        if !reply.is_tls_ready() {
            return Ok(None);
        }
    }
    ask(&socket, tls.server_name(), deadline).map_err(|e| io_error(what, &e))
}
