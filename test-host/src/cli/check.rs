//! `check`: tries the connections of a process out.

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use host_sdk::{CheckReport, CheckStatus, Context, Error, expected_one_of};
use serde_json::json;

use super::failure::Failure;
use super::options::{Options, Output, cancel_on_interrupt, prepare, results};
use crate::cancellation::Cancellation;
use crate::engine::execution::NoExecution;
use crate::exit_code::ExitCode;
use crate::pipeline::Prepared;
use host_sdk::kit::text::printable;

#[derive(Debug, Args)]
pub(super) struct CheckArguments {
    /// The process file
    file: PathBuf,
    /// The connection's name; all of them without it
    connection: Option<String>,
}

pub(super) fn check(arguments: &CheckArguments, options: &Options) -> Result<ExitCode, Failure> {
    let cancellation = Cancellation::new();
    cancel_on_interrupt(&cancellation)?;
    let connectors = options.connectors(&options.log_reporter());
    let prepared = prepare(&arguments.file, &connectors, &cancellation, options)?;
    let mut output = results();
    let mut code = ExitCode::Success;
    for name in names(&prepared, arguments.connection.as_deref())? {
        let Some(connection) = prepared.connection(&name) else { continue };
        let context: Context = Arc::new(NoExecution::new(&cancellation));
        let report = connection.test(context)?;
        match options.output {
            Output::Json => {
                let line = json!({
                    "connection": name,
                    "usable": report.is_usable(),
                    "findings": report.findings,
                    "error": report.error,
                });
                writeln!(output, "{line}")?;
            }
            Output::Text => write!(output, "{}", table(&name, &report))?,
        }
        if !report.is_usable() && code == ExitCode::Success {
            // The code that a run ends with, too.
            code = report
                .error
                .as_ref()
                .map_or(ExitCode::Connection, |error| ExitCode::of(error.kind()));
        }
        // The report is complete. A failed close does not change it.
        let _ = connection.close();
    }
    Ok(code)
}

fn names(prepared: &Prepared, wanted: Option<&str>) -> Result<Vec<String>, Error> {
    let known = &prepared.process().connections;
    match wanted {
        None => Ok(known.keys().cloned().collect()),
        Some(name) if known.contains_key(name) => Ok(vec![name.to_owned()]),
        Some(name) => Err(unknown_connection(prepared, name)),
    }
}

/// The error of a connection that the process does not have.
pub(super) fn unknown_connection(prepared: &Prepared, name: &str) -> Error {
    let known = prepared.process().connections.keys().map(String::as_str);
    Error::configuration(
        "",
        format!("the process has no connection \"{name}\"; {}", expected_one_of(name, known)),
    )
}

/// The report as text: one finding a line, advice below it.
fn table(connection: &str, report: &CheckReport) -> String {
    let width = |text: &str| text.chars().count();
    let widest = report.findings.iter().map(|finding| width(&finding.name)).max().unwrap_or(0);
    let verdict = if report.is_usable() { "usable" } else { "not usable" };
    let mut text = format!("{connection}: {verdict}\n");
    for finding in &report.findings {
        let status = match finding.status {
            CheckStatus::Ok => "ok",
            CheckStatus::Warning => "warning",
            CheckStatus::Failed => "failed",
            CheckStatus::Skipped => "skipped",
            _ => "other",
        };
        let name = &finding.name;
        let pad = " ".repeat(widest - width(name));
        let line =
            format!("{name}{pad}  {status:<7}  {:>6} ms  {}", finding.milliseconds, finding.detail);
        text.push_str(&format!("  {}\n", printable(line.trim_end())));
        if let Some(advice) = &finding.advice {
            text.push_str(&format!("  {}  → {}\n", " ".repeat(widest), printable(advice)));
        }
    }
    if let Some(error) = &report.error {
        // A finding that failed has said it.
        let is_said = report.findings.iter().any(|finding| {
            finding.status == CheckStatus::Failed && finding.detail.contains(error.message())
        });
        if !is_said {
            text.push_str(&format!("  {}\n", printable(&error.to_string())));
        }
        text.push_str(&format!("  [{kind}] test-host explain {kind}\n", kind = error.kind()));
        if let Some(hint) = &error.report().hint {
            text.push_str(&format!("  → {}\n", printable(hint)));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use host_sdk::Finding;

    use super::*;

    #[test]
    fn findings_stand_in_columns_with_their_advice_below() {
        let finding = |name: &str, status, advice: Option<&str>| Finding {
            name: name.to_owned(),
            status,
            detail: "220 ready".to_owned(),
            milliseconds: 12,
            advice: advice.map(str::to_owned),
        };
        let report = CheckReport {
            findings: vec![
                finding("greeting", CheckStatus::Ok, None),
                finding("tls", CheckStatus::Failed, Some("set sslMode")),
            ],
            error: None,
        };
        assert_eq!(
            table("partner", &report),
            "partner: not usable\n\
             \x20 greeting  ok           12 ms  220 ready\n\
             \x20 tls       failed       12 ms  220 ready\n\
             \x20           → set sslMode\n"
        );
    }
}
