use super::launch::{DEFAULT_CLIENTS, cannot_require_reuse, launch};
use crate::fetch::{self, Program};
use crate::files::{SERVER_UID, is_root};
use crate::instance::{Instance, PASSWORD, USER};
use crate::process::Process;
use crate::{Mode, StartError, TlsVersion};

const SCRIPT: &str = include_str!("pyftpd.py");

pub(super) fn start(instance: &Instance) -> Result<Process, StartError> {
    let options = &instance.options;
    cannot_require_reuse(options)?;
    let python = fetch::python()?;
    let script = SCRIPT.replace("# CONFIGURATION\n", &lines(&options.configuration));
    let script = instance.write("pyftpd.py", &script)?;
    let program = Program { path: python.interpreter.into(), libraries: String::new() };
    let mut launch = launch(instance, program, "pyftpd.out");
    if !python.path.as_os_str().is_empty() {
        launch.environment.push(("PYTHONPATH", python.path.into()));
    }
    launch.argument(script);
    launch.arguments(["--port", &instance.ports.control().to_string()]);
    launch.arguments(["--address", options.loopback()]);
    let passive = instance.ports.passive();
    launch.arguments(["--passive", &passive.start().to_string(), &passive.end().to_string()]);
    launch.arguments(["--root", &instance.root().display().to_string()]);
    launch.arguments(["--user", USER, "--password", PASSWORD]);
    let clients = options.maximum_clients.unwrap_or(DEFAULT_CLIENTS);
    launch.arguments(["--clients", &clients.to_string()]);
    if is_root() {
        launch.arguments(["--uid", &SERVER_UID.to_string()]);
    }
    if options.mode != Mode::Plain {
        tls(instance, &mut launch);
    }
    launch.spawn()
}

fn tls(instance: &Instance, launch: &mut crate::process::Launch) {
    let options = &instance.options;
    let number = |version: TlsVersion| match version {
        TlsVersion::V1_2 => "1.2",
        TlsVersion::V1_3 => "1.3",
    };
    let versions = &options.tls_versions;
    launch.arguments(["--mode", &options.mode.to_string()]);
    launch.arguments(["--tls", number(*versions.start()), number(*versions.end())]);
    launch.argument("--certificate");
    launch.argument(instance.certificates.server_and_key());
    if options.client_certificate {
        launch.argument("--client-ca");
        launch.argument(instance.certificates.ca_pem());
    }
    if options.clear_data {
        launch.argument("--clear-data");
    }
}

fn lines(configuration: &[String]) -> String {
    configuration.iter().map(|line| format!("{line}\n")).collect()
}
