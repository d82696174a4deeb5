use std::fmt::Write as _;
use std::path::Path;

use super::launch::{DEFAULT_CLIENTS, launch, needs_root};
use crate::fetch::{self, Program};
use crate::files::SERVER_UID;
use crate::instance::{Instance, PASSWORD_HASH, USER};
use crate::process::Process;
use crate::{Flavour, Mode, Options, SessionReuse, StartError, TlsVersion};

pub(super) fn start(instance: &Instance) -> Result<Process, StartError> {
    needs_root(Flavour::ProFtpd)?;
    let program = fetch::program("proftpd")?;
    let passwd = format!(
        "{USER}:{PASSWORD_HASH}:{SERVER_UID}:{SERVER_UID}::{}:/bin/sh\n",
        instance.root().display()
    );
    let passwd = instance.write("passwd", &passwd)?;
    let group = instance.write("group", &format!("{USER}:x:{SERVER_UID}:{USER}\n"))?;
    let configuration =
        instance.write("proftpd.conf", &configuration(instance, &program, &passwd, &group))?;
    let mut launch = launch(instance, program, "proftpd.out");
    launch.arguments(["-n", "-q", "-c"]);
    launch.argument(configuration);
    launch.spawn()
}

fn configuration(instance: &Instance, program: &Program, passwd: &Path, group: &Path) -> String {
    let options = &instance.options;
    let clients = options.maximum_clients.unwrap_or(DEFAULT_CLIENTS);
    let passive = instance.ports.passive();
    let mut text = String::new();
    let modules = program.beside("lib/proftpd");
    if modules.exists() {
        let _ = writeln!(text, "ModulePath {}", modules.display());
    }
    let _ = write!(
        text,
        "ServerName \"test\"\nServerType standalone\nDefaultAddress {address}\nSocketBindTight on\n\
         UseIPv6 {ipv6}\nUseReverseDNS off\nPort {port}\nUser nobody\nGroup nogroup\n\
         MaxInstances {instances}\nMaxClients {clients}\nMaxClientsPerHost {clients}\n\
         PidFile {pid}\nScoreboardFile {scoreboard}\nDelayTable {delay}\nWtmpLog off\n\
         SystemLog {system}\nTransferLog none\nLogFormat asked \"%r -> %s\"\n\
         ExtendedLog {asked} ALL asked\nAuthOrder mod_auth_file.c\nAuthUserFile {passwd}\n\
         AuthGroupFile {group}\nRequireValidShell off\nDefaultRoot ~\n\
         PassivePorts {first} {last}\n\
         <IfModule mod_ident.c>\nIdentLookups off\n</IfModule>\n",
        address = options.loopback(),
        ipv6 = if options.ipv6 { "on" } else { "off" },
        port = instance.ports.control(),
        instances = clients.saturating_add(20),
        pid = instance.run("pid").display(),
        scoreboard = instance.run("scoreboard").display(),
        delay = instance.run("delay").display(),
        system = instance.log("proftpd.log").display(),
        asked = instance.log("proftpd.commands").display(),
        passwd = passwd.display(),
        group = group.display(),
        first = passive.start(),
        last = passive.end(),
    );
    if !options.packaged {
        // The delay engine waits as long as past logins took, to hide which users exist.
        text.push_str(
            "AllowOverwrite on\nAllowStoreRestart on\nAllowRetrieveRestart on\nUmask 022\n\
             DelayEngine off\nLoadModule mod_digest.c\nDigestEngine on\nLoadModule mod_site_misc.c\n",
        );
    }
    if options.mode != Mode::Plain {
        tls(instance, &mut text);
    }
    for line in &options.configuration {
        let _ = writeln!(text, "{line}");
    }
    text
}

fn tls(instance: &Instance, text: &mut String) {
    let options = &instance.options;
    let certificates = &instance.certificates;
    let _ = write!(
        text,
        "LoadModule mod_tls.c\nTLSEngine on\nTLSRequired {required}\nTLSLog {log}\n\
         TLSProtocol {versions}\nTLSECCertificateFile {certificate}\n\
         TLSECCertificateKeyFile {key}\nTLSCACertificateFile {ca}\n",
        required = if options.clear_data { "ctrl" } else { "on" },
        log = instance.log("proftpd.tls").display(),
        versions = versions(options),
        certificate = certificates.server_pem().display(),
        key = certificates.server_key().display(),
        ca = certificates.ca_pem().display(),
    );
    if options.client_certificate {
        text.push_str("TLSVerifyClient on\n");
    }
    let mut switches = Vec::new();
    if options.session_reuse == SessionReuse::Optional {
        switches.push("NoSessionReuseRequired");
    }
    if options.mode == Mode::Implicit {
        switches.push("UseImplicitSSL");
    }
    if !switches.is_empty() {
        let _ = writeln!(text, "TLSOptions {}", switches.join(" "));
    }
}

fn versions(options: &Options) -> String {
    [(TlsVersion::V1_2, "TLSv1.2"), (TlsVersion::V1_3, "TLSv1.3")]
        .into_iter()
        .filter(|(version, _)| options.tls_versions.contains(version))
        .map(|(_, name)| name)
        .collect::<Vec<_>>()
        .join(" ")
}
