use std::fmt::Write as _;
use std::path::Path;

use super::{DEFAULT_CLIENTS, launch, needs_root};
use crate::fetch::{self, Program};
use crate::files::SERVER_UID;
use crate::process::Process;
use crate::server::{PASSWORD_HASH, Place, USER};
use crate::{Flavour, Mode, Options, SessionReuse, StartError, TlsVersion};

pub(super) fn start(place: &Place) -> Result<Process, StartError> {
    needs_root(Flavour::ProFtpd)?;
    let program = fetch::program("proftpd")?;
    let passwd = format!(
        "{USER}:{PASSWORD_HASH}:{SERVER_UID}:{SERVER_UID}::{}:/bin/sh\n",
        place.root().display()
    );
    let passwd = place.write("passwd", &passwd)?;
    let group = place.write("group", &format!("{USER}:x:{SERVER_UID}:{USER}\n"))?;
    let configuration =
        place.write("proftpd.conf", &configuration(place, &program, &passwd, &group))?;
    let mut launch = launch(place, program, "proftpd.out");
    launch.arguments(["-n", "-q", "-c"]);
    launch.argument(configuration);
    launch.spawn()
}

fn configuration(place: &Place, program: &Program, passwd: &Path, group: &Path) -> String {
    let options = &place.options;
    let clients = options.maximum_clients.unwrap_or(DEFAULT_CLIENTS);
    let passive = place.ports.passive();
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
        port = place.ports.control(),
        instances = clients.saturating_add(20),
        pid = place.run("pid").display(),
        scoreboard = place.run("scoreboard").display(),
        delay = place.run("delay").display(),
        system = place.log("proftpd.log").display(),
        asked = place.log("proftpd.commands").display(),
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
        tls(place, &mut text);
    }
    for line in &options.configuration {
        let _ = writeln!(text, "{line}");
    }
    text
}

fn tls(place: &Place, text: &mut String) {
    let options = &place.options;
    let certificates = &place.certificates;
    let _ = write!(
        text,
        "LoadModule mod_tls.c\nTLSEngine on\nTLSRequired {required}\nTLSLog {log}\n\
         TLSProtocol {versions}\nTLSECCertificateFile {certificate}\n\
         TLSECCertificateKeyFile {key}\nTLSCACertificateFile {ca}\n",
        required = if options.clear_data { "ctrl" } else { "on" },
        log = place.log("proftpd.tls").display(),
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
