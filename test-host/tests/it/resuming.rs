//! A process that is killed in the middle of a file, and the one after it.

use std::fs::File;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use serde_json::{Value, json};
use test_servers::{Flavour, Options, Server, require};

use crate::servers::run;
use crate::support::{Answer, Place, connection, ftp_connector};

/// The size of the file in bytes.
const SIZE: u64 = 6_000_000;

/// How long a partial may take to grow: many times what the slowed server needs.
const PATIENCE: Duration = Duration::from_secs(60);

/// A server that sends `body` slowly, and the process that fetches it.
struct Slow {
    server: Server,
    place: Place,
    process: Value,
}

impl Slow {
    fn start(options: &Options, body: &[u8]) -> Option<Self> {
        let rate = match options.flavour() {
            Flavour::ProFtpd => "TransferRate RETR 4000",
            _ => "local_max_rate=4000000",
        };
        let server = require(&options.clone().configuration(rate))?;
        server.place("image.iso", body).unwrap();
        let process = json!({
            "process": "image",
            "connections": {"mirror": connection(&server, &json!({}))},
            "steps": [
                {"name": "download", "type": "connector", "connection": "mirror",
                 "operation": "get", "parameters": {"id": "image.iso"}},
                {"name": "name", "type": "setProperties", "properties": {"fileName": "the.iso"}},
                {"name": "keep", "type": "writeFiles", "directory": "images"},
            ],
        });
        Some(Self { server, place: Place::new(), process })
    }

    /// The partial, once there is one.
    fn partial(&self) -> Option<PathBuf> {
        let entries = std::fs::read_dir(self.place.path("images")).ok()?;
        let paths = entries.map(|entry| entry.unwrap().path());
        let name = |path: &PathBuf| path.file_name().unwrap().to_str().unwrap().to_owned();
        paths.into_iter().find(|path| name(path).ends_with(".partial"))
    }

    /// Runs the process until its partial has `length` bytes, and ends it by `signal`.
    fn cut_at(&self, length: u64, signal: &str) {
        self.place.write("process.json", self.process.to_string());
        let mut command = self.place.program_with(ftp_connector(), &["run", "process.json"]);
        let command = command.env("FTP_PASSWORD", "s3cret pass").stdout(Stdio::null());
        let mut child = command.stderr(Stdio::null()).spawn().unwrap();
        let end = Instant::now() + PATIENCE;
        let has_grown = || {
            let partial = self.partial().and_then(|path| path.metadata().ok());
            partial.is_some_and(|partial| partial.len() >= length)
        };
        while !has_grown() {
            assert!(child.try_wait().unwrap().is_none(), "it ended before it could be cut");
            assert!(Instant::now() < end, "the partial does not grow");
            thread::yield_now();
        }
        self.signal(&mut child, signal);
        let names = self.place.names("images");
        assert!(!names.contains(&"the.iso".to_owned()), "{names:?}");
        assert_eq!(names.iter().filter(|name| name.ends_with(".partial")).count(), 1, "{names:?}");
    }

    fn signal(&self, child: &mut Child, signal: &str) {
        let id = child.id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
        assert!(!child.wait().unwrap().success());
    }

    /// The offsets of the REST commands, in the order of the transfers.
    fn offsets(&self) -> Vec<u64> {
        let log = self.server.log();
        let rest = log.lines().filter_map(|line| line.split_once("REST "));
        let digits =
            |text: &str| -> String { text.chars().take_while(char::is_ascii_digit).collect() };
        rest.filter_map(|(_, offset)| digits(offset).parse().ok()).collect()
    }

    /// Runs the process to its end, which must leave exactly `body`.
    fn complete(&self, body: &[u8]) -> Answer {
        let answer = run(&self.place, &self.process);
        assert_eq!((answer.code, answer.counts()), (0, [1, 0, 0, 0]), "{answer:?}");
        assert_eq!(self.place.names("images"), ["the.iso"]);
        assert!(std::fs::read(self.place.path("images/the.iso")).unwrap() == body);
        let event = &answer.of_step("keep")[0];
        assert_eq!(event["bytes"], body.len());
        answer
    }
}

/// Bytes in which no two places look alike. `seed` makes bodies differ.
fn body(seed: u64) -> Vec<u8> {
    (0..SIZE / 8)
        .flat_map(|n| n.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(seed).to_le_bytes())
        .collect()
}

#[test]
fn a_process_that_is_killed_again_and_again_ends_in_the_same_bytes() {
    let body = body(1);
    let Some(slow) = Slow::start(&Options::new(Flavour::VsFtpd).explicit(), &body) else { return };
    let mut chance = 20_261_123_u64;
    let mut length = 0;
    let signals = ["-KILL", "-KILL", "-INT", "-KILL"];
    for signal in signals {
        chance = chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        length += 200_000 + (chance >> 33) % 700_000;
        slow.cut_at(length, signal);
    }
    slow.complete(&body);
    let offsets = slow.offsets();
    // The first run began at the beginning, and each later one where the one before was cut.
    assert_eq!(offsets.len(), signals.len(), "{offsets:?}");
    assert!(offsets.is_sorted_by(|one, next| one < next), "{offsets:?}");
    assert!(offsets.last().is_some_and(|last| last + 64 * 1024 >= length), "{offsets:?}");
}

#[test]
fn a_file_that_changed_meanwhile_is_fetched_anew() {
    let (old, new) = (body(1), body(2));
    let Some(slow) = Slow::start(&Options::new(Flavour::ProFtpd), &old) else { return };
    slow.cut_at(500_000, "-KILL");
    slow.server.place("image.iso", &new).unwrap();
    let file = File::options().write(true).open(slow.server.root().join("image.iso")).unwrap();
    file.set_modified(SystemTime::now() - Duration::from_secs(1000)).unwrap();
    slow.complete(&new);
    assert_eq!(slow.offsets(), Vec::<u64>::new());
}

#[test]
fn a_partial_that_is_not_the_beginning_of_the_file_is_given_up() {
    let body = body(1);
    let Some(slow) = Slow::start(&Options::new(Flavour::ProFtpd), &body) else { return };
    slow.cut_at(500_000, "-KILL");
    let partial = slow.partial().unwrap();
    let mut bytes = std::fs::read(&partial).unwrap();
    let last = bytes.last_mut().unwrap();
    *last = !*last;
    std::fs::write(&partial, bytes).unwrap();
    slow.complete(&body);
    assert_eq!(slow.offsets().len(), 1);
}

#[test]
fn a_second_process_does_not_touch_the_partial_of_the_first() {
    let body = body(1);
    let Some(slow) = Slow::start(&Options::new(Flavour::VsFtpd), &body) else { return };
    slow.cut_at(500_000, "-KILL");
    let held = File::open(slow.partial().unwrap()).unwrap();
    held.lock().unwrap();
    let before = held.metadata().unwrap().len();
    let answer = run(&slow.place, &slow.process);
    assert_eq!((answer.code, answer.counts()), (0, [1, 0, 0, 0]), "{answer:?}");
    assert!(std::fs::read(slow.place.path("images/the.iso")).unwrap() == body);
    assert_eq!(slow.offsets(), Vec::<u64>::new());
    assert_eq!(held.metadata().unwrap().len(), before);
    drop(held);
    // The next run resumes what was left, and leaves nothing.
    slow.complete(&body);
    assert_eq!(slow.offsets().len(), 1);
}
