//! Putting a document onto the server so that nobody ever sees half of it under its name.

use host_sdk::{Error, ErrorKind, InputDocument};
use jiff::civil::DateTime;

use super::body::Body;
use super::claim::claiming;
use super::text::NetworkText;
use super::{Run, is_interruption, is_refusal};
use crate::config::{CreateSettings, FileExists, TransferFormat};
use crate::remote_path::RemotePath;
use crate::retry::{Backoff, chance};

/// How many numbers are tried in search of a free name.
const CANDIDATES: u32 = 100_000;

/// Where a document goes and how it gets there.
pub(super) struct Plan {
    pub(super) target: RemotePath,
    /// Where it lies until it is complete, if not beside its name.
    pub(super) staging: Option<RemotePath>,
    /// What its name ends in until it is complete.
    pub(super) extension: Option<String>,
    /// The time it gets, in UTC.
    pub(super) modified: Option<DateTime>,
    /// The permission bits it gets, in octal digits.
    pub(super) permissions: Option<String>,
}

/// Uploads the body of `input` as `plan` says; the path under which it really lies now.
///
/// # Errors
///
/// `alreadyExists`; `integrity` when the server kept another size than was sent; what the
/// server refuses; what the network fails with; `host` when the body could not be read.
pub(super) fn publish(
    run: &mut Run,
    settings: &CreateSettings,
    plan: &Plan,
    input: &mut dyn InputDocument,
) -> Result<RemotePath, Error> {
    let target = &plan.target;
    if settings.create_directories {
        run.session()?.make_directories(&target.parent())?;
        if let Some(staging) = &plan.staging {
            run.session()?.make_directories(staging)?;
        }
    }
    let mut body = Body::new(input);
    if settings.file_exists == FileExists::Append {
        append(run, settings.format, target, &mut body)?;
        return Ok(target.clone());
    }
    if settings.file_exists == FileExists::GenerateError {
        // Before the bytes travel; what counts is the look before the renaming.
        refuse_if_taken(run, target)?;
    }
    let temporary = temporary(plan)?;
    let placed = store(run, settings.format, &temporary, &mut body)
        .and_then(|()| dress(run, plan, &temporary))
        .and_then(|()| place(run, settings, &temporary, target));
    if placed.is_err() {
        clean_up(run, &temporary);
    }
    placed
}

/// Uploads under a name that nobody else uses, through interruptions.
fn store(
    run: &mut Run,
    format: TransferFormat,
    path: &RemotePath,
    body: &mut Body<'_>,
) -> Result<(), Error> {
    let mut backoff = Backoff::new(run.session()?.settings().retry);
    let mut offset = 0;
    loop {
        let error = match send(run, format, "STOR", path, body, offset) {
            Ok(()) if format == TransferFormat::Ascii => return Ok(()),
            Ok(()) => return prove(run, path, body.position()),
            Err(e) => e,
        };
        if !is_interruption(&error) {
            return Err(error);
        }
        backoff.wait(error.clone(), &run.cancel)?;
        // The server has what arrived before the cut; text has no offsets to go on from.
        offset = match format {
            TransferFormat::Binary => size_if_there(run, path)?.unwrap_or_default(),
            TransferFormat::Ascii => 0,
        };
        let reached = body.position();
        if !body.rewind_to(offset) {
            return Err(error);
        }
        run.meter.lost(reached - offset);
    }
}

/// Adds the body at the end of a file. Never repeated: nobody knows how much of it arrived.
fn append(
    run: &mut Run,
    format: TransferFormat,
    path: &RemotePath,
    body: &mut Body<'_>,
) -> Result<(), Error> {
    let before = match format {
        TransferFormat::Binary => size_if_there(run, path)?,
        TransferFormat::Ascii => None,
    };
    let mut backoff = Backoff::new(run.session()?.settings().retry);
    loop {
        let error = match send(run, format, "APPE", path, body, 0) {
            Ok(()) => break,
            Err(e) => e,
        };
        // Before the first byte was sent nothing can have been added.
        if body.position() > 0 || error.report().outcome_unknown || !is_interruption(&error) {
            return Err(error);
        }
        backoff.wait(error, &run.cancel)?;
    }
    match before {
        Some(before) => prove(run, path, before + body.position()),
        None => Ok(()),
    }
}

fn refuse_if_taken(run: &mut Run, target: &RemotePath) -> Result<(), Error> {
    if run.session()?.exists(target)? {
        return Err(Error::new(ErrorKind::AlreadyExists, format!("{target} exists already"))
            .with_path(target.to_string()));
    }
    Ok(())
}

/// Gives a complete upload its name.
fn place(
    run: &mut Run,
    settings: &CreateSettings,
    temporary: &RemotePath,
    target: &RemotePath,
) -> Result<RemotePath, Error> {
    match settings.file_exists {
        FileExists::CreateUniqueName => claiming(run, target, |run| {
            let path = free_name(run, target)?;
            run.session()?.rename(temporary, &path)?;
            Ok(path)
        }),
        FileExists::GenerateError => claiming(run, target, |run| {
            refuse_if_taken(run, target)?;
            run.session()?.rename(temporary, target)?;
            Ok(target.clone())
        }),
        FileExists::Overwrite | FileExists::Append => {
            replace(run, temporary, target)?;
            Ok(target.clone())
        }
    }
}

/// Renames over what is there. A server that does not replace gets the old file out of the way
/// first, and back if the new one cannot take its place.
fn replace(run: &mut Run, temporary: &RemotePath, target: &RemotePath) -> Result<(), Error> {
    let refusal = match run.session()?.rename(temporary, target) {
        Err(e) if is_refusal(&e) => e,
        other => return other,
    };
    if !run.session()?.exists(target)? {
        return Err(refusal);
    }
    let aside = beside(target, "old")?;
    let session = run.session()?;
    session.rename(target, &aside)?;
    if let Err(e) = session.rename(temporary, target) {
        let back = run.session().and_then(|session| session.rename(&aside, target));
        return Err(match back {
            Ok(()) => e,
            Err(lost) => e.with_hint(format!("the old file lies under {aside} now: {lost}")),
        });
    }
    if let Err(e) = run.session()?.delete(&aside) {
        log::warn!("the replaced file was left behind as {aside}: {e}");
    }
    Ok(())
}

/// Gives a complete upload its time and its permissions, before it gets its name. A server that
/// cannot has the file all the same.
fn dress(run: &mut Run, plan: &Plan, temporary: &RemotePath) -> Result<(), Error> {
    let session = run.session()?;
    if let Some(at) = plan.modified {
        match session.set_modified(temporary, at) {
            Ok(true) => {}
            Ok(false) => log::warn!("the server cannot set times: {temporary} keeps its own"),
            Err(e) if is_refusal(&e) => log::warn!("the time of {temporary} was not set: {e}"),
            Err(e) => return Err(e),
        }
    }
    if let Some(mode) = &plan.permissions {
        match session.set_permissions(temporary, mode) {
            Err(e) if is_refusal(&e) => log::warn!("permissions of {temporary} were not set: {e}"),
            other => return other,
        }
    }
    Ok(())
}

/// The first of output.txt, output1.txt, output2.txt, … that is free.
pub(super) fn free_name(run: &mut Run, target: &RemotePath) -> Result<RemotePath, Error> {
    let directory = target.parent();
    for number in 0..CANDIDATES {
        let candidate = directory.entry(&numbered(target.file_name(), number))?;
        if !run.session()?.exists(&candidate)? {
            return Ok(candidate);
        }
    }
    Err(Error::new(
        ErrorKind::AlreadyExists,
        format!("{target} and its first {CANDIDATES} numbered names exist already"),
    ))
}

/// `name` with `number` before its extension; 0 leaves it as it is.
fn numbered(name: &str, number: u32) -> String {
    if number == 0 {
        return name.to_owned();
    }
    match name.rsplit_once('.') {
        Some((stem, extension)) if !stem.is_empty() => format!("{stem}{number}.{extension}"),
        _ => format!("{name}{number}"),
    }
}

/// A name that no other upload has: beside the target, or in the staging directory.
fn temporary(plan: &Plan) -> Result<RemotePath, Error> {
    let extension = plan.extension.as_deref().unwrap_or("part");
    let beside_target = beside(&plan.target, extension)?;
    match &plan.staging {
        Some(staging) => staging.entry(beside_target.file_name()),
        None => Ok(beside_target),
    }
}

/// A name beside `path` that nobody else uses.
fn beside(path: &RemotePath, extension: &str) -> Result<RemotePath, Error> {
    let name = format!("{}.{:016x}.{extension}", path.file_name(), chance());
    path.parent().entry(&name)
}

/// Sends what is left of the body to `path`, from `offset` on.
fn send(
    run: &mut Run,
    format: TransferFormat,
    verb: &str,
    path: &RemotePath,
    body: &mut Body<'_>,
    offset: u64,
) -> Result<(), Error> {
    let meter = run.meter.clone();
    let session = run.session()?;
    session.set_format(format)?;
    let command = format!("{verb} {}", path.as_str());
    let at_path = |e: Error| e.with_path(path.to_string());
    let mut upload = session.upload(&command, offset).map_err(at_path)?;
    let mut text = NetworkText::default();
    loop {
        let bytes = body.next()?;
        if bytes.is_empty() {
            break;
        }
        let count = bytes.len() as u64;
        let sent = match format {
            TransferFormat::Binary => upload.write(bytes),
            TransferFormat::Ascii => upload.write(text.networkize(bytes)),
        };
        sent.map_err(at_path)?;
        meter.moved(count);
    }
    upload.finish().map_err(at_path).map(drop)
}

/// The size of a file, 0 if there is none, `None` where the server does not tell.
fn size_if_there(run: &mut Run, path: &RemotePath) -> Result<Option<u64>, Error> {
    match run.session()?.size(path) {
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(Some(0)),
        other => other,
    }
}

/// What the server has must be as long as what was sent: some confirm an upload that they kept
/// only a part of.
fn prove(run: &mut Run, path: &RemotePath, expected: u64) -> Result<(), Error> {
    match run.session()?.size(path) {
        Ok(Some(size)) if size != expected => Err(Error::new(
            ErrorKind::Integrity,
            format!("{expected} bytes were sent to {path} and the server kept {size}"),
        )
        .with_path(path.to_string())),
        Ok(_) => Ok(()),
        // Servers that hide what was uploaded have confirmed it all the same.
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(()),
        Err(e) => Err(e),
    }
}

/// Removes what an upload that failed has left.
fn clean_up(run: &mut Run, temporary: &RemotePath) {
    if run.cancel.is_cancelled() {
        return;
    }
    let removed = run.session().and_then(|session| session.delete(temporary));
    match removed {
        Ok(()) => {}
        Err(e) if e.kind() == ErrorKind::NotFound => {}
        Err(e) => log::warn!("{temporary} was left behind: {e}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_go_before_the_extension() {
        let cases = [
            ("output.txt", 0, "output.txt"),
            ("output.txt", 1, "output1.txt"),
            ("a.tar.gz", 2, "a.tar2.gz"),
            ("README", 3, "README3"),
            (".profile", 1, ".profile1"),
        ];
        for (name, number, expected) in cases {
            assert_eq!(numbered(name, number), expected);
        }
    }

    #[test]
    fn temporary_names_differ_and_keep_the_extension() {
        let plan = Plan {
            target: RemotePath::root().join("in/a.txt").unwrap(),
            staging: None,
            extension: Some("tmp".to_owned()),
            modified: None,
            permissions: None,
        };
        let (one, other) = (temporary(&plan).unwrap(), temporary(&plan).unwrap());
        assert_ne!(one, other);
        assert!(one.as_str().starts_with("/in/a.txt."));
        assert!(one.as_str().ends_with(".tmp"));
    }
}
