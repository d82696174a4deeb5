//! One file for each server program: how it is configured and started.

mod launch;
mod libunftp;
mod proftpd;
mod pureftpd;
mod pyftpd;
mod vsftpd;

use crate::instance::Instance;
use crate::process::Process;
use crate::{Flavour, StartError};

/// A started server, by the way it runs.
#[derive(Debug)]
pub(crate) enum Running {
    Process(Process),
    Thread { _server: libunftp::InProcess },
    Ended,
}

pub(crate) fn start(instance: &Instance) -> Result<Running, StartError> {
    let flavour = instance.options.flavour;
    if flavour != Flavour::LibUnftp && !cfg!(target_os = "linux") {
        return Err(StartError::Platform { flavour });
    }
    let process = match flavour {
        Flavour::LibUnftp => {
            return libunftp::start(instance).map(|server| Running::Thread { _server: server });
        }
        Flavour::VsFtpd => vsftpd::start(instance),
        Flavour::ProFtpd => proftpd::start(instance),
        Flavour::PureFtpd => pureftpd::start(instance),
        Flavour::PyFtpd => pyftpd::start(instance),
    };
    process.map(Running::Process)
}
