use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;

use async_trait::async_trait;
use libunftp::ServerBuilder;
use libunftp::options::{ActivePassiveMode, FtpsClientAuth, FtpsRequired, TlsFlags};
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;
use unftp_core::auth::{AuthenticationError, Authenticator, Credentials, Principal};
use unftp_sbe_fs::Filesystem;

use super::launch::{cannot_require_reuse, supports};
use crate::instance::{Instance, PASSWORD, USER};
use crate::{Mode, StartError, TlsVersion};

/// libunftp on a thread of this process.
pub(crate) struct InProcess {
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl fmt::Debug for InProcess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InProcess").finish_non_exhaustive()
    }
}

impl Drop for InProcess {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

type Server = libunftp::Server<Filesystem, unftp_core::auth::DefaultUser>;

pub(super) fn start(instance: &Instance) -> Result<InProcess, StartError> {
    let options = &instance.options;
    supports(options, options.mode != Mode::Implicit, "implicit TLS")?;
    supports(options, options.configuration.is_empty(), "lines of configuration")?;
    supports(options, options.maximum_clients.is_none(), "a limit of clients")?;
    supports(options, options.time_zone.is_none(), "a time zone of its own")?;
    supports(options, options.full_disk.is_none(), "a small disk")?;
    cannot_require_reuse(options)?;

    let flavour = options.flavour;
    let failed = |source: std::io::Error| StartError::Io {
        what: "start libunftp on",
        path: PathBuf::from(address(instance)),
        source,
    };
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
    let server = server(instance).map_err(|log| StartError::Exited {
        flavour,
        status: "configuration".to_owned(),
        log,
    })?;
    let (stop, stopped) = oneshot::channel();
    let address = address(instance);
    let (ready, is_ready) = std::sync::mpsc::channel();
    let thread = std::thread::Builder::new()
        .name("libunftp".to_owned())
        .spawn(move || serve(&runtime, server, address, &ready, stopped))
        .map_err(failed)?;
    let started = InProcess { stop: Some(stop), thread: Some(thread) };
    match is_ready.recv() {
        Ok(Ok(())) => Ok(started),
        Ok(Err(log)) => Err(StartError::Exited { flavour, status: "listen".to_owned(), log }),
        Err(_) => {
            Err(StartError::Exited { flavour, status: "thread".to_owned(), log: String::new() })
        }
    }
}

fn address(instance: &Instance) -> String {
    let port = instance.ports.control();
    if instance.options.ipv6 { format!("[::1]:{port}") } else { format!("127.0.0.1:{port}") }
}

fn serve(
    runtime: &Runtime,
    server: Server,
    address: String,
    ready: &std::sync::mpsc::Sender<Result<(), String>>,
    stopped: oneshot::Receiver<()>,
) {
    let probe = address.clone();
    let listening = runtime.spawn(server.listen(address));
    runtime.block_on(async {
        // The listener is bound in the task's first step, which ends before the probe is served.
        loop {
            if listening.is_finished() {
                break;
            }
            if TcpStream::connect(&probe).await.is_ok() {
                let _ = ready.send(Ok(()));
                let _ = stopped.await;
                return;
            }
            tokio::task::yield_now().await;
        }
        let error = match listening.await {
            Ok(Err(error)) => error.to_string(),
            Ok(Ok(())) | Err(_) => "it ended".to_owned(),
        };
        let _ = ready.send(Err(error));
    });
}

fn server(instance: &Instance) -> Result<Server, String> {
    let options = &instance.options;
    let root = instance.root();
    // Checked here because the generator of storages has no way to report an error.
    Filesystem::new(root.clone()).map_err(|error| error.to_string())?;
    let storage = move || open(&root);
    let mut builder = ServerBuilder::with_authenticator(Box::new(storage), Arc::new(OneUser))
        .greeting("libunftp ready")
        .active_passive_mode(ActivePassiveMode::ActiveAndPassive)
        .passive_ports(instance.ports.passive());
    if options.mode == Mode::Explicit {
        let certificates = &instance.certificates;
        let mut flags = TlsFlags::RESUMPTION_SESS_ID | TlsFlags::RESUMPTION_TICKETS;
        for (version, flag) in
            [(TlsVersion::V1_2, TlsFlags::V1_2), (TlsVersion::V1_3, TlsFlags::V1_3)]
        {
            flags.set(flag, options.tls_versions.contains(&version));
        }
        let data = if options.clear_data { FtpsRequired::None } else { FtpsRequired::All };
        builder = builder
            .ftps(certificates.server_pem(), certificates.server_key())
            .ftps_required(FtpsRequired::All, data)
            .ftps_tls_flags(flags);
        if options.client_certificate {
            builder = builder
                .ftps_client_auth(FtpsClientAuth::Require)
                .ftps_trust_store(certificates.ca_pem());
        }
    }
    builder.build().map_err(|error| error.to_string())
}

#[expect(clippy::expect_used, reason = "the generator cannot fail, and the root exists until drop")]
fn open(root: &std::path::Path) -> Filesystem {
    Filesystem::new(root).expect("the data root is a directory")
}

#[derive(Debug)]
struct OneUser;

#[async_trait]
impl Authenticator for OneUser {
    async fn authenticate(
        &self,
        username: &str,
        credentials: &Credentials,
    ) -> Result<Principal, AuthenticationError> {
        if username != USER {
            return Err(AuthenticationError::BadUser);
        }
        if credentials.password.as_deref() != Some(PASSWORD) {
            return Err(AuthenticationError::BadPassword);
        }
        Ok(Principal { username: username.to_owned() })
    }
}
