//! Values exactly at their bounds, and one beyond.

use super::{
    super::{page_uri, redirect_uri, validation::MAX_REDIRECT_URIS},
    *,
};

fn is_accepted(changes: Value) -> bool {
    parse(changes).is_ok()
}

#[test]
fn strings_may_be_as_long_as_their_bounds() {
    assert!(is_accepted(json!({"software_id": "x".repeat(255)})));
    assert!(!is_accepted(json!({"software_id": "x".repeat(256)})));
    for (length, kept) in [(254, 1), (255, 0), (1000, 0)] {
        assert_eq!(parse(json!({"contacts": ["x".repeat(length)]})).unwrap().contacts.len(), kept, "{length}");
    }
}

#[test]
fn a_name_is_bounded_in_characters_of_any_script() {
    for character in ["x", "ä", "語", "𐍈"] {
        assert!(is_accepted(json!({"client_name": character.repeat(MAX_NAME_CHARACTERS)})), "{character}");
        assert!(!is_accepted(json!({"client_name": character.repeat(MAX_NAME_CHARACTERS + 1)})), "{character}");
    }
}

#[test]
fn there_may_be_so_many_redirect_uris() {
    let list = |count: usize| (0..count).map(|number| format!("http://127.0.0.1/{number}")).collect::<Vec<_>>();
    assert!(is_accepted(json!({"redirect_uris": list(MAX_REDIRECT_URIS)})));
    assert!(!is_accepted(json!({"redirect_uris": list(MAX_REDIRECT_URIS + 1)})));
}

#[test]
fn other_lists_may_have_any_number_of_entries() {
    let mut grants: Vec<_> = (0..40).map(|number| format!("urn:example:grant:{number}")).collect();
    grants.push("authorization_code".to_owned());
    let contacts: Vec<_> = (0..40).map(|number| format!("{number}@agent.example.com")).collect();
    let metadata = parse(json!({"grant_types": grants, "contacts": contacts})).unwrap();
    assert_eq!((metadata.grant_types, metadata.contacts.len()), (vec!["authorization_code".to_owned()], 5));
}

#[test]
fn key_sets_are_ignored_unless_there_are_two() {
    assert!(is_accepted(json!({"jwks_uri": "https://agent.example.com/jwks"})));
    assert!(is_accepted(json!({"jwks": {"keys": []}})));
    assert!(!is_accepted(json!({"jwks": {"keys": []}, "jwks_uri": "https://agent.example.com/jwks"})));
}

#[test]
fn addresses_of_pages_may_be_as_long_as_redirect_uris() {
    let start = "https://agent.example.com/";
    let address = |length: usize| format!("{start}{}", "x".repeat(length - start.len()));
    assert_eq!(page_uri::check(&address(redirect_uri::MAX_BYTES)), Ok(()));
    for length in [redirect_uri::MAX_BYTES + 1, redirect_uri::MAX_BYTES + 2] {
        assert_eq!(page_uri::check(&address(length)), Err(redirect_uri::Problem::TooLong), "{length}");
    }
}

#[test]
fn host_names_have_at_most_253_characters() {
    let label = "x".repeat(49);
    let address = |last: usize| format!("https://{label}.{label}.{label}.{label}.{}.com/", "x".repeat(last));
    // Four times 50, the last label, and ".com".
    assert_eq!(page_uri::check(&address(49)), Ok(()));
    for longer in [50, 51] {
        assert_eq!(page_uri::check(&address(longer)), Err(redirect_uri::Problem::Host), "{longer}");
    }
}

#[test]
fn every_percent_sign_begins_an_encoding() {
    for good in ["/%41%42", "/a%41%42", "/ab%c3%a4?c=%2F"] {
        assert_eq!(page_uri::check(&format!("https://agent.example.com{good}")), Ok(()), "{good}");
    }
    for bad in ["/%", "/%4", "/%zz", "/%41%zz", "/a%41%zz", "/ab%41%4", "/abc%41%%41"] {
        let checked = page_uri::check(&format!("https://agent.example.com{bad}"));
        assert_eq!(checked, Err(redirect_uri::Problem::PercentEncoding), "{bad}");
    }
}
