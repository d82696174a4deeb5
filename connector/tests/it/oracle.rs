//! A second opinion: another FTP client reads what the connector wrote and writes what it reads.

use std::io::Cursor;

use serde_json::json;
use suppaftp::FtpStream;
use suppaftp::types::FileType;
use test_servers::{Flavour, Options, PASSWORD, USER, require};

use crate::support::Bench;

/// Every byte, in an order in which a lost or doubled one shows, and line ends of every kind.
fn body() -> Vec<u8> {
    let bytes = (0..=u8::MAX).chain((0..=u8::MAX).rev()).cycle().take(300_000);
    bytes.chain(*b"\r\nLF\nCR\r").collect()
}

/// The other client, logged in to the server of `bench`.
fn client(bench: &Bench) -> FtpStream {
    let mut client = FtpStream::connect((bench.server.host(), bench.server.port())).unwrap();
    client.login(USER, PASSWORD).unwrap();
    client.transfer_type(FileType::Binary).unwrap();
    client
}

/// What each of the two clients stores, lists and reads is the same on one server.
fn agree(flavour: Flavour) {
    let Some(server) = require(&Options::new(flavour)) else { return };
    let bench = Bench::new(server, &json!({}));
    bench.place("upload/keep.txt", b"there already");
    let body = body();
    bench.create(&json!({"actionIfFileExists": "overwrite"}), "upload/ours.bin", &body).single();

    let mut other = client(&bench);
    let read = other.retr_as_buffer("/upload/ours.bin").unwrap().into_inner();
    assert!(read == body, "{flavour}: the other client reads {} bytes", read.len());
    assert_eq!(other.size("/upload/ours.bin").unwrap(), body.len());
    other.put_file("/upload/theirs.bin", &mut Cursor::new(&body)).unwrap();
    other.rename("/upload/keep.txt", "/upload/kept.txt").unwrap();
    other.cwd("/upload").unwrap();
    let mut names = other.nlst(None).unwrap();
    names.sort();
    other.quit().unwrap();

    assert!(bench.get(&json!({}), "upload/theirs.bin").single().body == body, "{flavour}");
    let listed = bench.list(&json!({}), &json!(null), "upload").json();
    let mut listed: Vec<&str> =
        listed.iter().map(|entry| entry["fileName"].as_str().unwrap()).collect();
    listed.sort_unstable();
    assert_eq!(listed, ["kept.txt", "ours.bin", "theirs.bin"], "{flavour}");
    // Pure-FTPd names the directory itself and the one above too.
    let bare = names.iter().map(|name| name.rsplit('/').next().unwrap());
    let bare = bare.filter(|name| !matches!(*name, "." | ".."));
    assert_eq!(bare.collect::<Vec<_>>(), listed, "{flavour}");
}

#[test]
fn another_client_agrees_on_every_server() {
    for flavour in Flavour::ALL {
        agree(flavour);
    }
}
