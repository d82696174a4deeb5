//! Panics on either side become errors, and the host goes on.

use host_sdk::testing::{Callback, Fault, MemoryHost};
use host_sdk::{Connector, Error, ErrorKind, Outcome, Properties};
use serde_json::json;

use crate::support::{connect, echo_with, load_echo};

fn assert_panicked(error: &Error, side: &str, entry: &str) {
    assert_eq!(error.kind(), ErrorKind::Internal, "{error}");
    let start = format!("the {side} panicked in {entry} at ");
    assert!(error.message().starts_with(&start), "{error}");
    assert!(error.message().contains(".rs:"), "{error}");
}

#[test]
fn a_panic_in_connect_is_an_error_and_poisons_the_connector() {
    let loaded = load_echo();
    let connect =
        |panic: &str| loaded.connect(&json!({"panic": panic}), MemoryHost::new().context());
    assert_panicked(&connect("connect").err().unwrap(), "connector", "connect");
    let second = connect("never").err().unwrap();
    assert!(second.message().starts_with("unusable since the connector panicked"), "{second}");
    assert_eq!(load_echo().descriptor().unwrap().id, "echo");
}

#[test]
fn a_panic_in_test_poisons_the_connection_but_it_still_closes() {
    let connection = connect(&json!({"panic": "test"}));
    let test = || connection.test(MemoryHost::new().context()).unwrap_err();
    assert_panicked(&test(), "connector", "test");
    assert!(test().message().starts_with("unusable since"));
    assert!(connection.operation(&echo_with(json!({}))).is_err());
    connection.close().unwrap();
    connection.close().unwrap();
}

#[test]
fn a_panic_in_close_is_an_error_each_time() {
    let connection = connect(&json!({"panic": "close"}));
    assert_panicked(&connection.close().unwrap_err(), "connector", "close");
    assert_panicked(&connection.close().unwrap_err(), "connector", "close");
}

#[test]
fn a_panic_in_execute_poisons_the_operation_alone() {
    let connection = connect(&json!({}));
    let faulty = connection.operation(&echo_with(json!({"panic": "execute"}))).unwrap();
    let host = MemoryHost::new();
    assert_panicked(&host.execute(faulty.as_ref()).unwrap_err(), "connector", "execute");
    assert!(host.execute(faulty.as_ref()).unwrap_err().message().starts_with("unusable since"));

    let sound = connection.operation(&echo_with(json!({}))).unwrap();
    let host = MemoryHost::new();
    host.add_document(Properties::new(), "still here");
    host.execute(sound.as_ref()).unwrap();
    assert_eq!(host.results()[0].body, b"still here");
}

#[test]
fn a_panic_in_drop_stays_inside() {
    drop(connect(&json!({"panic": "drop"})));
    assert_eq!(load_echo().descriptor().unwrap().id, "echo");
}

#[test]
fn a_panic_in_any_callback_of_the_host_is_an_error_for_the_connector() {
    let connection = connect(&json!({}));
    let operation = connection.operation(&echo_with(json!({}))).unwrap();
    // The echo connector answers an input that failed with the failure; a context that panicked
    // takes no answer any more.
    for (callback, entry) in [
        (Callback::NextInput, "next_input"),
        (Callback::BeginResult, "begin_result"),
        (Callback::InputDone, "input_done"),
    ] {
        let host = MemoryHost::new().on(callback, Fault::Panic);
        host.add_document(Properties::new(), "body");
        let error = host.execute(operation.as_ref()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Internal, "{callback:?}: {error}");
        assert!(error.message().contains(&format!("the host panicked in {entry}")), "{error}");
        assert_eq!(host.unanswered(), [1], "{callback:?}");
    }
    for (callback, entry) in
        [(Callback::Read, "read"), (Callback::Write, "write"), (Callback::Finish, "finish")]
    {
        let host = MemoryHost::new().on(callback, Fault::Panic);
        let input = host.add_document(Properties::new(), "body");
        host.execute(operation.as_ref()).unwrap();
        let Some(Outcome::Failure(error)) = host.answer(input) else { panic!("{callback:?}") };
        assert_panicked(&error, "host", entry);
        assert_eq!((host.results().len(), host.discarded()), (0, 1), "{callback:?}");
    }
}

#[test]
fn an_error_of_the_host_reaches_the_connector_whole() {
    let planned = Error::new(ErrorKind::Host, "the disk is full")
        .with_retryable(true)
        .with_path("/inbox")
        .with_hint("make room");
    let host = MemoryHost::new().on(Callback::Finish, Fault::Fail(planned.clone()));
    let input = host.add_document(Properties::new(), "body");
    let connection = connect(&json!({}));
    let operation = connection.operation(&echo_with(json!({}))).unwrap();
    host.execute(operation.as_ref()).unwrap();
    assert_eq!(host.answer(input), Some(Outcome::Failure(planned)));
}
