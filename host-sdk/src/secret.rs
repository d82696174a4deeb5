//! Text that can be used but not printed.

use std::fmt;

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
}

impl SecretReference {
    /// Fetches the secret.
    ///
    /// # Errors
    ///
    /// `configuration` when the variable is not set or the file cannot be read.
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
        }
    }

    /// Fetches the secret as bytes; a file is taken as it is.
    ///
    /// # Errors
    ///
    /// As [`SecretReference::resolve`], but a file need not hold text.
    pub fn resolve_bytes(&self) -> Result<SecretBytes, Error> {
        match self {
            Self::Env(_) => {
                self.resolve().map(|secret| SecretBytes::new(secret.reveal().as_bytes().to_vec()))
            }
            Self::File(path) => std::fs::read(path).map(SecretBytes::new).map_err(|e| {
                Error::configuration("file", format!("secret file {path} cannot be read: {e}"))
            }),
        }
    }
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
}
