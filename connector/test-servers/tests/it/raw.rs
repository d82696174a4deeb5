use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{
    ClientConfig, ClientConnection, HandshakeKind, ProtocolVersion, RootCertStore, StreamOwned,
};
use test_servers::{Mode, Server};

const WAIT: Duration = Duration::from_secs(20);

trait Wire: Read + Write {}
impl<T: Read + Write> Wire for T {}

/// Just enough of a client to prove that a server is up.
pub(crate) struct Raw {
    wire: BufReader<Box<dyn Wire>>,
    plain: Option<TcpStream>,
    address: SocketAddr,
}

pub(crate) fn tls(ca: &Path, client: Option<(&Path, &Path)>) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(ca).unwrap()).unwrap();
    let builder =
        ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots);
    Arc::new(match client {
        None => builder.with_no_client_auth(),
        Some((certificate, key)) => builder
            .with_client_auth_cert(
                vec![CertificateDer::from_pem_file(certificate).unwrap()],
                PrivateKeyDer::from_pem_file(key).unwrap(),
            )
            .unwrap(),
    })
}

pub(crate) type Secure = StreamOwned<ClientConnection, TcpStream>;

pub(crate) fn secure(stream: TcpStream, config: &Arc<ClientConfig>) -> std::io::Result<Secure> {
    let name = ServerName::try_from("127.0.0.1").unwrap();
    let connection = ClientConnection::new(Arc::clone(config), name).unwrap();
    let mut stream = StreamOwned::new(connection, stream);
    while stream.conn.is_handshaking() {
        stream.conn.complete_io(&mut stream.sock)?;
    }
    Ok(stream)
}

pub(crate) fn dial(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect_timeout(&address, WAIT).unwrap();
    stream.set_read_timeout(Some(WAIT)).unwrap();
    stream.set_write_timeout(Some(WAIT)).unwrap();
    stream
}

impl Raw {
    pub(crate) fn connect(address: SocketAddr) -> Self {
        let stream = dial(address);
        let plain = stream.try_clone().unwrap();
        Self { wire: BufReader::new(Box::new(stream)), plain: Some(plain), address }
    }

    pub(crate) fn connect_implicit(
        address: SocketAddr,
        config: &Arc<ClientConfig>,
    ) -> std::io::Result<Self> {
        let wire = secure(dial(address), config)?;
        Ok(Self { wire: BufReader::new(Box::new(wire)), plain: None, address })
    }

    pub(crate) fn upgrade(
        &mut self,
        config: &Arc<ClientConfig>,
    ) -> std::io::Result<ProtocolVersion> {
        assert!(self.wire.buffer().is_empty(), "bytes before the handshake");
        let stream = self.plain.take().unwrap();
        let stream = secure(stream, config)?;
        let version = stream.conn.protocol_version().unwrap();
        self.wire = BufReader::new(Box::new(stream));
        Ok(version)
    }

    pub(crate) fn try_ask(&mut self, line: &str) -> std::io::Result<(u16, String)> {
        self.wire.get_mut().write_all(format!("{line}\r\n").as_bytes())?;
        self.wire.get_mut().flush()?;
        self.try_reply()
    }

    /// Greeting, TLS as the server wants it, login.
    pub(crate) fn enter(server: &Server, config: &Arc<ClientConfig>) -> Self {
        let mut raw = if server.mode() == Mode::Implicit {
            Self::connect_implicit(server.address(), config).unwrap()
        } else {
            Self::connect(server.address())
        };
        assert_eq!(raw.reply().0, 220);
        if server.mode() == Mode::Explicit {
            raw.expect("AUTH TLS", 234);
            raw.upgrade(config).unwrap();
        }
        raw.login(server.user(), server.password());
        raw
    }

    /// The code and the whole text of the next reply.
    pub(crate) fn reply(&mut self) -> (u16, String) {
        self.try_reply().unwrap()
    }

    pub(crate) fn try_reply(&mut self) -> std::io::Result<(u16, String)> {
        let mut text = String::new();
        loop {
            let mut line = Vec::new();
            self.wire.read_until(b'\n', &mut line)?;
            if !line.ends_with(b"\n") {
                return Err(std::io::Error::other(format!("the server hung up after {text:?}")));
            }
            let line = String::from_utf8_lossy(&line).into_owned();
            text.push_str(&line);
            let code = line.get(..3).and_then(|code| code.parse().ok());
            if let Some(code) = code
                && line.get(3..4) != Some("-")
            {
                return Ok((code, text));
            }
        }
    }

    pub(crate) fn ask(&mut self, line: &str) -> (u16, String) {
        self.try_ask(line).unwrap()
    }

    pub(crate) fn expect(&mut self, line: &str, code: u16) -> String {
        let (got, text) = self.ask(line);
        assert_eq!(got, code, "{line} -> {text}");
        text
    }

    pub(crate) fn login(&mut self, user: &str, password: &str) {
        self.expect(&format!("USER {user}"), 331);
        self.expect(&format!("PASS {password}"), 230);
    }

    /// The socket of a connection without TLS.
    pub(crate) fn into_plain(self) -> TcpStream {
        self.plain.unwrap()
    }

    /// Opens a data connection by EPSV.
    pub(crate) fn data(&mut self) -> TcpStream {
        let text = self.expect("EPSV", 229);
        let port = text.split('|').nth(3).unwrap().parse().unwrap();
        dial((self.address.ip(), port).into())
    }

    /// Opens a data connection by EPSV, sends the command and reads what the server sends.
    pub(crate) fn fetch(&mut self, command: &str, tls: Option<&Arc<ClientConfig>>) -> Fetched {
        let stream = self.data();
        let (code, text) = self.ask(command);
        if code >= 200 {
            return Fetched { bytes: Vec::new(), code, text, resumed: false };
        }
        let mut bytes = Vec::new();
        let mut resumed = false;
        match tls {
            None => drop({ stream }.read_to_end(&mut bytes)),
            Some(config) => {
                if let Ok(mut stream) = secure(stream, config) {
                    let _ = stream.read_to_end(&mut bytes);
                    resumed = stream.conn.handshake_kind() == Some(HandshakeKind::Resumed);
                }
            }
        }
        let (code, text) = self.reply();
        Fetched { bytes, code, text, resumed }
    }
}

/// What came over a data connection, and the reply after it.
#[derive(Debug)]
pub(crate) struct Fetched {
    pub(crate) bytes: Vec<u8>,
    pub(crate) code: u16,
    pub(crate) text: String,
    pub(crate) resumed: bool,
}
