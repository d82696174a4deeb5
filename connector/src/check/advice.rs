//! Which setting to change when an examination failed.

use super::report::Check;
use crate::config::{ConnectionSettings, DataMode, Security};
use crate::failure::{Cause, Failure};
use crate::protocol::verb::Verb;

/// What to do about `error`, naming the setting. The error's own hint counts, except where the
/// settings show a likelier cause.
pub(super) fn advice(check: Check, error: &Failure, settings: &ConnectionSettings) -> String {
    let by_settings = match check {
        Check::Greeting => about_greeting(error, settings),
        Check::Tls => about_protection(error, settings),
        Check::Login => about_login(error, settings),
        Check::DataConnection => Some(about_data(error, settings)),
        _ => None,
    };
    let hint = error.hint().map(str::to_owned);
    by_settings.or(hint).unwrap_or_else(|| usual(check).to_owned())
}

fn usual(check: Check) -> &'static str {
    match check {
        Check::Dns => "check host",
        Check::Tcp | Check::Greeting => "check host and port",
        Check::Tls | Check::SessionReuse => "check sslMode and port",
        Check::Certificate => "check caCertificates and trust",
        Check::Login => "check userName, password and account",
        Check::Features => "raise readTimeout if the server is just slow",
        Check::RemoteDirectory => "set remoteDirectory to a directory that exists",
        Check::DataConnection => "check connectionMode",
        Check::Listing => "set listing to the other command, list or mlsd",
        Check::ServerTime | Check::Restart => "raise readTimeout if the server is just slow",
    }
}

/// A server that wants implicit TLS waits in silence, or hangs up on what is not TLS.
fn about_greeting(error: &Failure, settings: &ConnectionSettings) -> Option<String> {
    let silent =
        matches!(error.cause(), Cause::Late | Cause::Nonsense | Cause::Lost) && !error.is_answer();
    (silent && settings.security != Security::Implicit).then(|| {
        "check host and port; a server that wants TLS from the first byte needs sslMode implicit"
            .to_owned()
    })
}

fn about_protection(error: &Failure, settings: &ConnectionSettings) -> Option<String> {
    let advice = match settings.tls.protect_data {
        true => {
            "the server protects no data connections: set dataProtection to clear if the partner \
             agrees"
        }
        false => "the server wants data connections protected: set dataProtection to private",
    };
    error.is_refusal_of(Verb::Prot).then(|| advice.to_owned())
}

/// Servers that demand TLS refuse a user in clear with the code of a wrong password.
fn about_login(error: &Failure, settings: &ConnectionSettings) -> Option<String> {
    if !error.is_refusal_of(Verb::User) || settings.security != Security::None {
        return None;
    }
    let usual = match error.hint() {
        // Some servers refuse it as if they were full.
        Some(hint) if error.is(Cause::Busy) => hint,
        _ => "check userName",
    };
    Some(format!("{usual}; if the server demands TLS, set sslMode to explicit"))
}

fn about_data(error: &Failure, settings: &ConnectionSettings) -> String {
    let refused = error.is_answer();
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
    if error.is(Cause::Tls)
        && let Some(hint) = error.hint()
    {
        return hint.to_owned();
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
    use crate::protocol::refusal::Phase;
    use crate::protocol::reply::Reply;

    fn advised(check: Check, error: &Failure, settings: Value) -> String {
        advice(check, error, &ConnectionSettings::parse(&settings).unwrap())
    }

    #[test]
    fn the_settings_decide_about_the_likelier_cause() {
        let plain = json!({"host": "h"});
        let explicit = json!({"host": "h", "sslMode": "explicit"});
        let without_reuse = json!({"host": "h", "sslMode": "explicit", "tlsSessionReuse": "off"});
        let in_clear = json!({"host": "h", "sslMode": "explicit", "dataProtection": "clear"});
        let active = json!({"host": "h", "connectionMode": "active"});
        let silence = Failure::new(Cause::Late, "silence").with_hint("raise readTimeout");
        let refused = |code, phase, verb: Verb| {
            let reply = Reply::new(code, "no");
            Failure::refused(&reply, phase, Some(verb), verb.as_str(), &reply)
        };
        let refusal = refused(425, Phase::Transfer, Verb::List);
        let user = refused(530, Phase::Login, Verb::User);
        let level = refused(536, Phase::Protection, Verb::Prot);
        let cases = [
            (Check::Greeting, &silence, &plain, "sslMode implicit"),
            (Check::Login, &user, &plain, "sslMode to explicit"),
            (Check::Login, &user, &explicit, "userName, password"),
            (Check::Tls, &level, &explicit, "dataProtection to clear"),
            (Check::DataConnection, &refusal, &plain, "passiveAddress"),
            (Check::DataConnection, &refusal, &explicit, "connectionMode to active"),
            (Check::DataConnection, &refusal, &without_reuse, "tlsSessionReuse to auto"),
            (Check::DataConnection, &refusal, &in_clear, "dataProtection to private"),
            (Check::DataConnection, &refusal, &active, "activeAddress"),
            (Check::Restart, &silence, &plain, "raise readTimeout"),
        ];
        for (check, error, settings, words) in cases {
            let advice = advised(check, error, settings.clone());
            assert!(advice.contains(words), "{check:?}: {advice}");
        }
    }
}
