//! What is asked about the next file together with the end of the present download.

use crate::config::DataMode;
use crate::file::path::RemotePath;
use crate::protocol::verb::{Command, Verb};
use crate::session::session::Session;

impl Session {
    /// Announces that the file at `path` will be downloaded after the present one, and that its time
    /// is asked for before that (`asks_time`). What will be asked is sent with the end of the present
    /// download.
    pub(crate) fn announce_download(&mut self, path: &RemotePath, asks_time: bool) {
        let server = &self.shared.server;
        let is_passive = self.shared.settings.mode == DataMode::Passive
            && self.passive_commands().0 == Verb::Epsv
            && !server.conventions.needs_pret.is_known();
        if !server.may_send_ahead() || !is_passive {
            return;
        }
        let mut commands = Vec::new();
        if asks_time && self.features.mdtm && server.may_ask_times() {
            let Some(text) = self.text_here(path) else { return };
            commands.push(Command::new(Verb::Mdtm, text));
        }
        commands.push(Verb::Epsv.into());
        self.ahead.announce(commands);
    }

    /// Forgets what is announced.
    pub(crate) fn withdraw_announcement(&mut self) {
        self.ahead.announce(Vec::new());
    }

    /// Sends what is announced. A session over which it cannot be sent is of no use any more, once
    /// the end of the download was read.
    pub(in crate::session) fn send_announced(&mut self) {
        if self.ahead.send(&mut self.control, self.shared.settings.encoding).is_err() {
            self.poison();
        }
    }
}
