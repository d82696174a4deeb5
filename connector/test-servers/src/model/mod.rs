//! A small server that keeps its files in memory and goes wrong at the commands that a test names.
//!
//! Unlike a [script](crate::scripted) it can be asked for anything in any order, so that random
//! requests can be held against what it has.

mod link;
mod session;
mod shared;
mod world;

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use rustls::ServerConfig;

pub use world::{Ending, Fault};

use crate::{Certificates, StartError, TlsVersion};
use shared::{POLL, Shared};
use world::World;

/// A running server; dropped, it hangs up on everybody and waits for its threads.
#[derive(Debug)]
pub struct ModelServer {
    address: SocketAddr,
    shared: Arc<Shared>,
    acceptor: Option<JoinHandle<()>>,
}

impl ModelServer {
    /// Starts a server with `files`. Each of `faults` happens to the first command that it fits,
    /// from its number on; commands are counted over all sessions.
    ///
    /// # Errors
    ///
    /// [`StartError::Io`].
    pub fn start(files: &[(&str, &[u8])], faults: Vec<(usize, Fault)>) -> Result<Self, StartError> {
        Self::launch(files, faults, None)
    }

    /// As [`ModelServer::start`], but with TLS from the first byte, as the server that
    /// `certificates` are about.
    ///
    /// # Errors
    ///
    /// [`StartError::Io`].
    pub fn start_tls(
        files: &[(&str, &[u8])],
        faults: Vec<(usize, Fault)>,
        certificates: &Certificates,
    ) -> Result<Self, StartError> {
        let tls = certificates.server_config(TlsVersion::V1_2..=TlsVersion::V1_3)?;
        Self::launch(files, faults, Some(tls))
    }

    fn launch(
        files: &[(&str, &[u8])],
        faults: Vec<(usize, Fault)>,
        tls: Option<Arc<ServerConfig>>,
    ) -> Result<Self, StartError> {
        let mut world = World::new(faults);
        for (name, content) in files {
            world.place(&format!("/{name}"), content.to_vec());
        }
        let bound = bind().map_err(StartError::io("listen on", "127.0.0.1"))?;
        let (listener, address) = bound;
        let shared =
            Arc::new(Shared { world: Mutex::new(world), tls, over: AtomicBool::new(false) });
        let accepting = Arc::clone(&shared);
        let acceptor = std::thread::spawn(move || accept(&listener, &accepting));
        Ok(Self { address, shared, acceptor: Some(acceptor) })
    }

    /// The port to connect to on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// The names of the files, sorted.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        let world = self.shared.world();
        world.files.keys().map(|path| path.trim_start_matches('/').to_owned()).collect()
    }

    /// How many faults have not happened yet.
    #[must_use]
    pub fn faults_to_come(&self) -> usize {
        self.shared.world().faults.len()
    }

    /// The paths of the directories below the root, sorted.
    #[must_use]
    pub fn directories(&self) -> Vec<String> {
        self.shared.world().directories.iter().cloned().collect()
    }

    /// The content of the file called `name`.
    #[must_use]
    pub fn content(&self, name: &str) -> Option<Vec<u8>> {
        self.shared.world().files.get(&format!("/{name}")).map(|stored| stored.content.clone())
    }

    /// Every content that was put under `name` behind the client's back.
    #[must_use]
    pub fn placed(&self, name: &str) -> Vec<Vec<u8>> {
        let path = format!("/{name}");
        let world = self.shared.world();
        let placed = world.placed.iter().filter(|(placed, _)| *placed == path);
        placed.map(|(_, content)| content.clone()).collect()
    }
}

impl Drop for ModelServer {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::Release);
        if let Some(acceptor) = self.acceptor.take() {
            let _ = acceptor.join();
        }
    }
}

fn bind() -> std::io::Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    let mut sessions: Vec<(TcpStream, JoinHandle<()>)> = Vec::new();
    while !shared.is_over() {
        let Ok((stream, _)) = listener.accept() else {
            std::thread::sleep(POLL);
            continue;
        };
        let Ok(copy) = stream.try_clone() else { continue };
        let shared = Arc::clone(shared);
        sessions.push((copy, std::thread::spawn(move || session::run(stream, &shared))));
    }
    for (stream, session) in sessions {
        let _ = stream.shutdown(std::net::Shutdown::Both);
        let _ = session.join();
    }
}
