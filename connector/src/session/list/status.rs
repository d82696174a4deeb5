//! Listings over the control connection (STAT, RFC 959 §4.1.3).

use std::io::Cursor;

use super::found::{Found, FoundSink, listing_error};
use crate::failure::Failure;
use crate::listing::{Item, Listing};
use crate::protocol::refusal::Phase;
use crate::protocol::verb::{Command, Verb};
use crate::session::session::Session;

impl Session {
    /// Lists the working directory by STAT, without a data connection.
    ///
    /// # Errors
    ///
    /// As [`Session::list`](Session::list_strict).
    pub(in crate::session) fn list_by_status(
        &mut self,
        each: &mut FoundSink<'_>,
    ) -> Result<(), Failure> {
        let option = if self.shared.settings.hidden_files { "-la" } else { "-l" };
        let command = Command::new(Verb::Stat, option);
        let reply = self.command(command.clone())?;
        if !reply.is_done() {
            let refused = self.refusal(&reply, Phase::Path, Verb::Stat, command.line());
            return Err(refused
                .with_hint("the server does not list by STAT: set listing to auto, list or nlst"));
        }
        let mut text = Vec::new();
        for line in reply.inner_lines() {
            text.extend_from_slice(line);
            text.extend_from_slice(b"\r\n");
        }
        let text = Cursor::new(text);
        let mut listing = Listing::list(text, self.listing_settings());
        while let Some(item) = listing.next_item().map_err(listing_error)? {
            let found = match item {
                Item::Entry(entry) => Found::Entry(entry),
                Item::Unusable(e) => Found::Unusable(listing_error(e)),
            };
            if !each(found)? {
                break;
            }
        }
        Ok(())
    }
}
