//! Keeps a connection's secrets out of what its server says.

use host_sdk::Secret;

use crate::config::{ConnectionSettings, LoginCommand};

/// What stands for a secret.
pub(super) const REDACTED: &str = "…";

/// `text` without the secrets of `settings`, in their own form and in that of the wire.
pub(super) fn redact(settings: &ConnectionSettings, text: &[u8]) -> Vec<u8> {
    let credentials = &settings.credentials;
    let proxy = settings.proxy.as_ref().and_then(|proxy| proxy.password.as_ref());
    let secrets = [credentials.password.as_ref(), credentials.account.as_ref(), proxy];
    let own = settings.commands_after_login.iter().filter_map(LoginCommand::secret);
    let mut secrets: Vec<&str> =
        secrets.into_iter().flatten().chain(own).map(Secret::reveal).collect();
    // One may begin with another: the shorter first would leave the longer one's rest.
    secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    let mut text = text.to_vec();
    for secret in secrets {
        text = without(&text, secret.as_bytes());
        if let Ok(encoded) = settings.encoding.encode(secret) {
            text = without(&text, &encoded);
        }
    }
    text
}

/// `text` where `secret` does not appear.
fn without(text: &[u8], secret: &[u8]) -> Vec<u8> {
    let mut clean = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.first() {
        match rest.strip_prefix(secret) {
            Some(after) if !secret.is_empty() => {
                clean.extend_from_slice(REDACTED.as_bytes());
                rest = after;
            }
            _ => {
                clean.push(*first);
                rest = rest.get(1..).unwrap_or_default();
            }
        }
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_go_wherever_they_stand() {
        assert_eq!(without(b"530 abab is wrong", b"ab"), "530 …… is wrong".as_bytes());
        assert_eq!(without(b"530 no", b""), b"530 no");
        assert_eq!(without(b"pass", b"password"), b"pass");
    }
}
