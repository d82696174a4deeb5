//! Commands of the user's own, sent after each login.

use host_sdk::{Error, Secret, Settings};

use super::line::check_line;

/// What stands for the secret of a command in its text.
const PLACE: &str = "{secret}";

/// Commands that the connector sends itself: their replies, or what they change, would put it out of
/// step with the server.
const OWN_BUSINESS: [&str; 31] = [
    "ABOR", "ACCT", "ADAT", "APPE", "AUTH", "CCC", "CONF", "ENC", "EPRT", "EPSV", "LIST", "LPRT",
    "LPSV", "MIC", "MLSD", "NLST", "PASS", "PASV", "PBSZ", "PORT", "PROT", "QUIT", "REIN", "REST",
    "RETR", "RNFR", "RNTO", "STOR", "STOU", "TYPE", "USER",
];

/// One command that is sent after each login.
#[derive(Debug)]
pub(crate) struct LoginCommand {
    command: String,
    secret: Option<Secret>,
    accepted: Vec<Accepted>,
}

/// Replies that count as good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Accepted {
    /// All whose code begins with this digit.
    Class(u16),
    /// Those with this code.
    Code(u16),
}

impl LoginCommand {
    /// The line to send, its secret included.
    pub(crate) fn line(&self) -> String {
        match &self.secret {
            Some(secret) => self.command.replace(PLACE, secret.reveal()),
            None => self.command.clone(),
        }
    }

    /// The line as it may be shown.
    pub(crate) fn shown(&self) -> &str {
        &self.command
    }

    /// The secret in it.
    pub(crate) fn secret(&self) -> Option<&Secret> {
        self.secret.as_ref()
    }

    /// Whether a reply with `code` counts as good.
    pub(crate) fn accepts(&self, code: u16) -> bool {
        self.accepted.iter().any(|accepted| match accepted {
            Accepted::Class(digit) => code / 100 == *digit,
            Accepted::Code(exact) => code == *exact,
        })
    }
}

/// The commands of `id`.
pub(super) fn login_commands(settings: &Settings, id: &str) -> Result<Vec<LoginCommand>, Error> {
    let items = settings.list(id).iter().enumerate();
    items
        .map(|(at, item)| login_command(item).map_err(|e| e.under(&format!("{id}[{at}]"))))
        .collect()
}

fn login_command(item: &Settings) -> Result<LoginCommand, Error> {
    let command = item.text("command").unwrap_or_default().trim().to_owned();
    check_line("command", &command)?;
    let verb = command.split(' ').next().unwrap_or_default();
    if verb.is_empty() || !verb.chars().all(|c| c.is_ascii_alphabetic()) {
        return Err(Error::configuration("command", "expected a command such as SITE NAMEFMT 1"));
    }
    if OWN_BUSINESS.iter().any(|own| own.eq_ignore_ascii_case(verb)) {
        let message = format!("{verb} is sent by the connector itself and cannot be one of them");
        return Err(Error::configuration("command", message));
    }
    let secret = item.secret("secret")?;
    if let Some(secret) = &secret {
        check_line("secret", secret.reveal())?;
    }
    if secret.is_some() != command.contains(PLACE) {
        let message =
            format!("the secret goes where {PLACE} stands in the command: both, or neither");
        return Err(Error::configuration("secret", message));
    }
    let accepted = accepted(item.text("replies").unwrap_or_default())?;
    Ok(LoginCommand { command, secret, accepted })
}

/// The replies of `2xx, 500`.
fn accepted(text: &str) -> Result<Vec<Accepted>, Error> {
    let wrong = || {
        let message = "expected codes and classes of replies, such as \"2xx\" or \"2xx, 500\"";
        Error::configuration("replies", message)
    };
    let one = |text: &str| {
        let text = text.trim();
        let digits = text.strip_suffix("xx").or_else(|| text.strip_suffix("XX"));
        let number: u16 = digits.unwrap_or(text).parse().map_err(|_| wrong())?;
        match digits {
            Some(_) if (1..=5).contains(&number) => Ok(Accepted::Class(number)),
            None if (100..600).contains(&number) => Ok(Accepted::Code(number)),
            _ => Err(wrong()),
        }
    };
    text.split(',').map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_classes_count_as_good() {
        assert_eq!(accepted("2xx, 500").unwrap(), [Accepted::Class(2), Accepted::Code(500)]);
        for text in ["", "ok", "6xx", "2x", "99", "2xx;500"] {
            assert!(accepted(text).is_err(), "{text}");
        }
    }
}
