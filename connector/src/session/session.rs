//! A session: its state, one command and one reply at a time.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::ahead::Ahead;
use super::control::Control;
use super::server::Shared;
use super::spelling::LoginName;
use super::transcript::{Transcript, TranscriptWriter};
use crate::config::{ConnectionSettings, TransferFormat};
use crate::failure::{Cause, Failure};
use crate::file::checksum::Algorithm;
use crate::file::path::RemotePath;
use crate::file::time::zone::ServerTimeZone;
use crate::protocol::features::Features;
use crate::protocol::refusal::Phase;
use crate::protocol::reply_text::Emptiness;
use crate::protocol::reply_values::quoted_path;
use crate::protocol::verb::{Command, Verb};
use crate::transport::error::io_error;
use crate::transport::tls::handshake::TlsSession;
use host_sdk::kit::Deadline;
use host_sdk::kit::{CancelToken, Registration};

/// A session that is logged in.
pub(crate) struct Session {
    pub(super) control: Control,
    pub(super) shared: Arc<Shared>,
    pub(super) tls: Option<TlsSession>,
    pub(super) cancel: CancelToken,
    pub(super) watch: Option<Registration>,
    pub(super) peer: SocketAddr,
    pub(super) local: SocketAddr,
    pub(super) features: Features,
    pub(super) login_directory: RemotePath,
    pub(super) current_directory: Option<RemotePath>,
    /// Whether that directory was there when this execution began or later.
    pub(super) is_directory_proven: bool,
    /// When that directory was entered.
    pub(super) entered_at: Instant,
    /// Whether that was so long ago that another directory may have its name by now.
    pub(super) is_stale: bool,
    /// The directories that may not be entered, as was seen lately.
    pub(super) closed: HashMap<RemotePath, Instant>,
    /// What the server's own words, before secrets are taken out, said of the directory where a
    /// transfer was refused last.
    pub(super) refused_listing: Option<Emptiness>,
    pub(super) format: Option<TransferFormat>,
    /// What HASH computes, once it was chosen.
    pub(super) hash: Option<Algorithm>,
    /// The code of the last reply, where the command is one that some servers answer twice.
    pub(super) answered_twice: Option<u16>,
    pub(super) poisoned: bool,
    /// Whether a listing was cut short: the next one would begin with what pure-ftpd still has
    /// of it.
    pub(super) has_cut_listing: bool,
    /// The deadline of the transfer under way, which its data connection's opening counts to.
    pub(super) transfer_deadline: Deadline,
    /// What is asked before its turn.
    pub(super) ahead: Ahead,
    /// When the last execution gave it back.
    pub(super) idle_since: Instant,
}

impl Session {
    /// What the server says it can do.
    pub(crate) fn features(&self) -> &Features {
        &self.features
    }

    /// The directory after login, which relative paths count from.
    pub(crate) fn login_directory(&self) -> &RemotePath {
        &self.login_directory
    }

    /// The settings of the connection.
    pub(crate) fn settings(&self) -> &ConnectionSettings {
        &self.shared.settings
    }

    /// By when a data connection must be open.
    pub(super) fn opening_deadline(&self) -> Deadline {
        let limit = self.shared.settings.connection_timeout;
        Deadline::after(limit, "connectionTimeout").earlier(self.transfer_deadline)
    }

    /// By when a transfer that begins now must be over.
    pub(crate) fn transfer_limit(&self) -> Deadline {
        Deadline::after(self.shared.settings.transfer_timeout, "transferTimeout")
    }

    /// Whether another command can be sent: nothing went wrong, and the server has neither
    /// spoken nor hung up in the meantime.
    pub(crate) fn is_usable(&mut self) -> bool {
        if self.poisoned || self.ahead.awaits_replies() {
            return !self.poisoned;
        }
        match self.answered_twice {
            None => !self.control.has_unsolicited_input(),
            Some(_) => self.check_quiet().is_ok(),
        }
    }

    /// Hands the session to another execution: its cancellation is the one that counts now, and
    /// what is said goes into its transcript.
    pub(crate) fn attach(
        &mut self,
        cancel: &CancelToken,
        transcript: &Transcript,
    ) -> Result<(), Failure> {
        self.control.set_transcript(TranscriptWriter::new(&self.shared, transcript));
        self.control.set_deadline(Deadline::never());
        // Meanwhile it may have been removed. One of which no name is known cannot be entered twice.
        self.is_directory_proven = self.current_directory.as_ref().is_some_and(|directory| {
            directory.counts_from_nowhere()
                || self.shared.server.spelling.login_name() == LoginName::Useless
        });
        self.begin_document();
        self.watch = None;
        self.cancel = cancel.clone();
        let watched = cancel.register(self.control.stream().socket());
        self.watch = Some(watched.map_err(|e| io_error("the control connection", &e))?);
        Ok(())
    }

    /// Another document begins: a directory that was entered long ago is entered again.
    pub(crate) fn begin_document(&mut self) {
        self.closed.retain(|_, since| since.elapsed() <= STALE_AFTER);
        self.is_stale = self.entered_at.elapsed() > STALE_AFTER;
        if self.is_stale
            && !self.current_directory.as_ref().is_some_and(RemotePath::counts_from_nowhere)
        {
            self.is_directory_proven &=
                self.current_directory.as_ref() == Some(&self.login_directory);
        }
    }

    /// Whether the server still answers, where the session has been idle long enough for a NAT
    /// device to have forgotten it.
    pub(crate) fn is_alive(&mut self) -> bool {
        if self.idle_since.elapsed() < IDLE_CHECK_AFTER {
            return true;
        }
        self.control.set_deadline(Self::goodbye());
        let answer = self.command(Verb::Noop);
        self.control.set_deadline(Deadline::never());
        answer.is_ok() && !self.poisoned
    }

    /// Takes the session from its execution.
    pub(crate) fn release(&mut self) {
        self.ahead.announce(Vec::new());
        // Without the replies, the session is poisoned.
        let _ = self.drop_ahead();
        self.idle_since = Instant::now();
        self.control.set_transcript(TranscriptWriter::new(&self.shared, &Transcript::default()));
        self.watch = None;
        self.cancel = CancelToken::default();
    }

    /// Says goodbye, if the session is in a state to, and waits for the answer until `deadline`
    /// at most. What the server answers changes nothing.
    pub(crate) fn quit(mut self, deadline: Deadline) {
        if self.is_usable() {
            self.control.set_deadline(deadline);
            let _ = self.command(Verb::Quit);
        }
    }

    /// The deadline of all goodbyes that are said now.
    pub(crate) fn goodbye() -> Deadline {
        Deadline::after(Some(QUIT_TIMEOUT), "")
    }

    /// The working directory (PWD), in whatever words the server spells it; `None` where it does not
    /// say.
    pub(super) fn working_directory(&mut self) -> Result<Option<RemotePath>, Failure> {
        let reply = self.command(Verb::Pwd)?;
        let quoted = if reply.is_done() { quoted_path(reply.first_line()) } else { None };
        let encoding = self.shared.settings.encoding;
        if quoted.as_ref().is_some_and(|path| path.iter().any(u8::is_ascii_control)) {
            self.poison();
            let shown = self.redacted(&reply);
            let message = format!("the working directory is no path: {shown}");
            return Err(Failure::new(Cause::Nonsense, message));
        }
        let Some(text) = quoted.map(|path| encoding.decode(&path)) else { return Ok(None) };
        if text.len() > 1 && text.ends_with('/') {
            self.shared.server.spelling.note_slash();
        }
        RemotePath::login_at(&text).map(Some).map_err(|_| {
            self.poison();
            Failure::new(
                Cause::Nonsense,
                format!("the working directory is no path: {}", self.redacted(&reply)),
            )
        })
    }

    /// Sets the representation type (TYPE), unless it is set already.
    ///
    /// # Errors
    ///
    /// `unsupported`; what a command can fail with.
    pub(crate) fn set_format(&mut self, format: TransferFormat) -> Result<(), Failure> {
        if self.format == Some(format) {
            return Ok(());
        }
        let command = match format {
            TransferFormat::Binary => Command::new(Verb::Type, "I"),
            TransferFormat::Ascii => Command::new(Verb::Type, "A"),
        };
        let reply = self.command(command.clone())?;
        if !reply.is_done() {
            return Err(self.refusal(&reply, Phase::Path, Verb::Type, command.line()));
        }
        self.format = Some(format);
        Ok(())
    }

    /// The zone of the server's clock: the configured one, else the one that was measured.
    pub(crate) fn zone(&self) -> &ServerTimeZone {
        match &self.shared.settings.zone {
            ServerTimeZone::Auto => self.shared.server.zone.get().unwrap_or(&ServerTimeZone::Auto),
            configured => configured,
        }
    }
}

/// How long a session may be idle before the server is asked whether it is still there.
const IDLE_CHECK_AFTER: Duration = Duration::from_secs(30);

/// How long a directory is taken for the one that its name led to: somebody may rename it, and make
/// another one of its name.
const STALE_AFTER: Duration = Duration::from_secs(30);

/// How long the server may take to answer QUIT.
const QUIT_TIMEOUT: Duration = Duration::from_secs(2);
