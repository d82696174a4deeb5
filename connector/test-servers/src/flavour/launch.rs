//! What the server programs have in common.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::fetch::Program;
use crate::instance::Instance;
use crate::process::Launch;
use crate::{Flavour, Options, SessionReuse, StartError, TlsVersion, files};

pub(super) const DEFAULT_CLIENTS: u16 = 200;

pub(super) fn needs_root(flavour: Flavour) -> Result<(), StartError> {
    if files::is_root() { Ok(()) } else { Err(StartError::NeedsRoot { flavour }) }
}

/// An error unless `known`.
pub(super) fn supports(
    options: &Options,
    known: bool,
    feature: &'static str,
) -> Result<(), StartError> {
    if known { Ok(()) } else { Err(StartError::Unsupported { flavour: options.flavour, feature }) }
}

pub(super) fn cannot_require_reuse(options: &Options) -> Result<(), StartError> {
    supports(options, options.session_reuse != SessionReuse::Required, "requiring session reuse")
}

/// What all server programs have in common: library path, clock, small disk.
pub(super) fn launch(instance: &Instance, program: Program, log: &str) -> Launch {
    let options = &instance.options;
    let mut environment: Vec<(&'static str, OsString)> = Vec::new();
    if !program.libraries.is_empty() {
        environment.push(("LD_LIBRARY_PATH", program.libraries.into()));
    }
    if let Some(zone) = &options.time_zone {
        environment.push(("TZ", zone.into()));
    }
    let mounts = options.full_disk.map(|bytes| {
        let full = instance.root().join("full");
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
        log: instance.log(log),
    }
}

/// A configuration of OpenSSL itself, for servers that have no setting for the TLS versions.
pub(super) fn openssl_configuration(instance: &Instance) -> Result<PathBuf, StartError> {
    let protocol = |version: TlsVersion| match version {
        TlsVersion::V1_2 => "TLSv1.2",
        TlsVersion::V1_3 => "TLSv1.3",
    };
    let versions = &instance.options.tls_versions;
    instance.write(
        "openssl.cnf",
        &format!(
            "openssl_conf = start\n[start]\nssl_conf = ssl\n[ssl]\nsystem_default = versions\n\
             [versions]\nMinProtocol = {}\nMaxProtocol = {}\n",
            protocol(*versions.start()),
            protocol(*versions.end()),
        ),
    )
}
