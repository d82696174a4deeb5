//! Transfers whose end alone does not prove that they are whole: the size of the file does.

use std::ops::RangeInclusive;

use crate::config::TransferFormat;
use crate::failure::Failure;
use crate::protocol::refusal::Phase;
use crate::protocol::verb::{Command, Verb};
use crate::session::session::Session;

/// Why the end of a transfer does not prove that it is whole.
#[derive(Debug)]
pub(in crate::session) enum Doubt {
    /// The server confirmed it without a data connection.
    NoDataConnection(Failure),
    /// The data ended without TLS's close_notify.
    NoCloseNotify(Failure),
    /// The confirmation is a success that ends no transfer (RFC 959 §5.4).
    OtherConfirmation(Failure),
}

impl Doubt {
    /// The failure of a transfer that nothing proves.
    pub(super) fn into_failure(self) -> Failure {
        match self {
            Self::NoDataConnection(e) | Self::NoCloseNotify(e) | Self::OtherConfirmation(e) => e,
        }
    }

    /// Whether the confirmation of a listing, which has no size, settles it.
    pub(super) fn is_settled_by_confirmation(&self) -> bool {
        !matches!(self, Self::OtherConfirmation(_))
    }
}

impl Session {
    /// Whether the file that `command` has transferred has one of the `possible` sizes (SIZE).
    ///
    /// # Errors
    ///
    /// What a command can fail with.
    pub(super) fn has_size(
        &mut self,
        command: &Command,
        possible: &RangeInclusive<u64>,
    ) -> Result<bool, Failure> {
        self.set_format(TransferFormat::Binary)?;
        let reply = self.command(Command::new(Verb::Size, command.argument()))?;
        if !reply.is_done() {
            let refused = self.refusal(&reply, Phase::Path, Verb::Size, Verb::Size.as_str());
            return if self.poisoned { Err(refused) } else { Ok(false) };
        }
        let text = String::from_utf8_lossy(reply.first_line());
        Ok(text.trim().parse().is_ok_and(|size: u64| possible.contains(&size)))
    }
}
