//! TLS handshakes (RFC 4217), and what their failures mean.
//!
//! One [`TlsSession`] belongs to one control connection: its data connections resume that
//! session and no other, as servers demand that do not want data connections hijacked.

use std::io::{self, ErrorKind as IoErrorKind};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

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

/// How long a handshake without a limit waits at a time.
const UNLIMITED: Duration = Duration::from_secs(3600);
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
#[derive(Clone)]
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
        let mut handshake = self.begin(socket, what)?;
        loop {
            let left = deadline
                .remaining(what)
                .map_err(|e| HandshakeError { error: e.into(), by_client: false })?;
            if handshake.advance(left.unwrap_or(UNLIMITED))? {
                return Ok(handshake.into_stream());
            }
        }
    }

    /// Begins a handshake over `socket`; nothing is sent yet.
    ///
    /// # Errors
    ///
    /// `tls` where the settings do not allow any.
    pub(crate) fn begin(&self, socket: TcpStream, what: &str) -> Result<Handshake, HandshakeError> {
        let made = ClientConnection::new(Arc::clone(&self.config), self.server_name.clone());
        let connection =
            made.map_err(|e| HandshakeError { error: tls_error("TLS", &e), by_client: true })?;
        Ok(Handshake {
            stream: StreamOwned::new(connection, socket),
            identity: Arc::clone(&self.identity),
            offer: self.offer.clone(),
            what: what.to_owned(),
            has_heard: false,
        })
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
}

/// Whether the TLS beneath `stream` resumed an earlier session.
pub(crate) fn is_resumed(stream: &NetStream) -> bool {
    stream.tls().and_then(|tls| tls.handshake_kind()) == Some(HandshakeKind::Resumed)
}

/// A handshake under way.
pub(crate) struct Handshake {
    stream: StreamOwned<ClientConnection, TcpStream>,
    identity: Arc<ClientCertificate>,
    offer: Offer,
    what: String,
    has_heard: bool,
}

impl Handshake {
    /// Goes on with what arrives within `limit`; whether the handshake is over.
    ///
    /// # Errors
    ///
    /// `tls` that says what does not fit; `connection` when the server hangs up.
    pub(crate) fn advance(&mut self, limit: Duration) -> Result<bool, HandshakeError> {
        self.step(limit).map_err(|failure| match failure.by_client {
            true => failure,
            false => {
                let error = self.identity.explain_rejection(&self.what, failure.error);
                HandshakeError { error, by_client: false }
            }
        })
    }

    /// Whether the server has sent anything.
    pub(crate) fn has_heard(&self) -> bool {
        self.has_heard
    }

    /// The stream, once the handshake is over.
    pub(crate) fn into_stream(self) -> NetStream {
        NetStream::Tls(Box::new(self.stream))
    }

    fn step(&mut self, limit: Duration) -> Result<bool, HandshakeError> {
        let StreamOwned { conn, sock } = &mut self.stream;
        let what = &self.what;
        let failed = |e: &io::Error| HandshakeError { error: io_error(what, e), by_client: false };
        sock.set_read_timeout(Some(limit)).map_err(|e| failed(&e))?;
        sock.set_write_timeout(Some(limit)).map_err(|e| failed(&e))?;
        while conn.wants_write() {
            match conn.write_tls(sock) {
                Ok(_) => {}
                Err(e) if is_timeout(&e) => return Ok(false),
                Err(e) => return Err(failed(&e)),
            }
        }
        if !conn.is_handshaking() {
            return Ok(true);
        }
        match conn.read_tls(sock) {
            Ok(0) => return Err(failed(&IoErrorKind::UnexpectedEof.into())),
            Ok(_) => self.has_heard = true,
            Err(e) if e.kind() == IoErrorKind::Interrupted || is_timeout(&e) => return Ok(false),
            Err(e) => return Err(failed(&e)),
        }
        if let Err(e) = conn.process_new_packets() {
            // The alert tells the server's log why; whether it arrives changes nothing here.
            let _ = conn.write_tls(sock);
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
        Ok(!conn.is_handshaking() && !conn.wants_write())
    }
}
