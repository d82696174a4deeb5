//! Sweeping: removing the unfinished uploads of processes that were killed, once they are provably
//! nobody's.

use std::time::Duration;

use jiff::SignedDuration;

use super::plan::Naming;
use crate::failure::Failure;
use crate::file::path::RemotePath;
use crate::file::sibling::is_unique_sibling;
use crate::operation::execution::Execution;
use crate::session::Session;

/// How long nobody has written to a file that is nobody's, beside what the retries of an upload may
/// take.
const AGE: Duration = Duration::from_secs(24 * 60 * 60);

/// How many files are removed from a directory at once.
const FILES: usize = 1000;

/// Sweeps the directory of `own`, an upload that is complete and does not have its name yet: once a
/// day for a connection, and only on servers that announce MDTM.
///
/// What is removed has a name that only uploads make up, ends in the extension of `naming`, and was last written a
/// day and all retries before `own`, by the server's clock. An upload in progress is younger: it
/// writes, or ends by `readTimeout` and by its retries. Whatever fails here is of no consequence.
pub(in crate::operation) fn sweep(execution: &mut Execution, own: &RemotePath, naming: &Naming) {
    // What another pattern makes may be a partner's name.
    let Naming::Extension(extension) = naming else { return };
    if let Err(e) = try_sweep(execution, own, extension) {
        log::debug!("the directory of {own} is not swept: {e}");
    }
}

fn try_sweep(execution: &mut Execution, own: &RemotePath, extension: &str) -> Result<(), Failure> {
    let Some(age) = stale_age(execution.session()?) else { return Ok(()) };
    if !execution.server_behaviour().begin_sweep(&own.parent()) {
        return Ok(());
    }
    remove_stale(execution.session()?, own, extension, age)
}

/// How long an upload with these settings may go without a byte written, and a day; `None` where
/// that is not known, the server does not tell times, or a listing would be in the way.
fn stale_age(session: &Session) -> Option<SignedDuration> {
    let (settings, features) = (session.settings(), session.features());
    if !features.mdtm || features.lines.is_empty() || !session.has_ticket_to_spare() {
        return None;
    }
    let retry = settings.retry;
    let idle = settings.read_timeout?.checked_add(settings.connection_timeout?)?;
    let attempt = idle.checked_add(retry.maximum_delay)?;
    SignedDuration::try_from(AGE.checked_add(attempt.checked_mul(retry.attempts)?)?).ok()
}

fn remove_stale(
    session: &mut Session,
    own: &RemotePath,
    extension: &str,
    age: SignedDuration,
) -> Result<(), Failure> {
    let directory = &own.parent();
    let Some(now) = session.modified(own)? else { return Ok(()) };
    let mut names = match session.names_like(directory, &format!("*.{extension}")) {
        Err(e) if e.is_answer() && session.is_usable() => Vec::new(),
        other => other?,
    };
    if !names.iter().any(|name| name == own.file_name()) {
        // A server that takes no patterns: it does not name the file that is there.
        names.clear();
        session.list_strict(directory, &mut |entry| {
            if is_unique_sibling(&entry.name, extension) {
                names.push(entry.name);
            }
            Ok(names.len() < FILES)
        })?;
    }
    names.retain(|name| name != own.file_name() && is_unique_sibling(name, extension));
    for name in names.iter().take(FILES) {
        let path = directory.entry(name)?;
        let Some(then) = session.modified(&path)? else { continue };
        if now.at.duration_since(then.at) < age {
            continue;
        }
        match session.delete(&path) {
            Ok(()) => log::info!("{path}, which an upload left behind on {}, is removed", then.at),
            Err(e) if session.is_usable() => log::debug!("{path} stays: {e}"),
            Err(e) => return Err(e),
        }
    }
    Ok(())
}
