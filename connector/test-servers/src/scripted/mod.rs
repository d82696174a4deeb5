//! A server that plays a written conversation, byte for byte.
//!
//! ```
//! use std::io::{Read as _, Write as _};
//! use std::net::TcpStream;
//! use test_servers::scripted::{Script, ScriptedServer};
//!
//! let script = Script::parse("< 220 ready\n> NOOP\n< 200 yes\nclose\n").unwrap();
//! let server = ScriptedServer::start(&script).unwrap();
//! let mut client = TcpStream::connect(server.address()).unwrap();
//! client.write_all(b"NOOP\r\n").unwrap();
//! let mut replies = String::new();
//! client.read_to_string(&mut replies).unwrap();
//! assert_eq!(replies, "220 ready\r\n200 yes\r\n");
//! let report = server.verify();
//! assert_eq!(report.commands(), ["NOOP"]);
//! ```
//!
//! # The language
//!
//! One step a line; `#` begins a comment line. Bytes are text with `\r \n \\ \" \xHH`.
//!
//! | line | on the control connection |
//! |---|---|
//! | `< TEXT` | sends the text and CR LF; lines that follow each other go out in one write |
//! | `<! BYTES` | sends exactly these bytes, no line end |
//! | `> COMMAND` | expects this command; `*` stands for anything, `{name}` too and is remembered; a path from `/` fits the bare name in its directory too |
//! | `otherwise COMMAND < TEXT` | answers the command whenever it comes unexpected, in this connection |
//! | `once COMMAND < TEXT` | as `otherwise`, the first time in this connection alone |
//! | `split N`, `split off` | sends in pieces of N bytes from here on |
//! | `pause 50ms` | sends nothing for that long |
//! | `pause until next command` | goes on only when the client has sent something more |
//! | `silence 50ms` | the client must send nothing for that long |
//! | `endless "BYTES"` | sends the bytes again and again until the client hangs up |
//! | `tls` | performs the TLS handshake |
//! | `close`, `reset` | hangs up: with TLS's farewell and FIN, or with RST; the connection's last step |
//! | `expect close` | the client must hang up now |
//! | `connection` | the steps below are for the next control connection |
//! | `connections` | the steps below are for every further control connection |
//!
//! | line | on the data connection |
//! |---|---|
//! | `passive EPSV`, `passive PASV` | opens a port and sends 229 or 227 with it |
//! | `listen` | opens a port for replies of one's own: `{port}`, and `{p1}`, `{p2}` for 227 |
//! | `listen dead` | the same, but nobody listens there |
//! | `data accept` | waits for the client's connection; every other step does so too if need be |
//! | `data connect`, `data connect from 127.0.0.9` | calls the address of the client's PORT or EPRT |
//! | `data refused` | the client must not have connected |
//! | `data tls` | performs the TLS handshake |
//! | `data tls untrusted` | shows another authority's certificate, which the client must refuse |
//! | `data send "BYTES"`, `data send "BYTES" times N` | sends |
//! | `data endless "BYTES"` | sends until the client hangs up |
//! | `data receive`, `data receive N` | reads to the end (with TLS's farewell, if TLS), or N bytes |
//! | `data expect "BYTES"` | reads to the end and compares |
//! | `data close`, `data truncate`, `data reset` | ends properly, without TLS's farewell, with RST |
//!
//! `{name}` in a reply is what was remembered. After the last step the client may hang up, stay,
//! or send `QUIT`; anything else is a mismatch. Each step has a deadline ([`Script::wait`]).

mod data;
mod place;
mod script;
mod session;
mod shared;
mod text;
mod wire;

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tempfile::TempDir;

pub use script::{Script, ScriptError};

use crate::{Certificate, Certificates, StartError, TlsVersion};
use script::Connection;
use shared::{Record, Shared};
use wire::Timeouts;

/// A running [`Script`].
///
/// End it with [`ScriptedServer::verify`] or [`ScriptedServer::finish`]. Dropped without either, it
/// panics about mismatches, unless the test is panicking already.
#[derive(Debug)]
pub struct ScriptedServer {
    address: SocketAddr,
    certificates: Certificates,
    _directory: TempDir,
    shared: Arc<Shared>,
    acceptor: Option<JoinHandle<Vec<Record>>>,
    expected: usize,
}

impl ScriptedServer {
    /// Starts playing a script on a free port of 127.0.0.1.
    ///
    /// # Errors
    ///
    /// [`StartError::Io`] and [`StartError::Certificate`].
    pub fn start(script: &Script) -> Result<Self, StartError> {
        let directory = tempfile::Builder::new()
            .prefix("ftp-script-")
            .tempdir()
            .map_err(StartError::io("create", std::env::temp_dir()))?;
        let certificates = Certificates::write(directory.path(), script.certificate)?;
        let untrusted =
            Certificates::write(&directory.path().join("untrusted"), Certificate::Trusted)?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .map_err(StartError::io("listen on", "127.0.0.1"))?;
        listener.set_nonblocking(true).map_err(StartError::io("listen on", "127.0.0.1"))?;
        let address = listener.local_addr().map_err(StartError::io("listen on", "127.0.0.1"))?;
        let shared = Arc::new(Shared {
            timeouts: Timeouts { wait: script.wait, finish: Arc::new(OnceLock::new()) },
            tls: certificates.server_config(TlsVersion::V1_2..=TlsVersion::V1_3)?,
            untrusted: untrusted.server_config(TlsVersion::V1_2..=TlsVersion::V1_3)?,
            sent_control: Arc::new(AtomicUsize::new(0)),
            sent_data: Arc::new(AtomicUsize::new(0)),
            cut_control: script.cut_control,
            cut_data: script.cut_data,
        });
        let connections = script.connections.clone();
        let expected = connections.iter().filter(|connection| !connection.repeated).count();
        let for_acceptor = Arc::clone(&shared);
        let acceptor = std::thread::Builder::new()
            .name("scripted".to_owned())
            .spawn(move || accept(&listener, &connections, &for_acceptor))
            .map_err(StartError::io("start", "a thread"))?;
        let acceptor = Some(acceptor);
        Ok(Self { address, certificates, _directory: directory, shared, acceptor, expected })
    }

    /// The address to connect to, as text.
    #[must_use]
    pub fn host(&self) -> &'static str {
        "127.0.0.1"
    }

    /// The port to connect to.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Host and port as one value.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The certificate of the CA a client must trust.
    #[must_use]
    pub fn ca_pem(&self) -> PathBuf {
        self.certificates.ca_pem()
    }

    /// Ends the server and says what happened, right or wrong.
    #[must_use]
    pub fn finish(mut self) -> Report {
        self.end()
    }

    /// Ends the server and says what happened.
    ///
    /// # Panics
    ///
    /// If the conversation was not the one in the script.
    pub fn verify(self) -> Report {
        let report = self.finish();
        report.assert_matched();
        report
    }

    fn end(&mut self) -> Report {
        let _ = self.shared.timeouts.finish.set(Instant::now());
        let joined = self.acceptor.take().map(JoinHandle::join);
        let records = joined.and_then(Result::ok).unwrap_or_default();
        Report::new(records, self.expected, &self.shared)
    }
}

impl Drop for ScriptedServer {
    fn drop(&mut self) {
        if self.acceptor.is_some() {
            let report = self.end();
            if !std::thread::panicking() {
                report.assert_matched();
            }
        }
    }
}

fn accept(listener: &TcpListener, connections: &[Connection], shared: &Arc<Shared>) -> Vec<Record> {
    let mut sessions = Vec::new();
    let mut unexpected = Vec::new();
    loop {
        // Asked before the backlog is emptied, so that no connection made before the end is lost.
        let is_over = shared.timeouts.is_finished();
        while let Ok((stream, address)) = listener.accept() {
            let last = connections.last().filter(|connection| connection.repeated);
            if let Some(connection) = connections.get(sessions.len()).or(last).cloned() {
                let shared = Arc::clone(shared);
                let play = move || session::run(stream, &connection, &shared);
                sessions.push(std::thread::spawn(play));
            } else {
                unexpected.push(Record {
                    mismatch: Some(format!("the connection from {address} was not expected")),
                    ..Record::default()
                });
            }
        }
        if is_over {
            break;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    let lost = || Record {
        mismatch: Some("the thread of this connection panicked".to_owned()),
        ..Record::default()
    };
    let mut records: Vec<_> =
        sessions.into_iter().map(|session| session.join().unwrap_or_else(|_| lost())).collect();
    records.extend(unexpected);
    records
}

/// What happened between a client and a [`ScriptedServer`].
#[derive(Clone, Debug)]
pub struct Report {
    records: Vec<Record>,
    mismatches: Vec<String>,
    sent_control: usize,
    sent_data: usize,
}

impl Report {
    fn new(records: Vec<Record>, expected: usize, shared: &Shared) -> Self {
        let mut mismatches = Vec::new();
        for (number, record) in records.iter().enumerate() {
            if let Some(words) = &record.mismatch {
                mismatches.push(format!("connection {}: {words}", number + 1));
            }
        }
        // A client whose first connection was cut may give up.
        let forgiven = shared.cut_control.is_some() || shared.cut_data.is_some();
        for number in records.len()..expected {
            if !forgiven {
                mismatches.push(format!("connection {} never came", number + 1));
            }
        }
        Self {
            records,
            mismatches,
            sent_control: shared.sent_control.load(Ordering::Relaxed),
            sent_data: shared.sent_data.load(Ordering::Relaxed),
        }
    }

    /// Where client and script parted; empty if all went as written.
    #[must_use]
    pub fn mismatches(&self) -> &[String] {
        &self.mismatches
    }

    /// Panics unless all went as written.
    ///
    /// # Panics
    ///
    /// With the mismatches and the transcript.
    pub fn assert_matched(&self) {
        let mismatches = self.mismatches.join("\n");
        assert!(self.mismatches.is_empty(), "{mismatches}\n{}", self.transcript());
    }

    /// Everything that was said, a line each: `>` the client, `<` the server, `=` what was done,
    /// `!` what was wrong.
    #[must_use]
    pub fn transcript(&self) -> String {
        let mut text = String::new();
        for (number, record) in self.records.iter().enumerate() {
            text.push_str(&format!("connection {}\n", number + 1));
            record.lines.iter().for_each(|line| text.push_str(&format!("  {line}\n")));
        }
        text
    }

    /// Every command received, over all connections, without line ends.
    #[must_use]
    pub fn commands(&self) -> Vec<&str> {
        self.records.iter().flat_map(|record| record.commands.iter().map(String::as_str)).collect()
    }

    /// The same commands with whole paths: a bare name counts from where CWD has led.
    #[must_use]
    pub fn commands_with_paths(&self) -> Vec<&str> {
        self.records.iter().flat_map(|record| record.whole.iter().map(String::as_str)).collect()
    }

    /// What came over each data connection that the script read.
    #[must_use]
    pub fn uploads(&self) -> Vec<&[u8]> {
        self.records.iter().flat_map(|record| record.uploads.iter().map(Vec::as_slice)).collect()
    }

    /// How many control connections the client made.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.records.len()
    }

    /// How many bytes all control connections carried to the client: the range of
    /// [`Script::cut_control`].
    #[must_use]
    pub fn sent_control(&self) -> usize {
        self.sent_control
    }

    /// How many bytes all data connections carried to the client: the range of
    /// [`Script::cut_data`].
    #[must_use]
    pub fn sent_data(&self) -> usize {
        self.sent_data
    }
}
