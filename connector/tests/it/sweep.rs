//! Control and data connections are cut after every single byte. Whatever is cut: never a success
//! with wrong bytes, never a call that hangs, never a descriptor that stays open.

#![cfg(target_os = "linux")]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use host_sdk::Outcome;
use serde_json::{Value, json};
use test_servers::scripted::{Report, Script};

use crate::alone;
use crate::transcript::{Answer, Play, Transcript};

/// Plays at a time: each mostly waits.
const WORKERS: usize = 8;

const BODY: &str = "hello, world";

const GET: &str = "connections
otherwise SIZE * < 213 12
@login
> EPSV
passive EPSV
> RETR /a.txt
< 150 Here it comes.
data send \"hello, world\"
data close
< 226 Done.
";

const LINES: &str =
    "-rw-r--r-- 1 a a 5 Jan 01 2020 a.txt\r\n-rw-r--r-- 1 a a 5 Jan 01 2020 b.txt\r\n";

const LIST: &str = "connections
@login
> EPSV
passive EPSV
> LIST
< 150 Here it comes.
data send \"-rw-r--r-- 1 a a 5 Jan 01 2020 a.txt\\r\\n-rw-r--r-- 1 a a 5 Jan 01 2020 b.txt\\r\\n\"
data close
< 226 Done.
";

const CREATE: &str = "connections
otherwise SIZE *.part < 213 12
otherwise DELE * < 250 Done.
@login
> EPSV
passive EPSV
> STOR {name}
< 150 Go ahead.
data receive
< 226 Done.
> RNFR {name}
< 350 And?
> RNTO /b.txt
< 250 Done.
";

const SECURED: &str = "connections
otherwise PBSZ 0 < 200 PBSZ=0
otherwise PROT P < 200 Private.
@answers
< 220 ready
> AUTH TLS
< 234 Go ahead.
tls
> EPSV
passive EPSV
> LIST
< 150 Here it comes.
data tls
data send \"-rw-r--r-- 1 a a 5 Jan 01 2020 a.txt\\r\\n-rw-r--r-- 1 a a 5 Jan 01 2020 b.txt\\r\\n\"
data close
< 226 Done.
";

/// One request, played once.
fn play(script: &Script, secured: bool, verb: &str, rest: &str) -> (Answer, Report) {
    let mut settings = json!({"retry": {"attempts": 2, "delay": 0}});
    if secured {
        settings["sslMode"] = json!("explicit");
    }
    let options: Value = match verb {
        "create" => json!({"actionIfFileExists": "overwrite"}),
        _ => json!({}),
    };
    let mut play = Play::start(script, &settings).with_options(options);
    play.request(verb, rest);
    (play.take_last(), play.end())
}

/// Plays `count` variants, some at a time; `prove` gets the number of each.
fn each(count: usize, prove: impl Fn(usize) + Sync) {
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                while let number = next.fetch_add(1, Ordering::Relaxed)
                    && number < count
                {
                    prove(number);
                }
            });
        }
    });
}

/// A success is one with every byte.
#[track_caller]
fn check_get(answer: &Answer, cut: &str) -> bool {
    if answer.outcome != Outcome::Success {
        return false;
    }
    let bodies: Vec<_> = answer.results.iter().map(|result| result.body.as_slice()).collect();
    assert_eq!(bodies, [BODY.as_bytes()], "{cut}");
    true
}

#[track_caller]
fn check_list(answer: &Answer, cut: &str) -> bool {
    if answer.outcome != Outcome::Success {
        return false;
    }
    assert_eq!(answer.names(), ["a.txt", "b.txt"], "{cut}");
    true
}

#[track_caller]
fn check_create(answer: &Answer, report: &Report, cut: &str) -> bool {
    if answer.outcome != Outcome::Success {
        return false;
    }
    assert_eq!(report.uploads().last(), Some(&BODY.as_bytes()), "{cut}");
    assert!(report.commands().contains(&"RNTO /b.txt"), "{cut}");
    true
}

#[test]
fn no_cut_makes_a_success_or_leaves_anything_open() {
    alone::run("sweep::every_byte");
}

#[test]
#[ignore = "counts its process's descriptors: run by no_cut_makes_a_success_or_leaves_anything_open"]
fn every_byte() {
    let before = descriptors();
    downloads();
    listings();
    uploads();
    secured_listings();
    // Threads that were left to themselves while connecting end a moment later.
    let end = Instant::now() + Duration::from_secs(10);
    while descriptors() > before && Instant::now() < end {
        std::thread::yield_now();
    }
    assert_eq!(descriptors(), before);
}

fn downloads() {
    let script = Transcript::parse(GET).script();
    let (answer, report) = play(&script, false, "get", "a.txt");
    assert!(check_get(&answer, "not cut"), "{answer:?}\n{}", report.transcript());
    let successes = AtomicUsize::new(0);
    each(report.sent_control(), |bytes| {
        let (answer, _) = play(&script.clone().cut_control(bytes), false, "get", "a.txt");
        let good = check_get(&answer, &format!("control cut after {bytes}"));
        successes.fetch_add(usize::from(good), Ordering::Relaxed);
    });
    // Where the second attempt needs fewer replies, it may get through as well.
    assert!(successes.into_inner() >= "221 Goodbye.\r\n".len(), "cut goodbyes are harmless");
    each(report.sent_data(), |bytes| {
        let (answer, _) = play(&script.clone().cut_data(bytes), false, "get", "a.txt");
        assert!(!check_get(&answer, &format!("data cut after {bytes}")), "{bytes}");
    });
}

fn listings() {
    let script = Transcript::parse(LIST).script();
    let (answer, report) = play(&script, false, "list", "");
    assert!(check_list(&answer, "not cut"), "{answer:?}\n{}", report.transcript());
    each(report.sent_control(), |bytes| {
        let (answer, _) = play(&script.clone().cut_control(bytes), false, "list", "");
        check_list(&answer, &format!("control cut after {bytes}"));
    });
    each(report.sent_data(), |bytes| {
        // Between two lines a listing in clear ends as a whole one does, and the server confirms
        // it: nothing on the wire tells them apart. Inside TLS something does, see below.
        if bytes != 0 && !LINES[..bytes].ends_with('\n') {
            let (answer, _) = play(&script.clone().cut_data(bytes), false, "list", "");
            assert!(!check_list(&answer, &format!("data cut after {bytes}")), "{bytes}");
        }
    });
}

fn uploads() {
    let script = Transcript::parse(CREATE).script();
    let rest = format!("b.txt {BODY}");
    let (answer, report) = play(&script, false, "create", &rest);
    assert!(check_create(&answer, &report, "not cut"), "{answer:?}\n{}", report.transcript());
    each(report.sent_control(), |bytes| {
        let (answer, report) = play(&script.clone().cut_control(bytes), false, "create", &rest);
        check_create(&answer, &report, &format!("control cut after {bytes}"));
    });
    // The server stops reading, and confirms all the same what it has.
    each(BODY.len() - 1, |bytes| {
        let kept = bytes + 1;
        let text = CREATE
            .replace("data receive", &format!("data receive {kept}\ndata close"))
            .replace("213 12", &format!("213 {kept}"));
        let (answer, _) = play(&Transcript::parse(&text).script(), false, "create", &rest);
        assert!(answer.outcome.error().is_some(), "{kept} bytes were kept");
    });
}

fn secured_listings() {
    let script = Transcript::parse(SECURED).script();
    let (answer, report) = play(&script, true, "list", "");
    assert!(check_list(&answer, "not cut"), "{answer:?}\n{}", report.transcript());
    // Every byte of the records at the end, some of the handshake before them.
    let end = report.sent_data();
    let cuts: Vec<usize> = (0..end).filter(|byte| byte % 97 == 0 || end - byte < 160).collect();
    each(cuts.len(), |number| {
        let bytes = cuts[number];
        let (answer, _) = play(&script.clone().cut_data(bytes), true, "list", "");
        assert!(!check_list(&answer, &format!("TLS cut after {bytes}")), "{bytes} of {end}");
    });
}

fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}
