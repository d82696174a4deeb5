//! The connection test: one finding a line, in the order a session is opened and used.
//!
//! It connects once, logs in once, lists one directory and asks questions. It sends nothing
//! twice and changes nothing on the server.

mod advice;
mod book;
mod certificate;
mod server_time;

use std::net::SocketAddr;
use std::sync::Arc;

use host_sdk::{CheckReport, Context, Error, ErrorKind};
use jiff::Timestamp;
use rustls::pki_types::CertificateDer;

use self::book::{Book, Examination, Found};
use self::certificate::Chain;
use crate::cancel::CancelToken;
use crate::config::{ConnectionSettings, DataMode, ListingPreference, Security};
use crate::pool::Pool;
use crate::remote_path::RemotePath;
use crate::session::{DataFacts, Milestone, ProbedListing, Session, Shared};
use crate::wire_name::printable;

/// How much of a feature list a finding shows.
const SHOWN_CHARACTERS: usize = 400;

/// Tries the connection out, step by step.
///
/// # Errors
///
/// `cancelled`. Whatever else goes wrong is a finding.
pub(crate) fn check(pool: &Pool, context: &Context) -> Result<CheckReport, Error> {
    let cancel = CancelToken::of(context);
    let shared = pool.shared();
    let mut book = Book::new(shared.settings.security);
    if let Some(mut session) = open(shared, &cancel, &mut book) {
        try_out(&mut session, &mut book);
        session.quit();
    }
    cancel.check()?;
    Ok(book.into_report())
}

/// Opens a session; none where that failed, which the book says.
fn open(shared: &Arc<Shared>, cancel: &CancelToken, book: &mut Book) -> Option<Session> {
    let settings = &shared.settings;
    if settings.security == Security::None {
        let reason = "sslMode is none: passwords and files travel in clear";
        book.enter(Examination::Tls, Found::skipped(reason));
        book.enter(Examination::Certificate, Found::skipped("there is no TLS"));
    }
    if settings.proxy.is_some() {
        book.enter(Examination::Dns, Found::skipped("the proxy looks the name up"));
    }
    // Another session of this connection may have left one.
    let _ = shared.tls.as_ref().and_then(|tls| tls.take_refused_chain());
    let mut tried = Vec::new();
    let opened = Session::open_reporting(shared, cancel, &mut |milestone| match milestone {
        Milestone::Resolved { addresses } => {
            tried = addresses.to_vec();
            book.enter(Examination::Dns, resolved(settings, addresses));
        }
        Milestone::Connected { peer } => {
            book.enter(Examination::Tcp, connected(settings, peer, &tried));
        }
        Milestone::Greeted { text } => book.enter(Examination::Greeting, Found::ok(text)),
        Milestone::Secured { stream } => {
            let tls = stream.tls();
            let version = tls.and_then(|tls| tls.protocol_version());
            let suite = tls.and_then(|tls| tls.negotiated_cipher_suite());
            let chain = tls.and_then(|tls| tls.peer_certificates()).unwrap_or_default();
            book.enter(Examination::Tls, secured(version, suite));
            book.enter(Examination::Certificate, accepted(settings, chain));
        }
        Milestone::LoggedIn => {
            let user = printable(&settings.credentials.user);
            book.enter(Examination::Login, Found::ok(format!("logged in as {user}")));
        }
        Milestone::Ready { features } => {
            book.enter(Examination::Features, offered(settings, &features.lines));
        }
    });
    match opened {
        Ok(session) => Some(session),
        Err(e) => {
            not_opened(shared, book, e);
            None
        }
    }
}

fn not_opened(shared: &Shared, book: &mut Book, error: Error) {
    let settings = &shared.settings;
    // PBSZ and PROT follow the handshake, and so does a TLS 1.3 server's word about the client's
    // certificate.
    let about_tls = settings.security != Security::None && error.kind() == ErrorKind::Tls;
    let failed = if about_tls { Some(Examination::Tls) } else { book.next() };
    let Some(failed) = failed else { return };
    let mut advice = advice::advice(failed, &error, settings);
    if about_tls {
        let refused = shared.tls.as_ref().and_then(|tls| tls.take_refused_chain());
        let chain = refused.and_then(|chain| Chain::read(&chain, &settings.host));
        if let Some(chain) = chain {
            let is_pinned = settings.tls.fingerprint.is_some();
            let found = chain.refused(Timestamp::now(), is_pinned, &error);
            advice = found.advice.clone().unwrap_or(advice);
            book.fail(failed, error, advice);
            book.enter(Examination::Certificate, found);
            return;
        }
    }
    book.fail(failed, error, advice);
}

fn resolved(settings: &ConnectionSettings, addresses: &[SocketAddr]) -> Found {
    let all: Vec<String> = addresses.iter().map(|it| it.ip().to_string()).collect();
    let (host, all) = (&settings.host, all.join(", "));
    Found::ok(if *host == all {
        format!("{host} needs no look-up")
    } else {
        format!("{host} is {all}")
    })
}

fn connected(settings: &ConnectionSettings, peer: SocketAddr, tried: &[SocketAddr]) -> Found {
    if let Some(proxy) = &settings.proxy {
        return Found::ok(format!("connected through the proxy {}:{}", proxy.host, proxy.port));
    }
    let dead: Vec<String> =
        tried.iter().take_while(|it| **it != peer).map(ToString::to_string).collect();
    if dead.is_empty() {
        return Found::ok(format!("connected to {peer}"));
    }
    Found::warning(
        format!("connected to {peer}; {} did not answer", dead.join(" and ")),
        "every session tries the dead address first: have this machine's route to it or the \
         name's record repaired, or set host to a name that has only addresses that answer",
    )
}

fn secured(
    version: Option<rustls::ProtocolVersion>,
    suite: Option<rustls::SupportedCipherSuite>,
) -> Found {
    let version = match version {
        Some(rustls::ProtocolVersion::TLSv1_2) => "TLS 1.2".to_owned(),
        Some(rustls::ProtocolVersion::TLSv1_3) => "TLS 1.3".to_owned(),
        other => format!("{other:?}"),
    };
    let suite = suite.and_then(|suite| suite.suite().as_str());
    Found::ok(format!("{version} with {}", suite.unwrap_or("an unnamed cipher suite")))
}

fn accepted(settings: &ConnectionSettings, chain: &[CertificateDer<'_>]) -> Found {
    match Chain::read(chain, &settings.host) {
        Some(chain) => chain.accepted(Timestamp::now(), settings.tls.fingerprint.is_some()),
        None => Found::ok("accepted, though its dates cannot be read"),
    }
}

fn offered(settings: &ConnectionSettings, lines: &[String]) -> Found {
    if lines.is_empty() {
        return Found::ok("none are told: what the server can do is tried");
    }
    // Lists of facts and algorithms would hide the rest.
    let names = lines.iter().map(|line| match line.split_once(' ') {
        Some((name, arguments)) if arguments.contains(';') => name,
        _ => line,
    });
    let listed = printable(&names.collect::<Vec<_>>().join(", "));
    let mut detail: String = listed.chars().take(SHOWN_CHARACTERS).collect();
    if detail.len() < listed.len() {
        detail.push('…');
    }
    let has_tls = lines.iter().any(|line| line.starts_with("AUTH") && line.contains("TLS"));
    if has_tls && settings.security == Security::None {
        return Found::warning(
            detail,
            "the server offers TLS: set sslMode to explicit, so that passwords and files do not \
             travel in clear",
        );
    }
    Found::ok(detail)
}

/// Uses the session as operations would, as far as it lasts.
fn try_out(session: &mut Session, book: &mut Book) {
    let directory = enter_directory(session, book);
    if !session.is_usable() {
        return;
    }
    if let Some(listing) = list(session, book, &directory) {
        match server_time::examine(session, &directory, &listing) {
            Ok(found) => book.enter(Examination::ServerTime, found),
            Err(e) => fail(session, book, Examination::ServerTime, e),
        }
    }
    restart(session, book);
}

fn fail(session: &Session, book: &mut Book, examination: Examination, error: Error) {
    let advice = advice::advice(examination, &error, session.settings());
    book.fail(examination, error, advice);
}

/// Enters the configured directory; where that fails, data connections are tried with the one
/// after login.
fn enter_directory(session: &mut Session, book: &mut Book) -> RemotePath {
    let login_directory = session.login_directory().clone();
    let Some(configured) = session.settings().remote_directory.clone() else {
        let detail =
            format!("{login_directory}, where the login leads; remoteDirectory is not set");
        book.enter(Examination::RemoteDirectory, Found::ok(detail));
        return login_directory;
    };
    let entered = login_directory
        .join(&configured)
        .and_then(|directory| session.change_directory(&directory).map(|()| directory));
    match entered {
        Ok(directory) => {
            book.enter(Examination::RemoteDirectory, Found::ok(directory.to_string()));
            directory
        }
        Err(e) => {
            if !session.is_usable() {
                fail(session, book, Examination::RemoteDirectory, e);
                return login_directory;
            }
            let advice = format!(
                "set remoteDirectory to a directory that exists and that the user may enter; the \
                 login leads to {login_directory}"
            );
            book.fail(Examination::RemoteDirectory, e, advice);
            login_directory
        }
    }
}

fn list(session: &mut Session, book: &mut Book, directory: &RemotePath) -> Option<ProbedListing> {
    let mode = session.settings().mode;
    let protected =
        session.settings().security != Security::None && session.settings().tls.protect_data;
    let reuses = session.settings().tls.session_reuse;
    if !protected {
        let reason = "data connections have no TLS";
        book.enter(Examination::SessionReuse, Found::skipped(reason));
    }
    let mut is_open = false;
    let listed = session.probe_listing(directory, &mut |data| {
        is_open = true;
        book.enter(Examination::DataConnection, data_connection(mode, data));
        if let Some(resumed) = data.resumed {
            book.enter(Examination::SessionReuse, reuse(resumed, reuses));
        }
    });
    match listed {
        Ok(listing) => {
            if !is_open {
                let reason = "the directory is empty, and the server opens none for that";
                book.enter(Examination::DataConnection, Found::skipped(reason));
            }
            let found = listing_kind(session, directory, &listing);
            book.enter(Examination::Listing, found);
            Some(listing)
        }
        Err(e) if !is_open && is_about_listing(&e, protected, session.settings()) => {
            let reason = "the server refused the listing before it opened one";
            book.enter(Examination::DataConnection, Found::skipped(reason));
            fail(session, book, Examination::Listing, e);
            None
        }
        Err(e) => {
            let broke =
                matches!(e.kind(), ErrorKind::Connection | ErrorKind::Timeout | ErrorKind::Tls);
            let failed =
                if !is_open || broke { Examination::DataConnection } else { Examination::Listing };
            fail(session, book, failed, e);
            None
        }
    }
}

/// Whether the server refused the listing itself, and not its data connection.
fn is_about_listing(error: &Error, protected: bool, settings: &ConnectionSettings) -> bool {
    let refused_in_clear = settings.security != Security::None && !protected;
    let report = error.report();
    let command = report.command.as_deref();
    report.reply.is_some()
        && !refused_in_clear
        && matches!(command, Some("MLSD" | "LIST"))
        && !matches!(report.kind, ErrorKind::Connection | ErrorKind::Timeout | ErrorKind::Tls)
}

fn data_connection(mode: DataMode, data: &DataFacts) -> Found {
    let show = |address: Option<SocketAddr>| {
        address.map_or_else(|| "an unknown address".to_owned(), |address| address.to_string())
    };
    let (peer, local) = (show(data.peer), show(data.local));
    Found::ok(match mode {
        DataMode::Passive => format!("passive by {}, connected to {peer}", data.command),
        DataMode::Active => format!("active by {}, {peer} connected to {local}", data.command),
    })
}

fn reuse(resumed: bool, wanted: bool) -> Found {
    match (resumed, wanted) {
        (true, _) => Found::ok("the data connection resumed the TLS session"),
        (false, false) => Found::warning(
            "the data connection made a full handshake, as tlsSessionReuse is off",
            "set tlsSessionReuse to auto: many servers refuse data connections that do not resume \
             the session",
        ),
        (false, true) => Found::warning(
            "the server let no TLS session be resumed: the data connection made a full handshake",
            "each transfer takes longer, and is easier to hijack; if the partner cannot change \
             that, try tlsMaximumVersion 1.2, whose sessions more servers resume",
        ),
    }
}

fn listing_kind(session: &Session, directory: &RemotePath, listing: &ProbedListing) -> Found {
    let ProbedListing { command, format, entries, .. } = listing;
    let form = match format {
        _ if *command == "MLSD" => String::new(),
        Some(format) => format!(" in {} format", format.as_str()),
        None => ", whose format shows with the first entry".to_owned(),
    };
    let count = if *entries == 1 { "1 entry".to_owned() } else { format!("{entries} entries") };
    let mut found = Found::ok(format!("{command}{form}: {count} in {directory}"));
    let settings = session.settings();
    if settings.listing == ListingPreference::List && session.features().mlst {
        found.advice = Some(
            "set listing to auto: the server has MLSD, which states exact times in UTC".to_owned(),
        );
    }
    found
}

fn restart(session: &mut Session, book: &mut Book) {
    let features = session.features();
    if features.rest_stream && !features.lines.is_empty() {
        let detail = "REST STREAM is offered: interrupted transfers go on where they stopped";
        book.enter(Examination::Restart, Found::ok(detail));
        return;
    }
    if !session.is_usable() {
        return;
    }
    match session.takes_restart_offset() {
        Ok(true) => {
            let detail = "REST is accepted: interrupted transfers go on where they stopped";
            book.enter(Examination::Restart, Found::ok(detail));
        }
        Ok(false) => book.enter(
            Examination::Restart,
            Found::warning(
                "the server refuses REST: interrupted transfers begin again",
                "leave transferTimeout at 0, or long enough for a whole file",
            ),
        ),
        Err(e) => fail(session, book, Examination::Restart, e),
    }
}

#[cfg(test)]
mod tests {
    use host_sdk::CheckStatus;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_dead_address_before_the_one_that_answered_is_a_reservation() {
        let settings = ConnectionSettings::parse(&json!({"host": "h"})).unwrap();
        let tried: Vec<SocketAddr> =
            ["[2001:db8::1]:21", "192.0.2.1:21"].iter().map(|it| it.parse().unwrap()).collect();
        let found = connected(&settings, tried[1], &tried);
        assert_eq!(found.status, CheckStatus::Warning);
        assert!(found.detail.ends_with("[2001:db8::1]:21 did not answer"), "{}", found.detail);
        assert!(found.advice.unwrap().contains("host"));
        assert_eq!(connected(&settings, tried[0], &tried).status, CheckStatus::Ok);
    }

    #[test]
    fn tls_that_is_offered_and_not_used_is_a_reservation() {
        let plain = ConnectionSettings::parse(&json!({"host": "h"})).unwrap();
        let lines = ["AUTH TLS".to_owned(), "MLST TYPE*;SIZE*;".to_owned()];
        let found = offered(&plain, &lines);
        assert_eq!((found.status, found.detail.as_str()), (CheckStatus::Warning, "AUTH TLS, MLST"));
        let explicit = json!({"host": "h", "sslMode": "explicit"});
        let explicit = ConnectionSettings::parse(&explicit).unwrap();
        assert_eq!(offered(&explicit, &lines).status, CheckStatus::Ok);
    }
}
