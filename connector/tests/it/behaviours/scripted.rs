//! What only a server that plays a script can show, or no server at all.

use ftp_connector::FtpConnector;
use host_sdk::testing::MemoryHost;
use host_sdk::{Connector, Error, ErrorKind, Status};
use serde_json::{Value, json};

use super::{Behaviour, parity};
use crate::support::{merged, with_properties};
use crate::test_proxy::{Manner, Protocol, TestProxy};
use crate::transcript::{Play, Transcript};

pub(super) const CASES: &[Behaviour] = parity! {
    "Connection", Once => {
        "a blank Port is 21": connects_to_port_21,
        "a blank User Name is anonymous, without a Password": logs_in_as_anonymous,
        "Connection Timeout covers the whole handshake": limits_the_whole_handshake,
        "a Connection Timeout of 0 waits for ever": waits_for_a_late_handshake,
        "no data for as long as Read Timeout ends the transfer": limits_silence,
        "a Read Timeout of 0 waits for ever": waits_for_late_data,
        "one QUIT is sent at the end, whatever the number of transfers": says_goodbye_once,
        "no QUIT is sent on a connection that was lost": says_no_goodbye_to_a_lost_connection,
    }
    "Create", Once => {
        "an interrupted upload goes on where the server has it": resumes_uploads,
        "text is sent with the network's line ends": sends_text_with_crlf,
        "text is never resumed: an interrupted upload begins anew": starts_text_uploads_anew,
    }
    "Get", Once => {
        "a download goes on where it was interrupted, six times where seven Attempts are allowed":
            resumes_downloads,
        "text is received with this side's line ends": receives_text_with_lf,
        "text is never resumed: an interrupted download begins anew": starts_text_downloads_anew,
    }
    "Query", Once => {
        "times are those of the server's clock": tells_times_of_the_servers_clock,
    }
    "List", Once => {
        "an entry that is neither file nor directory nor link is unknown": tells_unknown_types,
        "the link path of a link is where it leads": tells_link_paths,
    }
    "Runtime contract", Once => {
        "what could not be executed is a failure, and so is what was left unanswered":
            fails_what_was_not_executed,
    }
    "Beyond", Once => {
        "a blank Port is 990 with implicit TLS": connects_to_port_990,
        "sessions are pooled: one serves one execution after the other": reuses_sessions,
    }
};

fn play(script: &str, settings: &Value) -> Play {
    Play::start(&Transcript::parse(script).script(), settings)
}

/// A download of `a.txt` that all goes well.
const DOWNLOAD: &str = "> EPSV\npassive EPSV\n> RETR /a.txt\n< 150 Here.\ndata send \"hello\"\n\
                        data close\n< 226 Done.\n";

/// How a request for `a.txt` ends.
fn downloaded(play: &mut Play) -> Result<Vec<u8>, Error> {
    play.request("get", "a.txt");
    let answer = play.take_last();
    match answer.error() {
        Some(error) => Err(error.clone()),
        None => Ok(answer.results[0].body.clone()),
    }
}

/// The first `host:port` that a connection with these settings asks for.
fn asked_for(settings: &Value) -> String {
    let proxy = TestProxy::start(Protocol::Http, Manner::Refusing);
    let usual = json!({"host": "ftp.invalid", "retry": {"attempts": 1}});
    let settings = merged(&merged(&usual, settings), &proxy.settings(false));
    let host = MemoryHost::new();
    let connection = FtpConnector::new().connect(&settings, host.context()).unwrap();
    assert!(!connection.test(host.context()).unwrap().is_usable());
    proxy.targets()[0].clone()
}

fn connects_to_port_21() {
    for blank in [json!({}), json!({"port": null}), json!({"port": ""})] {
        assert_eq!(asked_for(&blank), "ftp.invalid:21", "{blank}");
    }
    assert_eq!(asked_for(&json!({"sslMode": "explicit"})), "ftp.invalid:21");
    assert_eq!(asked_for(&json!({"port": 2121})), "ftp.invalid:2121");
}

fn connects_to_port_990() {
    assert_eq!(asked_for(&json!({"sslMode": "implicit"})), "ftp.invalid:990");
    assert_eq!(asked_for(&json!({"sslMode": "implicit", "port": 991})), "ftp.invalid:991");
}

fn logs_in_as_anonymous() {
    for blank in [Value::Null, json!("")] {
        let settings = json!({"userName": blank, "password": null});
        let mut play = play(&format!("otherwise SIZE * < 213 5\n@login\n{DOWNLOAD}"), &settings);
        assert_eq!(downloaded(&mut play).unwrap(), b"hello");
        let report = play.end();
        report.assert_matched();
        assert!(report.commands().contains(&"USER anonymous"), "{}", report.transcript());
    }
}

/// The phases of a handshake up to the one where the server falls silent.
const PHASES: [&str; 4] = [
    "",
    "< 220 ready\n> USER *\n",
    "< 220 ready\n> USER *\n< 331 Password?\n> PASS *\n",
    // Another session leaves FEAT out, in the time that is left.
    "< 220 ready\n> USER *\n< 331 Password?\n> PASS *\n< 230 Welcome.\n> FEAT\nexpect close\nconnection\n",
];

fn limits_the_whole_handshake() {
    let settings = json!({"connectionTimeout": 200, "readTimeout": 60_000});
    for phase in PHASES {
        let mut play = play(&format!("{phase}expect close\n"), &settings);
        let error = downloaded(&mut play).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Timeout, "{phase}: {error:?}");
        play.end().assert_matched();
    }
}

fn waits_for_a_late_handshake() {
    let script =
        format!("otherwise SIZE * < 213 5\n@answers\npause 400ms\n< 220 ready\n{DOWNLOAD}");
    let late = |timeout: u64| {
        let mut play = play(&script, &json!({"connectionTimeout": timeout}));
        let downloaded = downloaded(&mut play);
        // Whoever hung up did not see the script to its end.
        let _ = play.end();
        downloaded
    };
    assert_eq!(late(100).unwrap_err().kind(), ErrorKind::Timeout);
    assert_eq!(late(0).unwrap(), b"hello");
}

/// A download whose data come after a while.
const LATE: &str = "otherwise SIZE * < 213 5\n@login\n> EPSV\npassive EPSV\n> RETR /a.txt\n\
                    < 150 Here.\ndata accept\npause 400ms\ndata send \"hello\"\ndata close\n\
                    < 226 Done.\n";

fn limits_silence() {
    let mut play = play(LATE, &json!({"readTimeout": 100}));
    assert_eq!(downloaded(&mut play).unwrap_err().kind(), ErrorKind::Timeout);
    let _ = play.end();
}

fn waits_for_late_data() {
    let mut play = play(LATE, &json!({"readTimeout": 0}));
    assert_eq!(downloaded(&mut play).unwrap(), b"hello");
    play.end().assert_matched();
}

fn says_goodbye_once() {
    for transfers in [1, 2, 5] {
        let script = format!("otherwise SIZE * < 213 5\n@login\n{}", DOWNLOAD.repeat(transfers));
        let play = play(&script, &json!({}));
        let host = MemoryHost::new();
        for _ in 0..transfers {
            host.add_request(&[("id", "a.txt")]);
        }
        let operation = play.connection().operation(&json!({"operation": "get"})).unwrap();
        host.execute(operation.as_ref()).unwrap();
        assert_eq!(host.results().len(), transfers);
        let report = play.end();
        report.assert_matched();
        assert_eq!(report.connections(), 1);
        assert_eq!(report.commands().iter().filter(|sent| **sent == "QUIT").count(), 1);
        assert_eq!(report.commands().last(), Some(&"QUIT"));
    }
}

fn says_no_goodbye_to_a_lost_connection() {
    let stalled = "otherwise SIZE * < 213 5\n@login\n> EPSV\npassive EPSV\n> RETR /a.txt\n\
                   < 150 Here.\ndata send \"he\"\nexpect close\n";
    let mut play = play(stalled, &json!({"readTimeout": 100}));
    assert_eq!(downloaded(&mut play).unwrap_err().kind(), ErrorKind::Timeout);
    let report = play.end();
    report.assert_matched();
    assert!(!report.commands().contains(&"QUIT"), "{}", report.transcript());
}

fn resumes_uploads() {
    Transcript::read("upload_cut").prove();
}

fn resumes_downloads() {
    Transcript::read("six_interruptions").prove();
}

fn sends_text_with_crlf() {
    let script = "@login\n> TYPE A\n< 200 Text.\n> EPSV\npassive EPSV\n> STOR {name}\n< 150 Go.\n\
                  data receive\n< 226 Done.\n> TYPE I\n< 200 Binary.\n> SIZE {name}\n\
                  < 213 15\notherwise RNFR * < 350 And?\n\
                  otherwise RNTO * < 250 Done.\n";
    let play = play(script, &json!({}));
    let host = MemoryHost::new();
    host.add_input(with_properties(&[("fileName", "b.txt")]), "one\ntwo\r\nthree");
    let options = json!({"transferFormat": "ascii", "actionIfFileExists": "overwrite"});
    let operation = json!({"operation": "create", "options": options});
    host.execute(play.connection().operation(&operation).unwrap().as_ref()).unwrap();
    assert_eq!(host.results().len(), 1);
    let report = play.end();
    report.assert_matched();
    assert_eq!(report.uploads(), [b"one\r\ntwo\r\nthree"]);
}

fn receives_text_with_lf() {
    let script = "otherwise SIZE * < 213 15\n@login\n> TYPE I\n< 200 Binary.\n> SIZE /a.txt\n\
                  < 213 15\n> TYPE A\n< 200 Text.\n> EPSV\n\
                  passive EPSV\n> RETR /a.txt\n< 150 Here.\ndata send \"one\\r\\ntwo\\r\\nthree\"\n\
                  data close\n< 226 Done.\n";
    let mut play = play(script, &json!({})).with_options(json!({"transferFormat": "ascii"}));
    assert_eq!(downloaded(&mut play).unwrap(), b"one\ntwo\nthree");
    play.end().assert_matched();
}

fn starts_text_uploads_anew() {
    Transcript::parse(
        r#"#: settings {"retry": {"attempts": 2, "delay": 0}}
#: options {"transferFormat": "ascii", "actionIfFileExists": "overwrite"}
#: create b.txt @{0..200000}
#: names b.txt
#: never REST
#: sent 2 @{0..200000}
@login
> EPSV
passive EPSV
> STOR {name}
< 150 Go ahead.
data receive 50000
data reset
< 426 Aborted.
close
connection
@login
> EPSV
passive EPSV
> STOR {name}
< 150 Go ahead.
data receive
< 226 Done.
> TYPE I
< 200 Done.
> SIZE {name}
< 213 200000
> RNFR {name}
< 350 And?
> RNTO /b.txt
< 250 Done."#,
    )
    .prove();
}

fn starts_text_downloads_anew() {
    Transcript::parse(
        r#"#: settings {"retry": {"attempts": 2, "delay": 0}}
#: options {"transferFormat": "ascii"}
#: get a.txt
#: gives @{0..200000}
#: never REST
#: times 2 RETR
otherwise SIZE /a.txt < 213 200000
otherwise MDTM /a.txt < 213 20240102030405
@login
> EPSV
passive EPSV
> RETR /a.txt
< 150 Here it comes.
data send "@{0..100000}"
data close
< 426 Aborted.
> EPSV
passive EPSV
> RETR /a.txt
< 150 Here it comes.
data send "@{0..200000}"
data close
< 226 Done."#,
    )
    .prove();
}

/// The entries of a listing that is answered with these lines.
fn listed(lines: &[&str]) -> Vec<Value> {
    let lines: String = lines.iter().map(|line| format!("{line}\\r\\n")).collect();
    let script = format!(
        "@login\n> EPSV\npassive EPSV\n> LIST\n< 150 Here.\ndata send \"{lines}\"\ndata close\n\
         < 226 Done.\n"
    );
    let mut play = play(&script, &json!({}));
    play.request("list", "");
    let results = play.take_last().results;
    play.end().assert_matched();
    results.iter().map(|result| serde_json::from_slice(&result.body).unwrap()).collect()
}

fn tells_unknown_types() {
    let kinds = listed(&[
        "-rw-r--r-- 1 u g 5 Jan 01 2020 file",
        "drwxr-xr-x 1 u g 5 Jan 01 2020 directory",
        "prw-r--r-- 1 u g 5 Jan 01 2020 pipe",
        "srw-r--r-- 1 u g 5 Jan 01 2020 socket",
    ]);
    let kinds: Vec<&Value> = kinds.iter().map(|entry| &entry["fileType"]).collect();
    assert_eq!(kinds, ["regular_file", "directory", "unknown", "unknown"]);
}

fn tells_link_paths() {
    let entries = listed(&[
        "lrwxrwxrwx 1 u g 5 Jan 01 2020 link -> ../else where/target",
        "-rw-r--r-- 1 u g 5 Jan 01 2020 file",
    ]);
    assert_eq!(entries[0]["fileName"], "link");
    assert_eq!(entries[0]["fileType"], "symbolic_link");
    assert_eq!(entries[0]["linkPath"], "../else where/target");
    assert_eq!(entries[1]["linkPath"], Value::Null);
}

fn tells_times_of_the_servers_clock() {
    let script = "otherwise MDTM * < 502 What?\n@login\n\
                  > EPSV\npassive EPSV\n> LIST\n< 150 Here.\n\
                  data send \"-rw-r--r-- 1 u g 5 Jan 02 2020 a.txt\\r\\n\"\ndata close\n\
                  < 226 Done.\n";
    for zone in ["auto", "Asia/Tokyo"] {
        let script = format!("{script}{DOWNLOAD}");
        let mut play = play(&script, &json!({"serverTimeZone": zone}));
        play.request("query", "");
        let results = play.take_last().results;
        play.end().assert_matched();
        assert_eq!(results[0].properties.get("timestamp"), Some("2020-01-02 00:00:00.000"));
    }
}

fn fails_what_was_not_executed() {
    let script = "@login\n> EPSV\npassive EPSV\n> LIST\n< 150 Here.\nclose\n";
    let play = play(script, &json!({}));
    let host = MemoryHost::new();
    let inputs = [(); 2].map(|()| host.add_request(&[]));
    let operation = play.connection().operation(&json!({"operation": "list"})).unwrap();
    let error = host.execute(operation.as_ref()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connection);
    assert_eq!(host.answer(inputs[0]).unwrap().status(), Status::Failure);
    // A host that was told of the failure fails what it has no answer to.
    assert_eq!(host.unanswered(), [inputs[1]]);
    play.end().assert_matched();
}

fn reuses_sessions() {
    let script = format!("otherwise SIZE * < 213 5\n@login\n{}", DOWNLOAD.repeat(3));
    let mut play = play(&script, &json!({}));
    for _ in 0..3 {
        assert_eq!(downloaded(&mut play).unwrap(), b"hello");
    }
    let report = play.end();
    report.assert_matched();
    assert_eq!(report.connections(), 1);
    assert_eq!(report.commands().iter().filter(|sent| sent.starts_with("USER ")).count(), 1);
}
