//! The program is killed, or runs out of what it needs, at any moment: no file is lost, none has
//! its name before it is whole, and running again ends with all of them.

#![cfg(target_os = "linux")]

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use test_servers::model::ModelServer;

use crate::support::{Place, ftp_connector};

/// How many times the program is killed in each direction, unless `KILLS` says otherwise.
const KILLS: u32 = 12;

/// Nothing here takes longer; what does is hanging.
const HANGING: Duration = Duration::from_secs(60);

/// Files of many sizes with their contents.
fn files() -> BTreeMap<String, Vec<u8>> {
    let file = |number: usize| {
        let size = [0, 1, 4_000, 70_000, 900_000][number % 5] + number;
        let body = (0..size).map(|at| ((at / 7) ^ (at * number)) as u8).collect();
        (format!("file-{number:02}.bin"), body)
    };
    (0..25).map(file).collect()
}

fn serve(files: &BTreeMap<String, Vec<u8>>) -> ModelServer {
    let all: Vec<(&str, &[u8])> =
        files.iter().map(|(name, body)| (name.as_str(), body.as_slice())).collect();
    ModelServer::start(&all, Vec::new()).unwrap()
}

fn process(server: &ModelServer, steps: Value) -> Value {
    json!({
        "process": "test",
        "connections": {"s": {"connector": "ftp", "host": "127.0.0.1", "port": server.port(),
                              "userName": "anna", "password": {"env": "FTP_PASSWORD"}}},
        "steps": steps,
    })
}

/// From the server to a folder, and off the server.
fn fetching(server: &ModelServer) -> Value {
    let options = json!({"deleteAfterReading": true, "parallelTransfers": 3});
    process(
        server,
        json!([
            {"name": "fetch", "type": "connector", "connection": "s", "operation": "query",
             "options": options},
            {"name": "keep", "type": "writeFiles", "directory": "out"},
        ]),
    )
}

/// From a folder to the server.
fn storing(server: &ModelServer) -> Value {
    process(
        server,
        json!([
            {"name": "collect", "type": "readFiles", "directory": "in"},
            {"name": "store", "type": "connector", "connection": "s", "operation": "create",
             "options": {"actionIfFileExists": "overwrite"}},
        ]),
    )
}

fn start(mut command: Command) -> Child {
    command.env("FTP_PASSWORD", "secret").stdout(Stdio::piped()).stderr(Stdio::null());
    command.spawn().unwrap()
}

/// Waits until the program ends, or kills it `after` so long; how it ended.
fn end(mut child: Child, after: Duration) -> ExitStatus {
    let mut output = child.stdout.take().unwrap();
    let (sender, ended) = mpsc::channel();
    let reader = std::thread::spawn(move || {
        let read = output.read_to_end(&mut Vec::new());
        let _ = sender.send(read.is_ok());
    });
    if ended.recv_timeout(after).is_err() {
        child.kill().unwrap();
    }
    reader.join().unwrap();
    child.wait().unwrap()
}

fn program(place: &Place) -> Command {
    place.program_with(ftp_connector(), &["run", "process.json", "--output", "json"])
}

/// The same with less than it may need: `limits` are those of the shell's `ulimit`.
fn limited(place: &Place, limits: &str) -> Command {
    let whole = program(place);
    let mut command = Command::new("sh");
    command.args(["-c", &format!("ulimit {limits} && exec \"$0\" \"$@\"")]);
    command.arg(whole.get_program()).args(whole.get_args());
    command.current_dir(place.path(".")).env_remove("CONNECTOR_PATH");
    command
}

#[track_caller]
fn run_to_the_end(place: &Place, why: &str) {
    let status = end(start(program(place)), HANGING);
    assert_eq!(status.code(), Some(0), "{why}");
}

/// The files in the folder `name` that have their names, where there is one.
fn kept(place: &Place, name: &str) -> BTreeMap<String, Vec<u8>> {
    let Ok(entries) = fs::read_dir(place.path(name)) else { return BTreeMap::new() };
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names
        .filter(|file| !file.starts_with('.'))
        .map(|file| {
            let body = fs::read(place.path(name).join(&file)).unwrap();
            (file, body)
        })
        .collect()
}

/// Checks that each of `files` is on the server or whole in the folder, and nothing half-done.
#[track_caller]
fn check_nothing_lost(
    files: &BTreeMap<String, Vec<u8>>,
    server: &ModelServer,
    place: &Place,
    why: &str,
) {
    let kept = kept(place, "out");
    for (name, body) in &kept {
        assert!(files.get(name) == Some(body), "{why}: {name} has its name and is not whole");
    }
    for (name, body) in files {
        let is_there = server.content(name).as_ref() == Some(body);
        assert!(is_there || kept.contains_key(name), "{why}: {name} is lost");
    }
}

/// Has `interrupt` end a run that fetches; then the next one finishes the work.
#[track_caller]
fn survives(why: &str, interrupt: impl FnOnce(&Place)) {
    let files = files();
    let server = serve(&files);
    let place = Place::new();
    place.write("process.json", fetching(&server).to_string());
    interrupt(&place);
    check_nothing_lost(&files, &server, &place, why);
    run_to_the_end(&place, why);
    assert!(kept(&place, "out") == files, "{why}: not all files came");
    assert_eq!(server.names(), Vec::<String>::new(), "{why}");
}

/// Moments to kill a program that lives `whole` long; the seed makes them the same each time.
fn moments(whole: Duration) -> Vec<Duration> {
    let count = std::env::var("KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(KILLS);
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        u32::try_from(state % 1_000).unwrap()
    };
    (0..count).map(|_| whole * next() / 1_000).collect()
}

/// How long `place`'s process takes.
fn lifetime(place: &Place) -> Duration {
    // Built before the clock starts.
    ftp_connector();
    let started = Instant::now();
    run_to_the_end(place, "not killed");
    started.elapsed()
}

fn report(line: &str) {
    let _ = std::io::stderr().write_all(format!("KILLS {line}\n").as_bytes());
}

#[test]
fn a_killed_download_loses_nothing_and_the_next_run_finishes_it() {
    let server = serve(&files());
    let place = Place::new();
    place.write("process.json", fetching(&server).to_string());
    let moments = moments(lifetime(&place));
    let mut killed = 0;
    for after in &moments {
        survives(&format!("killed after {after:?}"), |place| {
            let status = end(start(program(place)), *after);
            killed += u32::from(status.code().is_none());
        });
    }
    report(&format!("{killed} of {} downloads", moments.len()));
    assert!(killed > 0, "none of {moments:?} was early enough");
}

#[test]
fn a_killed_upload_has_no_half_file_under_its_name_and_the_next_run_finishes_it() {
    let files = files();
    let place = Place::new();
    for (name, body) in &files {
        place.write(&format!("in/{name}"), body);
    }
    let whole = serve(&BTreeMap::new());
    place.write("process.json", storing(&whole).to_string());
    let moments = moments(lifetime(&place));
    let mut killed = 0;
    for after in &moments {
        let server = serve(&BTreeMap::new());
        place.write("process.json", storing(&server).to_string());
        let status = end(start(program(&place)), *after);
        killed += u32::from(status.code().is_none());
        for name in server.names().iter().filter(|name| !name.ends_with(".part")) {
            assert!(server.content(name).as_ref() == files.get(name), "{after:?}: {name}");
        }
        run_to_the_end(&place, &format!("killed after {after:?}"));
        for (name, body) in &files {
            assert!(server.content(name).as_ref() == Some(body), "{after:?}: {name}");
        }
    }
    report(&format!("{killed} of {} uploads", moments.len()));
    assert!(killed > 0, "none of {moments:?} was early enough");
}

#[test]
fn too_few_descriptors_lose_nothing() {
    let mut codes = Vec::new();
    for count in [4, 8, 12, 14, 16, 18, 20, 24, 64] {
        survives(&format!("{count} descriptors"), |place| {
            let status = end(start(limited(place, &format!("-n {count}"))), HANGING);
            // It says what it lacks; it neither panics nor dies.
            assert!(status.code().is_some_and(|code| code != 101), "{count}: {status}");
            codes.push(status.code());
        });
    }
    report(&format!("codes of runs with few descriptors {codes:?}"));
    assert_eq!(codes.last(), Some(&Some(0)), "64 descriptors are enough");
    assert_ne!(codes.first(), Some(&Some(0)), "4 descriptors are too few");
}

#[test]
fn too_little_memory_loses_nothing() {
    let mut codes = Vec::new();
    for megabytes in [20, 40, 60, 80, 100, 120, 160, 400] {
        survives(&format!("{megabytes} MB"), |place| {
            let limit = format!("-v {}", megabytes * 1024);
            let status = end(start(limited(place, &limit)), HANGING);
            codes.push(status.code());
        });
    }
    report(&format!("codes of runs with little memory {codes:?}"));
    assert_eq!(codes.last(), Some(&Some(0)), "400 MB of addresses are enough");
    assert_ne!(codes.first(), Some(&Some(0)), "20 MB of addresses are too few");
}
