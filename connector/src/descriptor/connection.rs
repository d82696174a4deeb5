//! The settings of a connection.

use host_sdk::descriptor::{Field, FieldScope, FieldType};

use super::data_connections;

pub(super) fn fields() -> Vec<Field> {
    let sections = [
        ("", server()),
        ("Security", security()),
        ("Data Connections", data_connections::fields()),
        ("Names and Listings", conventions()),
        ("Limits", limits()),
    ];
    let in_section = |(section, fields): (&'static str, Vec<Field>)| {
        fields.into_iter().map(move |field| {
            let mut field = field.in_section(section);
            field.scope = FieldScope::ConnectionOnly;
            field
        })
    };
    sections.into_iter().flat_map(in_section).collect()
}

fn server() -> Vec<Field> {
    vec![
        Field::text("host", "Host", "The server's name, IPv4 or IPv6 address.").required(),
        Field::integer(
            "port",
            "Port",
            1,
            "The port of the control connection. Blank is 21, and 990 with implicit TLS.",
        )
        .up_to(65_535),
        Field::text("userName", "User Name", "The user to log in as. Blank is anonymous."),
        Field::secret(
            "password",
            "Password",
            "The user's password: text, {\"env\": \"NAME\"} or {\"file\": \"PATH\"}. Not needed \
             for anonymous. \"\" is an empty password.",
        ),
        Field::secret(
            "account",
            "Account",
            "The account to name when the server asks for one (ACCT).",
        )
        .advanced(),
        Field::text(
            "remoteDirectory",
            "Remote Directory",
            "The directory that names are relative to: absolute, or relative to the directory \
             after login. Blank is the directory after login. It is sent as it is written here, \
             so that a server's own style is good too, such as 'U01.DATA', DISK$USER:[DATA] or \
             C:\\data, and a slash at its end is kept.",
        ),
    ]
}

fn security() -> Vec<Field> {
    let with_tls = |field: Field| field.visible_when("sslMode", &["explicit", "implicit"]);
    let versions = [("1.2", "TLS 1.2"), ("1.3", "TLS 1.3")];
    vec![
        Field::choice(
            "sslMode",
            "SSL Mode",
            &[("none", "None"), ("explicit", "Explicit"), ("implicit", "Implicit")],
            "How the connection is protected: not at all, by AUTH TLS before the login \
             (RFC 4217), or by TLS from the first byte.",
        ),
        with_tls(Field::choice(
            "tlsMinimumVersion",
            "Lowest TLS Version",
            &versions,
            "The lowest TLS version that is accepted.",
        )
.advanced()),
        with_tls(
            Field::choice(
                "tlsMaximumVersion",
                "Highest TLS Version",
                &versions,
                "The highest TLS version that is offered.",
            )
.advanced()
            .or("1.3"),
        ),
        with_tls(Field::choice(
            "tlsSessionReuse",
            "TLS Session Reuse",
            &[("auto", "Automatic"), ("off", "Off")],
            "Whether data connections resume the control connection's TLS session, as many \
             servers demand. Automatic also falls back to TLS 1.2 where a server's TLS 1.3 \
             tickets run out.",
        )
.advanced()),
        with_tls(Field::choice(
            "trust",
            "Trusted Authorities",
            &[
                ("platform", "The operating system's"),
                ("bundled", "The bundled ones of Mozilla"),
                ("only", "Only those of CA Certificates"),
            ],
            "Which certificate authorities are trusted, besides those of CA Certificates.",
        )
.advanced()),
        with_tls(Field::new(
            "caCertificates",
            "CA Certificates",
            FieldType::Certificate,
            "Certificate authorities to trust in addition, in PEM or DER: the text, or the path of \
             a file. A server's own certificate that is given here is trusted too, whatever it is \
             marked as.",
        )),
        with_tls(
            Field::text(
                "certificateFingerprint",
                "Certificate Fingerprint",
                "The SHA-256 fingerprint of the server's certificate. When it is given, that very \
                 certificate is trusted and no other, whatever names and dates it carries; that it \
                 has expired is logged.",
            )
            .in_format("64 hexadecimal digits, with or without colons"),
        ),
        with_tls(Field::text(
            "tlsServerName",
            "TLS Server Name",
            "The name that the server's certificate has to carry, where that is not the host's: \
             for a host that is an address, a tunnel or an internal name.",
        )
        .advanced()),
        with_tls(Field::new(
            "clientCertificate",
            "Client Certificate",
            FieldType::Certificate,
            "The certificate to identify with, and its chain, in PEM: the text, or the path of a \
             file in PEM, DER or PKCS#12, which may hold the key as well.",
        )),
        with_tls(Field::secret(
            "clientKey",
            "Client Key",
            "The private key of the client certificate: text in PEM, {\"env\": \"NAME\"}, or \
             {\"file\": \"PATH\"} of a file in PEM or DER. Not needed where the file of the client \
             certificate holds it.",
        )),
        with_tls(Field::secret(
            "clientKeyPassword",
            "Client Key Password",
            "What opens an encrypted client key (PKCS#8) or PKCS#12 file: text, \
             {\"env\": \"NAME\"} or {\"file\": \"PATH\"}.",
        )
        .advanced()),
        with_tls(Field::choice(
            "dataProtection",
            "Data Protection",
            &[("private", "Private"), ("clear", "Clear")],
            "Whether file contents and listings travel inside TLS (PROT P) or in clear (PROT C).",
        ).advanced()),
        with_tls(Field::choice(
            "tlsCloseNotify",
            "TLS Close Notify",
            &[("required", "Required"), ("lenient", "Lenient")],
            "What the end of data inside TLS must be. Required is the end that TLS itself marks \
             (close_notify); without it data may have been cut on its way. Lenient also takes the \
             bare end of the connection, where the server confirms the transfer and the size of \
             the file (SIZE) is that of what arrived; of a listing its confirmation alone counts.",
        )
        .advanced()),
        with_tls(Field::boolean(
            "clearControl",
            "Clear Control Connection",
            false,
            "Whether the control connection leaves TLS after the login (CCC), so that a firewall \
             or a NAT device can read the ports of data connections. Commands and file names then \
             travel in clear; the password does not.",
        )
        .advanced()
        .refused_with(
            &["true"],
            "sslMode",
            &["none"],
            "without TLS the control connection is in clear already; set sslMode to \"explicit\" or \
             \"implicit\", or leave it false",
        )),
    ]
}

fn conventions() -> Vec<Field> {
    vec![
        Field::choice(
            "listing",
            "Listing",
            &[
                ("auto", "Automatic"),
                ("mlsd", "MLSD"),
                ("list", "LIST"),
                ("nlst", "NLST with SIZE and MDTM"),
                ("stat", "STAT"),
            ],
            "The command that directories are listed with. Automatic is MLSD where the server \
             has it, and LIST elsewhere. NLST gives bare names, each of which is then asked for \
             its size and time: for servers whose listings cannot be read. STAT lists over the \
             control connection, without a data connection.",
        )
        .advanced(),
        Field::boolean(
            "hiddenFiles",
            "Hidden Files",
            false,
            "Whether files are listed that the server hides, such as those whose name begins with a \
             dot: by LIST -a, which takes the place of MLSD.",
        )
        .advanced()
        .refused_with(
            &["true"],
            "listing",
            &["mlsd"],
            "MLSD takes no option that shows hidden files; set listing to \"auto\" or \"list\"",
        ),
        Field::list(
            "commandsAfterLogin",
            "Commands After Login",
            vec![
                Field::text(
                    "command",
                    "Command",
                    "The command, such as SITE NAMEFMT 1. {secret} in it stands for the secret.",
                )
                .required(),
                Field::secret(
                    "secret",
                    "Secret",
                    "A secret within the command, which is never shown: text, {\"env\": \"NAME\"} or \
                     {\"file\": \"PATH\"}.",
                ),
                Field::text("replies", "Good Replies", "The replies that count as good.")
                    .or("2xx")
                    .in_format("codes and classes of codes separated by commas"),
            ],
            "Commands to send after each login, in their order. A reply that does not count as \
             good ends the session.",
        )
        .advanced(),
        Field::text(
            "fileNameEncoding",
            "File Name Encoding",
            "The character encoding of names on the server: auto, utf-8, or a label such as \
             windows-1252 or shift_jis. Bytes that do not fit are kept, not lost.",
        )
        .advanced()
        .or("auto"),
        Field::choice(
            "fileNameNormalization",
            "File Name Normalization",
            &[("none", "None"), ("nfc", "NFC")],
            "How names in filters, IDs and directories are compared with those of the server. NFC: \
             as they look, whether an accented letter is one character or a letter and an accent, as \
             on servers with macOS. Names are sent and told as the server spells them.",
        )
        .advanced(),
        Field::text(
            "serverTimeZone",
            "Server Time Zone",
            "The zone of the server's clock, by which Timestamps are told: auto, or an IANA name \
             such as Europe/Berlin. Automatic measures once how far listings (LIST) are ahead of \
             UTC (MLSD, MDTM), with a recent file; where that cannot be done, times stay as the \
             server tells them. Name the zone of a clock that is set for summer time, which one \
             measurement does not show, and of a server that has no time in UTC, such as vsftpd \
             with use_localtime. Where clocks are set back, a time that comes twice counts as the \
             first.",
        )
        .advanced()
        .or("auto"),
    ]
}

fn limits() -> Vec<Field> {
    vec![
        Field::duration(
            "connectionTimeout",
            "Connection Timeout (ms)",
            0,
            "How long connecting may take in all, from the name look-up to the end of the login. \
             0 is for ever.",
        )
        .or(30_000),
        Field::duration(
            "readTimeout",
            "Read Timeout (ms)",
            0,
            "How long the server may send nothing. 0 is for ever.",
        )
        .or(60_000),
        Field::duration(
            "transferTimeout",
            "Transfer Timeout (ms)",
            0,
            "How long one transfer may take in all, with its interruptions. 0 is for ever.",
        )
.advanced()
        .or(0),
        Field::integer(
            "maximumConnections",
            "Maximum Connections",
            1,
            "How many sessions may be open on the server at once.",
        )
        .up_to(1_000)
        .or(4),
        Field::group(
            "retry",
            "Retry",
            vec![
                Field::integer(
                    "attempts",
                    "Attempts",
                    1,
                    "How often something is tried in all: 7 survive six interruptions. A transfer \
                     that goes on where it stopped is counted anew with every MiB it gets further.",
                )
                .up_to(100)
                .or(7),
                Field::duration(
                    "delay",
                    "Delay (ms)",
                    0,
                    "The pause before the second attempt; it doubles each time.",
                )
                .or(500),
                Field::duration("maximumDelay", "Maximum Delay (ms)", 0, "The longest pause.")
                    .or(30_000),
                Field::duration(
                    "totalTime",
                    "Total Time (ms)",
                    0,
                    "How long after the first attempt at something another one may begin; \
                     transferTimeout limits a transfer's too. 0 is for ever.",
                )
                .or(0),
            ],
            "How failures that may pass are repeated. A rejected password never is, and one that gets no answer once.",
        )
.advanced()
        .or(serde_json::json!({})),
        Field::integer(
            "maximumLineLength",
            "Maximum Line Length",
            256,
            "The longest line of a reply or a listing, in bytes.",
        )
.advanced()
        .up_to(1_048_576)
        .or(16_384),
        Field::integer(
            "maximumListingEntries",
            "Maximum Listing Entries",
            1,
            "How many entries one directory may have, and how many a query or a sorted list may select in all.",
        )
.advanced()
        .or(1_000_000),
    ]
}
