mod libunftp;
mod proftpd;
mod pureftpd;
mod pyftpd;
mod vsftpd;

use std::ffi::OsString;
use std::path::PathBuf;

use crate::fetch::Program;
use crate::process::{Launch, Process};
use crate::server::Place;
use crate::{Flavour, Options, SessionReuse, StartError, TlsVersion, files};

/// A started server, by the way it runs.
#[derive(Debug)]
pub(crate) enum Running {
    Process(Process),
    Thread { _server: libunftp::InProcess },
    Ended,
}

pub(crate) const DEFAULT_CLIENTS: u16 = 200;

pub(crate) fn start(place: &Place) -> Result<Running, StartError> {
    let flavour = place.options.flavour;
    if flavour != Flavour::LibUnftp && !cfg!(target_os = "linux") {
        return Err(StartError::Platform { flavour });
    }
    let process = match flavour {
        Flavour::LibUnftp => {
            return libunftp::start(place).map(|server| Running::Thread { _server: server });
        }
        Flavour::VsFtpd => vsftpd::start(place),
        Flavour::ProFtpd => proftpd::start(place),
        Flavour::PureFtpd => pureftpd::start(place),
        Flavour::PyFtpd => pyftpd::start(place),
    };
    process.map(Running::Process)
}

fn needs_root(flavour: Flavour) -> Result<(), StartError> {
    if files::is_root() { Ok(()) } else { Err(StartError::NeedsRoot { flavour }) }
}

/// An error unless `known`.
fn supports(options: &Options, known: bool, feature: &'static str) -> Result<(), StartError> {
    if known { Ok(()) } else { Err(StartError::Unsupported { flavour: options.flavour, feature }) }
}

fn cannot_require_reuse(options: &Options) -> Result<(), StartError> {
    supports(options, options.session_reuse != SessionReuse::Required, "requiring session reuse")
}

/// What all server programs have in common: library path, clock, small disk.
fn launch(place: &Place, program: Program, log: &str) -> Launch {
    let options = &place.options;
    let mut environment: Vec<(&'static str, OsString)> = Vec::new();
    if !program.libraries.is_empty() {
        environment.push(("LD_LIBRARY_PATH", program.libraries.into()));
    }
    if let Some(zone) = &options.time_zone {
        environment.push(("TZ", zone.into()));
    }
    let mounts = options.full_disk.map(|bytes| {
        let full = place.root().join("full");
        let uid = files::SERVER_UID;
        format!(
            "mount -t tmpfs -o size={bytes},uid={uid},gid={uid},mode=755 full '{}'",
            full.display()
        )
    });
    Launch {
        flavour: options.flavour,
        program: program.path,
        arguments: Vec::new(),
        environment,
        mounts: mounts.into_iter().collect(),
        log: place.log(log),
    }
}

/// A configuration of OpenSSL itself, for servers that have no setting for the TLS versions.
fn openssl_configuration(place: &Place) -> Result<PathBuf, StartError> {
    let protocol = |version: TlsVersion| match version {
        TlsVersion::V1_2 => "TLSv1.2",
        TlsVersion::V1_3 => "TLSv1.3",
    };
    let versions = &place.options.tls_versions;
    place.write(
        "openssl.cnf",
        &format!(
            "openssl_conf = start\n[start]\nssl_conf = ssl\n[ssl]\nsystem_default = versions\n\
             [versions]\nMinProtocol = {}\nMaxProtocol = {}\n",
            protocol(*versions.start()),
            protocol(*versions.end()),
        ),
    )
}
