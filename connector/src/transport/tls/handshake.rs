//! TLS handshakes (RFC 4217), and what their failures mean.
//!
//! One [`TlsSession`] belongs to one control connection: its data connections resume that
//! session and no other, as servers demand that do not want data connections hijacked.

use std::io::{self, ErrorKind as IoErrorKind};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustls::client::Resumption;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, HandshakeKind, StreamOwned};

use super::identity::ClientCertificate;
use super::mismatch::Mismatch;
use super::tickets::TicketStore;
use crate::config::Versions;
use crate::failure::Failure;
use crate::transport::error::io_error;
use crate::transport::error::is_timeout;
use crate::transport::error::tls_error;
use crate::transport::stream::NetStream;
use host_sdk::kit::Deadline;

/// The handshake of control connections, in errors.
pub(crate) const CONTROL_HANDSHAKE: &str = "the TLS handshake";

/// TLS for one control connection and its data connections.
pub(crate) struct TlsSession {
    config: Arc<ClientConfig>,
    server_name: ServerName<'static>,
    tickets: Arc<TicketStore>,
    identity: Arc<ClientCertificate>,
    offer: Offer,
}

/// What this side offers, and whether a server was found that has nothing in common with it.
pub(crate) struct Offer {
    /// The versions.
    pub(crate) versions: Versions,
    /// Set by a handshake that fails for that.
    pub(crate) mismatch: Arc<AtomicBool>,
}

/// Why there is no TLS.
pub(crate) struct HandshakeError {
    /// The error to report.
    pub(crate) error: Failure,
    /// Whether it was this side that turned the other away: then nothing that the server says
    /// about it explains more.
    pub(crate) by_client: bool,
}

impl From<HandshakeError> for Failure {
    fn from(failure: HandshakeError) -> Self {
        failure.error
    }
}

impl TlsSession {
    /// TLS as `config` wants it, for the connections of one session.
    pub(crate) fn new(
        mut config: ClientConfig,
        server_name: ServerName<'static>,
        reuse: bool,
        offer: Offer,
    ) -> Self {
        let tickets = Arc::new(TicketStore::default());
        let identity = ClientCertificate::new(config.client_auth_cert_resolver);
        config.client_auth_cert_resolver = Arc::clone(&identity) as _;
        config.resumption = if reuse {
            Resumption::store(Arc::clone(&tickets) as _)
        } else {
            Resumption::disabled()
        };
        Self { config: Arc::new(config), server_name, tickets, identity, offer }
    }

    /// Performs the handshake over `socket`, whole, by `deadline`.
    ///
    /// # Errors
    ///
    /// `tls` that says what does not fit; `timeout`; `connection` when the server hangs up.
    pub(crate) fn handshake(
        &self,
        socket: TcpStream,
        deadline: Deadline,
        what: &str,
    ) -> Result<NetStream, HandshakeError> {
        let made = ClientConnection::new(Arc::clone(&self.config), self.server_name.clone());
        let connection =
            made.map_err(|e| HandshakeError { error: tls_error("TLS", &e), by_client: true })?;
        let mut stream = StreamOwned::new(connection, socket);
        match self.complete(&mut stream, deadline, what) {
            Ok(()) => Ok(NetStream::Tls(Box::new(stream))),
            Err(failure) if failure.by_client => Err(failure),
            Err(failure) => {
                let error = self.identity.explain_rejection(what, failure.error);
                Err(HandshakeError { error, by_client: false })
            }
        }
    }

    /// What `error` really is, that came instead of the server's first word inside TLS 1.3: only
    /// there a server tells what it thinks of the client's certificate after the handshake.
    pub(crate) fn first_reply_failed(&self, error: Failure) -> Failure {
        self.identity.explain_rejection(CONTROL_HANDSHAKE, error)
    }

    /// Whether no data connection can resume this session any more.
    pub(crate) fn is_out_of_tickets(&self) -> bool {
        self.tickets.is_used_up()
    }

    /// Whether the next data connection but one can resume this session as well.
    pub(crate) fn has_spare_ticket(&self) -> bool {
        self.tickets.has_spare()
    }

    /// Whether the server gives tickets of TLS 1.3 at all.
    pub(crate) fn had_tickets(&self) -> bool {
        self.tickets.had_tickets()
    }

    /// Performs the handshake of `stream`, whole, by `deadline`.
    fn complete(
        &self,
        stream: &mut StreamOwned<ClientConnection, TcpStream>,
        deadline: Deadline,
        what: &str,
    ) -> Result<(), HandshakeError> {
        let by_server = |error: Failure| HandshakeError { error, by_client: false };
        let failed = |e: &io::Error| {
            by_server(if is_timeout(e) { deadline.error(what).into() } else { io_error(what, e) })
        };
        while stream.conn.is_handshaking() {
            let left = deadline.remaining(what).map_err(|e| by_server(e.into()))?;
            stream.sock.set_read_timeout(left).map_err(|e| failed(&e))?;
            stream.sock.set_write_timeout(left).map_err(|e| failed(&e))?;
            while stream.conn.wants_write() {
                stream.conn.write_tls(&mut stream.sock).map_err(|e| failed(&e))?;
            }
            if !stream.conn.is_handshaking() {
                break;
            }
            let read = stream.conn.read_tls(&mut stream.sock);
            match read {
                Ok(0) => return Err(failed(&IoErrorKind::UnexpectedEof.into())),
                Ok(_) => {}
                Err(e) if e.kind() == IoErrorKind::Interrupted => continue,
                Err(e) => return Err(failed(&e)),
            }
            if let Err(e) = stream.conn.process_new_packets() {
                // The alert tells the server's log why; whether it arrives changes nothing here.
                let _ = stream.conn.write_tls(&mut stream.sock);
                let by_client = !matches!(e, rustls::Error::AlertReceived(_));
                let error = match Mismatch::of(&e) {
                    // What a server says after it asked who this side is, is about that.
                    Some(mismatch) if !self.identity.was_asked() => {
                        self.offer.mismatch.store(true, Ordering::Relaxed);
                        mismatch.failure(what, &e, self.offer.versions)
                    }
                    _ => tls_error(what, &e),
                };
                return Err(HandshakeError { error, by_client });
            }
        }
        while stream.conn.wants_write() {
            stream.conn.write_tls(&mut stream.sock).map_err(|e| failed(&e))?;
        }
        Ok(())
    }
}

/// Whether the TLS beneath `stream` resumed an earlier session.
pub(crate) fn is_resumed(stream: &NetStream) -> bool {
    stream.tls().and_then(|tls| tls.handshake_kind()) == Some(HandshakeKind::Resumed)
}
