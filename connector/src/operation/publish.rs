//! Putting a document onto the server so that nobody ever sees half of it under its name.

use host_sdk::{Error, ErrorKind, InputDocument};

use super::body::Body;
use super::text::NetworkText;
use super::{Run, is_interruption};
use crate::config::{CreateSettings, FileExists, TransferFormat};
use crate::remote_path::RemotePath;
use crate::retry::Backoff;

/// How many numbers are tried in search of a free name.
const CANDIDATES: u32 = 100_000;

/// Where a document goes and how it gets there.
pub(super) struct Plan {
    pub(super) target: RemotePath,
    /// Where it lies until it is complete, if not beside its name.
    pub(super) staging: Option<RemotePath>,
    /// What its name ends in until it is complete.
    pub(super) extension: Option<String>,
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
        refuse_if_taken(run, target)?;
    }
    let temporary = temporary(plan)?;
    let placed = store(run, settings.format, &temporary, &mut body)
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
    let path = match settings.file_exists {
        FileExists::CreateUniqueName => free_name(run, target)?,
        FileExists::GenerateError => {
            refuse_if_taken(run, target)?;
            target.clone()
        }
        FileExists::Overwrite | FileExists::Append => target.clone(),
    };
    run.session()?.rename(temporary, &path)?;
    Ok(path)
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
    let unique = crate::retry::chance();
    let extension = plan.extension.as_deref().unwrap_or("part");
    let name = format!("{}.{unique:016x}.{extension}", plan.target.file_name());
    plan.staging.as_ref().unwrap_or(&plan.target.parent()).entry(&name)
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
        };
        let (one, other) = (temporary(&plan).unwrap(), temporary(&plan).unwrap());
        assert_ne!(one, other);
        assert!(one.as_str().starts_with("/in/a.txt."));
        assert!(one.as_str().ends_with(".tmp"));
    }
}
