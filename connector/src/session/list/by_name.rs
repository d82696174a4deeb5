//! Listings of bare names (NLST, RFC 959 §4.1.3), each of which is asked for its size and its time.

use std::io::Read;

use super::end::{confirm, not_listed};
use super::found::{Found, FoundSink, Source};
use crate::failure::{Cause, Failure};
use crate::file::path::RemotePath;
use crate::listing::{Entry, Kind};
use crate::protocol::verb::{Command, Verb};
use crate::session::session::Session;
use crate::session::size::SizeAnswer;
use crate::transport::error::io_error;

/// How many bytes of names are read for each entry that a directory may have.
const NAME: u64 = 64;

impl Session {
    /// Lists the working directory, which is `directory`, by its names.
    ///
    /// # Errors
    ///
    /// As [`Session::list`](Session::list_strict).
    pub(in crate::session) fn list_by_name(
        &mut self,
        directory: &RemotePath,
        each: &mut FoundSink<'_>,
    ) -> Result<(), Failure> {
        let command = if self.shared.settings.hidden_files {
            Command::new(Verb::Nlst, "-a")
        } else {
            Verb::Nlst.into()
        };
        for name in self.bare_names(command)? {
            let found = match directory.entry(&name) {
                Ok(path) => Found::Entry(self.examined(&path, name)?),
                Err(e) => Found::Unusable(e.into()),
            };
            if !each(found)? {
                break;
            }
        }
        Ok(())
    }

    /// The names that NLST tells, without the directories that some servers put in front of them.
    fn bare_names(&mut self, command: Command) -> Result<Vec<String>, Failure> {
        let settings = &self.shared.settings;
        let (encoding, most) = (settings.encoding, settings.maximum_entries);
        let room = NAME.saturating_mul(most as u64).saturating_add(settings.maximum_line as u64);
        let mut text = Vec::new();
        let mut source = Source { download: self.begin_listing(command)? }.take(room);
        let read = source.read_to_end(&mut text);
        let is_cut = source.limit() == 0;
        let download = source.into_inner().download;
        read.map_err(|e| io_error("the listing", &e))?;
        if is_cut {
            return Err(too_long(most));
        }
        if let Some(shortfall) = confirm(download)? {
            return Err(not_listed(&shortfall));
        }
        let lines =
            text.split(|byte| *byte == b'\n').map(|line| encoding.decode(line.trim_ascii_end()));
        let names: Vec<String> = lines
            .filter_map(|line| {
                let line = line.strip_suffix('/').unwrap_or(&line);
                let name = line.rsplit('/').next().unwrap_or_default();
                (!matches!(name, "" | "." | "..")).then(|| name.to_owned())
            })
            .collect();
        if names.len() > most { Err(too_long(most)) } else { Ok(names) }
    }

    /// What SIZE, MDTM and CWD tell of `name` at `path`.
    fn examined(&mut self, path: &RemotePath, name: String) -> Result<Entry, Failure> {
        let size = match self.ask_size(path) {
            Ok(SizeAnswer::Bytes(size)) => Some(size),
            Ok(_) => None,
            Err(e) if e.is_answer() && self.is_usable() => None,
            Err(e) => return Err(e),
        };
        if size.is_none() && self.is_directory(path)? {
            return Ok(Entry::new(name, Kind::Directory));
        }
        let modified = self.modified(path)?;
        Ok(Entry { size, modified, ..Entry::new(name, Kind::RegularFile) })
    }

    /// Whether `path` can be entered; what cannot be told counts as no.
    fn is_directory(&mut self, path: &RemotePath) -> Result<bool, Failure> {
        match self.has_directory(path) {
            Err(e) if e.is_answer() && self.is_usable() => Ok(false),
            other => other,
        }
    }
}

fn too_long(most: usize) -> Failure {
    let message = format!("the directory has more than {most} entries");
    Failure::new(Cause::Nonsense, message).with_hint("raise maximumListingEntries")
}
