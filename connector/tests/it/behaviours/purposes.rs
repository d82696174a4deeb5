//! What such a connector is bought for.

use host_sdk::testing::MemoryHost;
use serde_json::{Value, json};

use super::{Behaviour, parity};
use crate::support::{Bench, with_properties};

pub(super) const CASES: &[Behaviour] = parity! {
    "Purposes", EveryRow => {
        "a large number of files is downloaded, each whole": downloads_many_files,
        "a folder with its subfolders is stored remotely": backs_a_folder_up,
        "one large image is downloaded byte for byte": downloads_an_image,
    }
};

fn downloads_many_files(bench: &Bench) {
    const FILES: usize = 100;
    let body = |number: usize| format!("{number} ").repeat(number).into_bytes();
    for number in 0..FILES {
        bench.place(&format!("upload/plenty/{number}.txt"), &body(number));
    }
    let results = bench.query(&json!({}), &Value::Null, "upload/plenty").success();
    assert_eq!(results.len(), FILES);
    for result in results {
        let name = result.properties.get("fileName").unwrap();
        let number = name.strip_suffix(".txt").unwrap().parse().unwrap();
        assert!(result.body == body(number), "{name}");
    }
    bench.clear("upload/plenty");
}

fn backs_a_folder_up(bench: &Bench) {
    let names = ["readme.md", "src/deep/er/lib.rs", "src/main.rs", "with space/ü.txt"];
    let host = MemoryHost::new();
    for name in names {
        let properties = [("fileName", name), ("remoteDirectory", "upload/backup")];
        host.add_input(with_properties(&properties), name);
    }
    bench.execute(&json!({"operation": "create"}), &host).unwrap();
    assert_eq!(host.results().len(), names.len());
    assert_eq!(bench.files_below("upload/backup"), names);
    for name in names {
        let kept = bench.on_server(&format!("upload/backup/{name}"));
        assert_eq!(kept.unwrap(), name.as_bytes());
    }
}

fn downloads_an_image(bench: &Bench) {
    let image: Vec<u8> =
        (0..8_000_003_u32).map(|n| (n.wrapping_mul(2_246_822_519) >> 24) as u8).collect();
    bench.place("upload/image.iso", &image);
    assert!(bench.get(&json!({}), "upload/image.iso").single().body == image);
    bench.clear("upload/image.iso");
}
