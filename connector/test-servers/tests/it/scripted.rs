//! The scripted server plays what is written, and says where a client departs from it.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::time::{Duration, Instant};

use test_servers::scripted::{Report, Script, ScriptedServer};

use crate::raw::{Raw, dial, tls};

fn conversation(name: &str) -> Script {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("conversations");
    Script::read(directory.join(name)).unwrap().wait(Duration::from_secs(3))
}

fn play(name: &str) -> (ScriptedServer, Raw) {
    let server = ScriptedServer::start(&conversation(name)).unwrap();
    let raw = Raw::connect(server.address());
    (server, raw)
}

/// Plays a short script, sends some bytes and gives the client's and the server's view.
fn exchange(script: &str, sent: &[u8]) -> (Vec<u8>, Report) {
    let script = Script::parse(script).unwrap().wait(Duration::from_millis(300));
    let server = ScriptedServer::start(&script).unwrap();
    let mut client = dial(server.address());
    client.write_all(sent).unwrap();
    let mut received = Vec::new();
    let _ = client.read_to_end(&mut received);
    (received, server.finish())
}

#[test]
fn plain_download() {
    let (server, mut raw) = play("plain-download.ftp");
    raw.reply();
    assert_eq!(raw.expect("USER anna", 331), "331 Password for anna?\r\n");
    raw.expect("PASS a b", 230);
    raw.expect("PWD", 257);
    raw.expect("TYPE I", 200);
    let file = raw.fetch("RETR a.txt", None);
    assert_eq!(file.bytes, b"0123456789".repeat(3));
    raw.expect("QUIT", 221);
    let report = server.verify();
    assert_eq!((report.connections(), report.sent_data()), (1, 30));
    assert_eq!(report.commands().last(), Some(&"QUIT"));
    assert!(report.transcript().contains("< 226 Done."), "{}", report.transcript());
}

#[test]
fn hard_replies_arrive_as_written() {
    let server = ScriptedServer::start(&conversation("hard-replies.ftp")).unwrap();
    let mut client = dial(server.address());
    let mut read = |end: &[u8]| {
        let mut bytes = Vec::new();
        while !bytes.ends_with(end) {
            let mut byte = [0];
            client.read_exact(&mut byte).unwrap();
            bytes.push(byte[0]);
        }
        bytes
    };
    let greeting = read(b"220 ready\r\n");
    assert!(greeting.starts_with(b"120 Ready in a moment.\r\n220-Welcome\r\n220- \r\n230 this"));
    client.write_all(b"USER x\r\n").unwrap();
    let mut buffer = [0; 100];
    let length = client.read(&mut buffer).unwrap();
    assert_eq!(&buffer[..length], b"331 LF only\n");
    client.write_all(b"PASS x\r\n").unwrap();
    let length = client.read(&mut buffer).unwrap();
    assert_eq!(&buffer[..length], b"230-\0\x1b[31mred\x1b[0m\r\n230\r\n");
    client.write_all(b"NOOP\r\n").unwrap();
    let length = client.read(&mut buffer).unwrap();
    assert_eq!(&buffer[..length], b"200\r\n");
    drop(client);
    server.verify();
}

#[test]
fn a_foreign_address_carries_the_right_port() {
    let (server, mut raw) = play("foreign-pasv-address.ftp");
    raw.reply();
    let reply = raw.expect("PASV", 227);
    let mut data = dial((Ipv4Addr::LOCALHOST, pasv_port(&reply, "(10,1,2,3,")).into());
    raw.expect("LIST", 150);
    let mut listing = String::new();
    data.read_to_string(&mut listing).unwrap();
    assert!(listing.ends_with("a.txt\r\n"));
    assert_eq!(raw.reply().0, 226);
    drop(raw);
    server.verify();
}

#[test]
fn a_dead_port_refuses_and_the_next_one_works() {
    let (server, mut raw) = play("dead-epsv-port.ftp");
    raw.reply();
    let reply = raw.expect("EPSV", 229);
    let port: u16 = reply.split('|').nth(3).unwrap().parse().unwrap();
    assert!(TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err());
    let reply = raw.expect("PASV", 227);
    let mut data = dial((Ipv4Addr::LOCALHOST, pasv_port(&reply, "(127,0,0,1,")).into());
    raw.expect("NLST", 150);
    let mut names = String::new();
    data.read_to_string(&mut names).unwrap();
    assert_eq!(names, "a.txt\r\n");
    raw.reply();
    drop(raw);
    server.verify();
}

fn tls_upload(farewell: bool) -> Report {
    let (server, mut raw) = play("tls-upload.ftp");
    let config = tls(&server.ca_pem(), None);
    raw.reply();
    raw.expect("AUTH TLS", 234);
    raw.upgrade(&config).unwrap();
    raw.login("x", "y");
    raw.expect("PBSZ 0", 200);
    raw.expect("PROT P", 200);
    let data = raw.data();
    raw.expect("STOR b.txt", 150);
    let mut data = crate::raw::secure(data, &config).unwrap();
    data.write_all(b"over TLS").unwrap();
    if farewell {
        data.conn.send_close_notify();
        data.flush().unwrap();
    }
    data.sock.shutdown(std::net::Shutdown::Write).unwrap();
    let (code, text) = raw.reply();
    assert_eq!(code == 226, farewell, "{text}");
    server.finish()
}

#[test]
fn an_upload_over_tls_ends_with_a_farewell() {
    let report = tls_upload(true);
    report.assert_matched();
    assert_eq!(report.uploads(), [b"over TLS"]);
    let report = tls_upload(false);
    assert!(report.mismatches()[0].contains("without TLS's farewell"), "{report:?}");
}

#[test]
fn an_injection_comes_in_one_segment_with_the_234() {
    let server = ScriptedServer::start(&conversation("injection-before-tls.ftp")).unwrap();
    let mut client = dial(server.address());
    let mut buffer = [0; 200];
    let _ = client.read(&mut buffer).unwrap();
    client.write_all(b"AUTH TLS\r\n").unwrap();
    let length = client.read(&mut buffer).unwrap();
    assert!(buffer[..length].ends_with(b"230 Welcome.\r\n"));
    drop(client);
    server.verify();

    let (received, report) = exchange(
        "> AUTH TLS\n<! 234 Go\\r\\n230 in\\r\\n\nexpect close\n",
        b"AUTH TLS\r\nUSER fooled\r\n",
    );
    assert!(received.starts_with(b"234 Go\r\n230 in\r\n"));
    assert!(report.mismatches()[0].contains("not to send `USER fooled`"), "{report:?}");
}

#[test]
fn an_endless_listing_ends_with_the_client() {
    let (server, mut raw) = play("endless-listing.ftp");
    raw.reply();
    let mut data = raw.data();
    raw.expect("LIST", 150);
    let mut some = vec![0; 1 << 20];
    data.read_exact(&mut some).unwrap();
    drop((data, raw));
    assert!(server.verify().sent_data() >= 1 << 20);
}

#[test]
fn each_connection_has_its_own_part() {
    let server = ScriptedServer::start(&conversation("busy-then-served.ftp")).unwrap();
    let mut first = String::new();
    dial(server.address()).read_to_string(&mut first).unwrap();
    assert_eq!(first, "421 Too many users.\r\n");
    let reset = dial(server.address()).read(&mut [0]).unwrap_err();
    assert_eq!(reset.kind(), std::io::ErrorKind::ConnectionReset);
    let mut raw = Raw::connect(server.address());
    raw.reply();
    raw.expect("USER x", 230);
    assert_eq!(server.verify().connections(), 3);
}

#[test]
fn an_active_client_is_called_by_whom_the_script_says() {
    let (server, mut raw) = play("active-download.ftp");
    raw.reply();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    raw.expect(&format!("PORT 127,0,0,1,{},{}", port >> 8, port & 0xff), 200);
    raw.expect("RETR a.txt", 150);
    let (_other, address) = listener.accept().unwrap();
    assert_eq!(address.ip(), Ipv4Addr::new(127, 0, 0, 9));
    assert_eq!(raw.reply().0, 425);
    raw.expect(&format!("EPRT |1|127.0.0.1|{port}|"), 200);
    raw.expect("RETR a.txt", 150);
    let (mut data, address) = listener.accept().unwrap();
    assert!(address.ip() == Ipv4Addr::LOCALHOST);
    let mut bytes = Vec::new();
    data.read_to_end(&mut bytes).unwrap();
    assert_eq!(bytes, b"abc");
    assert_eq!(raw.reply().0, 226);
    drop(raw);
    server.verify();
}

#[test]
fn departures_are_named_with_their_line() {
    for (script, sent, words) in [
        ("< 220\n> USER *\n", &b"PASS x\r\n"[..], "line 2: `USER *` was expected, not `PASS x`"),
        ("> USER *\n", b"USER x\n", "line 1: `USER x\\n` does not end with CR LF"),
        ("> USER *\n", b"USE", "line 1: `USER *` was expected, but nothing came"),
        ("> USER *\n", b"", "line 1: `USER *` was expected, but nothing came"),
        (
            "> A\n< 200\n",
            b"A\r\nB\r\n",
            "line 2: the script is over: only QUIT was expected, not `B`",
        ),
        ("silence 50ms\n", b"HELP\r\n", "line 1: silence was expected, not `HELP\\r\\n`"),
        ("> A\ntls\n", b"A\r\nB\r\n", "line 2: `B\\r\\n` came before the handshake"),
        ("> A\ndata accept\n", b"A\r\n", "line 2: there is no data connection"),
        ("> A\nlisten\ndata accept\n", b"A\r\n", "line 3: no data connection: timed out"),
        ("> A\n< {what}\n", b"A\r\n", "line 2: {what} is not known"),
    ] {
        let start = Instant::now();
        let (_, report) = exchange(script, sent);
        let mismatches = report.mismatches().join("\n");
        assert!(mismatches.contains(words), "{script:?}: {mismatches}");
        assert!(start.elapsed() < Duration::from_secs(3), "{script:?}");
    }
}

#[test]
fn a_client_that_hangs_up_early_or_never_comes_is_named() {
    let script = Script::parse("< 220\n> USER *\nconnection\n< 220\n").unwrap();
    let server = ScriptedServer::start(&script).unwrap();
    drop(dial(server.address()));
    std::thread::sleep(Duration::from_millis(50));
    let report = server.finish();
    let mismatches = report.mismatches().join("\n");
    assert!(mismatches.contains("line 2: `USER *` was expected, but the client hung up"));
    assert!(mismatches.contains("connection 2 never came"), "{mismatches}");
}

#[test]
fn a_connection_too_many_is_named() {
    let server = ScriptedServer::start(&Script::parse("< 220\n").unwrap()).unwrap();
    let _first = Raw::connect(server.address()).reply();
    assert_eq!(dial(server.address()).read(&mut [0]).unwrap_or(0), 0);
    assert!(server.finish().mismatches()[0].contains("was not expected"));
}

#[test]
#[should_panic(expected = "line 1: `USER *` was expected")]
fn a_server_that_is_only_dropped_complains_too() {
    let script = Script::parse("> USER *\n").unwrap();
    let server = ScriptedServer::start(&script).unwrap();
    let mut client = dial(server.address());
    client.write_all(b"HELP\r\n").unwrap();
    let _ = client.read_to_end(&mut Vec::new());
}

#[test]
fn pauses_are_kept() {
    let script = "pause 100ms\n< 220\n> A\npause until next command\n< 200\n> B\n< 201\n";
    let server = ScriptedServer::start(&Script::parse(script).unwrap()).unwrap();
    let start = Instant::now();
    let mut raw = Raw::connect(server.address());
    raw.reply();
    assert!(start.elapsed() >= Duration::from_millis(100));
    let mut client = raw.into_plain();
    client.write_all(b"A\r\n").unwrap();
    client.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    assert!(client.read(&mut [0; 10]).is_err(), "the reply waits for the next command");
    client.write_all(b"B\r\n").unwrap();
    client.set_read_timeout(Some(Duration::from_secs(3))).unwrap();
    let mut both = [0; 10];
    client.read_exact(&mut both).unwrap();
    assert_eq!(&both, b"200\r\n201\r\n");
    drop(client);
    server.verify();
}

#[test]
fn connections_can_be_cut_after_every_byte() {
    let script = conversation("plain-download.ftp");
    let whole = cut_download(script.clone());
    assert_eq!(whole.1.sent_data(), 30);
    for bytes in 0..30 {
        let (data, report) = cut_download(script.clone().cut_data(bytes));
        report.assert_matched();
        assert_eq!((data, report.sent_data()), (bytes, bytes));
    }
    for bytes in 0..whole.1.sent_control() {
        let (_, report) = cut_download(script.clone().cut_control(bytes));
        report.assert_matched();
        assert_eq!(report.sent_control(), bytes);
    }
}

/// A client that goes as far as the server lets it: the bytes of the file it got.
fn cut_download(script: Script) -> (usize, Report) {
    let server = ScriptedServer::start(&script).unwrap();
    let mut raw = Raw::connect(server.address());
    let mut go = || -> std::io::Result<usize> {
        raw.try_reply()?;
        for command in ["USER a", "PASS b", "TYPE I"] {
            raw.try_ask(command)?;
        }
        let (_, text) = raw.try_ask("EPSV")?;
        let port: u16 = text.split('|').nth(3).and_then(|port| port.parse().ok()).unwrap();
        let mut data = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        raw.try_ask("RETR a.txt")?;
        let mut bytes = Vec::new();
        let _ = data.read_to_end(&mut bytes);
        raw.try_reply()?;
        Ok(bytes.len())
    };
    let got = go().unwrap_or(0);
    (got, server.finish())
}

fn pasv_port(reply: &str, before: &str) -> u16 {
    let (_, fields) = reply.split_once(before).unwrap();
    let (high, low) = fields.split_once(')').unwrap().0.split_once(',').unwrap();
    high.parse::<u16>().unwrap() << 8 | low.parse::<u16>().unwrap()
}
