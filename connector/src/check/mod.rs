//! The connection test: one finding a line, in the order a session is opened and used.
//!
//! It connects once, logs in once, lists one directory and asks questions. It sends nothing
//! twice and changes nothing on the server.

mod advice;
mod certificate;
mod opening;
mod report;
mod server_time;
mod using;

use host_sdk::{CheckReport, Context};

use self::report::ReportBuilder;
use crate::failure::Failure;
use crate::pool::Pool;
use crate::session::Session;
use host_sdk::kit::CancelToken;

/// Tries the connection out, step by step.
///
/// # Errors
///
/// `cancelled`. Whatever else goes wrong is a finding.
pub(crate) fn check(pool: &Pool, context: &Context) -> Result<CheckReport, Failure> {
    let cancel = CancelToken::for_context(context);
    let shared = pool.shared();
    let mut report = ReportBuilder::new(shared.settings.security);
    if let Some(mut session) = opening::open(shared, &cancel, &mut report) {
        using::run_checks(&mut session, &mut report);
        session.quit(Session::goodbye());
    }
    cancel.check()?;
    Ok(report.into_report())
}
