//! How listings end: read to their end, or stopped.

use crate::failure::{Cause, Failure};
use crate::protocol::reply::Reply;
use crate::session::transfer::download::Download;

/// How much of a listing whose rest nobody wants is read all the same: servers complain about a
/// listing that is cut, and a short one is over sooner than that.
const DRAIN_LIMIT: usize = 64 * 1024;

/// Ends a listing that was read to its end. The words of its confirmation may take back that it
/// is whole: they are the result then.
pub(in crate::session) fn confirm(download: Download<'_>) -> Result<Option<Reply>, Failure> {
    download.confirmed()
}

/// The error of a directory whose listing gave nothing and was not whole.
pub(in crate::session) fn not_listed(shortfall: &Reply) -> Failure {
    Failure::new(Cause::Denied, format!("the directory was not listed: {shortfall}"))
        .with_transient(false)
}

/// Ends a listing whose rest nobody wants: whatever becomes of that, what is wanted has arrived.
pub(in crate::session) fn stop(mut download: Download<'_>) -> Result<(), Failure> {
    let mut buffer = [0; 8192];
    let mut rest = 0;
    while rest < DRAIN_LIMIT {
        match download.read(&mut buffer) {
            Ok(0) => return unwanted(download.finish().map(drop)),
            Ok(count) => rest += count,
            failed => return unwanted(failed.map(drop)),
        }
    }
    download.stop()
}

/// Only a cancellation counts; a session that failed is poisoned by now.
fn unwanted(rest: Result<(), Failure>) -> Result<(), Failure> {
    match rest {
        Err(e) if !e.is(Cause::Cancelled) => {
            log::debug!("the rest of a listing that is not wanted: {e}");
            Ok(())
        }
        other => other,
    }
}

/// Whether NLST, whose answer is read to its end, names anything.
pub(in crate::session) fn has_names(mut download: Download<'_>) -> Result<bool, Failure> {
    let mut buffer = [0; 8192];
    if download.read(&mut buffer)? > 0 {
        return stop(download).map(|()| true);
    }
    match confirm(download)? {
        Some(shortfall) => Err(not_listed(&shortfall)),
        None => Ok(false),
    }
}
