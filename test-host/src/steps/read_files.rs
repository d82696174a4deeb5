//! Produces documents from local files.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use host_sdk::{Error, ErrorKind, Properties};
use jiff::tz::TimeZone;

use super::produce::{Body, Producer};
use crate::process::model::ReadFilesStep;
use crate::run::{Run, StepIdentity};
use crate::stage::Stage;

/// How much of a file is read at once.
const CHUNK: usize = 256 * 1024;

/// Produces the documents as the first step, in the order of their names.
///
/// # Errors
///
/// `configuration` when the directory cannot be listed; `cancelled` or `timeout`.
pub(crate) fn produce(
    run: &Arc<Run>,
    identity: &Arc<StepIdentity>,
    step: &ReadFilesStep,
    next: Arc<dyn Stage>,
) -> Result<(), Error> {
    let directory = Path::new(&step.directory);
    let unreadable = |e: io::Error| {
        Error::configuration(
            "directory",
            format!("directory {} cannot be read: {e}", directory.display()),
        )
    };
    let mut names = Vec::new();
    for entry in fs::read_dir(directory).map_err(unreadable)? {
        let name = entry.map_err(unreadable)?.file_name();
        if matches(&step.include, &name.to_string_lossy()) {
            names.push(name);
        }
    }
    names.sort_unstable();
    let mut producer = Producer::new(run, identity, next);
    let mut chunk = vec![0; CHUNK];
    for name in names {
        let path = directory.join(&name);
        let Some(text) = name.to_str() else {
            let shown = name.to_string_lossy().into_owned();
            let message = format!("the name of file \"{shown}\" is not UTF-8");
            let properties = Properties::new().with("fileName", shown);
            producer.refuse(properties, &Error::new(ErrorKind::Document, message));
            continue;
        };
        let mut properties = Properties::new().with("fileName", text);
        // Opened before it is looked at, so that both are of the same file.
        match File::open(&path).and_then(|file| file.metadata().map(|of| (file, of))) {
            Ok((_, metadata)) if !metadata.is_file() => {}
            Ok((mut file, metadata)) => {
                if let Ok(modified) = metadata.modified() {
                    properties.insert("timestamp", timestamp(modified)?);
                }
                let size = metadata.len();
                producer.produce(properties, Some(size), |body| {
                    send(&mut file, size, text, body, &mut chunk)
                })?;
            }
            Err(error) => producer.refuse(properties, &unreadable_file(text, &error)),
        }
    }
    Ok(())
}

fn send(
    file: &mut File,
    size: u64,
    name: &str,
    body: &mut Body,
    chunk: &mut [u8],
) -> Result<(), Error> {
    loop {
        match file.read(chunk) {
            Ok(0) => break,
            Ok(count) => body.write(&chunk[..count])?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(unreadable_file(name, &error)),
        }
    }
    // What was announced is what must have come; half of two versions is neither.
    if body.bytes() == size {
        Ok(())
    } else {
        Err(Error::new(ErrorKind::Host, format!("file \"{name}\" changed while it was read"))
            .with_retryable(true))
    }
}

fn unreadable_file(name: &str, error: &io::Error) -> Error {
    let kind = match error.kind() {
        io::ErrorKind::PermissionDenied => ErrorKind::Permission,
        io::ErrorKind::NotFound => ErrorKind::NotFound,
        _ => ErrorKind::Host,
    };
    Error::new(kind, format!("file \"{name}\" cannot be read: {error}"))
}

/// A file's time as document properties write it. In UTC, as connectors take a time without a
/// zone.
fn timestamp(time: SystemTime) -> Result<String, Error> {
    let unwritable = |e: jiff::Error| Error::internal(format!("a file's time is unusable: {e}"));
    let time = jiff::Timestamp::try_from(time).map_err(unwritable)?;
    let time = time.to_zoned(TimeZone::UTC);
    Ok(time.strftime("%Y-%m-%d %H:%M:%S%.3f").to_string())
}

/// Whether `pattern`, with `*` and `?`, matches all of `name`; a dot at its start must be named.
fn matches(pattern: &str, name: &str) -> bool {
    if name.starts_with('.') && !pattern.starts_with('.') {
        return false;
    }
    let (pattern, name): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), name.chars().collect());
    let (mut p, mut n) = (0, 0);
    // Where to go on when the last `*` must take one more character.
    let mut retry = None;
    while n < name.len() {
        match pattern.get(p) {
            Some('*') => {
                retry = Some((p, n));
                p += 1;
            }
            Some(c) if *c == '?' || *c == name[n] => {
                p += 1;
                n += 1;
            }
            _ => match retry {
                Some((star, taken)) => {
                    retry = Some((star, taken + 1));
                    p = star + 1;
                    n = taken + 1;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn patterns_match_whole_names() {
        for (pattern, name) in [
            ("*", "a"),
            ("*.xml", "a.b.xml"),
            ("INV-??.*", "INV-01.x"),
            ("a*b*c", "aXbYbZc"),
            (".*", ".a"),
        ] {
            assert!(matches(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in
            [("*", ".a"), ("*.xml", "a.xml2"), ("?", ""), ("a*b", "ac"), ("", "a"), ("INV", "inv")]
        {
            assert!(!matches(pattern, name), "{pattern} {name}");
        }
    }

    #[test]
    fn times_have_milliseconds() {
        let text = timestamp(SystemTime::UNIX_EPOCH + Duration::from_millis(1_234)).unwrap();
        assert_eq!(text.len(), "yyyy-MM-dd HH:mm:ss.SSS".len(), "{text}");
        assert!(text.ends_with(".234"), "{text}");
    }
}
