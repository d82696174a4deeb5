//! Produces documents from local files.

use std::fs::File;
use std::io::{self, Read};
use std::sync::Arc;
use std::time::SystemTime;

use host_sdk::{Error, ErrorKind, Properties};
use jiff::tz::TimeZone;

use super::produce::Producer;
use super::tree::{Found, Tree, unreadable};
use crate::engine::digest::Digest;
use crate::engine::document::StepIdentity;
use crate::engine::run::Run;
use crate::engine::step_input::{BodySource, StepInput};
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
    next: Arc<dyn StepInput>,
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
            Ok((file, metadata)) => {
                if let Ok(modified) = metadata.modified() {
                    properties.insert("timestamp", timestamp(modified)?);
                }
                let size = metadata.len();
                let source = FileSource { file, size, name, digest: Digest::default() };
                producer.produce_from(properties, size, Box::new(source), &mut chunk)?;
            }
            Err(error) => producer.reject(properties, &error),
        }
    }
    Ok(())
}

/// A file as a body.
struct FileSource {
    file: File,
    /// The announced length.
    size: u64,
    name: String,
    digest: Digest,
}

impl BodySource for FileSource {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Error> {
        let count = loop {
            match self.file.read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => break read.map_err(|e| unreadable("file", &self.name, &e))?,
            }
        };
        self.digest.update(buffer.get(..count).unwrap_or_default());
        // The length must be the announced one: a file that changed would be half of each version.
        if count == 0 && self.digest.bytes() != self.size {
            let message = format!("file \"{}\" changed while it was read", self.name);
            return Err(Error::new(ErrorKind::Host, message).with_retryable(true));
        }
        Ok(count)
    }

    fn into_digest(self: Box<Self>) -> Digest {
        self.digest
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
