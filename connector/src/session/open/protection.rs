//! The protection of a session: AUTH, PBSZ, PROT and CCC (RFC 4217 §4, §9, §12).

use std::time::Duration;

use crate::config::Security;
use crate::failure::{Cause, Failure};
use crate::protocol::refusal::Phase;
use crate::protocol::reply::Reply;
use crate::protocol::verb::{Command, Verb};
use crate::session::session::Session;
use crate::transport::tls::handshake::CONTROL_HANDSHAKE;
use host_sdk::kit::Deadline;

/// How long a server may take to end its side of TLS after CCC.
const TLS_END: Duration = Duration::from_secs(2);

/// How far the protection of data connections is agreed on.
pub(super) enum Protection {
    /// It is, or none is to be agreed on.
    Agreed,
    /// It is to be asked for after the login; before it, the server refused it or was not asked.
    Open {
        /// Whether the server was asked.
        was_asked: bool,
    },
}

impl Session {
    /// AUTH TLS before any USER, and AUTH SSL for servers that know TLS by its old name.
    pub(super) fn authenticate_tls(&mut self, greeting: &Reply) -> Result<(), Failure> {
        if !greeting.is_ready() {
            // A greeting that claims a login would skip TLS: the trick of a man in the middle.
            return Err(Failure::new(
                Cause::Nonsense,
                format!("the server greeted with \"{greeting}\" where TLS has to come first"),
            ));
        }
        let is_ssl_known = self.shared.server.conventions.auth_ssl.is_known();
        let (first, second) = if is_ssl_known { ("SSL", "TLS") } else { ("TLS", "SSL") };
        if let Some(refused) = self.ask_for_tls(first)? {
            if self.ask_for_tls(second)?.is_some() {
                return Err(refused);
            }
            self.shared.server.conventions.auth_ssl.set(!is_ssl_known);
        }
        let tls = self.tls.as_ref().ok_or_else(|| Failure::internal("explicit TLS without TLS"))?;
        let handshake =
            |socket, deadline| Ok(tls.handshake(socket, deadline, CONTROL_HANDSHAKE)?);
        self.control.upgrade(handshake)?;
        // Nothing that was said in clear counts inside TLS.
        self.answered_twice = None;
        Ok(())
    }

    /// Asks for TLS by the name `word`; the refusal, unless it ends the session.
    fn ask_for_tls(&mut self, word: &str) -> Result<Option<Failure>, Failure> {
        let reply = self.command(Command::new(Verb::Auth, word))?;
        if reply.agrees_to_tls() {
            return Ok(None);
        }
        let shown = format!("AUTH {word}");
        let refused = self.refusal(&reply, Phase::Protection, Verb::Auth, &shown);
        if self.poisoned { Err(refused) } else { Ok(Some(refused)) }
    }

    /// Agrees on the protection of data connections, which implicit TLS needs as well. Some servers
    /// do so after the login alone.
    pub(super) fn protect_before_login(&mut self) -> Result<Protection, Failure> {
        if self.tls.is_none() {
            return Ok(Protection::Agreed);
        }
        if self.shared.server.conventions.protects_after_login.is_known() {
            return Ok(Protection::Open { was_asked: false });
        }
        let Some((refused, is_final)) = self.ask_for_protection()? else {
            return Ok(Protection::Agreed);
        };
        if is_final && self.shared.settings.tls.protect_data {
            return Err(refused);
        }
        Ok(Protection::Open { was_asked: true })
    }

    /// As [`Session::protect_before_login`], where that left it open. The level C is what holds
    /// without any agreement (RFC 4217 §9): its refusal is no obstacle.
    pub(super) fn protect_after_login(&mut self, so_far: Protection) -> Result<(), Failure> {
        let Protection::Open { was_asked } = so_far else { return Ok(()) };
        match self.ask_for_protection()? {
            None if was_asked => self.shared.server.conventions.protects_after_login.note(),
            None => {}
            Some((refused, _)) if self.shared.settings.tls.protect_data => return Err(refused),
            Some((refused, _)) => {
                log::info!("data connections stay in clear without an agreement: {refused}");
            }
        }
        Ok(())
    }

    /// PBSZ and PROT; the refusal of PROT, unless it ends the session, and whether the server rules
    /// the level out at any time. What it says to PBSZ alone is no obstacle.
    fn ask_for_protection(&mut self) -> Result<Option<(Failure, bool)>, Failure> {
        let explicit = self.shared.settings.security == Security::Explicit;
        let size = Command::new(Verb::Pbsz, 0);
        let reply = self.command(size.clone()).map_err(|e| match &self.tls {
            Some(tls) if explicit => tls.first_reply_failed(e),
            _ => e,
        })?;
        if !reply.is_done() {
            let refused = self.refusal(&reply, Phase::Protection, Verb::Pbsz, size.line());
            if self.poisoned {
                return Err(refused);
            }
        }
        let level = if self.shared.settings.tls.protect_data { "P" } else { "C" };
        let command = Command::new(Verb::Prot, level);
        let reply = self.command(command.clone())?;
        if reply.is_done() {
            return Ok(None);
        }
        let refused = self.refusal(&reply, Phase::Protection, Verb::Prot, command.line());
        if self.poisoned { Err(refused) } else { Ok(Some((refused, reply.rules_out_protection()))) }
    }

    /// Takes the control connection out of TLS (CCC), where the settings ask for that.
    pub(super) fn clear_control(&mut self) -> Result<(), Failure> {
        if !self.shared.settings.tls.clear_control || self.tls.is_none() {
            return Ok(());
        }
        let reply = self.command(Verb::Ccc)?;
        if !reply.is_done() {
            return Err(self.refusal(&reply, Phase::Protection, Verb::Ccc, Verb::Ccc.as_str()));
        }
        let ended = self.control.end_tls(Deadline::after(Some(TLS_END), ""));
        ended.map_err(|e| self.poison_for(e))
    }
}
