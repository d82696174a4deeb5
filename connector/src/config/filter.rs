//! Filters over directory entries, compiled once: patterns and times are checked before
//! anything is sent.

use host_sdk::kit::quantity::{parse_duration, parse_size};
use host_sdk::{Condition, Error, Filter};
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use regex::{Regex, RegexBuilder};

use crate::descriptor::property;
use crate::file::normalization::nfc;
use crate::file::time::modified::{FARTHEST_ZONE, Modified, Precision};
use crate::file::time::text::parse_text;
use crate::file::time::zone::ServerTimeZone;
use crate::listing::Entry;

/// How large a compiled pattern may be: a bound for hostile ones.
const PATTERN_SIZE: usize = 1 << 20;

/// A filter that can be asked.
#[derive(Debug)]
pub(crate) enum EntryFilter {
    All(Vec<Self>),
    Any(Vec<Self>),
    /// The name, as it is written or in the form in which names are compared.
    Name {
        written: TextTest,
        normalized: TextTest,
    },
    Text(Property, TextTest),
    Time(Comparison, Moment),
    /// How long ago it was modified: an instant that moves with the clock.
    Ago(Comparison, SignedDuration),
    Size(Comparison, i64),
}

/// A property that compares as text.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Property {
    FileType,
    Timestamp,
}

/// A time on the server's clock: an instant, or a whole day where `equals` asks for one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    start: DateTime,
    is_day: bool,
}

/// A comparison of text.
#[derive(Debug)]
pub(crate) enum TextTest {
    Ordered(Comparison, String),
    Pattern(Regex),
}

/// A comparison of things that have an order.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Comparison {
    Equals,
    NotEquals,
    LessThan,
    GreaterThan,
}

impl EntryFilter {
    /// Compiles a checked filter; no filter selects everything.
    ///
    /// # Errors
    ///
    /// `configuration` with the path below the filter: a pattern that does not compile, a time
    /// in another format.
    pub(crate) fn compile(filter: Option<Filter>) -> Result<Self, Error> {
        match filter {
            None => Ok(Self::All(Vec::new())),
            Some(filter) => compile(&filter),
        }
    }

    /// Whether `entry` is selected; none where that takes a more exact time or size than is known,
    /// unless they are as exact as they get. A value that the server did not tell matches nothing,
    /// not even `notEquals`.
    pub(crate) fn evaluate(
        &self,
        entry: &Entry,
        zone: &ServerTimeZone,
        is_exact: bool,
    ) -> Option<bool> {
        let verdicts = |members: &[Self], settles: bool| -> Option<bool> {
            let mut open = false;
            for member in members {
                match member.evaluate(entry, zone, is_exact) {
                    Some(evaluate) if evaluate == settles => return Some(settles),
                    Some(_) => {}
                    None => open = true,
                }
            }
            (!open).then_some(!settles)
        };
        Some(match self {
            Self::All(members) => return verdicts(members, false),
            Self::Any(members) => return verdicts(members, true),
            Self::Name { written, normalized } => match &entry.normalized {
                Some(name) => normalized.matches(name),
                None => written.matches(&entry.name),
            },
            Self::Text(property, test) => match property {
                Property::FileType => test.matches(entry.kind.as_str()),
                Property::Timestamp => {
                    entry.modified.as_ref().is_some_and(|time| test.matches(&time.text(zone)))
                }
            },
            Self::Time(ordering, value) => {
                let Some(time) = &entry.modified else { return Some(false) };
                let at = time.server_time(zone);
                if value.is_day && matches!(ordering, Comparison::Equals | Comparison::NotEquals) {
                    // No precision is coarser than a day.
                    let is_same = at.date() == value.start.date();
                    return Some(is_same == matches!(ordering, Comparison::Equals));
                }
                if !is_exact && ordering.is_ambiguous(at, time.precision, value.start) {
                    return None;
                }
                ordering.matches(&at, &value.start)
            }
            Self::Ago(ordering, ago) => {
                let Some(time) = &entry.modified else { return Some(false) };
                let now = Timestamp::now();
                let limit = now.checked_sub(*ago).unwrap_or(Timestamp::MIN);
                match time.instant(zone) {
                    Some(at) => ordering.matches(&at, &limit),
                    None => {
                        return ordering.in_every_zone(time, limit).or(is_exact.then_some(false));
                    }
                }
            }
            Self::Size(..) if entry.rounded_size.is_some() && !is_exact => return None,
            Self::Size(ordering, value) => entry
                .approximate_size()
                .and_then(|size| i64::try_from(size).ok())
                .is_some_and(|size| ordering.matches(&size, value)),
        })
    }
}

impl TextTest {
    fn matches(&self, text: &str) -> bool {
        match self {
            Self::Ordered(ordering, value) => ordering.matches(text, value.as_str()),
            Self::Pattern(pattern) => pattern.is_match(text),
        }
    }
}

impl Comparison {
    fn parse(operator: &str) -> Option<Self> {
        match operator {
            "equals" => Some(Self::Equals),
            "notEquals" => Some(Self::NotEquals),
            "lessThan" => Some(Self::LessThan),
            "greaterThan" => Some(Self::GreaterThan),
            _ => None,
        }
    }

    fn matches<T: Ord + ?Sized>(self, left: &T, right: &T) -> bool {
        match self {
            Self::Equals => left == right,
            Self::NotEquals => left != right,
            Self::LessThan => left < right,
            Self::GreaterThan => left > right,
        }
    }

    /// What comparing a time on a clock of an unknown zone with `limit` comes to, if that is the same
    /// wherever the clock is.
    fn in_every_zone(self, time: &Modified, limit: Timestamp) -> Option<bool> {
        let utc = TimeZone::UTC.to_timestamp(time.at).ok()?;
        let first = utc.checked_sub(FARTHEST_ZONE).ok()?;
        let last = utc.checked_add(FARTHEST_ZONE).ok()?.checked_add(time.precision.span()).ok()?;
        let verdict = self.matches(&first, &limit);
        (verdict == self.matches(&last, &limit) && (limit < first || limit > last))
            .then_some(verdict)
    }

    /// Whether the comparison with `value` depends on when exactly within the minute or the day
    /// that begins at `at` the true time lies.
    fn is_ambiguous(self, at: DateTime, precision: Precision, value: DateTime) -> bool {
        let Ok(end) = at.checked_add(precision.span()) else { return false };
        let is_within = precision < Precision::Second && at <= value && value < end;
        is_within && !(matches!(self, Self::LessThan) && value == at)
    }
}

fn compile(filter: &Filter) -> Result<EntryFilter, Error> {
    match filter {
        Filter::And(group) => compile_all("and", &group.and).map(EntryFilter::All),
        Filter::Or(group) => compile_all("or", &group.or).map(EntryFilter::Any),
        Filter::Condition(condition) => compile_condition(condition),
    }
}

fn compile_all(group: &str, members: &[Filter]) -> Result<Vec<EntryFilter>, Error> {
    members
        .iter()
        .enumerate()
        .map(|(at, member)| compile(member).map_err(|e| e.under(&format!("{group}[{at}]"))))
        .collect()
}

fn compile_condition(condition: &Condition) -> Result<EntryFilter, Error> {
    let value = condition.value.to_text();
    let ordering = Comparison::parse(&condition.operator);
    match (condition.property.as_str(), ordering) {
        (property::TIMESTAMP, Some(ordering)) => match (moment(&value), ago(&value)) {
            (Some(moment), _) => Ok(EntryFilter::Time(ordering, moment)),
            (None, Some(ago)) => Ok(EntryFilter::Ago(ordering, ago)),
            (None, None) => Err(Error::configuration(
                "value",
                format!(
                    "\"{value}\" is not a time in the form yyyy-MM-dd HH:mm:ss.SSS, a date such as \
                     \"2026-11-23\", or a relative time such as \"now-30d\""
                ),
            )),
        },
        ("size", Some(ordering)) => {
            let size = value.parse().ok().or_else(|| i64::try_from(parse_size(&value)?).ok());
            let size = size.ok_or_else(|| {
                Error::configuration(
                    "value",
                    format!(
                        "\"{value}\" is not a whole number of bytes or a size such as \"10MiB\""
                    ),
                )
            })?;
            Ok(EntryFilter::Size(ordering, size))
        }
        (id, ordering) => {
            let test = |value: String| match ordering {
                Some(ordering) => Ok(TextTest::Ordered(ordering, value)),
                None => pattern(&condition.operator, &value).map(TextTest::Pattern),
            };
            let property = match id {
                property::TIMESTAMP => Property::Timestamp,
                "fileType" => Property::FileType,
                _ => {
                    let normalized = test(nfc(&value))?;
                    return Ok(EntryFilter::Name { written: test(value)?, normalized });
                }
            };
            Ok(EntryFilter::Text(property, test(value)?))
        }
    }
}

/// The time that `value` states: the reference's text, or a date, which is its first instant.
fn moment(value: &str) -> Option<Moment> {
    if let Some(start) = parse_text(value) {
        return Some(Moment { start, is_day: false });
    }
    // jiff takes other forms of dates too, such as weeks and signed years.
    let is_plain = value.len() == "yyyy-MM-dd".len()
        && value.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    let date: Date = value.parse().ok().filter(|_| is_plain)?;
    Some(Moment { start: date.to_datetime(Time::midnight()), is_day: true })
}

/// How long ago `now-30d` is; negative for `now+1h`.
fn ago(value: &str) -> Option<SignedDuration> {
    let rest = value.strip_prefix("now")?.trim_start();
    if rest.is_empty() {
        return Some(SignedDuration::ZERO);
    }
    let span = |text: &str| SignedDuration::try_from(parse_duration(text)?).ok();
    match (rest.strip_prefix('-'), rest.strip_prefix('+')) {
        (Some(text), _) => span(text),
        (_, Some(text)) => span(text).and_then(SignedDuration::checked_neg),
        _ => None,
    }
}

/// Compiles a regular expression or a wildcard; both match the whole text.
fn pattern(operator: &str, value: &str) -> Result<Regex, Error> {
    let source = if operator == "wildcard" { wildcard(value) } else { format!("^(?:{value})$") };
    RegexBuilder::new(&source)
        .size_limit(PATTERN_SIZE)
        .dot_matches_new_line(operator == "wildcard")
        .build()
        .map_err(|_| Error::configuration("value", invalid_pattern(value)))
}

/// What is wrong with the pattern as it was written, without this side's wrapping around it.
fn invalid_pattern(value: &str) -> String {
    match Regex::new(value) {
        Err(e) => format!("the regular expression does not compile: {e}"),
        Ok(_) => "the regular expression is too large".to_owned(),
    }
}

fn wildcard(value: &str) -> String {
    let body: String = value
        .chars()
        .map(|character| match character {
            '*' => ".*".to_owned(),
            '?' => ".".to_owned(),
            literal => regex::escape(&literal.to_string()),
        })
        .collect();
    format!("^(?:{body})$")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::file::time::modified::Zone;
    use crate::listing::Kind;

    fn entry(name: &str, time: &str, size: u64) -> Entry {
        Entry {
            size: Some(size),
            modified: parse_text(time).map(|at| Modified::utc(at, Precision::Second)),
            ..Entry::new(name.to_owned(), Kind::RegularFile)
        }
    }

    fn filter(raw: Value) -> EntryFilter {
        EntryFilter::compile(Some(serde_json::from_value(raw).unwrap())).unwrap()
    }

    fn is(property: &str, operator: &str, value: Value) -> Value {
        json!({"property": property, "operator": operator, "value": value})
    }

    fn evaluate(filter: &EntryFilter, entry: &Entry) -> Option<bool> {
        filter.evaluate(entry, &ServerTimeZone::Auto, false)
    }

    #[test]
    fn every_operator_on_every_property() {
        let entry = entry("INV-7.xml", "2026-10-31 23:59:59.000", 1000);
        let cases = [
            (is("fileName", "equals", json!("INV-7.xml")), true),
            (is("fileName", "equals", json!("inv-7.xml")), false),
            (is("fileName", "notEquals", json!("x")), true),
            (is("fileName", "lessThan", json!("J")), true),
            (is("fileName", "greaterThan", json!("J")), false),
            (is("fileName", "wildcard", json!("INV-?.xml")), true),
            (is("fileName", "wildcard", json!("INV-?")), false),
            (is("fileName", "wildcard", json!("*.XML")), false),
            (is("fileName", "wildcard", json!("in/INV-7.xml")), false),
            (is("fileName", "regex", json!(r"INV-\d+\.xml")), true),
            (is("fileName", "regex", json!("INV")), false),
            (is("timestamp", "lessThan", json!("2026-11-01 00:00:00.000")), true),
            (is("timestamp", "equals", json!("2026-10-31 23:59:59.000")), true),
            (is("timestamp", "greaterThan", json!("2026-10-31 23:59:59.000")), false),
            (is("timestamp", "wildcard", json!("2026-10-*")), true),
            (is("timestamp", "regex", json!("2026.*")), true),
            (is("size", "greaterThan", json!(999)), true),
            (is("size", "lessThan", json!("1000")), false),
            (is("fileType", "equals", json!("regular_file")), true),
        ];
        for (raw, expected) in cases {
            assert_eq!(evaluate(&filter(raw.clone()), &entry), Some(expected), "{raw}");
        }
    }

    #[test]
    fn times_may_be_dates_or_relative() {
        let entry = entry("a", "2026-10-31 23:59:59.000", 11 << 20);
        let day_of = |day: &str, operator| is("timestamp", operator, json!(day));
        let cases = [
            (day_of("2026-10-31", "equals"), true),
            (day_of("2026-10-31", "notEquals"), false),
            (day_of("2026-11-01", "lessThan"), true),
            (day_of("2026-10-31", "greaterThan"), true),
            (day_of("now-1d", "lessThan"), true),
            (day_of("now - 200 years", "greaterThan"), true),
            (day_of("now+1h", "lessThan"), true),
            (day_of("now", "greaterThan"), false),
            (is("size", "greaterThan", json!("10MiB")), true),
            (is("size", "lessThan", json!("1 GB")), true),
        ];
        for (raw, expected) in cases {
            assert_eq!(evaluate(&filter(raw.clone()), &entry), Some(expected), "{raw}");
        }
        for value in [
            "yesterday",
            "now-30",
            "now-",
            "31.10.2026",
            "2026-10-32",
            "2026-W40-1",
            "2026-10-31T23:59:59",
            "2026-10-31 23:59",
            "",
        ] {
            let raw = serde_json::from_value(day_of(value, "equals")).unwrap();
            let error = EntryFilter::compile(Some(raw)).unwrap_err();
            assert!(error.message().contains("now-30d"), "{value}: {error}");
        }
    }

    #[test]
    fn a_span_before_now_needs_a_clock_that_is_known_near_its_end() {
        let old = filter(is("timestamp", "lessThan", json!("now-30d")));
        let mut listed = entry("a", "2020-11-22 17:25:00.000", 1);
        listed.modified.as_mut().unwrap().zone = Zone::Server;
        assert_eq!(evaluate(&old, &listed), Some(true), "in every zone");
        let ago = Timestamp::now().checked_sub(SignedDuration::from_hours(24 * 30)).unwrap();
        listed.modified.as_mut().unwrap().at = TimeZone::UTC.to_datetime(ago);
        assert_eq!(evaluate(&old, &listed), None);
        assert_eq!(old.evaluate(&listed, &ServerTimeZone::Auto, true), Some(false));
        let known = ServerTimeZone::from_name("Pacific/Auckland").unwrap();
        assert_eq!(old.evaluate(&listed, &known, false), Some(true));
    }

    #[test]
    fn groups_nest() {
        let raw = json!({"and": [
            {"or": [is("fileName", "wildcard", json!("*.xml")), is("fileName", "wildcard", json!("*.csv"))]},
            is("size", "greaterThan", json!(10)),
        ]});
        let filter = filter(raw);
        let selects =
            |name: &str, size| evaluate(&filter, &entry(name, "2026-01-01 00:00:00.000", size));
        assert_eq!(selects("a.csv", 11), Some(true));
        assert_eq!(selects("a.csv", 10), Some(false));
        assert_eq!(selects("a.txt", 11), Some(false));
    }

    #[test]
    fn what_the_server_did_not_tell_matches_nothing() {
        let mut unknown = entry("a", "", 0);
        unknown.size = None;
        for raw in [
            is("timestamp", "notEquals", json!("2026-01-01 00:00:00.000")),
            is("size", "notEquals", json!(5)),
        ] {
            assert_eq!(evaluate(&filter(raw.clone()), &unknown), Some(false), "{raw}");
        }
    }

    #[test]
    fn a_rounded_size_is_asked_for() {
        let blocks = Entry { size: None, rounded_size: Some(1024), ..entry("a", "", 0) };
        let filter = filter(is("size", "lessThan", json!(2000)));
        assert_eq!(evaluate(&filter, &blocks), None);
        assert_eq!(filter.evaluate(&blocks, &ServerTimeZone::Auto, true), Some(true));
    }

    #[test]
    fn only_what_the_minute_does_not_settle_is_left_open() {
        let mut listed = entry("a", "2026-11-22 17:25:00.000", 1);
        let settled = |entry: &Entry, operator: &str, value: &str| {
            evaluate(&filter(is("timestamp", operator, json!(value))), entry)
        };
        let cases = [
            ("lessThan", "2026-11-22 17:25:00.000", Some(false)),
            ("lessThan", "2026-11-22 17:25:30.000", None),
            ("lessThan", "2026-11-22 17:26:00.000", Some(true)),
            ("greaterThan", "2026-11-22 17:24:59.999", Some(true)),
            ("greaterThan", "2026-11-22 17:25:00.000", None),
            ("greaterThan", "2026-11-22 17:26:00.000", Some(false)),
            ("equals", "2026-11-22 17:25:00.000", None),
            ("equals", "2026-11-22 17:24:59.999", Some(false)),
            ("notEquals", "2026-11-22 17:25:59.999", None),
            ("notEquals", "2026-11-22 17:26:00.000", Some(true)),
        ];
        for (operator, value, expected) in cases {
            listed.modified.as_mut().unwrap().precision = Precision::Minute;
            assert_eq!(settled(&listed, operator, value), expected, "{operator} {value}");
            listed.modified.as_mut().unwrap().precision = Precision::Second;
            assert!(settled(&listed, operator, value).is_some(), "{operator} {value}");
        }
        listed.modified.as_mut().unwrap().precision = Precision::Day;
        assert_eq!(settled(&listed, "lessThan", "2026-11-23 10:00:00.000"), None);
    }

    #[test]
    fn an_open_question_does_not_matter_beside_a_settled_one() {
        let mut listed = entry("a", "2026-11-22 17:25:00.000", 1);
        listed.modified.as_mut().unwrap().precision = Precision::Minute;
        let open = is("timestamp", "greaterThan", json!("2026-11-22 17:25:00.000"));
        let named = |name: &str| is("fileName", "equals", json!(name));
        for (raw, expected) in [
            (json!({"and": [open, named("b")]}), Some(false)),
            (json!({"and": [open, named("a")]}), None),
            (json!({"or": [open, named("a")]}), Some(true)),
            (json!({"or": [open, named("b")]}), None),
        ] {
            let filter = filter(raw.clone());
            assert_eq!(evaluate(&filter, &listed), expected, "{raw}");
            assert!(filter.evaluate(&listed, &ServerTimeZone::Auto, true).is_some(), "{raw}");
        }
    }

    #[test]
    fn a_pattern_that_does_not_compile_says_where() {
        let raw = serde_json::from_value(is("fileName", "regex", json!("a(b"))).unwrap();
        let error = EntryFilter::compile(Some(raw)).unwrap_err();
        assert_eq!(error.report().path.as_deref(), Some("value"));
        assert!(error.message().contains("unclosed group"), "{error}");
    }
}
