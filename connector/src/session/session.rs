//! A session: its state, one command and one reply at a time.

use std::borrow::Cow;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use std::time::{Duration, Instant};

use host_sdk::{Error, ErrorKind};
use suppaftp::{Encoding, FtpError, ImplFtpStream};

use super::control::{Control, Wire};
use super::server::Shared;
use super::transcript::{Scribe, Transcript};
use crate::config::{ConnectionSettings, TransferFormat};
use crate::file::checksum::Algorithm;
use crate::file::name::NameEncoding;
use crate::file::path::RemotePath;
use crate::protocol::features::Features;
use crate::protocol::reply::{Occasion, Reply};
use crate::protocol::reply_text::Emptiness;
use crate::session::redaction::hide;
use crate::transport::error::io_error;
use crate::transport::tls::handshake::TlsSession;
use host_sdk::kit::Deadline;
use host_sdk::kit::{CancelToken, Registration};

/// A session that is logged in.
pub(crate) struct Session {
    pub(super) ftp: ImplFtpStream<Wire>,
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
    /// What the server's own words, before secrets are taken out, said of the directory where a
    /// transfer was refused last.
    pub(super) refused_listing: Option<Emptiness>,
    /// Whether the last command was an RNFR that was accepted, and that no RNTO follows.
    pub(super) is_renaming: bool,
    pub(super) format: Option<TransferFormat>,
    /// What HASH computes, once it was chosen.
    pub(super) hash: Option<Algorithm>,
    pub(super) poisoned: bool,
    /// Whether a listing was cut short: the next one would begin with what pure-ftpd still has
    /// of it.
    pub(super) has_cut_listing: bool,
    /// The deadline of the transfer under way, which its data connection's opening counts to.
    pub(super) transfer_deadline: Deadline,
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

    /// Whether passive data connections are agreed on by EPSV.
    pub(super) fn uses_epsv(&self) -> bool {
        !self.shared.server.prefer_pasv.load(Ordering::Relaxed)
    }

    /// Whether another command can be sent: nothing went wrong, and the server has neither
    /// spoken nor hung up in the meantime.
    pub(crate) fn is_usable(&self) -> bool {
        !self.poisoned && !self.control.is_disturbed()
    }

    /// Hands the session to another execution: its cancellation is the one that counts now, and
    /// what is said goes into its transcript.
    pub(crate) fn lease_to(
        &mut self,
        cancel: &CancelToken,
        transcript: &Transcript,
    ) -> Result<(), Error> {
        self.control.set_scribe(Scribe::new(&self.shared, transcript));
        self.control.set_overall(Deadline::never());
        // Meanwhile it may have been removed. One that counts from the login cannot be entered twice.
        self.is_directory_proven =
            self.current_directory.as_ref().is_some_and(|directory| !directory.is_absolute());
        self.watch = None;
        self.cancel = cancel.clone();
        let watched = self.control.with_stream(|stream| cancel.register(stream.socket()));
        self.watch = Some(watched.map_err(|e| io_error("the control connection", &e))?);
        Ok(())
    }

    /// Whether the server still answers, where the session has been idle long enough for a NAT
    /// device to have forgotten it.
    pub(crate) fn is_awake(&mut self) -> bool {
        if self.idle_since.elapsed() < NAP {
            return true;
        }
        self.control.set_overall(Self::goodbye());
        let answer = self.command("NOOP");
        self.control.set_overall(Deadline::never());
        answer.is_ok() && !self.poisoned
    }

    /// Takes the session from its execution.
    pub(crate) fn release(&mut self) {
        self.idle_since = Instant::now();
        self.control.set_scribe(Scribe::new(&self.shared, &Transcript::default()));
        self.watch = None;
        self.cancel = CancelToken::default();
    }

    /// Says goodbye, if the session is in a state to, and waits for the answer until `deadline`
    /// at most. What the server answers changes nothing.
    pub(crate) fn quit(mut self, deadline: Deadline) {
        if self.is_usable() {
            self.control.set_overall(deadline);
            let _ = self.command("QUIT");
        }
    }

    /// The deadline of all goodbyes that are said now.
    pub(crate) fn goodbye() -> Deadline {
        Deadline::after(Some(GOODBYE), "")
    }

    /// Sends `command` and reads its reply, whatever it is. A preliminary reply comes back too.
    ///
    /// # Errors
    ///
    /// `connection`, `timeout`, `protocol`, `cancelled`; the session is poisoned then.
    /// `document` when the command cannot be sent as it is.
    pub(super) fn command(&mut self, command: &str) -> Result<Reply, Error> {
        let verb = verb_of(command);
        self.command_as(command, verb)
    }

    /// As [`Session::command`], under another name in errors: for commands that carry secrets.
    pub(super) fn command_as(&mut self, command: &str, shown: &str) -> Result<Reply, Error> {
        if self.poisoned {
            return Err(Error::internal("a command on a session that is of no use any more"));
        }
        if command.contains(['\r', '\n', '\0']) {
            return Err(Error::new(
                ErrorKind::Document,
                format!("{shown} with CR, LF or NUL in its argument was not sent"),
            ));
        }
        self.cancel.check()?;
        self.undisturbed()?;
        let was_renaming = std::mem::take(&mut self.is_renaming);
        let result = exchange(&mut self.ftp, &self.control, command, shown);
        let reply = result.map_err(|e| self.broken(e))?;
        if was_renaming && reply.is_out_of_sequence() {
            // ProFTPD takes nothing but RNTO then, not even QUIT.
            log::info!("the server wants the renaming to be finished: another session goes on");
            self.renew(self.transfer_limit())?;
            return self.command_as(command, shown);
        }
        Ok(reply)
    }

    /// Checks that the server has neither spoken nor hung up since its last answer.
    pub(super) fn undisturbed(&mut self) -> Result<(), Error> {
        if self.control.is_disturbed() { Err(self.unasked()) } else { Ok(()) }
    }

    /// The error of a server that speaks, or hangs up, without being asked: its words would pass
    /// for the answer to the next command, and each answer after that for the next one's.
    pub(super) fn unasked(&mut self) -> Error {
        let error = match self.control.next_reply("waiting for a command") {
            Ok(reply) if reply.is_transient_refusal() => {
                reply.to_error(Occasion::Transfer, "the session", &self.hidden(&reply))
            }
            Ok(reply) => {
                let reply = self.hidden(&reply);
                Error::new(ErrorKind::Protocol, format!("the server said \"{reply}\" unasked"))
            }
            Err(e) => e,
        };
        self.broken(error)
    }

    /// The error of a refusal; a goodbye also ends the session.
    pub(super) fn refusal(&mut self, reply: &Reply, occasion: Occasion, command: &str) -> Error {
        if reply.is_goodbye()
            || !(reply.is_done() || reply.is_permanent_refusal() || reply.is_transient_refusal())
        {
            self.poison();
        }
        reply.to_error(occasion, command, &self.hidden(reply))
    }

    /// The reply as it may be told: some servers repeat what they heard.
    pub(super) fn hidden(&self, reply: &Reply) -> Reply {
        reply.map_lines(|line| hide(&self.shared.settings, line))
    }

    /// Poisons the session for `error`, unless the command was never sent.
    pub(super) fn broken(&mut self, error: Error) -> Error {
        if error.kind() != ErrorKind::Document {
            self.poison();
        }
        if self.cancel.is_cancelled() { Error::cancelled() } else { error }
    }

    /// Gives the session up: no command is sent over it any more.
    pub(crate) fn poison(&mut self) {
        self.poisoned = true;
    }
}

/// How many preliminary replies may precede an answer.
pub(super) const MAXIMUM_PRELIMINARY: usize = 100;

/// How long a session may be idle before the server is asked whether it is still there.
const NAP: Duration = Duration::from_secs(30);

/// How long the server may take to answer QUIT.
const GOODBYE: Duration = Duration::from_secs(2);

/// The verb of a command: all of it that an error may show without asking what the argument is.
pub(super) fn verb_of(command: &str) -> &str {
    command.split(' ').next().unwrap_or_default()
}

/// One command and its reply through suppaftp.
fn exchange(
    ftp: &mut ImplFtpStream<Wire>,
    control: &Control,
    command: &str,
    shown: &str,
) -> Result<Reply, Error> {
    control.awaiting(shown);
    // No reply is expected, so each comes back as an "unexpected" one, with all its bytes: the
    // crate would reduce a code it does not know to 0.
    let bytes = match ftp.custom_command(command, &[]) {
        Ok(response) | Err(FtpError::UnexpectedResponse(response)) => response.body,
        Err(e) => return Err(from_suppaftp(e, shown)),
    };
    Reply::parse(&bytes)
        .ok_or_else(|| Error::internal(format!("the reply to {shown} lost its form")))
}

/// Opens suppaftp's side of `control`. The address it insists on connecting to is a listener of
/// this process that nobody ever speaks to; all bytes go through [`Wire`].
pub(super) fn attach(
    control: &Control,
    encoding: NameEncoding,
) -> Result<ImplFtpStream<Wire>, Error> {
    let what = "the session's inner socket";
    let stand_in = TcpListener::bind(("127.0.0.1", 0)).map_err(|e| io_error(what, &e))?;
    let address = stand_in.local_addr().map_err(|e| io_error(what, &e))?;
    control.pretend_greeting();
    let mut ftp = ImplFtpStream::connect_secure_implicit(address, control.wire(), "")
        .map_err(|e| from_suppaftp(e, "the greeting"))?;
    ftp.set_encoding(WireEncoding(encoding));
    Ok(ftp)
}

/// The names' encoding, in the form suppaftp asks for it.
#[derive(Debug)]
struct WireEncoding(NameEncoding);

impl Encoding for WireEncoding {
    fn decode(&self, bytes: &[u8]) -> String {
        self.0.decode(bytes)
    }

    fn encode(&self, text: &str) -> io::Result<Vec<u8>> {
        self.0.encode(text).map(Cow::into_owned).map_err(|e| {
            io::Error::other(
                Error::new(ErrorKind::Document, e.to_string()).with_hint(
                    "set fileNameEncoding to one that has this character, such as utf-8",
                ),
            )
        })
    }
}

/// The error behind suppaftp's; this side's own errors come back as they went in.
fn from_suppaftp(error: FtpError, what: &str) -> Error {
    match error {
        FtpError::ConnectionError(e) => match e.downcast::<Error>() {
            Ok(own) => own,
            Err(e) => io_error(what, &e),
        },
        FtpError::BadResponse => {
            Error::new(ErrorKind::Protocol, format!("{what}: the reply makes no sense"))
        }
        other => Error::internal(format!("{what}: {other}")),
    }
}
