use std::fmt::Write as _;
use std::path::Path;

use super::launch::{DEFAULT_CLIENTS, launch, needs_root, openssl_configuration};
use crate::files::SERVER_UID;
use crate::instance::{Instance, PASSWORD_HASH, USER};
use crate::process::Process;
use crate::{Flavour, Mode, SessionReuse, StartError, fetch};

/// vsftpd knows users only through PAM and `/etc/passwd`, so it gets its own of both, mounted over
/// the machine's in a private mount namespace.
pub(super) fn start(instance: &Instance) -> Result<Process, StartError> {
    needs_root(Flavour::VsFtpd)?;
    let program = fetch::program("vsftpd")?;
    let configuration = instance.write("vsftpd.conf", &configuration(instance))?;
    let mut launch = launch(instance, program, "vsftpd.out");
    launch.mounts.extend(accounts(instance)?);
    if instance.options.mode != Mode::Plain {
        launch.environment.push(("OPENSSL_CONF", openssl_configuration(instance)?.into()));
    }
    launch.argument(configuration);
    launch.spawn()
}

fn accounts(instance: &Instance) -> Result<Vec<String>, StartError> {
    let root = instance.root();
    let passwd = format!(
        "root:x:0:0::/:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\n\
         {USER}:x:{SERVER_UID}:{SERVER_UID}::{}:/bin/sh\n",
        root.display()
    );
    let passwd = instance.write("passwd", &passwd)?;
    let group = format!("root:x:0:\nnogroup:x:65534:\n{USER}:x:{SERVER_UID}:\n");
    let group = instance.write("group", &group)?;
    let shadow = format!("{USER}:{PASSWORD_HASH}:19000:0:99999:7:::\n");
    let shadow = instance.write("shadow", &shadow)?;
    for public in [&passwd, &group] {
        crate::files::set_mode(public, 0o644).map_err(StartError::io("open", public))?;
    }
    let pam = instance.run("pam.d");
    std::fs::create_dir(&pam).map_err(StartError::io("create", &pam))?;
    let stack = "auth required pam_unix.so nodelay\naccount required pam_unix.so\n\
                 session required pam_permit.so\n";
    std::fs::write(pam.join("vsftpd"), stack).map_err(StartError::io("write", &pam))?;
    let bind = |from: &Path, to: &str| format!("mount --bind '{}' {to}", from.display());
    Ok(vec![
        bind(&passwd, "/etc/passwd"),
        bind(&group, "/etc/group"),
        bind(&shadow, "/etc/shadow"),
        bind(&pam, "/etc/pam.d"),
    ])
}

fn configuration(instance: &Instance) -> String {
    let options = &instance.options;
    let clients = options.maximum_clients.unwrap_or(DEFAULT_CLIENTS);
    let passive = instance.ports.passive();
    let listen = if options.ipv6 {
        "listen=NO\nlisten_ipv6=YES\nlisten_address6=::1\n"
    } else {
        "listen=YES\nlisten_address=127.0.0.1\n"
    };
    let mut text = format!(
        "{listen}listen_port={}\nbackground=NO\n\
         anonymous_enable=NO\nlocal_enable=YES\nchroot_local_user=YES\nallow_writeable_chroot=YES\n\
         secure_chroot_dir={}\npam_service_name=vsftpd\nconnect_from_port_20=NO\n\
         pasv_min_port={}\npasv_max_port={}\nmax_clients={clients}\nmax_per_ip={clients}\n\
         xferlog_enable=YES\nvsftpd_log_file={}\nlog_ftp_protocol=YES\n",
        instance.ports.control(),
        empty_directory(instance),
        passive.start(),
        passive.end(),
        instance.log("vsftpd.log").display(),
    );
    if !options.packaged {
        text.push_str("write_enable=YES\nlocal_umask=022\n");
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
        "ssl_enable=YES\nforce_local_logins_ssl=YES\nforce_local_data_ssl={}\nssl_tlsv1=YES\n\
         ssl_ciphers=HIGH\nrsa_cert_file={}\nrsa_private_key_file={}\ndebug_ssl=YES\n",
        if options.clear_data { "NO" } else { "YES" },
        certificates.server_pem().display(),
        certificates.server_key().display(),
    );
    if options.mode == Mode::Implicit {
        text.push_str("implicit_ssl=YES\n");
    }
    match options.session_reuse {
        SessionReuse::Packaged => {}
        SessionReuse::Required => text.push_str("require_ssl_reuse=YES\n"),
        SessionReuse::Optional => text.push_str("require_ssl_reuse=NO\n"),
    }
    if options.client_certificate {
        let ca = certificates.ca_pem();
        let _ =
            write!(text, "require_cert=YES\nvalidate_cert=YES\nca_certs_file={}\n", ca.display());
    }
}

/// The directory into which vsftpd locks the part of itself that talks to clients that are not logged in.
fn empty_directory(instance: &Instance) -> String {
    let path = instance.run("empty");
    let _ = std::fs::create_dir(&path);
    path.display().to_string()
}
