//! The way to a session: look-up, connection, greeting, TLS, login, features.

use std::net::SocketAddr;
use std::sync::Arc;

use jiff::Timestamp;
use rustls::pki_types::CertificateDer;

use super::advice::advice;
use super::certificate::Chain;
use super::report::{Check, CheckResult, ReportBuilder};
use crate::config::{ConnectionSettings, Security};
use crate::failure::{Cause, Failure};
use crate::session::{Milestone, Session, Shared, Transcript};
use host_sdk::kit::CancelToken;
use host_sdk::kit::Deadline;
use host_sdk::kit::text::printable;

/// How much of a feature list a finding shows.
const SHOWN_CHARACTERS: usize = 400;

/// Opens a session; none where that failed, which the book says.
pub(super) fn open(
    shared: &Arc<Shared>,
    cancel: &CancelToken,
    report: &mut ReportBuilder,
) -> Option<Session> {
    let settings = &shared.settings;
    if settings.security == Security::None {
        let reason = "sslMode is none: passwords and files travel in clear";
        report.record(Check::Tls, CheckResult::skipped(reason));
        report.record(Check::Certificate, CheckResult::skipped("there is no TLS"));
    }
    if settings.proxy.is_some() {
        report.record(Check::Dns, CheckResult::skipped("the proxy looks the name up"));
    }
    // Another session of this connection may have left one.
    let _ = shared.tls.as_ref().and_then(|tls| tls.take_refused_chain());
    let mut tried = Vec::new();
    let unread = Transcript::default();
    let opened =
        Session::open_with_progress(shared, cancel, &unread, Deadline::never(), &mut |milestone| {
            match milestone {
                Milestone::Resolved { addresses } => {
                    tried = addresses.to_vec();
                    report.record(Check::Dns, resolved(settings, addresses));
                }
                Milestone::Connected { peer } => {
                    report.record(Check::Tcp, connected(settings, peer, &tried));
                }
                Milestone::Greeted { text } => {
                    report.record(Check::Greeting, CheckResult::ok(text));
                }
                Milestone::Secured { stream } => {
                    let tls = stream.tls();
                    let version = tls.and_then(|tls| tls.protocol_version());
                    let suite = tls.and_then(|tls| tls.negotiated_cipher_suite());
                    let chain = tls.and_then(|tls| tls.peer_certificates()).unwrap_or_default();
                    report.record(Check::Tls, secured(version, suite));
                    report.record(Check::Certificate, accepted(settings, chain));
                }
                Milestone::LoggedIn => {
                    let user = printable(&settings.credentials.user);
                    report.record(Check::Login, CheckResult::ok(format!("logged in as {user}")));
                }
                Milestone::Ready { features } => {
                    report.record(Check::Features, offered(settings, &features.lines));
                }
            }
        });
    match opened {
        Ok(session) => Some(session),
        Err(e) => {
            not_opened(shared, report, e);
            None
        }
    }
}

fn not_opened(shared: &Shared, report: &mut ReportBuilder, error: Failure) {
    let settings = &shared.settings;
    // PBSZ and PROT follow the handshake, and so does a TLS 1.3 server's word about the client's
    // certificate.
    let about_tls = settings.security != Security::None && error.is(Cause::Tls);
    let failed = if about_tls { Some(Check::Tls) } else { report.next() };
    let Some(failed) = failed else { return };
    let mut advised = advice(failed, &error, settings);
    if about_tls {
        let refused = shared.tls.as_ref().and_then(|tls| tls.take_refused_chain());
        let chain = refused.and_then(|chain| Chain::read(&chain, settings.tls_name()));
        if let Some(chain) = chain {
            let is_pinned = settings.tls.fingerprint.is_some();
            let found = chain.refused(Timestamp::now(), is_pinned, &error);
            advised = found.advice.clone().unwrap_or(advised);
            report.fail(failed, error, advised);
            report.record(Check::Certificate, found);
            return;
        }
    }
    report.fail(failed, error, advised);
}

fn resolved(settings: &ConnectionSettings, addresses: &[SocketAddr]) -> CheckResult {
    let all: Vec<String> = addresses.iter().map(|it| it.ip().to_string()).collect();
    let (host, all) = (&settings.host, all.join(", "));
    CheckResult::ok(if *host == all {
        format!("{host} needs no look-up")
    } else {
        format!("{host} is {all}")
    })
}

fn connected(settings: &ConnectionSettings, peer: SocketAddr, tried: &[SocketAddr]) -> CheckResult {
    if let Some(proxy) = &settings.proxy {
        return CheckResult::ok(format!(
            "connected through the proxy {}:{}",
            proxy.host, proxy.port
        ));
    }
    let dead: Vec<String> =
        tried.iter().take_while(|it| **it != peer).map(ToString::to_string).collect();
    if dead.is_empty() {
        return CheckResult::ok(format!("connected to {peer}"));
    }
    CheckResult::warning(
        format!("connected to {peer}; {} did not answer", dead.join(" and ")),
        "every session tries the dead address first: have this machine's route to it or the \
         name's record repaired, or set host to a name that has only addresses that answer",
    )
}

fn secured(
    version: Option<rustls::ProtocolVersion>,
    suite: Option<rustls::SupportedCipherSuite>,
) -> CheckResult {
    let version = match version {
        Some(rustls::ProtocolVersion::TLSv1_2) => "TLS 1.2".to_owned(),
        Some(rustls::ProtocolVersion::TLSv1_3) => "TLS 1.3".to_owned(),
        other => format!("{other:?}"),
    };
    let suite = suite.and_then(|suite| suite.suite().as_str());
    CheckResult::ok(format!("{version} with {}", suite.unwrap_or("an unnamed cipher suite")))
}

fn accepted(settings: &ConnectionSettings, chain: &[CertificateDer<'_>]) -> CheckResult {
    match Chain::read(chain, settings.tls_name()) {
        Some(chain) => chain.accepted(Timestamp::now(), settings.tls.fingerprint.is_some()),
        None => CheckResult::ok("accepted, though its dates cannot be read"),
    }
}

fn offered(settings: &ConnectionSettings, lines: &[String]) -> CheckResult {
    if lines.is_empty() {
        return CheckResult::ok("none are told: what the server can do is tried");
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
        return CheckResult::warning(
            detail,
            "the server offers TLS: set sslMode to explicit, so that passwords and files do not \
             travel in clear",
        );
    }
    CheckResult::ok(detail)
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
