//! How the server spells a path whose names are written in another form (`fileNameNormalization`).

use crate::failure::{Cause, Failure};
use crate::file::normalization::Normalization;
use crate::file::path::RemotePath;
use crate::session::session::Session;

impl Session {
    /// `path` as the server spells it: each of its names that its directory does not show, and that
    /// looks like another one there, becomes that one. What cannot be looked up stays as it is.
    ///
    /// # Errors
    ///
    /// `document` where two names look like the one that is meant; what a command or a data
    /// connection can fail with.
    pub(crate) fn as_listed(&mut self, path: &RemotePath) -> Result<RemotePath, Failure> {
        let normalization = self.shared.settings.normalization;
        if normalization == Normalization::None || path.as_str().is_ascii() {
            return Ok(path.clone());
        }
        // What names count from stays as it is spelled, unless that is what may be spelled otherwise.
        let from_root = path.is_unix() && !path.base_text().is_ascii();
        let is_start = |at: &RemotePath| at.is_top() || !from_root && at.names().next().is_none();
        let mut known = path.clone();
        let mut names = Vec::new();
        while !is_start(&known) {
            names.push(known.file_name().to_owned());
            known = known.parent();
        }
        for name in names.iter().rev() {
            let spelled = match normalization.of(name) {
                Some(compared) => self.listed_name(&known, name, &compared)?,
                None => None,
            };
            known = known.entry(spelled.as_deref().unwrap_or(name))?;
        }
        Ok(known)
    }

    /// The only name in `directory` that is compared as `compared`; none where `name` itself is
    /// there, or no such name.
    fn listed_name(
        &mut self,
        directory: &RemotePath,
        name: &str,
        compared: &str,
    ) -> Result<Option<String>, Failure> {
        let mut found: Vec<String> = Vec::new();
        let mut is_there = false;
        let listed = self.list_strict(directory, &mut |entry| {
            is_there |= entry.name == name;
            if entry.normalized.as_deref() == Some(compared) {
                found.push(entry.name);
            }
            Ok(!is_there)
        });
        match listed {
            // What asks for the file says what is wrong.
            Err(e) if (e.is_answer() || e.is(Cause::Missing)) && self.is_usable() => {
                log::debug!("how {directory} spells its names is not known: {e}");
                return Ok(None);
            }
            other => other?,
        }
        match found.as_slice() {
            _ if is_there => Ok(None),
            [] => Ok(None),
            [one] => Ok(Some(one.clone())),
            _ => Err(Failure::new(
                Cause::Unsendable,
                format!("{} names look like this one, and none is spelled like it", found.len()),
            )
            .with_path(directory)
            .with_hint("write the name as a listing tells it")),
        }
    }
}
