//! What crosses as JSON may grow: a reader takes fields and words of a newer interface.

use std::fmt::Debug;

use host_sdk::descriptor::schema::{filter_schema, settings_schema};
use host_sdk::descriptor::{
    AllowedValue, Field, FieldScope, FieldType, FilterDescriptor, FilterGrouping, FilterOperator,
    FilterProperty, FilterType, InputKind, OperationDescriptor, OutputKind, Parameter,
    TrackedProperty,
};
use host_sdk::{
    BrowseAnswer, BrowseRequest, CheckReport, CheckStatus, ConnectorDescriptor, Error, ErrorKind,
    Filter, Finding, InputHeader, Manifest, ObjectType, Settings, Summary,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// A field and a word that no build knows.
const ADDED: &str = "addedLater";

/// `value` reads as before when every object in its JSON has one field more.
fn takes_more_fields<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: &T) {
    let mut json = serde_json::to_value(value).unwrap();
    add_everywhere(&mut json);
    assert!(json.to_string().contains(ADDED));
    assert_eq!(serde_json::from_value::<T>(json).unwrap(), *value);
}

fn add_everywhere(json: &mut Value) {
    match json {
        Value::Object(object) => {
            object.values_mut().for_each(add_everywhere);
            object.insert(ADDED.to_owned(), json!({"any": [1]}));
        }
        Value::Array(items) => items.iter_mut().for_each(add_everywhere),
        _ => {}
    }
}

fn field() -> Field {
    let mut field = Field::choice("a", "A", &[("x", "X")], "")
        .visible_when("b", &["y"])
        .warned_with(&["x"], "c", &["y"], "slow");
    field.fields = vec![Field::integer("b", "B", 0, "").or(1)];
    field
}

fn filter() -> FilterDescriptor {
    let allowed = AllowedValue { value: "v".to_owned(), label: "V".to_owned() };
    FilterDescriptor {
        grouping: FilterGrouping::Any,
        properties: vec![FilterProperty {
            id: "p".to_owned(),
            label: "P".to_owned(),
            help: String::new(),
            value_type: FilterType::String,
            operators: vec!["equals".to_owned()],
            allowed_values: vec![allowed],
            format: None,
        }],
        operators: vec![FilterOperator {
            id: "equals".to_owned(),
            label: "Equals".to_owned(),
            help: String::new(),
            argument_count: 1,
            types: vec![FilterType::String],
        }],
    }
}

fn descriptor() -> ConnectorDescriptor {
    let (document, binary) = (InputKind::Document, OutputKind::Binary);
    let mut operation = OperationDescriptor::new("o", "O", "", document, binary);
    operation.fields = vec![field()];
    operation.filter = Some(filter());
    operation.parameters = vec![Parameter {
        id: "id".to_owned(),
        label: "Id".to_owned(),
        help: String::new(),
        required: true,
    }];
    let mut descriptor = ConnectorDescriptor::new("c", "C", "", vec![field()], vec![operation]);
    descriptor.tracked_properties = vec![TrackedProperty {
        id: "name".to_owned(),
        label: "Name".to_owned(),
        help: String::new(),
        input_of: vec!["o".to_owned()],
        output_of: Vec::new(),
    }];
    descriptor
}

fn finding() -> Finding {
    Finding {
        name: "login".to_owned(),
        status: CheckStatus::Ok,
        detail: String::new(),
        milliseconds: 1,
        advice: None,
    }
}

#[test]
fn every_record_takes_fields_of_a_newer_interface() {
    takes_more_fields(&descriptor());
    let error = Error::new(ErrorKind::Busy, "too many").with_reply(421, "no");
    takes_more_fields(&CheckReport { findings: vec![finding()], error: Some(error.clone()) });
    takes_more_fields(&error);
    takes_more_fields(&BrowseRequest { operation: "o".to_owned(), object_type: None });
    takes_more_fields(&BrowseAnswer {
        object_types: vec![ObjectType { id: "file".to_owned(), label: "File".to_owned() }],
        input_profile: None,
        output_profile: None,
    });
    takes_more_fields(&Summary::default());
    takes_more_fields(&Manifest {
        id: "c".to_owned(),
        label: "C".to_owned(),
        version: "1".to_owned(),
        interface: "1.9.0".to_owned(),
    });
    let header = json!({"parameters": {"id": "a"}, "properties": {"b": "c"}, ADDED: {}});
    let header: InputHeader = serde_json::from_value(header).unwrap();
    assert_eq!(header.parameter("id"), Some("a"));
}

#[test]
fn every_word_of_a_newer_interface_reads_as_other() {
    fn read<T: DeserializeOwned>() -> T {
        serde_json::from_value(json!(ADDED)).unwrap()
    }
    assert_eq!(read::<FieldType>(), FieldType::Other);
    assert_eq!(read::<FieldScope>(), FieldScope::Other);
    assert_eq!(read::<InputKind>(), InputKind::Other);
    assert_eq!(read::<OutputKind>(), OutputKind::Other);
    assert_eq!(read::<FilterGrouping>(), FilterGrouping::Other);
    assert_eq!(read::<FilterType>(), FilterType::Other);
    assert_eq!(read::<CheckStatus>(), CheckStatus::Other);
    assert_eq!(read::<ErrorKind>(), ErrorKind::Other);
}

#[test]
fn a_host_goes_on_with_what_it_does_not_know() {
    let mut field = Field::text("a", "A", "");
    field.field_type = FieldType::Other;
    for value in [json!(["any"]), json!({"any": 1}), json!(1.5)] {
        let settings = Settings::check(std::slice::from_ref(&field), &json!({"a": value})).unwrap();
        assert_eq!(settings.require::<Value>("a").unwrap(), value);
    }
    assert!(settings_schema(&[field])["properties"]["a"].get("type").is_none());

    let mut filter = filter();
    filter.grouping = FilterGrouping::Other;
    filter.properties[0].value_type = FilterType::Other;
    let condition = json!({"property": "p", "operator": "equals", "value": "v"});
    let nested = json!({"or": [{"and": [condition]}]});
    assert!(Filter::check(&filter, &nested).is_ok());
    assert_eq!(filter_schema(&filter, "f")["$anchor"], "f");

    let odd = Finding { status: CheckStatus::Other, ..finding() };
    assert!(CheckReport { findings: vec![odd], error: None }.is_usable());
}
