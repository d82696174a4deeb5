//! `explain`: says what a kind of error means, and what helps.

use std::io::Write;

use clap::Args;
use host_sdk::{Error, expected_one_of};

use super::failure::Failure;
use super::options::{Options, Output, results};
use crate::exit_code::ExitCode;

/// The page of all errors. The program has it with it.
const PAGE: &str = include_str!("../../../docs/errors.md");

#[derive(Debug, Args)]
pub(super) struct ExplainArguments {
    /// The kind in brackets, such as `permission`; all of them without it
    kind: Option<String>,
}

pub(super) fn explain(
    arguments: &ExplainArguments,
    options: &Options,
) -> Result<ExitCode, Failure> {
    let mut output = results();
    let wanted = arguments.kind.as_deref().map(|kind| kind.trim_matches(['[', ']']));
    let all: Vec<(&str, &str)> = paragraphs().collect();
    let chosen: Vec<&(&str, &str)> = all
        .iter()
        .filter(|(kind, _)| wanted.is_none_or(|wanted| wanted.eq_ignore_ascii_case(kind)))
        .collect();
    if let (Some(wanted), true) = (wanted, chosen.is_empty()) {
        let known = expected_one_of(wanted, all.iter().map(|(kind, _)| *kind));
        return Err(Error::configuration("", format!("no error is \"{wanted}\"; {known}")).into());
    }
    for (number, (kind, text)) in chosen.into_iter().enumerate() {
        match options.output {
            Output::Json => {
                writeln!(output, "{}", serde_json::json!({"kind": kind, "text": text}))?;
            }
            Output::Text => {
                let gap = if number > 0 { "\n" } else { "" };
                writeln!(output, "{gap}{kind}\n\n{text}")?;
            }
        }
    }
    Ok(ExitCode::Success)
}

/// Each kind with its paragraph.
fn paragraphs() -> impl Iterator<Item = (&'static str, &'static str)> {
    let kinds = PAGE.split_once("\n## Kinds\n").map_or("", |(_, rest)| rest);
    let kinds = kinds.split_once("\n## ").map_or(kinds, |(kinds, _)| kinds);
    kinds.split("\n### ").filter_map(|paragraph| {
        let (kind, text) = paragraph.split_once('\n')?;
        Some((kind.trim(), text.trim())).filter(|(kind, _)| !kind.is_empty())
    })
}

#[cfg(test)]
mod tests {
    use host_sdk::ErrorKind;

    use super::*;

    #[test]
    fn every_kind_has_a_paragraph_that_names_its_exit_code() {
        let mut kinds: Vec<ErrorKind> = (0..)
            .map(ErrorKind::from_number)
            .skip(1)
            .take_while(|k| *k != ErrorKind::Other)
            .collect();
        kinds.push(ErrorKind::Other);
        assert!(kinds.len() > 18);
        for kind in &kinds {
            let (_, text) = paragraphs()
                .find(|(name, _)| *name == kind.as_str())
                .unwrap_or_else(|| panic!("docs/errors.md has no paragraph \"{kind}\""));
            let code = ExitCode::of(*kind).number();
            let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(words.contains(&format!("Exit code {code}.")), "{kind}: {words}");
        }
        assert_eq!(paragraphs().count(), kinds.len());
    }

    #[test]
    fn every_exit_code_has_a_row() {
        for code in ExitCode::ALL {
            assert!(PAGE.contains(&format!("\n| {} | ", code.number())), "{code:?}");
        }
    }
}
