//! Text that can be used but not printed.

use std::fmt;
use std::io::Read;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::Error;

/// A password, key or token: it has no `Display`, its `Debug` is redacted, it does not serialise,
/// and its memory is overwritten when it is dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Takes over `text`.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// The text itself; the caller must not log, format or keep it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        let mut bytes = std::mem::take(&mut self.0).into_bytes();
        bytes.fill(0);
        // Without a use after the store the compiler may drop it.
        std::hint::black_box(&bytes);
    }
}

/// A secret that need not be text, such as a key file: as [`Secret`], of bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretBytes(Vec<u8>);

impl SecretBytes {
    /// Takes over `bytes`.
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The bytes themselves; the caller must not log, format or keep them.
    #[must_use]
    pub fn reveal(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for SecretBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretBytes(…)")
    }
}

impl Drop for SecretBytes {
    fn drop(&mut self) {
        self.0.fill(0);
        std::hint::black_box(&self.0);
    }
}

/// Where a secret setting comes from: an environment variable, a file, or the text itself.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum SecretReference {
    /// The value of this environment variable.
    Env(String),
    /// The content of this file, without line breaks at its end.
    File(String),
    /// What this program prints, without line breaks at its end: the program, then its arguments.
    /// No shell reads them.
    Command(Vec<String>),
}

/// How long a program may take to print a secret: somebody may have to unlock a store.
const COMMAND_TIME: Duration = Duration::from_secs(60);
/// The longest secret that a program may print, in bytes.
const LONGEST: u64 = 1024 * 1024;

impl SecretReference {
    /// Fetches the secret.
    ///
    /// # Errors
    ///
    /// `configuration` when the variable is not set, the file cannot be read, or the program fails.
    pub fn resolve(&self) -> Result<Secret, Error> {
        match self {
            Self::Env(name) => std::env::var(name).map(Secret::new).map_err(|_| {
                Error::configuration("env", format!("environment variable {name} is not set"))
                    .with_hint(format!("set {name} before the process is run"))
            }),
            Self::File(path) => std::fs::read_to_string(path)
                .map(|text| Secret::new(text.trim_end_matches(['\r', '\n']).to_owned()))
                .map_err(|e| {
                    Error::configuration("file", format!("secret file {path} cannot be read: {e}"))
                }),
            Self::Command(words) => {
                let mut printed = printed_by(words)?;
                let end = printed.iter().rposition(|byte| !matches!(byte, b'\r' | b'\n'));
                printed.truncate(end.map_or(0, |end| end + 1));
                String::from_utf8(printed).map(Secret::new).map_err(|_| {
                    Error::configuration("command", "what the command prints is not UTF-8")
                })
            }
        }
    }

    /// Fetches the secret as bytes; a file is taken as it is.
    ///
    /// # Errors
    ///
    /// As [`SecretReference::resolve`], but a file need not hold text, nor a program print it.
    pub fn resolve_bytes(&self) -> Result<SecretBytes, Error> {
        match self {
            Self::Env(_) => {
                self.resolve().map(|secret| SecretBytes::new(secret.reveal().as_bytes().to_vec()))
            }
            Self::File(path) => std::fs::read(path).map(SecretBytes::new).map_err(|e| {
                Error::configuration("file", format!("secret file {path} cannot be read: {e}"))
            }),
            Self::Command(words) => printed_by(words).map(SecretBytes::new),
        }
    }
}

/// What a program prints. Its messages go where this program's go.
fn printed_by(words: &[String]) -> Result<Vec<u8>, Error> {
    let refused = |why: String| Error::configuration("command", why);
    let Some((program, arguments)) = words.split_first() else {
        return Err(refused("the command is empty; its first word is a program".to_owned()));
    };
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|e| refused(format!("the command {program} cannot be started: {e}")))?;
    let output = child.stdout.take();
    let reader = std::thread::spawn(move || {
        let mut printed = Vec::new();
        let read = output.map(|output| output.take(LONGEST).read_to_end(&mut printed));
        read.transpose().map(|_| printed)
    });
    let started = Instant::now();
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) if started.elapsed() < COMMAND_TIME => {
                std::thread::sleep(Duration::from_millis(10));
            }
            Ok(None) => {
                // It may have ended by itself meanwhile.
                let _ = child.kill();
                let _ = child.wait();
                let seconds = COMMAND_TIME.as_secs();
                let message = format!("the command {program} took longer than {seconds} s");
                return Err(refused(message));
            }
            Err(e) => return Err(refused(format!("the command {program} is lost: {e}"))),
        }
    };
    if !status.success() {
        return Err(refused(format!("the command {program} failed: {status}")));
    }
    let printed = reader.join().map_err(|_| refused(format!("{program} cannot be read")))?;
    printed.map_err(|e| refused(format!("what the command {program} prints cannot be read: {e}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_tells_nothing() {
        assert_eq!(format!("{:?}", Secret::new("hunter2".into())), "Secret(…)");
    }

    #[test]
    fn a_missing_variable_is_named() {
        let error = SecretReference::Env("HOST_SDK_SURELY_UNSET".into()).resolve().unwrap_err();
        assert!(error.message().contains("HOST_SDK_SURELY_UNSET"));
    }

    #[cfg(unix)]
    #[test]
    fn a_program_prints_the_secret() {
        let command = |words: &[&str]| {
            let words = words.iter().map(|word| (*word).to_owned()).collect();
            SecretReference::Command(words).resolve()
        };
        assert_eq!(command(&["printf", "a b\\n\\n"]).unwrap().reveal(), "a b");
        for words in [&[][..], &["/no/such/program"], &["false"], &["printf", "\\377"]] {
            let error = command(words).unwrap_err();
            assert_eq!(error.report().path.as_deref(), Some("command"), "{words:?}");
        }
    }
}
