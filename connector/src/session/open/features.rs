//! After the login: what the server can do, the commands of the settings, and where the login led.

use crate::config::LoginCommand;
use crate::failure::{Cause, Failure};
use crate::file::name::NameEncoding;
use crate::file::path::RemotePath;
use crate::protocol::features::Features;
use crate::protocol::refusal::Phase;
use crate::protocol::reply::Reply;
use crate::protocol::verb::{Command, Verb};
use crate::session::session::Session;
use host_sdk::kit::Deadline;

/// Why no session was opened.
pub(super) struct NotOpened {
    pub(super) failure: Failure,
    /// Whether the session was lost where the server was asked what it can do.
    pub(super) by_features: bool,
}

impl NotOpened {
    fn by_features(failure: Failure) -> Self {
        Self { failure, by_features: true }
    }
}

impl From<Failure> for NotOpened {
    fn from(failure: Failure) -> Self {
        Self { failure, by_features: false }
    }
}

/// Which part of the time for opening a session FEAT may take: enough is left for a second session
/// without it.
const FEAT_SHARE: u32 = 3;

impl Session {
    /// Makes a session ready that is logged in, by `deadline`; FEAT is sent where `asks_features`.
    pub(super) fn get_ready(
        &mut self,
        asks_features: bool,
        deadline: Deadline,
    ) -> Result<(), NotOpened> {
        self.features = Features::unknown();
        let mut may_have_more = false;
        if asks_features {
            self.limit_feat(deadline)?;
            let asked = self.command(Verb::Feat);
            self.control.set_deadline(deadline);
            let reply = asked.and_then(|reply| self.whole_features(reply));
            let reply = reply.map_err(|e| self.lost_by_features(e))?;
            self.features = Features::parse(&reply);
            may_have_more = reply.is_done() && reply.is_single_line();
            if reply.closes_session() {
                let refused = self.refusal(&reply, Phase::Path, Verb::Feat, Verb::Feat.as_str());
                return Err(NotOpened::by_features(refused));
            }
            if !reply.is_done() {
                self.shared.server.conventions.note_feat_failed();
            }
        }
        let encoding = self.shared.settings.encoding;
        if self.features.utf8 && !matches!(encoding, NameEncoding::Legacy(_)) {
            // Servers that always speak UTF-8 may refuse; nothing depends on the answer.
            let told = self.command(Command::new(Verb::Opts, "UTF8 ON"));
            told.map_err(|e| self.lost_by_features(e))?;
        }
        let shared = std::sync::Arc::clone(&self.shared);
        for command in &shared.settings.commands_after_login {
            self.run_own(command)?;
        }
        let found = self.enter_login_directory();
        found.map_err(|e| match e.cause() {
            // What looks like nonsense may be the rest of the reply to FEAT.
            Cause::Nonsense if may_have_more => NotOpened::by_features(e),
            _ => e.into(),
        })?;
        Ok(self.clear_control()?)
    }

    /// Limits the wait for the next reply to a share of the time until `deadline`.
    fn limit_feat(&mut self, deadline: Deadline) -> Result<(), Failure> {
        let share = deadline.remaining("the login")?.map(|left| left / FEAT_SHARE);
        self.control.set_deadline(Deadline::after(share, "connectionTimeout").earlier(deadline));
        Ok(())
    }

    /// The reply to FEAT with all of its lines.
    fn whole_features(&mut self, reply: Reply) -> Result<Reply, Failure> {
        if !(reply.is_done() && reply.is_single_line()) {
            return Ok(reply);
        }
        let whole = self.control.with_following_lines(reply, "the reply to FEAT");
        whole.map_err(|e| self.poison_for(e))
    }

    /// The failure of FEAT, or of what follows from it: silence and the end of the session are its
    /// own doing on some servers.
    fn lost_by_features(&self, failure: Failure) -> NotOpened {
        match failure.cause() {
            Cause::Late | Cause::Lost => NotOpened::by_features(failure),
            _ => failure.into(),
        }
    }

    /// Sends a command of the settings.
    fn run_own(&mut self, own: &LoginCommand) -> Result<(), Failure> {
        let reply = self.command(Command::own(own.line()))?;
        if own.accepts(reply.code()) && !reply.closes_session() {
            return Ok(());
        }
        let refused = self.refusal(&reply, Phase::Path, Verb::Own, own.shown());
        // Nothing that depends on it may go on as if it had been done.
        self.poison();
        Err(refused.with_hint(
            "the server refuses a command of commandsAfterLogin: correct it, or name the replies \
             that count as good",
        ))
    }

    /// Learns where the login led.
    fn enter_login_directory(&mut self) -> Result<(), Failure> {
        self.login_directory = self.working_directory()?.unwrap_or_else(|| {
            log::info!("the server does not tell where the login leads: names count from there");
            RemotePath::login()
        });
        self.current_directory = Some(self.login_directory.clone());
        Ok(())
    }
}
