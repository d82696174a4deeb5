//! Valid examples fit their schemas, invalid ones fail where they are wrong and nowhere else.

use crate::support::{invalid_examples, is_same_place, misfits, valid_examples, validator};

/// The schemas by name.
const SCHEMAS: [&str; 5] = ["connection", "descriptor", "event", "operation", "process"];

#[test]
fn valid_examples_fit() {
    for schema in SCHEMAS {
        let validator = validator(schema);
        let examples = valid_examples(schema);
        assert!(examples.len() >= 2, "{schema} has too few examples");
        for (name, instance) in examples {
            let misfits = misfits(&validator, &instance);
            assert!(misfits.is_empty(), "{schema}/{name}: {misfits:#?}");
        }
    }
}

#[test]
fn invalid_examples_fail_where_they_are_wrong() {
    for schema in SCHEMAS {
        let validator = validator(schema);
        for example in invalid_examples(schema) {
            let misfits = misfits(&validator, &example.instance);
            let is_exact = misfits.iter().any(|(place, _)| *place == example.place);
            let elsewhere = misfits.iter().any(|(place, _)| !is_same_place(place, &example.place));
            assert!(
                is_exact && !elsewhere,
                "{} is wrong at \"{}\", found {misfits:#?}",
                example.name,
                example.place
            );
        }
    }
}
