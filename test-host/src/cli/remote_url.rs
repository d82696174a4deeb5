//! `ftp://user@host:port/path`: a place on a server.

use host_sdk::Error;

/// A place on a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RemoteUrl {
    /// The word of the setting `sslMode`.
    pub(super) ssl_mode: &'static str,
    pub(super) user: Option<String>,
    pub(super) password: Option<String>,
    pub(super) host: String,
    pub(super) port: Option<u16>,
    /// Relative to where the login leads, unless it begins with `/`.
    pub(super) path: String,
}

impl RemoteUrl {
    /// Reads `ftp://`, `ftpes://` (TLS by AUTH) and `ftps://` (TLS from the first byte). As curl has
    /// it, `ftp://host/a` is below the login directory and `ftp://host//a` below the root.
    ///
    /// # Errors
    ///
    /// `configuration` for anything else.
    pub(super) fn parse(text: &str) -> Result<Self, Error> {
        let refused = |why: &str| {
            let message = format!("{why}; a place is ftp://user@host:port/path");
            Error::configuration("", message)
        };
        let (scheme, rest) =
            text.split_once("://").ok_or_else(|| refused("a place begins with ftp://"))?;
        let ssl_mode = match scheme.to_ascii_lowercase().as_str() {
            "ftp" => "none",
            "ftpes" => "explicit",
            "ftps" => "implicit",
            other => {
                let known = host_sdk::expected_one_of(other, ["ftp", "ftpes", "ftps"].into_iter());
                return Err(refused(&format!("unknown scheme \"{other}\"; {known}")));
            }
        };
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (login, host) = match authority.rsplit_once('@') {
            Some((login, host)) => (Some(login), host),
            None => (None, authority),
        };
        let (user, password) = match login.map(|login| login.split_once(':').ok_or(login)) {
            None => (None, None),
            Some(Ok((user, password))) => (Some(decoded(user)?), Some(decoded(password)?)),
            Some(Err(user)) => (Some(decoded(user)?), None),
        };
        let (host, port) = match host.rsplit_once(':') {
            // An address of IPv6 stands in brackets.
            Some((name, port)) if !port.contains(']') => {
                let port = port.parse().map_err(|_| refused("the port is no number to 65535"))?;
                (name, Some(port))
            }
            _ => (host, None),
        };
        if host.is_empty() {
            return Err(refused("the host is missing"));
        }
        let path = decoded(path)?;
        if path.contains(['\r', '\n', '\0']) {
            return Err(refused("the path has a line break"));
        }
        Ok(Self { ssl_mode, user, password, host: host.to_owned(), port, path })
    }

    /// The directory, and the name of the file in it.
    ///
    /// # Errors
    ///
    /// `configuration` where it names no file.
    pub(super) fn directory_and_name(&self) -> Result<(&str, &str), Error> {
        let (directory, name) = match self.path.rsplit_once('/') {
            Some(("", name)) => ("/", name),
            Some(split) => split,
            None => ("", self.path.as_str()),
        };
        if name.is_empty() {
            return Err(Error::configuration("", "the place names no file: it ends with /"));
        }
        Ok((directory, name))
    }
}

/// `text` without percent encoding.
fn decoded(text: &str) -> Result<String, Error> {
    let bad = || Error::configuration("", format!("\"{text}\" is not encoded as URLs are"));
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digit = |byte: Option<u8>| byte.and_then(|byte| char::from(byte).to_digit(16));
        let (Some(high), Some(low)) = (digit(rest.next()), digit(rest.next())) else {
            return Err(bad());
        };
        bytes.push(u8::try_from(high * 16 + low).map_err(|_| bad())?);
    }
    String::from_utf8(bytes).map_err(|_| bad())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_read_as_curl_reads_them() {
        let url =
            RemoteUrl::parse("ftp://me%40home:s%3Acret@h.example:2121/in%20box/a.txt").unwrap();
        assert_eq!(
            (url.user.as_deref(), url.password.as_deref()),
            (Some("me@home"), Some("s:cret"))
        );
        assert_eq!((url.host.as_str(), url.port), ("h.example", Some(2121)));
        assert_eq!(url.directory_and_name().unwrap(), ("in box", "a.txt"));
        let url = RemoteUrl::parse("ftps://[::1]//pub").unwrap();
        assert_eq!((url.ssl_mode, url.host.as_str(), url.port), ("implicit", "[::1]", None));
        assert_eq!(url.directory_and_name().unwrap(), ("/", "pub"));
        assert_eq!(RemoteUrl::parse("FTPES://h").unwrap().path, "");
        for text in [
            "h/a",
            "http://h",
            "ftp://",
            "ftp://u@/a",
            "ftp://h:70000/",
            "ftp://h/%zz",
            "ftp://h/a%0d%0aDELE",
        ] {
            assert!(RemoteUrl::parse(text).is_err(), "{text}");
        }
        assert!(RemoteUrl::parse("ftp://h/a/").unwrap().directory_and_name().is_err());
    }
}
