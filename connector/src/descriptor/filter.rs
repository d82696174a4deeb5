//! What query and list can select by.

use host_sdk::descriptor::{
    AllowedValue, FilterDescriptor, FilterGrouping, FilterOperator, FilterProperty, FilterType,
};

use super::ids::{ids, property};

/// The filter of an operation; only a list tells kinds of entries apart.
pub(super) fn filter(with_file_type: bool) -> FilterDescriptor {
    let ordered = ["equals", "notEquals", "lessThan", "greaterThan"];
    let patterns = ["regex", "wildcard"];
    let all: Vec<&str> = ordered.iter().chain(&patterns).copied().collect();
    let mut properties = vec![
        filter_property(
            property::FILE_NAME,
            "File Name",
            "The name without directories.",
            FilterType::String,
            &all,
        ),
        FilterProperty {
            format: Some("yyyy-MM-dd HH:mm:ss.SSS".to_owned()),
            ..filter_property(
                property::TIMESTAMP,
                "Timestamp",
                "When the file was last modified, in the server's local time: yyyy-MM-dd \
                 HH:mm:ss.SSS, a date such as 2026-11-23, or a span \
                 before now such as now-30d. A date alone is its first instant, and the whole day \
                 for Equal To. Where a listing \
                 tells only minutes or days and the comparison needs more, the file's own time \
                 (MDTM) decides, if the server has it. Patterns work on the text of the listing's \
                 time.",
                FilterType::Timestamp,
                &all,
            )
        },
        filter_property(
            "size",
            "Size",
            "The size in bytes, or with a unit such as 10MiB.",
            FilterType::Size,
            &ordered,
        ),
    ];
    if with_file_type {
        let kinds = [
            ("regular_file", "Regular File"),
            ("directory", "Directory"),
            ("symbolic_link", "Symbolic Link"),
            ("unknown", "Unknown"),
        ];
        properties.push(FilterProperty {
            allowed_values: kinds
                .iter()
                .map(|(value, label)| AllowedValue {
                    value: (*value).to_owned(),
                    label: (*label).to_owned(),
                })
                .collect(),
            ..filter_property(
                "fileType",
                "File Type",
                "What the entry is.",
                FilterType::String,
                &["equals", "notEquals", "regex", "wildcard"],
            )
        });
    }
    FilterDescriptor { grouping: FilterGrouping::Any, properties, operators: operators() }
}

fn filter_property(
    id: &str,
    label: &str,
    help: &str,
    value_type: FilterType,
    operators: &[&str],
) -> FilterProperty {
    FilterProperty {
        id: id.to_owned(),
        label: label.to_owned(),
        help: help.to_owned(),
        value_type,
        operators: ids(operators),
        allowed_values: Vec::new(),
        format: None,
    }
}

fn operators() -> Vec<FilterOperator> {
    use FilterType::{Size, String, Timestamp};
    let operator = |id: &str, label: &str, help: &str, types: &[FilterType]| FilterOperator {
        id: id.to_owned(),
        label: label.to_owned(),
        help: help.to_owned(),
        argument_count: 1,
        types: types.to_vec(),
    };
    let every = [String, Timestamp, Size];
    let text = [String, Timestamp];
    vec![
        operator("equals", "Equal To", "Is the same.", &every),
        operator("notEquals", "Not Equal To", "Is not the same.", &every),
        operator("lessThan", "Less Than", "Is smaller, earlier, or sorts before.", &every),
        operator("greaterThan", "Greater Than", "Is greater, later, or sorts after.", &every),
        operator("regex", "Regular Expression", "Matches the whole text.", &text),
        operator(
            "wildcard",
            "Wildcard",
            "Matches with * for any text and ? for one character.",
            &text,
        ),
    ]
}
