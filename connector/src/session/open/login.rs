//! From a socket to a session: greeting, TLS, login, and what the server can do.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use super::dial::{dial, greeting};
use super::mismatch;
use crate::config::Security;
use crate::failure::{Cause, Failure};
use crate::file::name::NameEncoding;
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
use crate::session::transfer::data_connection::DATA_IN_CLEAR;
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
        let writer = TranscriptWriter::new(shared, transcript);
        let opened = Self::open_once(shared, cancel, writer, deadline, reached);
        opened.map_err(|e| match cancel.is_cancelled() {
            true => Failure::cancelled(),
            false => mismatch::explained(shared, cancel, transcript, e),
        })
    }

    fn open_once(
        shared: &Arc<Shared>,
        cancel: &CancelToken,
        writer: TranscriptWriter,
        deadline: Deadline,
        reached: &mut dyn FnMut(Milestone<'_>),
    ) -> Result<Self, Failure> {
        let settings = &shared.settings;
        let deadline =
            Deadline::after(settings.connection_timeout, "connectionTimeout").earlier(deadline);
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
                let stream = tls.handshake(socket, deadline, CONTROL_HANDSHAKE)?;
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
        if session.tls.is_some() {
            session.protect_data()?;
        }
        if greeting.is_ready() || session.tls.is_some() {
            session.log_in()?;
        }
        reached(Milestone::LoggedIn);
        session.read_features()?;
        session.control.set_deadline(Deadline::never());
        reached(Milestone::Ready { features: &session.features });
        Ok(session)
    }

    /// AUTH TLS before any USER (RFC 4217 §4).
    fn authenticate_tls(&mut self, greeting: &Reply) -> Result<(), Failure> {
        if !greeting.is_ready() {
            // A greeting that claims a login would skip TLS: the trick of a man in the middle.
            return Err(Failure::new(
                Cause::Nonsense,
                format!("the server greeted with \"{greeting}\" where TLS has to come first"),
            ));
        }
        let reply = self.command(Command::new(Verb::Auth, "TLS"))?;
        if !reply.is_tls_ready() {
            return Err(self.refusal(&reply, Phase::Protection, Verb::Auth, "AUTH TLS"));
        }
        let tls = self.tls.as_ref().ok_or_else(|| Failure::internal("explicit TLS without TLS"))?;
        let handshake =
            |socket, deadline| Ok(tls.handshake(socket, deadline, CONTROL_HANDSHAKE)?);
        self.control.upgrade(handshake)
    }

    /// PBSZ and PROT (RFC 4217 §9), which implicit TLS needs as well.
    fn protect_data(&mut self) -> Result<(), Failure> {
        let level = if self.shared.settings.tls.protect_data { "P" } else { "C" };
        let explicit = self.shared.settings.security == Security::Explicit;
        for command in [Command::new(Verb::Pbsz, 0), Command::new(Verb::Prot, level)] {
            let verb = command.verb();
            let reply = self.command(command.clone()).map_err(|e| match &self.tls {
                Some(tls) if explicit && verb == Verb::Pbsz => tls.first_reply_failed(e),
                _ => e,
            })?;
            if !reply.is_done() {
                let error = self.refusal(&reply, Phase::Protection, verb, command.line());
                let clear = !self.shared.settings.tls.protect_data;
                return Err(if clear { error.with_hint(DATA_IN_CLEAR) } else { error });
            }
        }
        Ok(())
    }

    fn log_in(&mut self) -> Result<(), Failure> {
        let shared = Arc::clone(&self.shared);
        let credentials = &shared.settings.credentials;
        let mut verb = Verb::User;
        let mut reply = self.login_command(verb, &credentials.user)?;
        if reply.wants_password() {
            let anonymous = credentials.user.eq_ignore_ascii_case("anonymous");
            let password = match &credentials.password {
                Some(secret) => secret.reveal(),
                None if anonymous => ANONYMOUS_PASSWORD,
                None => {
                    return Err(Failure::new(
                        Cause::LoginRejected,
                        "the server wants a password and none is configured",
                    )
                    .with_hint("set password"));
                }
            };
            verb = Verb::Pass;
            reply = self.login_command(verb, password)?;
        }
        if reply.wants_account() {
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
        if reply.is_logged_in() {
            return Ok(());
        }
        Err(self.refusal(&reply, Phase::Login, verb, verb.as_str()))
    }

    fn login_command(&mut self, verb: Verb, argument: &str) -> Result<Reply, Failure> {
        let sent = self.command(Command::new(verb, argument));
        let reply = sent.map_err(|e| e.awaiting(verb))?;
        if reply.is_logged_in() || reply.wants_password() || reply.wants_account() {
            return Ok(reply);
        }
        Err(self.refusal(&reply, Phase::Login, verb, verb.as_str()))
    }

    /// Learns what the server can do and where the login led.
    fn read_features(&mut self) -> Result<(), Failure> {
        let reply = self.command(Verb::Feat)?;
        self.features = Features::parse(&reply);
        if self.features.utf8 && !matches!(self.shared.settings.encoding, NameEncoding::Legacy(_)) {
            // Servers that always speak UTF-8 may refuse; nothing depends on the answer.
            self.command(Command::new(Verb::Opts, "UTF8 ON"))?;
        }
        self.login_directory = self.working_directory()?.unwrap_or_else(|| {
            log::info!("the server does not tell where the login leads: names count from there");
            RemotePath::login()
        });
        self.current_directory = Some(self.login_directory.clone());
        Ok(())
    }
}
