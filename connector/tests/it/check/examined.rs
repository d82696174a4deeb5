//! A report, and what tests ask of it.

use ftp_connector::FtpConnector;
use host_sdk::testing::MemoryHost;
use host_sdk::{CheckReport, CheckStatus, Connector, Error, Finding};
use serde_json::Value;
use test_servers::{Options, Server, fixture, require};

use crate::support::settings;

/// Every line of a report whose TLS is not implicit.
const LINES: [&str; 14] = [
    "dns",
    "tcp",
    "greeting",
    "tls",
    "certificate",
    "login",
    "features",
    "remoteDirectory",
    "dataConnection",
    "sessionReuse",
    "listing",
    "serverTime",
    "restart",
    "verdict",
];

/// A report, easy to ask.
pub(super) struct Examined(pub(super) CheckReport);

impl Examined {
    /// Tests the connection with these settings.
    pub(super) fn of(settings: &Value) -> Self {
        let host = MemoryHost::new();
        let connection = FtpConnector::new().connect(settings, host.context()).unwrap();
        Self::from(connection.test(host.context()).unwrap())
    }

    /// Takes a report that has every line in its place, with advice wherever it is wanted.
    pub(super) fn from(report: CheckReport) -> Self {
        let told: Vec<&str> = report.findings.iter().map(|it| it.name.as_str()).collect();
        let mut expected = LINES.to_vec();
        if told[2] == "tls" {
            // Implicit TLS comes before the greeting.
            expected[2..5].rotate_left(1);
        }
        assert_eq!(told, expected);
        for finding in &report.findings {
            let wants_advice = matches!(finding.status, CheckStatus::Warning | CheckStatus::Failed);
            assert!(finding.advice.is_some() || !wants_advice, "{finding:?}");
        }
        Self(report)
    }

    /// The line called `name`.
    #[track_caller]
    pub(super) fn finding(&self, name: &str) -> &Finding {
        self.0.findings.iter().find(|finding| finding.name == name).unwrap()
    }

    /// Asserts how `name` ended: the finding's detail.
    #[track_caller]
    pub(super) fn is(&self, name: &str, status: CheckStatus) -> &str {
        let finding = self.finding(name);
        assert_eq!(finding.status, status, "{}", self.text());
        &finding.detail
    }

    /// Asserts that `name` failed or was warned of, with advice that names `setting`.
    #[track_caller]
    pub(super) fn advises(&self, name: &str, status: CheckStatus, setting: &str) {
        self.is(name, status);
        let advice = self.finding(name).advice.as_deref().unwrap();
        assert!(advice.contains(setting), "{name} does not name {setting}:\n{}", self.text());
    }

    /// Asserts that `name` failed with advice that names `setting`, that the lines from `next` to
    /// the verdict were skipped, and that the error is the report's.
    #[track_caller]
    pub(super) fn ends_at(&self, name: &str, setting: &str, next: &str) -> &Error {
        self.advises(name, CheckStatus::Failed, setting);
        self.advises("verdict", CheckStatus::Failed, setting);
        let (_, rest) = LINES.split_at(LINES.iter().position(|line| *line == next).unwrap());
        for later in rest.iter().filter(|line| **line != "verdict") {
            let detail = self.is(later, CheckStatus::Skipped);
            assert!(!detail.is_empty());
        }
        assert!(!self.0.is_usable());
        let error = self.0.error.as_ref().unwrap();
        assert_eq!(error.message(), self.finding(name).detail);
        error
    }

    /// The report as a person reads it.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        for finding in &self.0.findings {
            let status = format!("{:?}", finding.status).to_lowercase();
            text.push_str(&format!(
                "{:<15} {status:<7} {:>5} ms  {}\n",
                finding.name, finding.milliseconds, finding.detail
            ));
            if let Some(advice) = &finding.advice {
                text.push_str(&format!("{:<33}{advice}\n", ""));
            }
        }
        text
    }
}

/// A server with the usual files, and its report.
pub(super) fn examined(options: &Options, extra: &Value) -> Option<(Server, Examined)> {
    let server = require(options)?;
    fixture(&server.root()).unwrap();
    let examined = Examined::of(&settings(&server, extra));
    Some((server, examined))
}
