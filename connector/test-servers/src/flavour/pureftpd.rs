use std::process::Command;

use super::launch::{
    DEFAULT_CLIENTS, cannot_require_reuse, launch, needs_root, openssl_configuration, supports,
};
use crate::files::SERVER_UID;
use crate::instance::{Instance, PASSWORD_HASH, USER};
use crate::process::Process;
use crate::{Flavour, Mode, StartError, fetch};

pub(super) fn start(instance: &Instance) -> Result<Process, StartError> {
    let options = &instance.options;
    supports(options, options.mode != Mode::Implicit, "implicit TLS")?;
    cannot_require_reuse(options)?;
    needs_root(Flavour::PureFtpd)?;
    let program = fetch::program("pure-ftpd")?;
    let users = users(instance)?;
    let mut launch = launch(instance, program, "pure-ftpd.out");
    let clients = options.maximum_clients.unwrap_or(DEFAULT_CLIENTS).to_string();
    let passive = instance.ports.passive();
    launch.arguments(["-S", &format!("{},{}", options.loopback(), instance.ports.control())]);
    launch.arguments(["-l", &format!("puredb:{}", users.display())]);
    // Chroot for all, no anonymous user, no name look-ups, one family only, no minimum uid.
    let family = if options.ipv6 { "-6" } else { "-4" };
    launch.arguments(["-A", "-E", "-H", family, "-u", "1"]);
    launch.arguments(["-c", &clients, "-C", &clients]);
    launch.arguments(["-p", &format!("{}:{}", passive.start(), passive.end())]);
    launch.arguments(["-g", &instance.run("pid").display().to_string()]);
    launch.arguments(["-O", &format!("clf:{}", instance.log("pure-ftpd.transfers").display())]);
    if options.mode == Mode::Plain {
        launch.arguments(["-Y", "0"]);
    } else {
        let certificate = certificate(instance)?;
        launch.arguments(["-Y", if options.clear_data { "2" } else { "3" }, "-2", &certificate]);
        if options.client_certificate {
            launch.arguments(["-J", "-C:HIGH"]);
        }
        launch.environment.push(("OPENSSL_CONF", openssl_configuration(instance)?.into()));
    }
    for option in &options.configuration {
        launch.argument(option);
    }
    launch.spawn()
}

/// The user database. Its password hash is given, because the one `pure-pw` itself makes is tuned
/// to cost seconds at each login.
fn users(instance: &Instance) -> Result<std::path::PathBuf, StartError> {
    let line = format!(
        "{USER}:{PASSWORD_HASH}:{SERVER_UID}:{SERVER_UID}::{}/./::::::::::::\n",
        instance.root().display()
    );
    let text = instance.write("users", &line)?;
    let database = text.with_extension("pdb");
    let tool = fetch::program("pure-pw")?;
    let output = Command::new(&tool.path)
        .env("LD_LIBRARY_PATH", &tool.libraries)
        .arg("mkdb")
        .arg(&database)
        .arg("-f")
        .arg(&text)
        .output()
        .map_err(StartError::io("run", &tool.path))?;
    if output.status.success() {
        return Ok(database);
    }
    Err(StartError::Exited {
        flavour: Flavour::PureFtpd,
        status: output.status.to_string(),
        log: String::from_utf8_lossy(&output.stderr).into_owned(),
    })
}

/// One file with certificate and key; the CA of the clients is looked for in the same file.
fn certificate(instance: &Instance) -> Result<String, StartError> {
    let certificates = &instance.certificates;
    let read = |path: std::path::PathBuf| {
        std::fs::read_to_string(&path).map_err(StartError::io("read", &path))
    };
    let mut text = read(certificates.server_and_key())?;
    if instance.options.client_certificate {
        text.push_str(&read(certificates.ca_pem())?);
    }
    instance.write("pure-ftpd.pem", &text).map(|path| path.display().to_string())
}
