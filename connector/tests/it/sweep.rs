//! Control and data connections are cut after every single byte, in clear; inside TLS after every
//! byte of the end and some before it. Whatever is cut, in whichever operation: never a success with
//! wrong bytes, never a call that hangs, never a descriptor or a thread that stays.

#![cfg(target_os = "linux")]

use std::sync::atomic::{AtomicUsize, Ordering};

use host_sdk::Outcome;
use serde_json::json;
use test_servers::scripted::{Report, Script};

use crate::alone;
use crate::support::report;
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

const QUERY: &str = "connections
otherwise SIZE * < 213 12
otherwise MDTM * < 213 20200101000000
@login
> EPSV
passive EPSV
> LIST
< 150 Here it comes.
data send \"-rw-r--r-- 1 a a 12 Jan 01 2020 a.txt\\r\\n\"
data close
< 226 Done.
> EPSV
passive EPSV
> RETR /a.txt
< 150 Here it comes.
data send \"hello, world\"
data close
< 226 Done.
";

const DELETE: &str = "connections
otherwise SIZE * < 550 No such file.
@login
> DELE /a.txt
< 250 Done.
";

/// An operation with the conversation that makes it succeed.
struct Case {
    verb: &'static str,
    rest: &'static str,
    script: &'static str,
    /// Proves that a success is one.
    prove: fn(&Answer, &Report, &str),
}

const CASES: [Case; 5] = [
    Case { verb: "get", rest: "a.txt", script: GET, prove: prove_body },
    Case { verb: "query", rest: "", script: QUERY, prove: prove_body },
    Case { verb: "list", rest: "", script: LIST, prove: prove_listing },
    Case { verb: "create", rest: "b.txt hello, world", script: CREATE, prove: prove_upload },
    Case { verb: "delete", rest: "a.txt", script: DELETE, prove: prove_deletion },
];

#[track_caller]
fn prove_body(answer: &Answer, _: &Report, cut: &str) {
    let bodies: Vec<_> = answer.results.iter().map(|result| result.body.as_slice()).collect();
    assert_eq!(bodies, [BODY.as_bytes()], "{cut}");
}

#[track_caller]
fn prove_listing(answer: &Answer, _: &Report, cut: &str) {
    assert_eq!(answer.names(), ["a.txt", "b.txt"], "{cut}");
}

#[track_caller]
fn prove_upload(_: &Answer, report: &Report, cut: &str) {
    assert_eq!(report.uploads().last(), Some(&BODY.as_bytes()), "{cut}");
    assert!(report.commands_with_paths().contains(&"RNTO /b.txt"), "{cut}");
}

#[track_caller]
fn prove_deletion(_: &Answer, report: &Report, cut: &str) {
    assert!(report.commands_with_paths().contains(&"DELE /a.txt"), "{cut}");
}

impl Case {
    /// The conversation, in clear or inside TLS.
    fn text(&self, secured: bool) -> String {
        if !secured {
            return self.script.to_owned();
        }
        let login = "otherwise PBSZ 0 < 200 PBSZ=0\notherwise PROT P < 200 Private.\n@answers\n\
            < 220 ready\n> AUTH TLS\n< 234 Go ahead.\ntls";
        self.script
            .replace("@login", login)
            .replace("< 150 Here it comes.", "< 150 Here it comes.\ndata tls")
            .replace("data receive", "data tls\ndata receive\ndata close")
    }

    /// Plays `script` once; whether it was a success, which is proved to be one.
    fn play(&self, script: &Script, secured: bool, cut: &str) -> (bool, Report) {
        let mut settings = json!({"retry": {"attempts": 2, "delay": 0}});
        if secured {
            settings["sslMode"] = json!("explicit");
        }
        let mut play = Play::start(script, &settings);
        if self.verb == "create" {
            play = play.with_options(json!({"actionIfFileExists": "overwrite"}));
        }
        play.request(self.verb, self.rest);
        let answer = play.take_last();
        let report = play.end();
        // A query may succeed with a file that failed by itself.
        let is_whole = answer.results.iter().all(|result| result.outcome == Outcome::Success);
        let is_success = answer.outcome == Outcome::Success && is_whole;
        if is_success {
            (self.prove)(&answer, &report, &format!("{} {cut}", self.verb));
        }
        (is_success, report)
    }

    /// Cuts everything everywhere; the number of cuts.
    fn sweep(&self, secured: bool) -> usize {
        let script = Transcript::parse(&self.text(secured)).script();
        let (is_success, report) = self.play(&script, secured, "not cut");
        assert!(is_success, "{}\n{}", self.verb, report.transcript());
        let control = cuts(report.sent_control(), secured);
        let successes = AtomicUsize::new(0);
        each(control.len(), |number| {
            let cut = format!("control cut after {}, TLS {secured}", control[number]);
            let cutting = script.clone().cut_control(control[number]);
            let (is_success, _) = self.play(&cutting, secured, &cut);
            successes.fetch_add(usize::from(is_success), Ordering::Relaxed);
        });
        // Where the second attempt needs fewer replies, it may get through as well.
        assert!(successes.into_inner() >= "221 Goodbye.\r\n".len(), "cut goodbyes are harmless");
        let mut data = cuts(report.sent_data(), secured);
        data.retain(|bytes| self.shows(*bytes, secured));
        each(data.len(), |number| {
            let cut = format!("data cut after {}, TLS {secured}", data[number]);
            let cutting = script.clone().cut_data(data[number]);
            let (is_success, _) = self.play(&cutting, secured, &cut);
            // The names of a listing are right before its last line has ended.
            assert!(!is_success || self.verb != "list", "{} {cut}", self.verb);
        });
        control.len() + data.len()
    }

    /// Whether data connections that are cut after `bytes` each show it.
    fn shows(&self, bytes: usize, secured: bool) -> bool {
        match self.verb {
            // Between two lines a listing in clear ends as a whole one does, and the server confirms
            // it: nothing on the wire tells them apart. Inside TLS something does.
            "list" => secured || (bytes != 0 && !LINES[..bytes].ends_with('\n')),
            "query" => secured || bytes != 0,
            // This server goes on to confirm what it has not read: a lie that nothing shows.
            "create" => false,
            _ => true,
        }
    }
}

/// After which of `end` bytes to cut.
fn cuts(end: usize, secured: bool) -> Vec<usize> {
    (0..end).filter(|byte| !secured || byte % 61 == 0 || end - byte < 120).collect()
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

#[test]
fn no_cut_makes_a_success_or_leaves_anything_open() {
    let text = alone::run("sweep::every_byte");
    let (_, count) = text.split_once("SWEEP ").unwrap();
    report("SWEEP", count.lines().next().unwrap_or_default());
}

#[test]
#[ignore = "counts its process's descriptors: run by no_cut_makes_a_success_or_leaves_anything_open"]
fn every_byte() {
    let before = alone::open_things();
    let mut count = short_uploads();
    for case in &CASES {
        count += case.sweep(false) + case.sweep(true);
    }
    report("SWEEP", &format!("{count} cuts"));
    alone::assert_nothing_left(before);
}

/// The server stops reading, and confirms all the same what it has; the number of cuts.
fn short_uploads() -> usize {
    let [.., case, _] = &CASES;
    let cuts = BODY.len() - 1;
    each(cuts, |bytes| {
        let kept = bytes + 1;
        let text = CREATE
            .replace("data receive", &format!("data receive {kept}\ndata close"))
            .replace("213 12", &format!("213 {kept}"));
        let script = Transcript::parse(&text).script();
        let (is_success, _) = case.play(&script, false, "kept short");
        assert!(!is_success, "{kept} bytes were kept");
    });
    cuts
}
