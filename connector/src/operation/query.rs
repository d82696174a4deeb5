//! Query: every file of a directory that the filter selects.

use host_sdk::{Error, ErrorKind, InputDocument, Outcome, Properties};

use super::fetch::{RemoteFile, deliver};
use super::is_refusal;
use super::run::Run;
use crate::config::QuerySettings;
use crate::descriptor::property;
use crate::remote_path::RemotePath;
use crate::session::listing::Kind;

/// Answers one input.
pub(super) fn answer(
    run: &mut Run,
    settings: &QuerySettings,
    input: &mut dyn InputDocument,
) -> Result<(), Error> {
    let directory = run.directory(&input.header().properties)?;
    let files = select(run, settings, &directory)?;
    let known: u64 = files.iter().filter_map(|file| file.size).sum();
    run.bytes_total = Some(run.summary.bytes + known);
    for file in &files {
        match deliver(run, input.id(), file, settings.format, settings.removal) {
            Ok(()) => {}
            // Between the listing and now somebody else took it: nothing is left to read.
            Err(e) if e.kind() == ErrorKind::NotFound => log::info!("{} is gone", file.path),
            // The host has answered for this document itself.
            Err(e) if e.kind() == ErrorKind::Host => log::warn!("{} was not taken: {e}", file.path),
            Err(e) if is_refusal(&e) || e.kind() == ErrorKind::Integrity => {
                answer_one(run, input.id(), file, settings, e)?;
            }
            Err(e) => return Err(e),
        }
    }
    Ok(())
}

/// The files to read. The control connection lists or reads, never both, so that they are known
/// before the first one is read.
fn select(
    run: &mut Run,
    settings: &QuerySettings,
    directory: &RemotePath,
) -> Result<Vec<RemoteFile>, Error> {
    let maximum = settings.maximum.unwrap_or(u64::MAX);
    let zone = run.session()?.settings().zone.clone();
    run.repeat(|session| {
        let mut files = Vec::new();
        session.list(directory, &mut |entry| {
            let is_file = entry.kind == Kind::RegularFile;
            if (files.len() as u64) < maximum && is_file && settings.filter.selects(&entry, &zone) {
                let mut properties = Properties::new()
                    .with(property::FILE_NAME, entry.name.as_str())
                    .with(property::REMOTE_DIRECTORY, directory.as_str());
                if let Some(modified) = &entry.modified {
                    properties.insert(property::TIMESTAMP, modified.text(&zone));
                }
                let path = directory.entry(&entry.name)?;
                files.push(RemoteFile { path, size: entry.size, properties });
            }
            Ok(())
        })?;
        Ok(files)
    })
}

/// Answers for one file that could not be read; the others go on.
fn answer_one(
    run: &Run,
    input: u64,
    file: &RemoteFile,
    settings: &QuerySettings,
    error: Error,
) -> Result<(), Error> {
    let outcome = if settings.return_application_errors && is_refusal(&error) {
        Outcome::ApplicationError(error)
    } else {
        Outcome::Failure(error)
    };
    let mut sink = run.context.begin_result(input, &file.properties)?;
    match sink.finish(&outcome, &Properties::new()) {
        Err(e) if e.kind() != ErrorKind::Host => Err(e),
        _ => Ok(()),
    }
}
