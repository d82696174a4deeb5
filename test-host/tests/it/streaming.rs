//! Bodies far larger than the memory they may take.

#[cfg(target_os = "linux")]
mod memory {
    use std::fs::{self, File};
    use std::io::{BufRead, BufReader};
    use std::process::Stdio;

    use serde_json::{Value, json};

    use crate::support::{Place, echo, peak_memory};

    const LARGE: u64 = 256 * 1024 * 1024;
    const BOUND_KIB: u64 = 64 * 1024;
    /// So many that their events do not fit into a pipe without a reader: the program still runs
    /// when its memory is measured.
    const SMALL: usize = 400;

    fn peak_after_the_large_one(place: &Place, last: &str) -> u64 {
        fs::create_dir(place.path("in")).unwrap();
        // Zeros that take no room on the disk.
        File::create(place.path("in/0-large")).unwrap().set_len(LARGE).unwrap();
        for number in 0..SMALL {
            place.write(&format!("in/1-small-{number}"), "x");
        }
        let mut child = place
            .program(&["run", "process.json", "--output", "json"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        loop {
            let line: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
            if line["step"] == last && line["bytes"] == LARGE {
                break;
            }
        }
        let peak = peak_memory(child.id());
        let end = lines.last().unwrap().unwrap();
        assert!(end.contains("\"status\":\"success\""), "{end}");
        assert_eq!(child.wait().unwrap().code(), Some(0));
        peak
    }

    #[test]
    fn a_large_body_streams_through_connectors() {
        let place = Place::new();
        place.process(json!([
            {"name": "read", "type": "readFiles", "directory": "in"},
            echo("there", json!({})),
            echo("back", json!({})),
        ]));
        let peak = peak_after_the_large_one(&place, "back");
        assert!(peak < BOUND_KIB, "{peak} KiB");
    }

    #[test]
    fn a_large_body_streams_into_a_file_and_a_database() {
        let place = Place::new();
        place.process(json!([
            {"name": "read", "type": "readFiles", "directory": "in"},
            {"name": "keep", "type": "writeFiles", "directory": "out"},
            {"name": "store", "type": "database", "url": "sqlite:a.db", "table": "files"},
        ]));
        let peak = peak_after_the_large_one(&place, "store");
        assert!(peak < BOUND_KIB, "{peak} KiB");
        assert_eq!(fs::metadata(place.path("out/0-large")).unwrap().len(), LARGE);
    }
}
