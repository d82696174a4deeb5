//! What stands in the text of a reply: a path, an address, a port; and the argument that names a port.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use once_cell::sync::Lazy;

use super::reply::Reply;
use super::verb::{Command, Verb};

/// The path in `257 "/a ""quoted"" one" is …`: quotes inside are doubled (RFC 959 appendix II).
pub(crate) fn quoted_path(text: &[u8]) -> Option<Vec<u8>> {
    let start = text.iter().position(|byte| *byte == b'"')? + 1;
    let mut path = Vec::new();
    let mut rest = text.get(start..)?.iter().peekable();
    while let Some(byte) = rest.next() {
        if *byte != b'"' {
            path.push(*byte);
        } else if rest.peek() == Some(&&b'"') {
            rest.next();
            path.push(b'"');
        } else {
            return (!path.is_empty()).then_some(path);
        }
    }
    None
}

/// PORT for IPv4, EPRT for IPv6 (RFC 2428 §2).
pub(crate) fn port_command(address: IpAddr, port: u16) -> Command {
    match address.to_canonical() {
        IpAddr::V4(address) => {
            let [a, b, c, d] = address.octets();
            let numbers = format_args!("{a},{b},{c},{d},{},{}", port >> 8, port & 0xff);
            Command::new(Verb::Port, numbers)
        }
        IpAddr::V6(address) => Command::new(Verb::Eprt, format_args!("|2|{address}|{port}|")),
    }
}

/// Where a server awaits a passive data connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PassiveEndpoint {
    /// The address that the server announces; none where it announces a port alone.
    pub(crate) address: Option<IpAddr>,
    /// The port, never 0.
    pub(crate) port: u16,
}

/// Where the reply to EPSV or PASV leads: servers answer either of the two in the form of the other.
pub(crate) fn passive_endpoint(reply: &Reply) -> Option<PassiveEndpoint> {
    let extended = || {
        let port = extended_passive_port(reply.first_line())?;
        Some(PassiveEndpoint { address: None, port })
    };
    let classic = || {
        let announced = passive_address(reply)?;
        Some(PassiveEndpoint { address: Some(announced.ip()), port: announced.port() })
    };
    if !reply.is_done() {
        return None;
    }
    if reply.is_passive() { classic().or_else(extended) } else { extended().or_else(classic) }
}

/// The port in `229 … (|||6446|)`; any delimiter is allowed (RFC 2428 §3).
pub(crate) fn extended_passive_port(text: &[u8]) -> Option<u16> {
    let text = String::from_utf8_lossy(text);
    let (_, rest) = text.split_once('(')?;
    let delimiter = rest.chars().next().filter(|c| !c.is_ascii_digit())?;
    let mut fields = rest.split(delimiter);
    let port = fields.nth(3)?;
    port.parse().ok().filter(|port| *port > 0)
}

/// The address in `227 … (h1,h2,h3,h4,p1,p2)`; servers leave the parentheses out
/// (RFC 1123 §4.1.2.6 wants clients to look for the digits alone).
pub(crate) fn passive_address(reply: &Reply) -> Option<SocketAddr> {
    static NUMBERS: Lazy<Option<regex::bytes::Regex>> = Lazy::new(|| {
        regex::bytes::Regex::new(
            r"(?-u)(\d{1,3}) *, *(\d{1,3}) *, *(\d{1,3}) *, *(\d{1,3}) *, *(\d{1,3}) *, *(\d{1,3})",
        )
        .ok()
    });
    let captures = NUMBERS.as_ref()?.captures(reply.first_line())?;
    let number = |at: usize| -> Option<u8> {
        std::str::from_utf8(captures.get(at)?.as_bytes()).ok()?.parse().ok()
    };
    let address = Ipv4Addr::new(number(1)?, number(2)?, number(3)?, number(4)?);
    let port = u16::from(number(5)?) << 8 | u16::from(number(6)?);
    (port > 0).then(|| SocketAddr::new(address.into(), port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_inside_a_path_are_doubled() {
        let cases: [(&str, Option<&str>); 6] = [
            (r#""/" is the current directory"#, Some("/")),
            (r#""/a""b" is "c""#, Some(r#"/a"b"#)),
            (r#"Current is "/in box""#, Some("/in box")),
            (r#""" is nothing"#, None),
            ("/no/quotes", None),
            (r#""/open"#, None),
        ];
        for (text, path) in cases {
            assert_eq!(quoted_path(text.as_bytes()), path.map(|p| p.as_bytes().to_vec()), "{text}");
        }
    }

    #[test]
    fn extended_passive_ports() {
        let cases: [(&[u8], Option<u16>); 5] = [
            (b"Entering Extended Passive Mode (|||6446|)", Some(6446)),
            (b"ok (!!!6446!)", Some(6446)),
            (b"ok (|||0|)", None),
            (b"ok (|||99999|)", None),
            (b"ok |||6446|", None),
        ];
        for (text, port) in cases {
            assert_eq!(extended_passive_port(text), port, "{}", String::from_utf8_lossy(text));
        }
    }

    #[test]
    fn passive_addresses_with_and_without_parentheses() {
        let address: SocketAddr = "127.0.0.1:5001".parse().unwrap();
        for text in [
            "Entering Passive Mode (127,0,0,1,19,137).",
            "=127,0,0,1,19,137",
            "127,0,0,1,19,137٣",
            "(127, 0, 0, 1, 19, 137)",
        ] {
            assert_eq!(passive_address(&Reply::new(227, text)), Some(address), "{text}");
        }
        for text in ["Entering Passive Mode", "(256,0,0,1,19,137)", "(127,0,0,1,0,0)"] {
            assert_eq!(passive_address(&Reply::new(227, text)), None, "{text}");
        }
    }

    #[test]
    fn each_passive_command_may_be_answered_in_the_form_of_the_other() {
        let at = |code, text| {
            passive_endpoint(&Reply::new(code, text)).map(|it| (it.address.is_some(), it.port))
        };
        assert_eq!(at(229, "Entering Extended Passive Mode (|||6446|)"), Some((false, 6446)));
        assert_eq!(at(227, "Entering Passive Mode (127,0,0,1,19,137)"), Some((true, 5001)));
        assert_eq!(at(227, "Entering Extended Passive Mode (|||6446|)"), Some((false, 6446)));
        assert_eq!(at(200, "Entering Passive Mode (127,0,0,1,19,137)"), Some((true, 5001)));
        for (code, text) in [(229, "ok"), (425, "(|||6446|)"), (350, "(|||6446|)"), (250, "Done.")]
        {
            assert_eq!(at(code, text), None, "{code} {text}");
        }
    }

    #[test]
    fn active_addresses_by_family() {
        let v4: IpAddr = "10.1.2.3".parse().unwrap();
        assert_eq!(port_command(v4, 50_001).line(), "PORT 10,1,2,3,195,81");
        let v6: IpAddr = "::1".parse().unwrap();
        assert_eq!(port_command(v6, 50_001).line(), "EPRT |2|::1|50001|");
    }
}
