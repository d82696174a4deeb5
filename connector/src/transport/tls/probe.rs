//! What a server would agree to that agrees to nothing secure: a ClientHello that offers all that
//! was ever in use, and the first record of the answer (RFC 5246 §7.4.1). Nothing else is said.

use std::io::{self, Read, Write};
use std::net::TcpStream;

use host_sdk::kit::Deadline;
use rustls::pki_types::ServerName;

use crate::transport::error::is_timeout;

/// The cipher suites, the best first, with how they exchange keys.
const SUITES: [(u16, &str); 30] = [
    (0xc030, "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"),
    (0xc02f, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"),
    (0xc02c, "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"),
    (0xc02b, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"),
    (0xcca8, "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256"),
    (0xcca9, "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"),
    (0xc028, "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384"),
    (0xc027, "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256"),
    (0xc024, "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384"),
    (0xc023, "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256"),
    (0xc014, "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA"),
    (0xc013, "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA"),
    (0xc00a, "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA"),
    (0xc009, "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA"),
    (0x009f, "TLS_DHE_RSA_WITH_AES_256_GCM_SHA384"),
    (0x009e, "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256"),
    (0x006b, "TLS_DHE_RSA_WITH_AES_256_CBC_SHA256"),
    (0x0067, "TLS_DHE_RSA_WITH_AES_128_CBC_SHA256"),
    (0x0039, "TLS_DHE_RSA_WITH_AES_256_CBC_SHA"),
    (0x0033, "TLS_DHE_RSA_WITH_AES_128_CBC_SHA"),
    (0x0016, "TLS_DHE_RSA_WITH_3DES_EDE_CBC_SHA"),
    (0x009d, "TLS_RSA_WITH_AES_256_GCM_SHA384"),
    (0x009c, "TLS_RSA_WITH_AES_128_GCM_SHA256"),
    (0x003d, "TLS_RSA_WITH_AES_256_CBC_SHA256"),
    (0x003c, "TLS_RSA_WITH_AES_128_CBC_SHA256"),
    (0x0035, "TLS_RSA_WITH_AES_256_CBC_SHA"),
    (0x002f, "TLS_RSA_WITH_AES_128_CBC_SHA"),
    (0x000a, "TLS_RSA_WITH_3DES_EDE_CBC_SHA"),
    (0x0005, "TLS_RSA_WITH_RC4_128_SHA"),
    (0x0004, "TLS_RSA_WITH_RC4_128_MD5"),
];

/// The cipher suite that says that renegotiation is secure (RFC 5746 §3.3).
const SECURE_RENEGOTIATION: u16 = 0x00ff;

/// The longest answer that is looked at: a ServerHello is a tenth of it.
const LONGEST: usize = 16 * 1024;

/// What a server chose of all that was offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    /// The version, as its two bytes.
    pub(super) version: u16,
    /// The cipher suite, as its two bytes.
    pub(super) suite: u16,
}

impl Answer {
    pub(super) fn suite_name(self) -> &'static str {
        let named = SUITES.iter().find(|(suite, _)| *suite == self.suite);
        named.map_or("an unknown one", |(_, name)| name)
    }

    pub(super) fn has_rsa_key_exchange(self) -> bool {
        self.suite_name().starts_with("TLS_RSA_")
    }

    pub(super) fn has_dhe_key_exchange(self) -> bool {
        self.suite_name().starts_with("TLS_DHE_")
    }

    pub(super) fn has_cbc(self) -> bool {
        self.suite_name().contains("_CBC_")
    }
}

/// Asks what the server at the other end of `socket` would agree to; none where it agrees to nothing
/// at all.
///
/// # Errors
///
/// What the socket gives, a time-out among it.
pub(crate) fn ask(
    mut socket: &TcpStream,
    name: &ServerName<'_>,
    deadline: Deadline,
) -> io::Result<Option<Answer>> {
    let left = deadline.remaining("the answer").map_err(io::Error::other)?;
    socket.set_write_timeout(left)?;
    socket.write_all(&client_hello(name))?;
    let mut received = Vec::new();
    let mut buffer = [0; 2048];
    while received.len() < LONGEST {
        match read(&received) {
            Reading::Done(answer) => return Ok(answer),
            Reading::More => {}
        }
        let left = deadline.remaining("the answer").map_err(io::Error::other)?;
        socket.set_read_timeout(left)?;
        match socket.read(&mut buffer) {
            Ok(0) => return Ok(None),
            Ok(count) => received.extend_from_slice(buffer.get(..count).unwrap_or_default()),
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) if is_timeout(&e) => return Ok(None),
            Err(e) => return Err(e),
        }
    }
    Ok(None)
}

/// What was read so far comes to.
#[derive(Debug, PartialEq, Eq)]
enum Reading {
    /// More has to arrive.
    More,
    /// An answer, or what is none: an alert, or no TLS at all.
    Done(Option<Answer>),
}

/// Reads a ServerHello at the front of `bytes`.
fn read(bytes: &[u8]) -> Reading {
    const HANDSHAKE: u8 = 22;
    const SERVER_HELLO: u8 = 2;
    /// The header of the record, and of the message in it.
    const HEADERS: usize = 5 + 4;
    /// The version and the random bytes.
    const FIXED: usize = 2 + 32;
    match bytes.first() {
        None => return Reading::More,
        Some(&HANDSHAKE) => {}
        Some(_) => return Reading::Done(None),
    }
    let parse = || {
        let message = bytes.get(HEADERS..)?;
        let version = u16::from_be_bytes(*message.first_chunk()?);
        let session = usize::from(*message.get(FIXED)?);
        let suite = u16::from_be_bytes(*message.get(FIXED + 1 + session..)?.first_chunk()?);
        Some(Answer { version, suite })
    };
    match bytes.get(5) {
        Some(&SERVER_HELLO) | None => match parse() {
            Some(answer) => Reading::Done(Some(answer)),
            None => Reading::More,
        },
        Some(_) => Reading::Done(None),
    }
}

/// A ClientHello of TLS 1.2 in a record of TLS 1.0, which the oldest servers read too.
fn client_hello(name: &ServerName<'_>) -> Vec<u8> {
    let mut suites: Vec<u8> = SUITES.iter().flat_map(|(suite, _)| suite.to_be_bytes()).collect();
    suites.extend(SECURE_RENEGOTIATION.to_be_bytes());
    let mut extensions = Vec::new();
    if let ServerName::DnsName(name) = name {
        let name = name.as_ref().as_bytes();
        let entry = [&[0][..], &with_length(name)].concat();
        extensions.extend(extension(0, &with_length(&entry)));
    }
    // secp256r1, secp384r1, secp521r1, x25519; uncompressed points.
    extensions.extend(extension(10, &with_length(&[0, 23, 0, 24, 0, 25, 0, 29])));
    extensions.extend(extension(11, &[1, 0]));
    // RSA-PSS, RSA and ECDSA, each with SHA-256, SHA-384, SHA-512 and, but for PSS, SHA-1.
    let schemes = [8, 4, 8, 5, 8, 6, 4, 1, 5, 1, 6, 1, 4, 3, 5, 3, 6, 3, 2, 1, 2, 3];
    extensions.extend(extension(13, &with_length(&schemes)));
    let random: Vec<u8> =
        (0..4).flat_map(|_| host_sdk::kit::random_suffix().to_be_bytes()).collect();
    // No session is resumed, and nothing is compressed.
    let hello =
        [&[3, 3][..], &random, &[0], &with_length(&suites), &[1, 0], &with_length(&extensions)]
            .concat();
    let length = u32::try_from(hello.len()).unwrap_or_default().to_be_bytes();
    let message = [&[1][..], length.get(1..).unwrap_or_default(), &hello].concat();
    [&[22, 3, 1][..], &with_length(&message)].concat()
}

fn extension(kind: u16, content: &[u8]) -> Vec<u8> {
    [&kind.to_be_bytes()[..], &with_length(content)].concat()
}

/// Bytes behind their number, in two bytes.
fn with_length(bytes: &[u8]) -> Vec<u8> {
    let length = u16::try_from(bytes.len()).unwrap_or_default();
    [&length.to_be_bytes()[..], bytes].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_hello_tells_version_and_suite() {
        let session = [7; 32];
        let hello = [&[3, 1][..], &[9; 32], &[32], &session, &[0, 0x35, 0]].concat();
        let message = [&[2, 0, 0, 70][..], &hello].concat();
        let record = [&[22, 3, 1, 0, 74][..], &message].concat();
        let answer = Answer { version: 0x0301, suite: 0x0035 };
        assert_eq!(read(&record), Reading::Done(Some(answer)));
        assert_eq!(answer.suite_name(), "TLS_RSA_WITH_AES_256_CBC_SHA");
        for end in 0..record.len() - 1 {
            assert_eq!(read(&record[..end]), Reading::More, "{end}");
        }
    }

    #[test]
    fn alerts_and_other_protocols_are_no_answer() {
        for bytes in
            [&b"\x15\x03\x01\x00\x02\x02\x28"[..], b"220 ready\r\n", b"\x16\x03\x01\x00\x04\x0b"]
        {
            assert_eq!(read(bytes), Reading::Done(None), "{bytes:?}");
        }
    }

    #[test]
    fn lengths_of_the_hello_are_right() {
        for name in ["ftp.example.com", "192.0.2.1"] {
            let hello = client_hello(&ServerName::try_from(name).unwrap());
            let record = usize::from(u16::from_be_bytes([hello[3], hello[4]]));
            let message = usize::from(u16::from_be_bytes([hello[7], hello[8]]));
            assert_eq!((record, message), (hello.len() - 5, hello.len() - 9), "{name}");
        }
    }
}
