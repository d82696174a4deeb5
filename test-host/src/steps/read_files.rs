//! Produces documents from local files.

use std::fs::File;
use std::io::{self, Read};
use std::sync::Arc;
use std::time::SystemTime;

use host_sdk::{Error, ErrorKind, Properties};
use jiff::tz::TimeZone;

use super::produce::{BodyWriter, Producer};
use super::tree::{Found, Tree, unreadable};
use crate::engine::document::StepIdentity;
use crate::engine::run::Run;
use crate::engine::stage::Stage;
use crate::process::model::ReadFilesStep;

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
    let mut tree = Tree::open(run, identity, step)?;
    let mut producer = Producer::new(run, identity, next);
    let mut chunk = vec![0; CHUNK];
    while let Some(Found { name, directory, content }) = tree.next()? {
        let mut properties = Properties::new()
            .with("fileName", name.as_str())
            .with("directory", directory.as_str())
            .with("relativeDirectory", directory);
        match content {
            Ok((mut file, metadata)) => {
                if let Ok(modified) = metadata.modified() {
                    properties.insert("timestamp", timestamp(modified)?);
                }
                let size = metadata.len();
                producer.produce(properties, Some(size), |body| {
                    send(&mut file, size, &name, body, &mut chunk)
                })?;
            }
            Err(error) => producer.reject(properties, &error),
        }
    }
    Ok(())
}

fn send(
    file: &mut File,
    size: u64,
    name: &str,
    body: &mut BodyWriter,
    chunk: &mut [u8],
) -> Result<(), Error> {
    loop {
        match file.read(chunk) {
            Ok(0) => break,
            Ok(count) => body.write(&chunk[..count])?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(unreadable("file", name, &error)),
        }
    }
    // The length must be the announced one: a file that changed would be half of each version.
    if body.bytes() == size {
        Ok(())
    } else {
        Err(Error::new(ErrorKind::Host, format!("file \"{name}\" changed while it was read"))
            .with_retryable(true))
    }
}

/// A file's time as document properties write it. It is in UTC, as connectors read a time without a
/// zone.
fn timestamp(time: SystemTime) -> Result<String, Error> {
    let unwritable = |e: jiff::Error| Error::internal(format!("a file's time is unusable: {e}"));
    let time = jiff::Timestamp::try_from(time).map_err(unwritable)?;
    let time = time.to_zoned(TimeZone::UTC);
    Ok(time.strftime("%Y-%m-%d %H:%M:%S%.3f").to_string())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn times_have_milliseconds() {
        let text = timestamp(SystemTime::UNIX_EPOCH + Duration::from_millis(1_234)).unwrap();
        assert_eq!(text.len(), "yyyy-MM-dd HH:mm:ss.SSS".len(), "{text}");
        assert!(text.ends_with(".234"), "{text}");
    }
}
