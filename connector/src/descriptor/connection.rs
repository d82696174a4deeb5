//! The settings of a connection.

use host_sdk::descriptor::{Field, FieldScope, FieldType};

pub(super) fn fields() -> Vec<Field> {
    let sections = [
        ("", server()),
        ("Security", security()),
        ("Data Connections", data_connections()),
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
             for anonymous.",
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
        )
.advanced()),
    ]
}

fn data_connections() -> Vec<Field> {
    vec![
        Field::choice(
            "connectionMode",
            "Connection Mode",
            &[("passive", "Passive"), ("active", "Active")],
            "Who opens data connections: this side (passive), or the server (active).",
        )
        .refused_with(
            &["active"],
            "proxy",
            &[],
            "active data connections cannot come through a proxy; allowed with a proxy is \
             \"passive\"",
        ),
        Field::choice(
            "passiveAddress",
            "Passive Address",
            &[
                ("control", "That of the control connection"),
                ("server", "The one the server announces"),
            ],
            "Where passive data connections go. The announced address is followed only when it \
             is asked for: a hostile server could send the connection anywhere.",
        )
        .advanced()
        .visible_when("connectionMode", &["passive"]),
        Field::text(
            "activePorts",
            "Active Ports",
            "The local ports that active data connections are awaited on.",
        )
        .advanced()
        .or("50000-50100")
        .in_format("first-last")
        .visible_when("connectionMode", &["active"]),
        Field::text(
            "activeAddress",
            "Active Address",
            "The address to announce for active data connections, where it is not that of the \
             control connection: the outer address of a NAT.",
        )
        .advanced()
        .visible_when("connectionMode", &["active"]),
        Field::boolean(
            "keepAlive",
            "Keep Alive",
            true,
            "Whether TCP keep-alive holds the control connection open through NAT devices during \
             long transfers.",
        )
        .advanced(),
        Field::group(
            "proxy",
            "Proxy",
            vec![
                Field::choice(
                    "type",
                    "Type",
                    &[("socks5", "SOCKS5"), ("http", "HTTP CONNECT")],
                    "The proxy's protocol.",
                ),
                Field::text("host", "Host", "The proxy's name or address.").required(),
                Field::integer(
                    "port",
                    "Port",
                    1,
                    "The proxy's port. Blank is 1080 for SOCKS5 and 3128 for HTTP.",
                )
                .up_to(65_535),
                Field::text("userName", "User Name", "The user at the proxy."),
                Field::secret("password", "Password", "The password at the proxy."),
            ],
            "The proxy through which control and passive data connections go.",
        )
        .advanced(),
    ]
}

fn conventions() -> Vec<Field> {
    vec![
        Field::choice(
            "listing",
            "Listing",
            &[("auto", "Automatic"), ("mlsd", "MLSD"), ("list", "LIST")],
            "The command that directories are listed with. Automatic is MLSD where the server \
             has it.",
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
