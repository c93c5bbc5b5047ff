//! The canonical form of definitions, and what is approved.

use mcp_edge_runtime::settings::SettingsError;
use proptest::prelude::*;
use serde_json::Value;

use super::*;

const DIGEST: &str = "RBNvo1WzZ4oRRq0W9-hknpT7T8If536DEMBg9hyq_4o";

fn read(pins: &str) -> Result<Option<Pins>, SettingsError> {
    let get = |name: &str| (name == "TOOL_PINS").then(|| pins.to_owned());
    let mut reader = Reader::new(&get);
    let pins = Pins::read(&mut reader);
    reader.finish(pins)
}

fn error(pins: &str) -> String {
    let SettingsError(errors) = read(pins).map(drop).expect_err("an error");
    assert_eq!(errors.len(), 1, "{errors:?}");
    errors[0].clone()
}

#[test]
fn the_canonical_form_is_that_of_the_examples() {
    let examples: Vec<Value> = serde_json::from_str(include_str!("../../tests/pins.json")).unwrap();
    assert!(examples.len() > 10);
    for example in examples {
        let definition = example["definition"].as_str().unwrap();
        assert_eq!(canonical(definition).as_deref(), example["canonical"].as_str(), "{}", example["name"]);
        assert_eq!(digest(definition).as_deref(), example["digest"].as_str(), "{}", example["name"]);
    }
}

#[test]
fn what_is_not_json_has_no_canonical_form() {
    for text in [
        "",
        " ",
        "{",
        "[1",
        "[1,",
        "[1}",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{a:1}",
        "\"a",
        "[,]",
        "1 2",
        "[] []",
        "\"\\x\"",
        "{\"a\" 1}",
        "\u{e4}]",
    ] {
        assert_eq!(canonical(text), None, "{text}");
    }
}

#[test]
fn members_and_levels_have_limits() {
    let object = |count: usize| {
        let members: Vec<String> = (0..count).map(|index| format!("\"{index}\":1")).collect();
        ["{", &members.join(","), "}"].concat()
    };
    assert!(canonical(&object(1000)).is_some());
    assert!(canonical(&object(1001)).is_none());
    assert!(canonical(&["[".repeat(1_000_000), "]".repeat(1_000_000)].concat()).is_none());
}

#[test]
fn only_listed_digests_approve_a_definition() {
    let pins = read(&format!("a={},{DIGEST} b={DIGEST}", "x".repeat(43))).unwrap().unwrap();
    assert_eq!(digest("{}").as_deref(), Some(DIGEST));
    assert_eq!(pins.check("a", "{}"), Definition::Approved);
    assert_eq!(pins.check("b", " { } "), Definition::Approved);
    assert_eq!(pins.check("c", "{}"), Definition::Unapproved(Some(DIGEST.to_owned())));
    assert_eq!(pins.check("A", "{}"), Definition::Unapproved(Some(DIGEST.to_owned())));
    assert!(matches!(pins.check("a", "[]"), Definition::Unapproved(Some(digest)) if digest != DIGEST));
    assert_eq!(pins.check("a", r#"{"a":1,"a":1}"#), Definition::Unapproved(None));
}

#[test]
fn a_call_depends_on_the_definition_that_was_seen_last() {
    let pins = read(&format!("a={DIGEST}")).unwrap().unwrap();
    assert_eq!((pins.call("a", 10), pins.call("b", 10)), (Call::Unseen, Call::Refused));
    pins.remember("a", false, 10);
    assert_eq!(pins.call("a", 10), Call::Refused);
    pins.remember("a", true, 10);
    assert_eq!(pins.call("a", 10), Call::Approved);
    assert_eq!((pins.call("a", 69), pins.call("a", 70)), (Call::Approved, Call::Unseen));
    pins.remember("b", true, 10);
    assert_eq!(pins.call("b", 10), Call::Refused);
}

#[test]
fn pins_that_cannot_be_read_are_errors() {
    assert!(read("").unwrap().is_none());
    for entry in [
        "a",
        "a=",
        "a=x",
        &format!("={DIGEST}"),
        &format!("a={DIGEST},"),
        &format!("a={DIGEST}="),
        &format!("a=+{}", "x".repeat(42)),
    ] {
        let error = error(entry);
        assert!(error.starts_with(&format!("TOOL_PINS: {entry:?} must have the form")), "{error}");
    }
    assert!(error(&format!("a={DIGEST} a={DIGEST}")).contains("with commas"));
    // A name may have an equals sign.
    assert_eq!(read(&format!("a=b={DIGEST}")).unwrap().unwrap().check("a=b", "{}"), Definition::Approved);
}

/// JSON values with the ways to write them.
fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[a-c\u{0}-\u{1f}\u{e4}\u{2028}\u{ffff}\u{10000}\"\\\\]{0,3}".prop_map(Value::from),
        Just(Value::Null),
    ];
    leaf.prop_recursive(4, 32, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec(("[a-c\u{e4}\u{ffff}\u{10000}]{0,2}", inner), 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn the_canonical_form_does_not_depend_on_how_a_value_is_written(value in json()) {
        let compact = serde_json::to_string(&value).unwrap();
        let once = canonical(&compact).unwrap();
        prop_assert_eq!(&serde_json::from_str::<Value>(&once).unwrap(), &value);
        let twice = canonical(&once);
        prop_assert_eq!(twice.as_deref(), Some(&*once));
        let pretty = canonical(&serde_json::to_string_pretty(&value).unwrap());
        prop_assert_eq!(pretty.as_deref(), Some(&*once));
        let mut escaped = String::new();
        for letter in compact.chars() {
            if letter.is_ascii() {
                escaped.push(letter);
            } else {
                let units = letter.encode_utf16(&mut [0; 2]).to_vec();
                escaped.extend(units.iter().map(|unit| format!("\\u{unit:04X}")));
            }
        }
        let escaped = canonical(&escaped);
        prop_assert_eq!(escaped.as_deref(), Some(&*once));
    }

    #[test]
    fn any_text_is_read_without_a_panic(text in "[\\[\\]{}:,\"\\\\ a1\u{e4}]{0,40}") {
        let _ = canonical(&text);
    }
}

#[test]
fn each_definition_is_reported_once_and_not_too_many() {
    let pins = Pins::default();
    assert!(pins.report("a", Some("1")) && pins.report("a", Some("2")) && pins.report("a", None));
    assert!(!pins.report("a", Some("1")) && !pins.report("a", None));
    let reports = (0..1000).filter(|number| pins.report(&number.to_string(), None)).count();
    assert_eq!(reports, MAX_REPORTS - 3);
}
