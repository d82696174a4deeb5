//! Threads, cancellation, deadlines, and connectors side by side.

use std::thread;
use std::time::Duration;

use host_sdk::loader::load;
use host_sdk::testing::MemoryHost;
use host_sdk::{Connector, ErrorKind, Outcome, Properties};
use log::LevelFilter;
use serde_json::json;

use crate::support::{PATIENCE, Recorder, connect, echo_copy, echo_with};

#[test]
fn one_operation_executes_on_many_threads_at_once() {
    let connection = connect(&json!({"prefix": "> "}));
    let operation = connection.operation(&echo_with(json!({"copies": 2}))).unwrap();
    thread::scope(|scope| {
        for number in 0..16 {
            let operation = operation.as_ref();
            scope.spawn(move || {
                for round in 0..50 {
                    let host = MemoryHost::for_execution(number * 1000 + round);
                    let body = format!("{number}.{round}");
                    host.add_document(Properties::new().with("name", &body), body.as_str());
                    let summary = host.execute(operation).unwrap();
                    assert_eq!((summary.inputs, summary.results), (1, 2));
                    for result in host.results() {
                        assert_eq!(result.body, format!("> {body}").into_bytes());
                        assert_eq!(result.properties.get("name"), Some(body.as_str()));
                    }
                }
            });
        }
    });
}

#[test]
fn the_hook_unblocks_an_execution_that_is_cancelled() {
    let connection = connect(&json!({}));
    let operation = connection.operation(&json!({"operation": "wait"})).unwrap();
    let host = MemoryHost::new();
    host.add_request(&[]);
    thread::scope(|scope| {
        let running = scope.spawn(|| host.execute(operation.as_ref()));
        // Whether the hook is registered before or after, it fires.
        host.cancel();
        assert_eq!(running.join().unwrap().unwrap_err().kind(), ErrorKind::Cancelled);
    });
}

#[test]
fn an_execution_that_waits_for_inputs_is_cancelled() {
    let connection = connect(&json!({}));
    let operation = connection.operation(&echo_with(json!({}))).unwrap();
    let host = MemoryHost::new().without_end();
    host.add_document(Properties::new(), "first");
    thread::scope(|scope| {
        let running = scope.spawn(|| host.execute(operation.as_ref()));
        assert!(host.wait_until(PATIENCE, |host| host.unanswered().is_empty()));
        host.cancel();
        assert_eq!(running.join().unwrap().unwrap_err().kind(), ErrorKind::Cancelled);
    });
    assert_eq!(host.results().len(), 1);
}

#[test]
fn a_deadline_reaches_the_connector() {
    let connection = connect(&json!({}));
    let operation = connection.operation(&json!({"operation": "wait"})).unwrap();
    let host = MemoryHost::new().with_deadline(Duration::from_millis(5));
    let input = host.add_request(&[]);
    host.execute(operation.as_ref()).unwrap();
    let Some(Outcome::Failure(error)) = host.answer(input) else { panic!("no failure") };
    assert_eq!(error.kind(), ErrorKind::Timeout);
}

#[test]
fn a_batch_of_small_results_crosses_whole() {
    let connection = connect(&json!({}));
    let settings = json!({"operation": "list", "options": {"copies": 200}});
    let operation = connection.operation(&settings).unwrap();
    let host = MemoryHost::new();
    host.add_request(&[]);
    assert_eq!(host.execute(operation.as_ref()).unwrap().results, 200);
    let results = host.results();
    assert_eq!(results.len(), 200);
    assert_eq!(results[199].properties.get("name"), Some("200"));
    assert_eq!(results[199].body, b"{}");
    assert_eq!(host.progress().last().map(|progress| progress.documents_done), Some(1));
}

#[test]
fn copies_of_a_library_live_side_by_side() {
    let connections: Vec<_> = ["left", "right"]
        .map(|name| {
            let loaded = load(&echo_copy(name), Recorder::new(LevelFilter::Off)).unwrap();
            loaded.connect(&json!({"prefix": name}), MemoryHost::new().context()).unwrap()
        })
        .into();
    for (connection, name) in connections.iter().zip(["left", "right"]) {
        let operation = connection.operation(&echo_with(json!({}))).unwrap();
        let host = MemoryHost::new();
        host.add_document(Properties::new(), "!");
        host.execute(operation.as_ref()).unwrap();
        assert_eq!(host.results()[0].body, format!("{name}!").into_bytes());
    }
}

#[test]
fn a_context_that_outlives_its_execution_calls_hooks_and_answers_with_host_errors() {
    let connection = connect(&json!({}));
    let operation = connection.operation(&echo_with(json!({"outlive": true}))).unwrap();
    let before = MemoryHost::new();
    // Not by the host's own means, which would close the context too.
    operation.execute(before.context()).unwrap();
    before.add_document(Properties::new(), "too late");
    let error = MemoryHost::new().execute(operation.as_ref()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Host, "{error}");
    assert_eq!(before.unanswered(), [1]);
}

#[test]
fn what_the_settings_do_wrong_crosses_with_its_path() {
    let connection = connect(&json!({}));
    let error = connection.operation(&echo_with(json!({"copys": 1}))).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert_eq!(error.report().path.as_deref(), Some("options.copys"));
    assert!(error.message().contains("did you mean \"copies\"?"), "{error}");
}
