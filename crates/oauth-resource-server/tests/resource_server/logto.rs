//! The recorded tokens and key sets of a real Logto.

use mcp_edge_identity::Kind;
use mcp_edge_oauth::{
    denial::Reason,
    resource_server::{Authentication, ResourceServer},
    token::validity::{EXPIRY_LEEWAY_SECONDS, LEEWAY_SECONDS},
};

use crate::support::{
    logto::{self, ISSUER, KEY_SETS, Vector},
    tokens::{authenticate, send, send_traced},
    world::{World, jwks_url},
};

/// The outcome for a recorded token at `now`, with one key set published.
fn outcome(vector: &Vector, key_set: &str, now: u64) -> Result<(), Reason> {
    let world = World::new();
    world.advance_to(now);
    logto::publish(&world, key_set);
    let server = ResourceServer::new(logto::policy());
    send(&world, &server, &vector.token()).map(drop).map_err(|denial| denial.reason())
}

fn accepted() -> impl Iterator<Item = Vector> {
    logto::vectors().into_iter().filter(|vector| vector.expect == "accept")
}

#[test]
fn every_good_token_verifies_with_every_key_set_that_has_its_key() {
    let (mut tokens, mut pairs) = (0, 0);
    for vector in accepted() {
        tokens += 1;
        for key_set in &vector.verifies_with {
            assert_eq!(outcome(&vector, key_set, vector.now), Ok(()), "{vector} with {key_set}");
            pairs += 1;
        }
    }
    assert_eq!(tokens, 15);
    assert!(pairs >= 40, "{pairs}");
}

#[test]
fn no_token_verifies_with_a_key_set_that_lacks_its_key() {
    for vector in accepted() {
        assert_eq!(vector.verifies_with.len() + vector.key_absent_from.len(), KEY_SETS.len());
        for key_set in &vector.key_absent_from {
            assert_eq!(outcome(&vector, key_set, vector.now), Err(Reason::UnknownKey), "{vector} with {key_set}");
        }
    }
}

#[test]
fn a_token_is_good_from_its_issue_to_its_expiry() {
    for vector in accepted() {
        let at = |now| outcome(&vector, &vector.verifies_with[0], now);
        assert_eq!(at(vector.iat), Ok(()), "{vector}");
        assert_eq!(at(vector.iat - LEEWAY_SECONDS), Ok(()), "{vector}");
        assert_eq!(at(vector.iat - LEEWAY_SECONDS - 1), Err(Reason::BadIssueTime), "{vector}");
        assert_eq!(at(vector.exp - 1), Ok(()), "{vector}");
        assert_eq!(at(vector.exp + EXPIRY_LEEWAY_SECONDS - 1), Ok(()), "{vector}");
        assert_eq!(at(vector.exp + EXPIRY_LEEWAY_SECONDS), Err(Reason::Expired), "{vector}");
    }
}

#[test]
fn a_changed_subject_breaks_the_signature() {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    for mut vector in accepted() {
        let token = vector.token();
        let [header, claims, signature] = token.split('.').collect::<Vec<_>>().try_into().expect("three segments");
        let text = String::from_utf8(URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap();
        let changed = text.replace(&vector.sub, "mallory");
        assert_ne!(text, changed, "{vector}");
        let forged = format!("{header}.{}.{signature}", URL_SAFE_NO_PAD.encode(changed));
        let (world, server) = (World::new(), ResourceServer::new(logto::policy()));
        world.advance_to(vector.now);
        logto::publish(&world, &vector.verifies_with.remove(0));
        assert_eq!(
            send(&world, &server, &forged).map_err(|denial| denial.reason()),
            Err(Reason::BadSignature),
            "{vector}"
        );
        // The forgery leaves the real one unharmed.
        assert!(send(&world, &server, &token).is_ok(), "{vector}");
    }
}

#[test]
fn id_tokens_and_tokens_for_others_are_refused_with_their_reason() {
    let mut refused = 0;
    for vector in logto::vectors() {
        let expected = match vector.expect.as_str() {
            "accept" => continue,
            "reject_type" => Reason::WrongType,
            "reject_audience" => Reason::WrongAudience,
            other => panic!("{vector}: {other}"),
        };
        assert_eq!(expected == Reason::WrongType, vector.kind == "id_token", "{vector}");
        for key_set in &vector.verifies_with {
            assert_eq!(outcome(&vector, key_set, vector.now), Err(expected), "{vector} with {key_set}");
        }
        refused += 1;
    }
    assert_eq!(refused, 16);
}

#[test]
fn an_id_token_that_passes_for_its_type_still_has_the_wrong_audience() {
    let mut policy = logto::policy();
    policy.issuers[0].profile.token_types.push(String::new());
    for vector in logto::vectors().iter().filter(|vector| vector.kind == "id_token") {
        let (world, server) = (World::new(), ResourceServer::new(policy.clone()));
        world.advance_to(vector.now);
        logto::publish(&world, &vector.verifies_with[0]);
        let denial = send(&world, &server, &vector.token()).expect_err("an ID token");
        assert_eq!(denial.reason(), Reason::WrongAudience, "{vector}");
    }
}

#[test]
fn identities_say_what_the_tokens_say() {
    for vector in accepted() {
        let (world, server) = (World::new(), ResourceServer::new(logto::policy()));
        world.advance_to(vector.now);
        logto::publish(&world, &vector.verifies_with[0]);
        let Authentication { outcome, trace } = send_traced(&world, &server, &vector.token());
        let identity = outcome.expect("a good token");
        assert_eq!(identity.issuer(), ISSUER);
        assert_eq!(identity.subject(), vector.sub, "{vector}");
        assert_eq!(identity.client_id(), vector.client_id.as_deref(), "{vector}");
        assert_eq!(identity.scopes().to_string(), vector.scope.clone().unwrap_or_default(), "{vector}");
        assert_eq!(identity.expires_at(), vector.exp, "{vector}");
        let is_machine = vector.client_id.as_ref() == Some(&vector.sub);
        assert_eq!(identity.kind(), if is_machine { Kind::Machine } else { Kind::User }, "{vector}");
        // Some of these tokens carry an e-mail address; no scope in them covers it.
        assert!(identity.claims().is_empty(), "{vector}: {:?}", identity.claims());
        assert_eq!(trace.kid.as_deref(), Some(vector.kid.as_str()));
        assert_eq!(trace.tier, Some("provider"));
    }
}

/// One server lives through all the rotations, with what it has learned from each. Every token that has its key in the
/// published set, and has been issued by then, is let in at once or, within the cool-down, after a "come back later";
/// never is it called bad. This is also how a key behaves that is published before it signs.
#[test]
fn no_honest_token_is_refused_through_six_key_sets() {
    // About when each was recorded.
    let times = [1_795_305_876, 1_795_305_906, 1_795_307_892, 1_795_308_041, 1_795_308_045, 1_795_308_057];
    let (world, server) = (World::new(), ResourceServer::new(logto::policy()));
    let (mut let_in, mut asked_back) = (0, 0);
    for (key_set, time) in KEY_SETS.iter().zip(times) {
        logto::publish(&world, key_set);
        world.advance_to(world.now().max(time));
        for vector in accepted().filter(|vector| vector.verifies_with.iter().any(|known| known == key_set)) {
            world.advance_to(world.now().max(vector.iat));
            if world.now() >= vector.exp {
                continue;
            }
            let mut outcome = send(&world, &server, &vector.token());
            if let Err(denial) = &outcome {
                assert_eq!(denial.reason(), Reason::KeysUnavailable, "{vector} with {key_set}");
                let wait = denial.retry_after().expect("a time to wait");
                assert!(wait <= 30, "{wait}");
                world.advance(wait);
                asked_back += 1;
                outcome = send(&world, &server, &vector.token());
            }
            assert!(outcome.is_ok(), "{vector} with {key_set}: {outcome:?}");
            let_in += 1;
        }
    }
    assert!(let_in >= 30, "{let_in}");
    assert!(asked_back <= 2, "{asked_back} of {let_in} had to wait");
    assert!(world.calls(&jwks_url(ISSUER)) <= 8, "{}", world.calls(&jwks_url(ISSUER)));
}

#[test]
fn a_rotated_away_key_opens_no_door_even_for_a_token_that_was_let_in_before() {
    let (world, server) = (World::new(), ResourceServer::new(logto::policy()));
    let vector = accepted().find(|vector| vector.key_absent_from.iter().any(|set| set == KEY_SETS[5])).unwrap();
    world.advance_to(vector.now);
    logto::publish(&world, &vector.verifies_with[0]);
    assert!(send(&world, &server, &vector.token()).is_ok());
    logto::publish(&world, KEY_SETS[5]);
    // The old copy serves until it is renewed behind a request's back, ten minutes later.
    world.advance(600);
    assert!(send(&world, &server, &vector.token()).is_ok());
    let denial =
        world.run(authenticate(&world, &server, &vector.token())).outcome.expect_err("the key has left the set");
    assert_eq!(denial.reason(), Reason::UnknownKey);
}
