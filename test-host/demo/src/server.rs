//! An FTP server in the background, on loopback and a free port.

use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::thread;

use libunftp::ServerBuilder;
use tokio::sync::oneshot;
use unftp_sbe_fs::Filesystem;

/// Why the server did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Its socket, its runtime or its directory cannot be used.
    #[error("the server did not start: {0}")]
    Server(#[from] io::Error),
    /// No thread can be started for it.
    #[error("no thread can be started for the server: {0}")]
    Thread(#[source] io::Error),
}

/// Serves the files of a directory without a login check. It stops when it is dropped.
pub struct DemoServer {
    port: u16,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl DemoServer {
    /// Starts serving `root` on a thread of its own.
    ///
    /// # Errors
    ///
    /// A [`StartError`]: nothing is served.
    pub fn start(root: &Path) -> Result<Self, StartError> {
        // Bound here, so that the port is known and no other program can take it.
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let port = listener.local_addr()?.port();
        listener.set_nonblocking(true)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        // Opened once here, so that a directory that cannot be served is an error before the run.
        Filesystem::new(root)?;
        let (stop, mut stopped) = oneshot::channel();
        let root = root.to_owned();
        let serve = move || {
            runtime.block_on(async {
                let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
                loop {
                    tokio::select! {
                        _ = &mut stopped => return,
                        accepted = listener.accept() => {
                            let Ok((stream, _)) = accepted else { continue };
                            tokio::spawn(serve_one(stream, root.clone()));
                        }
                    }
                }
            });
            // Sessions can still be open. The server does not wait for them.
            runtime.shutdown_background();
        };
        let thread = thread::Builder::new().name("demo-server".to_owned()).spawn(serve);
        let thread = thread.map_err(StartError::Thread)?;
        Ok(Self { port, stop: Some(stop), thread: Some(thread) })
    }

    /// The port it listens on.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }
}

async fn serve_one(stream: tokio::net::TcpStream, root: std::path::PathBuf) {
    let storage = Box::new(move || {
        // The interface of the server has no place for an error, and the directory was opened
        // before.
        #[expect(clippy::expect_used, reason = "ends this session's task alone")]
        let storage = Filesystem::new(&root).expect("the directory can be served");
        storage
    });
    // With Nagle's algorithm each reply would take 40 ms.
    let _ = stream.set_nodelay(true);
    if let Ok(server) = ServerBuilder::new(storage).build() {
        // The client sees the error.
        let _ = server.service(stream).await;
    }
}

impl Drop for DemoServer {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            // The send fails if the server has stopped by itself.
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            // A panic in it concerned only its sessions.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::net::TcpStream;

    use super::*;

    #[test]
    fn it_greets_and_stops() {
        let root = tempfile::tempdir().unwrap();
        let server = DemoServer::start(root.path()).unwrap();
        let mut greeting = [0; 3];
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, server.port())).unwrap();
        stream.read_exact(&mut greeting).unwrap();
        assert_eq!(&greeting, b"220");
        drop(server);
    }
}
