//! What operations would do with a session: a directory, a data connection, a listing.

use std::net::SocketAddr;

use super::advice::advice;
use super::report::{Check, CheckResult, ReportBuilder};
use super::server_time;
use crate::config::{ConnectionSettings, DataMode, ListingPreference, Security};
use crate::failure::{Cause, Failure};
use crate::file::path::RemotePath;
use crate::protocol::verb::Verb;
use crate::session::{DataFacts, ProbedListing, Session};

/// Uses the session as operations would, as far as it lasts.
pub(super) fn run_checks(session: &mut Session, report: &mut ReportBuilder) {
    let directory = enter_directory(session, report);
    if !session.is_usable() {
        return;
    }
    if let Some(listing) = list(session, report, &directory) {
        match server_time::examine(session, &directory, &listing) {
            Ok(found) => report.record(Check::ServerTime, found),
            Err(e) => fail(session, report, Check::ServerTime, e),
        }
    }
    restart(session, report);
}

fn fail(session: &Session, report: &mut ReportBuilder, check: Check, error: Failure) {
    let advised = advice(check, &error, session.settings());
    report.fail(check, error, advised);
}

/// Enters the configured directory; where that fails, data connections are tried with the one
/// after login.
fn enter_directory(session: &mut Session, report: &mut ReportBuilder) -> RemotePath {
    let login_directory = session.login_directory().clone();
    let Some(configured) = session.settings().remote_directory.clone() else {
        let leads = match login_directory.as_str() != "." {
            true => format!("{login_directory}, where the login leads"),
            false => "where the login leads, which the server does not tell (PWD)".to_owned(),
        };
        let detail = format!("{leads}; remoteDirectory is not set");
        report.record(Check::RemoteDirectory, CheckResult::ok(detail));
        return login_directory;
    };
    let entered = session.directory_of(&configured);
    let entered = entered.and_then(|directory| match session.change_directory(&directory) {
        Ok(()) => Ok(directory),
        Err(e) => Err(session.explained_directory(&directory, e)?),
    });
    match entered {
        Ok(directory) => {
            report.record(Check::RemoteDirectory, CheckResult::ok(directory.to_string()));
            directory
        }
        Err(e) => {
            if !session.is_usable() {
                fail(session, report, Check::RemoteDirectory, e);
                return login_directory;
            }
            let advised = format!(
                "set remoteDirectory to a directory that exists and that the user may enter; the \
                 login leads to {login_directory}"
            );
            report.fail(Check::RemoteDirectory, e, advised);
            login_directory
        }
    }
}

fn list(
    session: &mut Session,
    report: &mut ReportBuilder,
    directory: &RemotePath,
) -> Option<ProbedListing> {
    let mode = session.settings().mode;
    let protected =
        session.settings().security != Security::None && session.settings().tls.protect_data;
    let reuses = session.settings().tls.session_reuse;
    if !protected {
        let reason = "data connections have no TLS";
        report.record(Check::SessionReuse, CheckResult::skipped(reason));
    }
    let mut is_open = false;
    let listed = session.probe_listing(directory, &mut |data| {
        is_open = true;
        report.record(Check::DataConnection, data_connection(mode, data));
        if let Some(resumed) = data.resumed {
            report.record(Check::SessionReuse, reuse(resumed, reuses));
        }
    });
    match listed {
        Ok(listing) => {
            if !is_open {
                let reason = "the directory is empty, and the server opens none for that";
                report.record(Check::DataConnection, CheckResult::skipped(reason));
            }
            let found = listing_kind(session, directory, &listing);
            report.record(Check::Listing, found);
            Some(listing)
        }
        Err(e) if !is_open && is_about_listing(&e, protected, session.settings()) => {
            let reason = "the server refused the listing before it opened one";
            report.record(Check::DataConnection, CheckResult::skipped(reason));
            fail(session, report, Check::Listing, e);
            None
        }
        Err(e) => {
            let broke = matches!(e.cause(), Cause::Lost | Cause::Late | Cause::Tls);
            let failed = if !is_open || broke { Check::DataConnection } else { Check::Listing };
            fail(session, report, failed, e);
            None
        }
    }
}

/// Whether the server refused the listing itself, and not its data connection.
fn is_about_listing(error: &Failure, protected: bool, settings: &ConnectionSettings) -> bool {
    let refused_in_clear = settings.security != Security::None && !protected;
    !refused_in_clear
        && (error.is_refusal_of(Verb::Mlsd) || error.is_refusal_of(Verb::List))
        && !matches!(error.cause(), Cause::Lost | Cause::Late | Cause::Tls)
}

fn data_connection(mode: DataMode, data: &DataFacts) -> CheckResult {
    let show = |address: Option<SocketAddr>| {
        address.map_or_else(|| "an unknown address".to_owned(), |address| address.to_string())
    };
    let (peer, local) = (show(data.peer), show(data.local));
    CheckResult::ok(match mode {
        DataMode::Passive => format!("passive by {}, connected to {peer}", data.command),
        DataMode::Active => format!("active by {}, {peer} connected to {local}", data.command),
    })
}

fn reuse(resumed: bool, wanted: bool) -> CheckResult {
    match (resumed, wanted) {
        (true, _) => CheckResult::ok("the data connection resumed the TLS session"),
        (false, false) => CheckResult::warning(
            "the data connection made a full handshake, as tlsSessionReuse is off",
            "set tlsSessionReuse to auto: many servers refuse data connections that do not resume \
             the session",
        ),
        (false, true) => CheckResult::warning(
            "the server let no TLS session be resumed: the data connection made a full handshake",
            "each transfer takes longer, and is easier to hijack; if the partner cannot change \
             that, try tlsMaximumVersion 1.2, whose sessions more servers resume",
        ),
    }
}

fn listing_kind(session: &Session, directory: &RemotePath, listing: &ProbedListing) -> CheckResult {
    let ProbedListing { command, format, entries, .. } = listing;
    let form = match format {
        _ if *command == Verb::Mlsd => String::new(),
        Some(format) => format!(" in {} format", format.as_str()),
        None => ", whose format shows with the first entry".to_owned(),
    };
    let count = if *entries == 1 { "1 entry".to_owned() } else { format!("{entries} entries") };
    let mut found = CheckResult::ok(format!("{command}{form}: {count} in {directory}"));
    let settings = session.settings();
    if settings.listing == ListingPreference::List && session.features().mlst {
        found.advice = Some(
            "set listing to auto: the server has MLSD, which states exact times in UTC".to_owned(),
        );
    }
    found
}

fn restart(session: &mut Session, report: &mut ReportBuilder) {
    let features = session.features();
    if features.rest_stream && !features.lines.is_empty() {
        let detail = "REST STREAM is offered: interrupted transfers go on where they stopped";
        report.record(Check::Restart, CheckResult::ok(detail));
        return;
    }
    if !session.is_usable() {
        return;
    }
    match session.takes_restart_offset() {
        Ok(true) => {
            let detail = "REST is accepted: interrupted transfers go on where they stopped";
            report.record(Check::Restart, CheckResult::ok(detail));
        }
        Ok(false) => report.record(
            Check::Restart,
            CheckResult::warning(
                "the server refuses REST: interrupted transfers begin again",
                "leave transferTimeout at 0, or long enough for a whole file",
            ),
        ),
        Err(e) => fail(session, report, Check::Restart, e),
    }
}
