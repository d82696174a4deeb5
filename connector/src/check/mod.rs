//! The connection test: one finding a line, in the order a session is opened and used.
//!
//! It connects once, logs in once, lists one directory and asks questions. It sends nothing
//! twice and changes nothing on the server.

mod advice;
mod book;
mod certificate;
mod opening;
mod server_time;
mod using;

use host_sdk::{CheckReport, Context, Error};

use self::book::Book;
use crate::pool::Pool;
use crate::session::Session;
use host_sdk::kit::CancelToken;

/// Tries the connection out, step by step.
///
/// # Errors
///
/// `cancelled`. Whatever else goes wrong is a finding.
pub(crate) fn check(pool: &Pool, context: &Context) -> Result<CheckReport, Error> {
    let cancel = CancelToken::for_context(context);
    let shared = pool.shared();
    let mut book = Book::new(shared.settings.security);
    if let Some(mut session) = opening::open(shared, &cancel, &mut book) {
        using::try_out(&mut session, &mut book);
        session.quit(Session::goodbye());
    }
    cancel.check()?;
    Ok(book.into_report())
}
