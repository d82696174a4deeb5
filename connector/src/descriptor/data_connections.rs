//! The settings of data connections: who opens them, from where to where.

use host_sdk::descriptor::Field;

pub(super) fn fields() -> Vec<Field> {
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
        Field::choice(
            "passiveCommand",
            "Passive Command",
            &[("auto", "Automatic"), ("epsv", "EPSV"), ("pasv", "PASV")],
            "The command that passive data connections are agreed on with. Automatic begins with \
             EPSV (with PASV where passiveAddress is server), tries the other one where the first \
             leads nowhere, and remembers what works. With a server on IPv6 it is EPSV alone.",
        )
        .advanced()
        .refused_with(
            &["epsv"],
            "passiveAddress",
            &["server"],
            "EPSV announces no address that passiveAddress \"server\" could follow; allowed with it \
             are \"auto\" and \"pasv\"",
        )
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
        Field::text(
            "activePeer",
            "Active Peer",
            "From where the server may open active data connections: control is the address of the \
             control connection alone, any is every address, and a list names addresses and \
             networks beside that of the control connection. With any, another machine that is quicker than \
             the server can deliver its data or take its uploads.",
        )
        .advanced()
        .or("control")
        .in_format("control, any, or addresses and networks separated by commas")
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
