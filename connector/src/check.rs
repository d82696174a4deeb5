//! The connection test: one finding a line, in the order a session is opened.

use std::time::Instant;

use host_sdk::{CheckReport, CheckStatus, Context, Error, Finding};

use crate::cancel::CancelToken;
use crate::pool::Pool;
use crate::session::{Milestone, Session};

/// Opens a session and tells what was reached, and how long each part took.
///
/// # Errors
///
/// `cancelled`.
pub(crate) fn check(pool: &Pool, context: &Context) -> Result<CheckReport, Error> {
    let cancel = CancelToken::of(context);
    let mut report = CheckReport::default();
    let mut since = Instant::now();
    let mut note = |name: &str, detail: String| {
        let milliseconds = u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX);
        since = Instant::now();
        report.findings.push(Finding {
            name: name.to_owned(),
            status: CheckStatus::Ok,
            detail,
            milliseconds,
            advice: None,
        });
    };
    let opened =
        Session::open_reporting(pool.shared(), &cancel, &mut |milestone| match milestone {
            Milestone::Connected { peer } => note("connection", format!("connected to {peer}")),
            Milestone::Greeted { text } => note("greeting", text),
            Milestone::Secured { stream } => {
                let version = stream.tls().and_then(|tls| tls.protocol_version());
                note("tls", version.map_or_else(String::new, |version| format!("{version:?}")));
            }
            Milestone::LoggedIn => note("login", "logged in".to_owned()),
            Milestone::Ready { features, login_directory } => {
                note("features", format!("{} in {login_directory}", features.lines.join(", ")));
            }
        });
    match opened {
        Ok(session) => session.quit(Session::goodbye()),
        Err(e) => {
            cancel.check()?;
            report.error = Some(e);
        }
    }
    Ok(report)
}
