//! The other options, and how a server ends.

use std::time::{Duration, Instant};

use test_servers::{Flavour, Options, Server, fixture, require};

use crate::raw::{Raw, tls};

const PROGRAMS: [Flavour; 4] =
    [Flavour::VsFtpd, Flavour::ProFtpd, Flavour::PureFtpd, Flavour::PyFtpd];

fn enter(server: &Server) -> Raw {
    Raw::enter(server, &tls(&server.ca_pem(), None))
}

#[test]
fn a_client_too_many_is_refused() {
    for flavour in PROGRAMS {
        let Some(server) = require(&Options::new(flavour).maximum_clients(1)) else { return };
        let _first = enter(&server);
        let mut second = Raw::connect(server.address());
        let (mut code, text) = second.reply();
        if code == 220 {
            second.expect("USER tester", 331);
            code = second.ask(&format!("PASS {}", server.password())).0;
        }
        assert!([421, 530].contains(&code), "{flavour}: {text}");
    }
}

#[test]
fn the_packaged_vsftpd_refuses_to_write_and_proftpd_to_overwrite() {
    for (flavour, code) in [(Flavour::VsFtpd, 550), (Flavour::ProFtpd, 550)] {
        let Some(server) = require(&Options::new(flavour).packaged()) else { return };
        server.place("there.txt", b"old").unwrap();
        let mut raw = enter(&server);
        let _data = raw.data();
        raw.expect("STOR there.txt", code);
    }
}

#[test]
fn a_small_disk_is_full_soon() {
    // pyftpdlib fails again when it closes the file, and then mostly answers nothing at all.
    for flavour in [Flavour::VsFtpd, Flavour::ProFtpd, Flavour::PureFtpd] {
        let Some(server) = require(&Options::new(flavour).full_disk(1 << 20)) else { return };
        let mut raw = enter(&server);
        raw.expect("TYPE I", 200);
        let mut data = raw.data();
        let (code, text) = raw.ask("STOR full/big");
        assert!(code < 200, "{flavour}: {text}");
        let block = vec![b'x'; 1 << 16];
        let stored = (0..64).all(|_| std::io::Write::write_all(&mut data, &block).is_ok());
        drop(data);
        let (code, text) = raw.reply();
        assert!(!stored || code >= 400, "{flavour}: {text}");
    }
}

#[test]
fn the_clock_of_listings_follows_the_time_zone() {
    // The only program whose packaged listings show local time.
    let options =
        Options::new(Flavour::ProFtpd).time_zone("America/New_York").configuration("TimesGMT off");
    let Some(server) = require(&options) else { return };
    fixture(&server.root()).unwrap();
    let listing = enter(&server).fetch("LIST old.txt", None);
    let text = String::from_utf8_lossy(&listing.bytes).into_owned();
    // 04:05 UTC on the third is still the second in New York.
    assert!(text.contains("Feb  2  2001"), "{text}");
}

#[test]
fn passive_ports_are_those_asked_for() {
    for flavour in Flavour::ALL {
        let Some(server) = require(&Options::new(flavour).passive_ports(2)) else { return };
        let mut raw = enter(&server);
        let range = server.port() + 1..=server.port() + 2;
        for _ in 0..3 {
            let port = raw.data().peer_addr().unwrap().port();
            assert!(range.contains(&port), "{flavour}: {port} not in {range:?}");
        }
    }
}

#[test]
fn the_log_shows_the_commands() {
    for flavour in PROGRAMS.into_iter().filter(|&flavour| flavour != Flavour::PureFtpd) {
        let Some(server) = require(&Options::new(flavour)) else { return };
        enter(&server).expect("PWD", 257);
        let deadline = Instant::now() + Duration::from_secs(5);
        while !server.log().contains("PWD") {
            assert!(Instant::now() < deadline, "{flavour}: {}", server.log());
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

#[test]
fn nothing_is_left_when_a_server_is_dropped() {
    for flavour in PROGRAMS {
        let Some(server) = require(&Options::new(flavour)) else { return };
        // Sessions are processes of their own in most programs.
        let _session = enter(&server);
        let family = descendants(server.process_id().unwrap());
        let (port, root) = (server.address(), server.root());
        assert!(family.len() > 2, "{flavour}: {family:?}");
        drop(server);
        let left = living(|process| family.contains(&process.id));
        assert!(left.is_empty(), "{flavour}: {left:?}");
        assert!(std::net::TcpStream::connect(port).is_err(), "{flavour}");
        assert!(!root.exists(), "{flavour}");
    }
}

#[test]
fn a_killed_server_hangs_up_and_keeps_its_files() {
    for flavour in Flavour::ALL {
        let Some(mut server) = require(&Options::new(flavour)) else { return };
        server.place("a.txt", b"a").unwrap();
        let mut raw = enter(&server);
        server.kill();
        assert!(raw.try_ask("PWD").is_err(), "{flavour}");
        assert!(server.root().join("a.txt").exists());
    }
}

#[test]
fn two_servers_of_one_kind_do_not_meet() {
    let options = Options::new(Flavour::LibUnftp);
    let (Some(one), Some(two)) = (require(&options), require(&options)) else { return };
    one.place("only-here.txt", b"1").unwrap();
    assert_ne!(one.port(), two.port());
    assert_eq!(enter(&one).fetch("RETR only-here.txt", None).bytes, b"1");
    let mut other = enter(&two);
    let _data = other.data();
    let (code, text) = other.ask("RETR only-here.txt");
    // libunftp promises the file before it looks for it.
    assert!(code >= 400 || other.reply().0 >= 400, "{text}");
}

#[derive(Debug)]
struct Process {
    id: u32,
    parent: u32,
}

/// The processes that run (zombies do not) and pass.
fn living(passes: impl Fn(&Process) -> bool) -> Vec<Process> {
    std::fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .filter_map(|entry| {
            let id = entry.file_name().to_str()?.parse().ok()?;
            let stat = std::fs::read_to_string(entry.path().join("stat")).ok()?;
            // The program's name, in parentheses, may itself hold spaces and parentheses.
            let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace();
            let state = fields.next()?;
            let parent = fields.next()?.parse().ok()?;
            (state != "Z").then_some(Process { id, parent })
        })
        .filter(passes)
        .collect()
}

fn descendants(ancestor: u32) -> Vec<u32> {
    let mut family = vec![ancestor];
    let mut at = 0;
    while let Some(&parent) = family.get(at) {
        family.extend(living(|process| process.parent == parent).iter().map(|child| child.id));
        at += 1;
    }
    family
}
