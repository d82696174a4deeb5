use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

use super::text::{Pattern, Template, unescape};
use crate::Certificate;

/// A script that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("line {line}: {reason}")]
pub struct ScriptError {
    /// The number of the line, from 1; 0 for the file itself.
    pub line: usize,
    /// What is wrong with it.
    pub reason: String,
}

/// A conversation that was read from its text; see the [module](super) for the language.
#[derive(Clone, Debug)]
pub struct Script {
    pub(super) connections: Vec<Connection>,
    pub(super) certificate: Certificate,
    pub(super) wait: Duration,
    pub(super) cut_control: Option<usize>,
    pub(super) cut_data: Option<usize>,
}

/// What happens on one control connection.
#[derive(Clone, Debug, Default)]
pub(super) struct Connection {
    /// Serves every further connection too.
    pub(super) repeated: bool,
    pub(super) otherwise: Vec<Rule>,
    pub(super) steps: Vec<(usize, Step)>,
}

/// The answer to a command that is not expected.
#[derive(Clone, Debug)]
pub(super) struct Rule {
    pub(super) pattern: Pattern,
    pub(super) reply: Template,
    /// Only the first command that fits is answered.
    pub(super) once: bool,
}

#[derive(Clone, Debug)]
pub(super) enum Step {
    Expect(Pattern),
    ExpectClose,
    Send(Template),
    Split(Option<usize>),
    Pause(Duration),
    PauseUntilCommand,
    Silence(Duration),
    Endless(Vec<u8>),
    Tls,
    Close,
    Reset,
    Listen { dead: bool },
    Data(DataStep),
}

#[derive(Clone, Debug)]
pub(super) enum DataStep {
    Accept,
    Connect(Option<IpAddr>),
    Refused,
    Tls,
    UntrustedTls,
    Send(Vec<u8>),
    Endless(Vec<u8>),
    Receive(Option<usize>),
    Expect(Vec<u8>),
    Close,
    Truncate,
    Reset,
}

impl Script {
    /// Reads a script.
    ///
    /// # Errors
    ///
    /// [`ScriptError`] naming the first line that is not understood.
    pub fn parse(text: &str) -> Result<Self, ScriptError> {
        let mut script = Self {
            connections: vec![Connection::default()],
            certificate: Certificate::Trusted,
            wait: Duration::from_secs(5),
            cut_control: None,
            cut_data: None,
        };
        for (number, line) in text.lines().enumerate() {
            let number = number + 1;
            script.line(number, line).map_err(|reason| ScriptError { line: number, reason })?;
        }
        Ok(script)
    }

    /// Reads a script from a file.
    ///
    /// # Errors
    ///
    /// [`ScriptError`], with line 0 if the file itself cannot be read.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, ScriptError> {
        let path = path.as_ref();
        let text = std::fs::read_to_string(path).map_err(|error| ScriptError {
            line: 0,
            reason: format!("{}: {error}", path.display()),
        })?;
        Self::parse(&text)
    }

    /// The certificate to show. Default: [`Certificate::Trusted`].
    #[must_use]
    pub fn certificate(mut self, certificate: Certificate) -> Self {
        self.certificate = certificate;
        self
    }

    /// How long each single step may take. Default: 5 s.
    #[must_use]
    pub fn wait(mut self, wait: Duration) -> Self {
        self.wait = wait;
        self
    }

    /// Cuts each control connection after it has carried this many bytes to the client, TLS
    /// included. Being cut is not a mismatch.
    #[must_use]
    pub fn cut_control(mut self, bytes: usize) -> Self {
        self.cut_control = Some(bytes);
        self
    }

    /// Cuts each data connection after it has carried this many bytes to the client, TLS included.
    /// The control connection goes on as written: a `226` still comes.
    #[must_use]
    pub fn cut_data(mut self, bytes: usize) -> Self {
        self.cut_data = Some(bytes);
        self
    }

    fn line(&mut self, number: usize, line: &str) -> Result<(), String> {
        if line.trim().is_empty() || line.starts_with('#') {
            return Ok(());
        }
        if let "connection" | "connections" = line.trim() {
            let last = self.connections.last();
            // At the top of a script the line only names what is there anyway.
            if last.is_some_and(|last| last.steps.is_empty() && last.otherwise.is_empty()) {
                self.connections.pop();
            }
            let repeated = line.trim() == "connections";
            self.connections.push(Connection { repeated, ..Connection::default() });
            return Ok(());
        }
        let Some(connection) = self.connections.last_mut() else { return Ok(()) };
        for (word, once) in [("otherwise ", false), ("once ", true)] {
            if let Some(rule) = line.strip_prefix(word) {
                let (pattern, reply) =
                    rule.split_once(" < ").ok_or("otherwise COMMAND < REPLY is wanted")?;
                let reply = Template::parse(&format!("{reply}\\r\\n"))?;
                let pattern = Pattern::parse(pattern)?;
                connection.otherwise.push(Rule { pattern, reply, once });
                return Ok(());
            }
        }
        for step in steps(line)? {
            connection.steps.push((number, step));
        }
        Ok(())
    }
}

fn steps(line: &str) -> Result<Vec<Step>, String> {
    if let Some(bytes) = after(line, "<!") {
        return Ok(vec![Step::Send(Template::parse(bytes)?)]);
    }
    if let Some(reply) = after(line, "<") {
        return Ok(vec![Step::Send(Template::parse(&format!("{reply}\\r\\n"))?)]);
    }
    if let Some(command) = after(line, ">") {
        return Ok(vec![Step::Expect(Pattern::parse(command)?)]);
    }
    let words: Vec<&str> = line.split_ascii_whitespace().collect();
    let step = match words[..] {
        ["passive", "EPSV"] => {
            let reply = Template::parse("229 Entering Extended Passive Mode (|||{port}|)\\r\\n")?;
            return Ok(vec![Step::Listen { dead: false }, Step::Send(reply)]);
        }
        ["passive", "PASV"] => {
            let reply = Template::parse("227 Entering Passive Mode (127,0,0,1,{p1},{p2})\\r\\n")?;
            return Ok(vec![Step::Listen { dead: false }, Step::Send(reply)]);
        }
        ["listen"] => Step::Listen { dead: false },
        ["listen", "dead"] => Step::Listen { dead: true },
        ["expect", "close"] => Step::ExpectClose,
        ["split", "off"] => Step::Split(None),
        ["split", pieces] => Step::Split(Some(number(pieces)?)),
        ["pause", "until", "next", "command"] => Step::PauseUntilCommand,
        ["pause", time] => Step::Pause(milliseconds(time)?),
        ["silence", time] => Step::Silence(milliseconds(time)?),
        ["endless", ..] => Step::Endless(quoted(line)?.0),
        ["tls"] => Step::Tls,
        ["close"] => Step::Close,
        ["reset"] => Step::Reset,
        ["data", ..] => Step::Data(data_step(&words[1..], line)?),
        _ => return Err(format!("`{line}` is not understood")),
    };
    Ok(vec![step])
}

fn data_step(words: &[&str], line: &str) -> Result<DataStep, String> {
    Ok(match *words {
        ["accept"] => DataStep::Accept,
        ["connect"] => DataStep::Connect(None),
        ["connect", "from", address] => {
            DataStep::Connect(Some(address.parse().map_err(|_| "an IP address is wanted")?))
        }
        ["refused"] => DataStep::Refused,
        ["tls"] => DataStep::Tls,
        ["tls", "untrusted"] => DataStep::UntrustedTls,
        ["send", ..] => {
            let (bytes, rest) = quoted(line)?;
            let times = match rest.split_ascii_whitespace().collect::<Vec<_>>()[..] {
                [] => 1,
                ["times", count] => number(count)?,
                _ => return Err("only `times N` may follow the bytes".to_owned()),
            };
            DataStep::Send(bytes.repeat(times))
        }
        ["endless", ..] => DataStep::Endless(quoted(line)?.0),
        ["receive"] => DataStep::Receive(None),
        ["receive", count] => DataStep::Receive(Some(number(count)?)),
        ["expect", ..] => DataStep::Expect(quoted(line)?.0),
        ["close"] => DataStep::Close,
        ["truncate"] => DataStep::Truncate,
        ["reset"] => DataStep::Reset,
        _ => return Err(format!("`{line}` is not understood")),
    })
}

/// What follows the sign and at most one space.
fn after<'a>(line: &'a str, sign: &str) -> Option<&'a str> {
    let rest = line.strip_prefix(sign)?;
    Some(rest.strip_prefix(' ').unwrap_or(rest))
}

/// The bytes between the first and the last quotation mark, and what follows.
fn quoted(line: &str) -> Result<(Vec<u8>, &str), String> {
    const WANTED: &str = "bytes in quotation marks are wanted";
    let (_, rest) = line.split_once('"').ok_or(WANTED)?;
    let (bytes, rest) = rest.rsplit_once('"').ok_or(WANTED)?;
    Ok((unescape(bytes)?, rest))
}

fn number(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) | Err(_) => Err(format!("`{text}` is not a number above 0")),
        Ok(number) => Ok(number),
    }
}

fn milliseconds(text: &str) -> Result<Duration, String> {
    let digits = text.strip_suffix("ms").ok_or("a time such as 50ms is wanted")?;
    Ok(Duration::from_millis(number(digits)? as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_of_a_mistake_is_named() {
        let error = Script::parse("< 220 ready\n\n# fine\nsplt 1\n").unwrap_err();
        assert_eq!(error.to_string(), "line 4: `splt 1` is not understood");
        for bad in ["split 0", "pause 5", "data send abc", "< \\y", "otherwise X", "data what"] {
            assert!(Script::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn connections_are_told_apart() {
        let script = Script::parse("connection\nclose\nconnections\n< 220 hi\n").unwrap();
        let repeated: Vec<_> = script.connections.iter().map(|each| each.repeated).collect();
        assert_eq!(repeated, [false, true]);
        assert_eq!(script.connections[0].steps.len(), 1);
    }
}
