//! From a socket to a session: greeting, TLS, login, and what the server can do.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use super::dial::{dial, greeting};
use super::features::NotOpened;
use super::mismatch;
use crate::config::Security;
use crate::failure::{Cause, Failure};
use crate::file::path::RemotePath;
use crate::protocol::features::Features;
use crate::protocol::refusal::Phase;
use crate::protocol::reply::Reply;
use crate::protocol::verb::{Command, Verb};
use crate::session::ahead::Ahead;
use crate::session::control::{Control, ControlLimits};
use crate::session::server::Shared;
use crate::session::session::Session;
use crate::session::transcript::{Transcript, TranscriptWriter};
use crate::transport::connect;
use crate::transport::error::io_error;
use crate::transport::stream::NetStream;
use crate::transport::tls::handshake::CONTROL_HANDSHAKE;
use host_sdk::kit::CancelToken;
use host_sdk::kit::Deadline;

/// What an anonymous login says for a password when none is configured (RFC 1635 §2.2).
const ANONYMOUS_PASSWORD: &str = "anonymous@";

/// What has been reached while a session is opened, for a report.
pub(crate) enum Milestone<'a> {
    /// The host's name is looked up; a proxy does that by itself.
    Resolved {
        /// The server's addresses, in the order they are tried.
        addresses: &'a [std::net::SocketAddr],
    },
    /// The control connection stands.
    Connected {
        /// The server's address.
        peer: std::net::SocketAddr,
    },
    /// The server has greeted.
    Greeted {
        /// Its greeting.
        text: String,
    },
    /// TLS protects the control connection.
    Secured {
        /// The stream, for its version and certificates.
        stream: &'a NetStream,
    },
    /// The user is logged in.
    LoggedIn,
    /// The server's features are known, and the session can be used.
    Ready {
        /// The features.
        features: &'a Features,
    },
}

impl Session {
    /// Connects, secures and logs in, by the connection time-out and by `deadline`.
    ///
    /// # Errors
    ///
    /// `connection`, `tls`, `authentication`, `busy`, `timeout`, `protocol`, `cancelled`.
    pub(crate) fn open(
        shared: &Arc<Shared>,
        cancel: &CancelToken,
        transcript: &Transcript,
        deadline: Deadline,
    ) -> Result<Self, Failure> {
        Self::open_with_progress(shared, cancel, transcript, deadline, &mut |_| {})
    }

    /// As [`Session::open`], and tells `reached` of every milestone.
    ///
    /// # Errors
    ///
    /// As [`Session::open`].
    pub(crate) fn open_with_progress(
        shared: &Arc<Shared>,
        cancel: &CancelToken,
        transcript: &Transcript,
        deadline: Deadline,
        reached: &mut dyn FnMut(Milestone<'_>),
    ) -> Result<Self, Failure> {
        let limit = shared.settings.connection_timeout;
        let deadline = Deadline::after(limit, "connectionTimeout").earlier(deadline);
        let conventions = &shared.server.conventions;
        let asks_features = !conventions.skips_feat();
        let writer = TranscriptWriter::new(shared, transcript);
        let mut opened =
            Self::open_once(shared, cancel, writer.clone(), deadline, asks_features, reached);
        if let Err(NotOpened { failure, by_features: true }) = &opened
            && !cancel.is_cancelled()
        {
            log::info!("the server does not survive FEAT ({failure}), which is left out now");
            let again = Self::open_once(shared, cancel, writer, deadline, false, reached);
            if again.is_ok() {
                conventions.note_feat_failed();
                opened = again;
            }
        }
        opened.map_err(|e| match cancel.is_cancelled() {
            true => Failure::cancelled(),
            false => mismatch::explained(shared, cancel, transcript, e.failure),
        })
    }

    fn open_once(
        shared: &Arc<Shared>,
        cancel: &CancelToken,
        writer: TranscriptWriter,
        deadline: Deadline,
        asks_features: bool,
        reached: &mut dyn FnMut(Milestone<'_>),
    ) -> Result<Self, NotOpened> {
        let settings = &shared.settings;
        writer.note(&format!("connecting to {}:{}", settings.host, settings.port));
        let socket = dial(settings, deadline, cancel, &mut |addresses| {
            reached(Milestone::Resolved { addresses });
        })?;
        if settings.keep_alive {
            connect::keep_alive(&socket);
        }
        let what = "the control connection";
        let peer = socket.peer_addr().map_err(|e| io_error(what, &e))?;
        let local = socket.local_addr().map_err(|e| io_error(what, &e))?;
        let watch = cancel.register(&socket).map_err(|e| io_error(what, &e))?;
        reached(Milestone::Connected { peer });

        let limits = ControlLimits::of(settings);
        let tls = shared
            .tls
            .as_ref()
            .map(|factory| factory.session(shared.server.prefer_tls_12.load(Ordering::Relaxed)));
        let stream = match (settings.security, &tls) {
            (Security::Implicit, Some(tls)) => {
                writer.note("TLS begins");
                let handshake = tls.handshake(socket, deadline, CONTROL_HANDSHAKE);
                let stream = handshake.map_err(Failure::from)?;
                reached(Milestone::Secured { stream: &stream });
                stream
            }
            _ => NetStream::Plain(socket),
        };
        let mut control = Control::new(stream, limits, deadline, writer);
        let greeting = greeting(&mut control).map_err(|e| match (settings.security, &tls) {
            (Security::Implicit, Some(tls)) => tls.first_reply_failed(e),
            _ => e,
        })?;
        reached(Milestone::Greeted { text: greeting.text() });
        let mut session = Self {
            control,
            shared: Arc::clone(shared),
            tls,
            cancel: cancel.clone(),
            watch: Some(watch),
            peer,
            local,
            features: Features::default(),
            login_directory: RemotePath::login(),
            current_directory: None,
            is_directory_proven: true,
            entered_at: Instant::now(),
            is_stale: false,
            closed: HashMap::new(),
            refused_listing: None,
            format: None,
            hash: None,
            answered_twice: Some(greeting.code()),
            poisoned: false,
            has_cut_listing: false,
            transfer_deadline: Deadline::never(),
            ahead: Ahead::default(),
            idle_since: Instant::now(),
        };
        if settings.security == Security::Explicit {
            session.authenticate_tls(&greeting)?;
            reached(Milestone::Secured { stream: session.control.stream() });
        }
        let protection = session.protect_before_login()?;
        if greeting.is_ready() || session.tls.is_some() {
            session.log_in()?;
        }
        session.protect_after_login(protection)?;
        reached(Milestone::LoggedIn);
        session.get_ready(asks_features, deadline)?;
        session.control.set_deadline(Deadline::never());
        reached(Milestone::Ready { features: &session.features });
        Ok(session)
    }

    /// USER, and PASS and ACCT where they are wanted: the first digit of a reply decides
    /// (RFC 959 §4.2).
    fn log_in(&mut self) -> Result<(), Failure> {
        let shared = Arc::clone(&self.shared);
        let credentials = &shared.settings.credentials;
        let mut verb = Verb::User;
        let mut reply = self.login_command(verb, &credentials.user)?;
        if reply.is_pending() && !reply.wants_account() {
            let anonymous = credentials.user.eq_ignore_ascii_case("anonymous");
            let password = match &credentials.password {
                Some(secret) => secret.reveal(),
                None if anonymous => ANONYMOUS_PASSWORD,
                None => {
                    return Err(Failure::new(
                        Cause::LoginRejected,
                        "the server wants a password and none is configured",
                    )
                    .with_hint("set password; \"\" is an empty one"));
                }
            };
            verb = Verb::Pass;
            reply = self.login_command(verb, password)?;
        }
        if reply.is_pending() && !reply.wants_password() {
            let Some(account) = &credentials.account else {
                return Err(Failure::new(
                    Cause::LoginRejected,
                    "the server wants an account and none is configured",
                )
                .with_hint("set account"));
            };
            verb = Verb::Acct;
            reply = self.login_command(verb, account.reveal())?;
        }
        if reply.is_done() {
            return Ok(());
        }
        Err(self.refusal(&reply, Phase::Login, verb, verb.as_str()))
    }

    fn login_command(&mut self, verb: Verb, argument: &str) -> Result<Reply, Failure> {
        let sent = self.command(Command::new(verb, argument));
        let reply = sent.map_err(|e| e.awaiting(verb))?;
        if reply.is_done() || reply.is_pending() {
            return Ok(reply);
        }
        Err(self.refusal(&reply, Phase::Login, verb, verb.as_str()))
    }
}
