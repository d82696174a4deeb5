//! Where a server does not do what the others do: declared here, per flavour, and nowhere else.

use test_servers::{Flavour, Options};

use crate::names::Step;
use crate::support::Bench;

/// Whether nothing is forbidden to the server: libunftp runs inside the test, as its user.
pub(crate) fn reads_everything(bench: &Bench) -> bool {
    bench.server.flavour() == Flavour::LibUnftp
}

/// Whether the server lists `name` in a form that it does not know the file by.
pub(crate) fn lists_but_does_not_read(bench: &Bench, name: &str) -> bool {
    match bench.server.flavour() {
        // Bytes that are not UTF-8 are listed as replacement characters; a link is listed as a
        // file with the size of the link.
        Flavour::LibUnftp => name.starts_with("latin1-") || name.starts_with("link-"),
        Flavour::PyFtpd => name.starts_with("latin1-"),
        // A backslash in a command is taken for an escape.
        Flavour::PureFtpd => name == "back\\slash.txt",
        _ => false,
    }
}

/// Whether listings tell links apart from what they lead to.
pub(crate) fn shows_links(bench: &Bench) -> bool {
    // pyftpdlib follows links in MLSD, and leaves out those that lead nowhere.
    !matches!(bench.server.flavour(), Flavour::LibUnftp | Flavour::PyFtpd)
}

/// Whether listings have links that lead nowhere; ProFTPD leaves them out of MLSD.
pub(crate) fn shows_dangling_links(bench: &Bench) -> bool {
    shows_links(bench) && bench.server.flavour() != Flavour::ProFtpd
}

/// Whether listings tell where links lead; MLSD has no fact for it that all agree on.
pub(crate) fn tells_link_targets(bench: &Bench) -> bool {
    bench.server.flavour() == Flavour::VsFtpd
}

/// Whether the server lists by MLSD.
pub(crate) fn has_mlsd(bench: &Bench) -> bool {
    bench.server.flavour() != Flavour::VsFtpd
}

/// Whether the server can set a file's time (MFMT).
pub(crate) fn sets_times(bench: &Bench) -> bool {
    !matches!(bench.server.flavour(), Flavour::VsFtpd | Flavour::LibUnftp)
}

/// Whether the server computes checksums of its files.
pub(crate) fn computes_checksums(bench: &Bench) -> bool {
    bench.server.flavour() == Flavour::ProFtpd
}

/// Whether resuming a TLS session fails where the server wants client certificates: OpenSSL then
/// wants a session id context, which the server has not set.
pub(crate) fn cannot_resume_with_client_certificates(flavour: Flavour) -> bool {
    flavour == Flavour::PyFtpd
}

/// Whether the server sends data in clear where it was told not to: libunftp forgets after EPSV.
pub(crate) fn lets_data_go_in_clear(flavour: Flavour) -> bool {
    flavour == Flavour::LibUnftp
}

/// Whether the server cannot be told an IPv6 address to call: libunftp has no EPRT.
pub(crate) fn calls_no_ipv6_address(options: &Options) -> bool {
    options.flavour() == Flavour::LibUnftp && options.is_ipv6()
}

/// Whether the server cannot do what a behaviour of the shared suite is about.
pub(crate) fn skips(flavour: Flavour, behaviour: &str) -> bool {
    expected_skips(flavour).contains(&behaviour)
}

/// The behaviours that a run over this flavour leaves out, in the order of the suite.
pub(crate) fn expected_skips(flavour: Flavour) -> &'static [&'static str] {
    match flavour {
        // A listing fails (550) when an entry vanishes while it is made. The others are about
        // what the server may not do: it runs inside the test, as a user who may do everything.
        Flavour::LibUnftp => &[
            "lets_refused_files_flow_on",
            "finds_different_names_for_rivals",
            "outputs_what_get_cannot_delete",
            "outputs_what_query_cannot_delete",
            "withholds_what_get_cannot_delete",
            "withholds_what_query_cannot_delete",
            "tells_denied_from_missing",
        ],
        _ => &[],
    }
}

/// Whether the server itself cannot keep `name` apart from others, or cannot take it, in `step`.
pub(crate) fn loses_name(flavour: Flavour, step: Step, name: &[u8]) -> bool {
    let is_ff = name.contains(&0xff);
    match flavour {
        Flavour::ProFtpd => false,
        // LIST leaves out what begins with a dot. A byte 0xFF is sent twice, as Telnet wants it
        // (RFC 959 §5.3), and taken for two.
        Flavour::VsFtpd => match step {
            Step::List => name.starts_with(b"."),
            Step::Query => name.starts_with(b".") || is_ff,
            Step::Get | Step::Create | Step::Delete => is_ff,
        },
        // 0xFF as above; a backslash in a command is taken for an escape, a tab becomes an
        // underscore in both directions, and RNTO loses spaces at the end.
        Flavour::PureFtpd => {
            let tab = name.contains(&b'\t');
            let bent = is_ff || tab || name.contains(&b'\\');
            match step {
                Step::List => tab,
                Step::Create => bent || name.ends_with(b" "),
                Step::Query | Step::Get | Step::Delete => bent,
            }
        }
        // Bytes that are not UTF-8 become replacement characters.
        Flavour::PyFtpd | Flavour::LibUnftp => std::str::from_utf8(name).is_err(),
    }
}
