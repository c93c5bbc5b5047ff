//! Which entry counts, and the errors of tables.

use mcp_edge_identity::{Credential, Kind, Party};
use mcp_edge_runtime::settings::SettingsError;
use proptest::prelude::*;

use super::*;

fn read(names: Names, text: &str) -> Result<AccessTable, SettingsError> {
    let get = |name: &str| (name == "TABLE").then(|| text.to_owned());
    let mut reader = Reader::new(&get);
    let table = AccessTable::read(&mut reader, "TABLE", names);
    reader.finish(table)
}

fn tools(text: &str) -> AccessTable {
    read(Names::Tools, text).unwrap()
}

fn resources(text: &str) -> AccessTable {
    read(Names::Resources, text).unwrap()
}

fn errors(names: Names, text: &str) -> Vec<String> {
    read(names, text).map(drop).expect_err(text).0
}

fn ada(scopes: &str) -> Identity {
    Identity::for_test("ada", scopes)
}

/// The scopes that a name needs, `allow`, or `deny`.
fn decided(table: &AccessTable, name: &str) -> String {
    match table.access(name, &ada("")) {
        Access::Granted => "allow".to_owned(),
        Access::Obtainable(scopes) => scopes.to_string(),
        Access::Denied => "deny".to_owned(),
    }
}

#[test]
fn what_no_entry_matches_is_denied() {
    assert_eq!(decided(&tools(""), "search"), "deny");
    assert_eq!(decided(&tools("search=allow"), "search2"), "deny");
    assert_eq!(decided(&tools("search=allow"), "searc"), "deny");
}

#[test]
fn the_most_specific_entry_counts() {
    let table = tools(
        "*=deny search*=docs:read search_all=docs:all delete_*=docs:delete,a *_x=b delete_*_x=c delete_x=d search*_x=e",
    );
    for (name, expected) in [
        ("search", "docs:read"),
        ("search_one", "docs:read"),
        ("search_all", "docs:all"),
        ("delete_a", "a docs:delete"),
        ("a_x", "b"),
        ("delete_a_x", "c"),
        ("delete_x", "d"),
        ("other", "deny"),
    ] {
        assert_eq!(decided(&table, name), expected, "{name}");
    }
}

#[test]
fn scopes_grant_and_only_scopes_can_be_obtained() {
    let table = tools("a=x,y u=user,x f=first_party o=allow");
    let access = |name: &str, identity: &Identity| table.access(name, identity);
    assert_eq!(access("a", &ada("x y z")), Access::Granted);
    assert_eq!(access("a", &ada("x")), Access::Obtainable(Scopes::parse("x y")));
    assert_eq!(access("o", &ada("")), Access::Granted);
    let machine = ada("x").with(|verified| verified.kind = Kind::Machine);
    assert_eq!(access("u", &machine), Access::Denied);
    assert_eq!(access("u", &ada("x")), Access::Granted);
    assert_eq!(access("f", &ada("x")), Access::Denied);
    assert_eq!(access("f", &ada("").with(|verified| verified.party = Party::First)), Access::Granted);
}

#[test]
fn a_key_has_its_tools_alone_and_nothing_that_refuses_keys() {
    let with = |tools: Option<&[&str]>, scopes: &str| ada(scopes).with_access_key(tools);
    let table = tools("a=x o=allow n=no_keys s=no_keys,x");
    for (name, identity, expected) in [
        ("a", with(None, "x"), Access::Granted),
        ("a", with(Some(&["a"]), "x"), Access::Granted),
        ("a", with(Some(&["a"]), ""), Access::Obtainable(Scopes::parse("x"))),
        ("a", with(Some(&["o"]), ""), Access::Denied),
        ("o", with(Some(&["O", "o*"]), ""), Access::Denied),
        ("n", with(None, ""), Access::Denied),
        ("n", with(Some(&["n"]), ""), Access::Denied),
        ("n", ada("").with(|verified| verified.credential = Credential::PersonalAccessToken), Access::Denied),
        ("n", ada(""), Access::Granted),
        ("s", with(None, ""), Access::Denied),
        ("s", ada(""), Access::Obtainable(Scopes::parse("x"))),
    ] {
        assert_eq!(table.access(name, &identity), expected, "{name} {identity:?}");
    }
    // Tools limit tools.
    assert_eq!(resources("a:b=allow").access("a:b", &with(Some(&[]), "")), Access::Granted);
    assert_eq!(resources("a:b=no_keys").access("a:b", &with(Some(&[]), "")), Access::Denied);
}

#[test]
fn a_name_that_is_another_one_without_case_is_denied() {
    let table = tools("*=allow delete_all=admin get_*=read Task=allow");
    for name in ["Delete_all", "DELETE_ALL", "delete_al\u{131}", "GET_a", "task", "TA\u{17f}K", "tas\u{212a}"] {
        if name == "delete_al\u{131}" {
            assert_eq!(decided(&table, name), "allow", "dotless i is no l");
        } else {
            assert_eq!(decided(&table, name), "deny", "{name}");
        }
    }
    assert_eq!(decided(&table, "Task"), "allow");
    assert_eq!(decided(&table, "getA"), "allow");
    assert_eq!(decided(&table, "get_\u{c4}"), "read");
    assert_eq!(decided(&tools("*=allow list=admin \u{df}=x"), "l\u{131}st"), "deny");
    assert_eq!(decided(&tools("*=allow list=admin \u{df}=x"), "\u{df}"), "x");
    assert_eq!(decided(&tools("*=allow list=admin \u{df}=x"), "SS"), "deny");
}

#[test]
fn names_that_readers_may_trim_are_denied() {
    for name in ["", " a", "a ", "a\n", "\u{a0}a", "a\u{2003}", "a\0b", "a\u{7f}", "\ta"] {
        assert_eq!(decided(&tools("*=allow"), name), "deny", "{name:?}");
    }
    assert_eq!(decided(&tools("*=allow"), "a b"), "allow");
}

#[test]
fn uris_are_compared_in_their_canonical_form() {
    let table = resources("file:///docs/*=allow file:///docs/\u{e4}=x file:///docs/{name}=y *=z");
    for (uri, expected) in [
        ("file:///docs/a", "allow"),
        ("file:///docs/%C3%A4", "x"),
        ("file:///docs/%c3%a4", "x"),
        ("file:///docs/\u{e4}", "x"),
        ("file:///docs/{name}", "y"),
        ("file:///docs/%7Bname%7D", "y"),
        ("file:///docs/{other}", "allow"),
        ("note:a", "z"),
        ("file:///docs/../a", "deny"),
        ("a", "deny"),
        ("note:%FF", "deny"),
    ] {
        assert_eq!(decided(&table, uri), expected, "{uri}");
    }
}

#[test]
fn a_uri_that_is_another_one_when_it_is_decoded_is_denied() {
    let table = resources("*=allow file:///secret/*=deny https://a.example/x=admin note://Alice=a db:t;x=deny");
    for uri in [
        "file:///secret/a",
        "file:///Secret/a",
        "file:///secret%2Fa",
        "file:///secret%5Ca",
        "file:////secret/a",
        "file:///%2Fsecret/a",
        "file:///\u{17f}ecret/a",
        "https://a.example/X",
        "https://a.example//x",
        "note://alice",
        "db:t%3Bx",
    ] {
        assert_eq!(decided(&table, uri), "deny", "{uri}");
    }
    assert_eq!(decided(&table, "note://Alice"), "a");
    assert_eq!(decided(&table, "docs://list/secret%2Fa"), "allow");
    assert_eq!(decided(&table, "file:///a//b"), "allow");
}

#[test]
fn a_uri_is_what_parsers_of_the_standard_make_of_it() {
    let table = resources("docs://*=docs:read docs://secret/*=deny https://a.example*=allow https://a.example/=deny");
    for uri in ["docs://secret:/1", "docs://secret/1", "https://a.example"] {
        assert_eq!(decided(&table, uri), "deny", "{uri}");
    }
}

#[test]
fn a_uri_is_the_same_without_its_query_or_is_denied() {
    let table = resources("docs://*=read docs://*/admin=admin docs://x/a?b=deny");
    for uri in [
        "docs://x/admin?",
        "docs://x/admin?y",
        "docs://x/admin#y",
        "docs://x/admin#",
        "docs://x/Admin?y",
        "docs://x/admin%3Fy",
        "docs://x/admin%23y",
        "docs://x?y/admin",
        "docs://x#/admin",
        // Cut first, and decoded then, it would be another.
        "docs://x/a%3Fb?c",
    ] {
        assert_eq!(decided(&table, uri), "deny", "{uri}");
    }
    for uri in ["docs://x?y", "docs://x?", "docs://x/#y", "docs://c%23", "docs://x/{?y}", "docs://?"] {
        assert_eq!(decided(&table, uri), "read", "{uri}");
    }
    assert_eq!(decided(&table, "docs://x/admin"), "admin");
}

#[test]
fn an_entry_may_be_for_a_query() {
    let table = resources("docs://search=deny docs://search?q=*=q docs://search?q=all=all docs://x{?y}=template");
    for (uri, expected) in [
        ("docs://search?q=a", "q"),
        ("docs://search?q=", "q"),
        ("docs://search?q=a#b", "q"),
        ("docs://search?q=all", "all"),
        ("docs://search?p", "deny"),
        ("docs://search", "deny"),
        ("docs://x{?y}", "template"),
    ] {
        assert_eq!(decided(&table, uri), expected, "{uri}");
    }
    // One that leaves the path open is for no path that another entry is about.
    let table = resources("docs://*=read docs://*?raw=raw docs://*/list#raw=list docs://admin=admin docs://ad*n=x");
    for (uri, expected) in [
        ("docs://a?raw", "raw"),
        ("docs://a/list#raw", "list"),
        ("docs://a?b", "read"),
        ("docs://admin?raw", "deny"),
        ("docs://Admin?raw", "deny"),
        ("docs://ad_n?raw", "deny"),
        ("docs://admin?/list#raw", "deny"),
        ("docs://a?/list#raw", "deny"),
    ] {
        assert_eq!(decided(&table, uri), expected, "{uri}");
    }
}

#[test]
fn a_table_knows_its_scopes_and_whether_it_offers_anything() {
    let table = tools("a=x,user b=y,x c=deny");
    assert_eq!(table.scopes(), Scopes::parse("x y"));
    assert!(!table.offers_nothing());
    assert!(tools("").offers_nothing() && tools("a=deny *=deny").offers_nothing());
    assert!(!tools("a=allow").offers_nothing());
}

#[test]
fn an_entry_that_cannot_be_read_is_named_with_its_fix() {
    for (names, text, problem) in [
        (Names::Tools, "search", "must have the form pattern=need"),
        (Names::Tools, "=a", "must have the form pattern=need"),
        (Names::Tools, "a=", "must name a scope"),
        (Names::Tools, "a=b,", "must name a scope"),
        (Names::Tools, "a=deny,b", "deny must stand alone"),
        (Names::Tools, "a**=b", "has more than one *"),
        (Names::Prompts, "*a*=b", "has more than one *"),
        (Names::Resources, "A:b=c", "must begin with a scheme"),
        (Names::Resources, "a:%C3*=c", "whole characters"),
        (Names::Resources, "a:b/../c=d", "segments . and .."),
    ] {
        assert_eq!(
            errors(names, text),
            [format!("TABLE: {text:?} {}", errors(names, text)[0].split_once("\" ").unwrap().1)]
        );
        assert!(errors(names, text)[0].contains(problem), "{text}: {:?}", errors(names, text));
    }
    assert_eq!(errors(Names::Tools, "a b c=d").len(), 2);
    // The last = is the one that counts.
    assert_eq!(decided(&resources("a:b?c=d=e"), "a:b?c=d"), "e");
}

#[test]
fn entries_that_leave_open_which_counts_are_errors() {
    for (names, text, expected) in [
        (Names::Tools, "a=x a=x", "TABLE: a occurs twice: remove one of the entries"),
        (
            Names::Tools,
            "A*=x a*=y",
            "TABLE: A* and a* may be the same for an upstream that ignores case or decodes URIs: keep one of them",
        ),
        (
            Names::Resources,
            "a:b/c=x a:b%2Fc=x",
            "TABLE: a:b/c and a:b%2Fc may be the same for an upstream that ignores case or decodes URIs: keep one of them",
        ),
        (
            Names::Tools,
            "Get_*=x *=deny *_Admin=y",
            "TABLE: Get_* and *_Admin match the same names, and neither is more specific: change one of them, or add \
             Get_*_Admin=… and Get_Admin=…",
        ),
        (
            Names::Tools,
            "get_*=x *_admin=y get_*_admin=z",
            "TABLE: get_* and *_admin match the same names, and neither is more specific: change one of them, or add \
             get_admin=…",
        ),
        (
            Names::Tools,
            "Ab*=x *Bc=y",
            "TABLE: Ab* and *Bc match the same names, and neither is more specific: change one of them, or add \
             ab*bc=… and abc=…",
        ),
    ] {
        assert_eq!(errors(names, text), [expected], "{text}");
    }
    assert!(read(Names::Tools, "get_*=x *_admin=y get_*_admin=z get_admin=z").is_ok());
    assert!(read(Names::Tools, "ab*=x *ba=x ab*ba=x aba=x").is_ok());
}

#[test]
fn a_table_has_a_limit() {
    let of = |count: usize| (0..count).map(|index| format!("t{index:03}=x")).collect::<Vec<_>>().join(" ");
    assert!(read(Names::Tools, &of(200)).is_ok());
    assert_eq!(errors(Names::Tools, &of(201)), ["TABLE has 201 entries, and may have 200: use patterns with *"]);
}

/// What a table says, by comparing everything with everything.
fn model(entries: &[(String, String)], name: &str) -> String {
    let winner = |name: &str, form: &dyn Fn(&str) -> String| {
        let matching = entries.iter().filter(|(pattern, _)| match form(pattern).split_once('*') {
            None => form(pattern) == name,
            Some((prefix, suffix)) => name.strip_prefix(prefix).is_some_and(|rest| rest.ends_with(suffix)),
        });
        matching.max_by_key(|(pattern, _)| (!pattern.contains('*'), pattern.len())).cloned()
    };
    let exact = winner(name, &str::to_owned);
    let alike = winner(&name.to_lowercase(), &|pattern: &str| pattern.to_lowercase());
    match exact {
        Some(exact) if Some(&exact) == alike.as_ref() => exact.1,
        _ => "deny".to_owned(),
    }
}

proptest! {
    #[test]
    fn a_table_says_what_the_model_says_in_any_order(
        entries in prop::collection::vec(("[abA]{0,2}\\*?[abA]{0,2}", "[xyz]|deny|allow"), 1..5),
        names in prop::collection::vec("[abA]{0,5}", 8),
    ) {
        let text = |entries: &[(String, String)]| entries.iter().map(|(pattern, needs)| format!("{pattern}={needs}")).collect::<Vec<_>>().join(" ");
        let Ok(table) = read(Names::Tools, &text(&entries)) else { return Ok(()) };
        let mut turned = entries.clone();
        turned.reverse();
        let reversed = tools(&text(&turned));
        turned.rotate_left(1);
        let rotated = tools(&text(&turned));
        for name in names.iter().filter(|name| !name.is_empty()) {
            let expected = model(&entries, name);
            prop_assert_eq!(&decided(&table, name), &expected, "{}", name);
            prop_assert_eq!(&decided(&reversed, name), &expected, "{}", name);
            prop_assert_eq!(&decided(&rotated, name), &expected, "{}", name);
        }
    }
}
