//! Which setting to change when an examination failed.

use host_sdk::{Error, ErrorKind};

use super::book::Examination;
use crate::config::{ConnectionSettings, DataMode, Security};

/// What to do about `error`, naming the setting. The error's own hint counts, except where the
/// settings show a likelier cause.
pub(super) fn advice(
    examination: Examination,
    error: &Error,
    settings: &ConnectionSettings,
) -> String {
    let likelier = match examination {
        Examination::Greeting => about_greeting(error, settings),
        Examination::Tls => about_protection(error),
        Examination::Login => about_login(error, settings),
        Examination::DataConnection => Some(about_data(error, settings)),
        _ => None,
    };
    let hint = error.report().hint.clone();
    likelier.or(hint).unwrap_or_else(|| usual(examination).to_owned())
}

fn usual(examination: Examination) -> &'static str {
    match examination {
        Examination::Dns => "check host",
        Examination::Tcp | Examination::Greeting => "check host and port",
        Examination::Tls | Examination::SessionReuse => "check sslMode and port",
        Examination::Certificate => "check caCertificates and trust",
        Examination::Login => "check userName, password and account",
        Examination::Features => "raise readTimeout if the server is just slow",
        Examination::RemoteDirectory => "set remoteDirectory to a directory that exists",
        Examination::DataConnection => "check connectionMode",
        Examination::Listing => "set listing to the other command, list or mlsd",
        Examination::ServerTime | Examination::Restart => {
            "raise readTimeout if the server is just slow"
        }
    }
}

/// A server that wants implicit TLS waits in silence, or hangs up on what is not TLS.
fn about_greeting(error: &Error, settings: &ConnectionSettings) -> Option<String> {
    let silent =
        matches!(error.kind(), ErrorKind::Timeout | ErrorKind::Protocol | ErrorKind::Connection)
            && error.report().reply.is_none();
    (silent && settings.security != Security::Implicit).then(|| {
        "check host and port; a server that wants TLS from the first byte needs sslMode implicit"
            .to_owned()
    })
}

fn about_protection(error: &Error) -> Option<String> {
    match error.report().command.as_deref()? {
        "PROT P" => Some(
            "the server protects no data connections: set dataProtection to clear if the partner \
             agrees"
                .to_owned(),
        ),
        "PROT C" => Some(
            "the server wants data connections protected: set dataProtection to private".into(),
        ),
        _ => None,
    }
}

/// Servers that demand TLS refuse a user in clear with the code of a wrong password.
fn about_login(error: &Error, settings: &ConnectionSettings) -> Option<String> {
    let report = error.report();
    let at_user = report.command.as_deref() == Some("USER") && report.reply.is_some();
    if !at_user || settings.security != Security::None {
        return None;
    }
    let usual = match &error.report().hint {
        // Some servers refuse it as if they were full.
        Some(hint) if error.kind() == ErrorKind::Busy => hint,
        _ => "check userName",
    };
    Some(format!("{usual}; if the server demands TLS, set sslMode to explicit"))
}

fn about_data(error: &Error, settings: &ConnectionSettings) -> String {
    let refused = error.report().reply.is_some();
    if settings.security != Security::None && refused {
        if !settings.tls.protect_data {
            return "the server may refuse data connections in clear: set dataProtection to private"
                .to_owned();
        }
        if !settings.tls.session_reuse {
            return "the server may refuse data connections that do not resume the TLS session: \
                    set tlsSessionReuse to auto"
                .to_owned();
        }
    }
    if error.kind() == ErrorKind::Tls
        && let Some(hint) = &error.report().hint
    {
        return hint.clone();
    }
    match settings.mode {
        DataMode::Active => {
            "the server cannot reach this machine: set activePorts to ports that are open to it \
             and activeAddress to the address it knows this machine by, or connectionMode to \
             passive"
        }
        DataMode::Passive if settings.proxy.is_some() => {
            "check that the proxy permits the server's passive ports; set passiveAddress to \
             server if its data connections have an address of their own"
        }
        DataMode::Passive => {
            "have the server's passive ports opened to this machine; set passiveAddress to server \
             if its data connections have an address of their own, or connectionMode to active"
        }
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn advised(examination: Examination, error: &Error, settings: Value) -> String {
        advice(examination, error, &ConnectionSettings::parse(&settings).unwrap())
    }

    #[test]
    fn the_settings_decide_about_the_likelier_cause() {
        let plain = json!({"host": "h"});
        let explicit = json!({"host": "h", "sslMode": "explicit"});
        let without_reuse = json!({"host": "h", "sslMode": "explicit", "tlsSessionReuse": "off"});
        let in_clear = json!({"host": "h", "sslMode": "explicit", "dataProtection": "clear"});
        let active = json!({"host": "h", "connectionMode": "active"});
        let silence = Error::new(ErrorKind::Timeout, "silence").with_hint("raise readTimeout");
        let refusal = Error::new(ErrorKind::Connection, "no").with_reply(425, "no");
        let user =
            Error::new(ErrorKind::Authentication, "no").with_reply(530, "no").with_command("USER");
        let level = Error::new(ErrorKind::Tls, "no").with_command("PROT P");
        let cases = [
            (Examination::Greeting, &silence, &plain, "sslMode implicit"),
            (Examination::Login, &user, &plain, "sslMode to explicit"),
            (Examination::Login, &user, &explicit, "userName, password"),
            (Examination::Tls, &level, &explicit, "dataProtection to clear"),
            (Examination::DataConnection, &refusal, &plain, "passiveAddress"),
            (Examination::DataConnection, &refusal, &explicit, "connectionMode to active"),
            (Examination::DataConnection, &refusal, &without_reuse, "tlsSessionReuse to auto"),
            (Examination::DataConnection, &refusal, &in_clear, "dataProtection to private"),
            (Examination::DataConnection, &refusal, &active, "activeAddress"),
            (Examination::Restart, &silence, &plain, "raise readTimeout"),
        ];
        for (examination, error, settings, words) in cases {
            let advice = advised(examination, error, settings.clone());
            assert!(advice.contains(words), "{examination:?}: {advice}");
        }
    }
}
