//! The findings of one connection test: the same lines in the same order, however far it came.

use std::time::Instant;

use host_sdk::{CheckReport, CheckStatus, Finding};

use crate::config::Security;
use crate::failure::Failure;

/// One thing that is examined, in the order of the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Check {
    /// The look-up of the host's name.
    Dns,
    /// The control connection.
    Tcp,
    /// The server's greeting.
    Greeting,
    /// The TLS handshake of the control connection.
    Tls,
    /// The server's certificate.
    Certificate,
    /// The login.
    Login,
    /// What the server says it can do.
    Features,
    /// The configured directory.
    RemoteDirectory,
    /// A data connection in the configured mode.
    DataConnection,
    /// Whether the data connection resumed the TLS session.
    SessionReuse,
    /// The listing of the directory.
    Listing,
    /// In which zone the server states times.
    ServerTime,
    /// Whether transfers can go on where they were interrupted.
    Restart,
}

use Check::{
    Certificate, DataConnection, Dns, Features, Greeting, Listing, Login, RemoteDirectory, Restart,
    ServerTime, SessionReuse, Tcp, Tls,
};

const ORDER: [Check; 13] = [
    Dns,
    Tcp,
    Greeting,
    Tls,
    Certificate,
    Login,
    Features,
    RemoteDirectory,
    DataConnection,
    SessionReuse,
    Listing,
    ServerTime,
    Restart,
];

/// Implicit TLS comes before the greeting.
const ORDER_IMPLICIT: [Check; 13] = [
    Dns,
    Tcp,
    Tls,
    Certificate,
    Greeting,
    Login,
    Features,
    RemoteDirectory,
    DataConnection,
    SessionReuse,
    Listing,
    ServerTime,
    Restart,
];

/// The name of the last finding.
const VERDICT: &str = "verdict";

impl Check {
    /// The finding's name.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Dns => "dns",
            Tcp => "tcp",
            Greeting => "greeting",
            Tls => "tls",
            Certificate => "certificate",
            Login => "login",
            Features => "features",
            RemoteDirectory => "remoteDirectory",
            DataConnection => "dataConnection",
            SessionReuse => "sessionReuse",
            Listing => "listing",
            ServerTime => "serverTime",
            Restart => "restart",
        }
    }
}

/// What one examination found.
pub(super) struct CheckResult {
    /// How it ended.
    pub(super) status: CheckStatus,
    /// What was found.
    pub(super) detail: String,
    /// What to do, naming the setting.
    pub(super) advice: Option<String>,
}

impl CheckResult {
    /// As it should be.
    pub(super) fn ok(detail: impl Into<String>) -> Self {
        Self { status: CheckStatus::Ok, detail: detail.into(), advice: None }
    }

    /// Works, with a reservation.
    pub(super) fn warning(detail: impl Into<String>, advice: impl Into<String>) -> Self {
        Self::ok(detail).but(CheckStatus::Warning, advice)
    }

    /// Does not work.
    pub(super) fn failed(detail: impl Into<String>, advice: impl Into<String>) -> Self {
        Self::ok(detail).but(CheckStatus::Failed, advice)
    }

    /// Not examined.
    pub(super) fn skipped(detail: impl Into<String>) -> Self {
        Self { status: CheckStatus::Skipped, detail: detail.into(), advice: None }
    }

    fn but(self, status: CheckStatus, advice: impl Into<String>) -> Self {
        Self { status, advice: Some(advice.into()), ..self }
    }

    fn named(self, name: &str, milliseconds: u64) -> Finding {
        let Self { status, detail, advice } = self;
        Finding { name: name.to_owned(), status, detail, milliseconds, advice }
    }
}

/// What was found so far. Each entry's time counts from the entry before it.
pub(super) struct ReportBuilder {
    lines: Vec<(Check, Option<Finding>)>,
    error: Option<Failure>,
    began: Instant,
    since: Instant,
}

impl ReportBuilder {
    /// Nothing yet.
    pub(super) fn new(security: Security) -> Self {
        let order = if security == Security::Implicit { ORDER_IMPLICIT } else { ORDER };
        let now = Instant::now();
        Self {
            lines: order.into_iter().map(|check| (check, None)).collect(),
            error: None,
            began: now,
            since: now,
        }
    }

    /// Enters what `check` found, in place of an earlier entry if there is one.
    pub(super) fn record(&mut self, check: Check, found: CheckResult) {
        let now = Instant::now();
        let spent = if found.status == CheckStatus::Skipped {
            0
        } else {
            milliseconds(now.duration_since(std::mem::replace(&mut self.since, now)))
        };
        let line = self.lines.iter_mut().find(|(line, _)| *line == check);
        if let Some((_, finding)) = line {
            *finding = Some(found.named(check.as_str(), spent));
        }
    }

    /// Enters that `check` failed with `error`; the first error is the report's.
    pub(super) fn fail(&mut self, check: Check, error: Failure, advice: String) {
        self.record(check, CheckResult::failed(error.message(), advice));
        self.error.get_or_insert(error);
    }

    /// The first examination that has no entry.
    pub(super) fn next(&self) -> Option<Check> {
        self.lines.iter().find(|(_, finding)| finding.is_none()).map(|(line, _)| *line)
    }

    /// The report, with a verdict; what has no entry was skipped.
    pub(super) fn into_report(self) -> CheckReport {
        let Self { lines, error, began, .. } = self;
        let failed = lines.iter().find_map(|(line, finding)| {
            let failed = finding.as_ref().is_some_and(|it| it.status == CheckStatus::Failed);
            failed.then_some(line.as_str())
        });
        let reason = match failed {
            Some(name) => format!("not examined, because {name} failed"),
            None => "not examined".to_owned(),
        };
        let mut findings: Vec<Finding> = lines
            .into_iter()
            .map(|(line, finding)| {
                finding
                    .unwrap_or_else(|| CheckResult::skipped(reason.clone()).named(line.as_str(), 0))
            })
            .collect();
        let verdict = verdict(&findings).named(VERDICT, milliseconds(began.elapsed()));
        findings.push(verdict);
        CheckReport { findings, error: error.map(Into::into) }
    }
}

fn verdict(findings: &[Finding]) -> CheckResult {
    let with = |status: CheckStatus| findings.iter().filter(move |found| found.status == status);
    if let Some(first) = with(CheckStatus::Failed).next() {
        let detail = format!("the connection does not work: {}", first.detail);
        return CheckResult::failed(detail, first.advice.clone().unwrap_or_default());
    }
    let reserved: Vec<&str> = with(CheckStatus::Warning).map(|found| found.name.as_str()).collect();
    match with(CheckStatus::Warning).next() {
        None => CheckResult::ok("the connection works"),
        Some(first) => CheckResult::warning(
            format!("the connection works, with reservations: {}", reserved.join(", ")),
            first.advice.clone().unwrap_or_default(),
        ),
    }
}

fn milliseconds(time: std::time::Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use host_sdk::Error;

    use super::*;
    use crate::failure::Cause;

    #[test]
    fn a_failure_leaves_the_rest_skipped_and_the_lines_complete() {
        let mut report = ReportBuilder::new(Security::None);
        report.record(Dns, CheckResult::ok("127.0.0.1"));
        assert_eq!(report.next(), Some(Tcp));
        report.fail(Tcp, Failure::new(Cause::Lost, "refused"), "check port".to_owned());
        report.fail(Tcp, Failure::new(Cause::Lost, "second"), "check port".to_owned());
        let report = report.into_report();
        assert_eq!(report.findings.len(), ORDER.len() + 1);
        let greeting = &report.findings[2];
        assert_eq!(greeting.status, CheckStatus::Skipped);
        assert_eq!(greeting.detail, "not examined, because tcp failed");
        let verdict = report.findings.last().unwrap();
        assert_eq!((verdict.name.as_str(), verdict.status), (VERDICT, CheckStatus::Failed));
        assert_eq!(verdict.advice.as_deref(), Some("check port"));
        assert_eq!(report.error.as_ref().map(Error::message), Some("refused"));
        assert!(!report.is_usable());
    }

    #[test]
    fn a_warning_is_a_reservation() {
        let mut report = ReportBuilder::new(Security::Implicit);
        report.record(Tls, CheckResult::warning("short of days", "renew"));
        let report = report.into_report();
        assert!(report.is_usable());
        let verdict = report.findings.last().unwrap();
        assert_eq!(verdict.status, CheckStatus::Warning);
        assert!(verdict.detail.ends_with("reservations: tls"), "{}", verdict.detail);
    }

    #[test]
    fn both_orders_hold_the_same_lines() {
        for line in ORDER {
            assert!(ORDER_IMPLICIT.contains(&line), "{line:?}");
        }
    }
}
