//! What a connection test asks of a session beyond what operations do. Nothing here changes
//! anything on the server.

use std::net::SocketAddr;

use super::clock::Samples;
use super::found::{Found, Source};
use super::list::read_on;
use crate::config::{ListingPreference, TransferFormat};
use crate::failure::Failure;
use crate::file::path::RemotePath;
use crate::listing::{Format, Listing};
use crate::protocol::refusal::Phase;
use crate::protocol::verb::{Command, Verb};
use crate::session::session::Session;
use crate::session::transfer::download::Download;
use crate::transport::tls::handshake::is_resumed;

/// A data connection that stands.
pub(crate) struct DataFacts {
    /// The command that it was agreed on with.
    pub(crate) command: Verb,
    /// The server's end.
    pub(crate) peer: Option<SocketAddr>,
    /// This side's end.
    pub(crate) local: Option<SocketAddr>,
    /// Whether its TLS resumed the control connection's session; none without TLS.
    pub(crate) resumed: Option<bool>,
}

/// A directory's listing that was read to its end.
pub(crate) struct ProbedListing {
    /// The command, MLSD or LIST.
    pub(crate) command: Verb,
    /// The format of its lines, unless there were none.
    pub(crate) format: Option<Format>,
    /// How many entries there are.
    pub(crate) entries: u64,
    /// Files to measure the server's clock with.
    pub(crate) samples: Samples,
}

impl Session {
    /// Lists `directory` as operations do, and tells `opened` as soon as the data connection
    /// stands, its TLS included.
    ///
    /// # Errors
    ///
    /// As [`Session::list`].
    pub(crate) fn probe_listing(
        &mut self,
        directory: &RemotePath,
        opened: &mut dyn FnMut(&DataFacts),
    ) -> Result<ProbedListing, Failure> {
        let with_facts = self.lists_with_facts();
        let settings = self.listing_settings();
        let command = match self.shared.settings.listing {
            ListingPreference::Nlst => Verb::Nlst,
            ListingPreference::Stat => Verb::Stat,
            _ if with_facts => Verb::Mlsd,
            _ => Verb::List,
        };
        let mut probed =
            ProbedListing { command, format: None, entries: 0, samples: Samples::default() };
        if matches!(command, Verb::Nlst | Verb::Stat) {
            self.list(directory, &mut |found| count(&mut probed, found))?;
            return Ok(probed);
        }
        self.change_directory(directory)?;
        let refused = match self.begin_listing(self.listing_command(with_facts)) {
            Ok(download) => {
                if let Some(facts) = facts(&download) {
                    opened(&facts);
                }
                let source = Source { download };
                let listing = if with_facts {
                    Listing::mlsd(source, settings)
                } else {
                    Listing::list(source, settings)
                };
                probed.format = read_on(listing, &mut |found| count(&mut probed, found))?;
                return Ok(probed);
            }
            Err(e) => e,
        };
        self.list_refused(refused, &mut |found| count(&mut probed, found))?;
        Ok(probed)
    }

    /// Whether the server takes a restart offset (REST), asked without a transfer.
    ///
    /// # Errors
    ///
    /// What a command can fail with.
    pub(crate) fn takes_restart_offset(&mut self) -> Result<bool, Failure> {
        self.set_format(TransferFormat::Binary)?;
        let reply = self.command(Command::new(Verb::Rest, 1))?;
        if !reply.is_pending() {
            let error = self.refusal(&reply, Phase::Transfer, Verb::Rest, "REST");
            return if self.is_usable() { Ok(false) } else { Err(error) };
        }
        if !self.command(Command::new(Verb::Rest, 0))?.is_pending() {
            // The offset is still set, and would apply to whatever comes next.
            self.poison();
        }
        Ok(true)
    }
}

/// Counts an entry; a connection test wants a listing of which every line can be used.
fn count(probed: &mut ProbedListing, found: Found) -> Result<bool, Failure> {
    let entry = match found {
        Found::Entry(entry) => entry,
        Found::Unusable(e) => return Err(e),
    };
    probed.entries += 1;
    probed.samples.add_candidate(&entry);
    Ok(true)
}

fn facts(download: &Download<'_>) -> Option<DataFacts> {
    let data = download.data()?;
    let socket = data.stream.socket();
    Some(DataFacts {
        command: data.agreed_by,
        peer: socket.peer_addr().ok(),
        local: socket.local_addr().ok(),
        resumed: data.stream.tls().map(|_| is_resumed(&data.stream)),
    })
}
