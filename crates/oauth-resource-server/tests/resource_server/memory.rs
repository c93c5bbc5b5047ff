//! How much memory tokens and answers of the provider take, by an allocator that counts.

#![allow(unsafe_code, reason = "an allocator cannot be written without it")]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
    rc::Rc,
};

use mcp_edge_identity::Identity;
use mcp_edge_oauth::{
    disclosure::Disclosure,
    memory_size,
    resource_server::{ResourceServer, TrustPolicy},
};
use serde_json::{Value, json};

use crate::support::{
    tokens::{ISSUER, Scene, claims, mint_pretended, policy, pretended_jwk, send},
    world::{Answer, World, introspection_url},
};

/// Counts, thread by thread, the bytes that are allocated and the most there have been.
struct Counting;

thread_local! {
    static HELD: Cell<isize> = const { Cell::new(0) };
    static PEAK: Cell<isize> = const { Cell::new(0) };
}

fn count(change: isize) {
    // After the thread's locals are gone nobody looks any more.
    let _ = HELD.try_with(|held| {
        held.set(held.get() + change);
        let _ = PEAK.try_with(|peak| peak.set(peak.get().max(held.get())));
    });
}

// SAFETY: passes everything on to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size().cast_signed());
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(-layout.size().cast_signed());
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// What a thing leaves behind, and the most that it needed meanwhile, in bytes.
fn measured(act: impl FnOnce()) -> (usize, usize) {
    let before = HELD.get();
    PEAK.set(before);
    act();
    let grown = |now: isize| usize::try_from(now - before).unwrap_or_default();
    (grown(HELD.get()), grown(PEAK.get()))
}

const MEBIBYTE: usize = 1024 * 1024;

/// What the memory may take, regardless of its content.
const BOUND: usize = 8 * MEBIBYTE;

/// A list of as many small objects as there is room for in so many characters.
fn small_objects(characters: usize) -> Value {
    Value::Array(vec![json!({ "": 0 }); characters / 7])
}

/// A server that knows its keys and has seen one token.
fn server(policy: TrustPolicy) -> (World, ResourceServer, Value) {
    let world = World::with_pretend_signatures();
    let key = pretended_jwk("k", 1);
    world.publish(ISSUER, std::slice::from_ref(&key));
    let server = ResourceServer::new(policy);
    send(&world, &server, &mint_pretended(&key, &claims(world.now()))).unwrap();
    (world, server, key)
}

/// A token of so many characters whose claim `name` is full of small objects.
fn full(world: &World, key: &Value, number: usize, name: &str, characters: usize) -> String {
    let mut claims = claims(world.now());
    claims["jti"] = json!(number);
    claims[name] = small_objects(characters * 3 / 4 - 300);
    mint_pretended(key, &claims)
}

/// What is counted is never less than what is allocated, and not much more.
#[test]
fn the_weight_of_an_identity_is_what_it_takes() {
    let object = |members: usize| (0..members).map(|number| (format!("member-{number}"), json!(number))).collect();
    let nested = (0..60).fold(json!(1), |inner, _| json!({ "a": [inner] }));
    let mut shapes = vec![json!(null), json!("x".repeat(5000)), small_objects(7000), nested, json!([[], {}, "", 1.5])];
    shapes.extend([0, 1, 2, 11, 12, 13, 30, 100, 1000].map(|members| Value::Object(object(members))));
    for shape in shapes {
        for scopes in ["", "a", "openid profile email notes:read notes:write whoami:read"] {
            let identity = Identity::for_test("alice", scopes);
            // As it comes from a token: objects that are built at once fill their nodes better.
            let parsed = serde_json::from_str(&shape.to_string()).unwrap();
            let identity = identity.with(|verified| drop(verified.claims.insert("claim".to_owned(), parsed)));
            let mut kept = None;
            let (held, _) = measured(|| kept = Some(Rc::new(identity.clone())));
            let counted = memory_size::of_identity(&identity);
            assert!(counted >= held, "{counted} counted, {held} held: {shape}");
            assert!(counted <= held * 2 + 1000, "{counted} counted, {held} held: {shape}");
        }
    }
}

#[test]
fn tokens_full_of_small_objects_take_no_more_than_others() {
    let (world, server, key) = server(policy());
    let tokens: Vec<_> = (0..400).map(|number| full(&world, &key, number, "pad", 11_235)).collect();
    assert!(tokens.iter().all(|token| (10_000..=16 * 1024).contains(&token.len())), "{}", tokens[0].len());
    let (held, _) = measured(|| {
        for token in &tokens {
            send(&world, &server, token).unwrap();
        }
    });
    assert!(held < MEBIBYTE, "{held} bytes for 400 tokens");
    // They are remembered, though.
    let before = world.verifications();
    for token in &tokens {
        send(&world, &server, token).unwrap();
    }
    assert_eq!(world.verifications(), before);
}

#[test]
fn a_token_full_of_small_objects_is_not_built_in_memory() {
    let (world, server, key) = server(policy());
    for name in ["pad", "custom_data"] {
        let token = full(&world, &key, 1, name, 16_000);
        let (_, peak) = measured(|| drop(send(&world, &server, &token).unwrap()));
        assert!(peak < 150_000, "{peak} bytes for a token of {} in {name}", token.len());
    }
    // Nor is a header, which anybody can send.
    let scene = Scene::new(policy());
    let token = scene.token(|header, _| header["jwk"] = small_objects(11_000));
    let (_, peak) = measured(|| drop(scene.send(&token)));
    assert!(peak < 150_000, "{peak} bytes for a header");
}

#[test]
fn claims_that_may_be_shown_are_kept_within_the_bound() {
    let disclosure = Disclosure::parse("whoami:read=custom_data").unwrap();
    let (world, server, key) = server(TrustPolicy { disclosure, ..policy() });
    for characters in [1_500, 4_000, 15_000] {
        let tokens: Vec<_> = (0..400).map(|number| full(&world, &key, number, "custom_data", characters)).collect();
        let (held, _) = measured(|| {
            for token in &tokens {
                let identity = send(&world, &server, token).unwrap();
                assert!(identity.claims().contains_key("custom_data"));
            }
        });
        assert!(held <= BOUND, "{held} bytes for {characters} characters each");
    }
}

#[test]
fn four_thousand_tokens_in_turn_are_all_remembered() {
    let (world, server, key) = server(policy());
    let tokens: Vec<_> = (0..4000)
        .map(|number| {
            let mut claims = claims(world.now());
            claims["sub"] = format!("user-{number:020}").into();
            claims["scope"] = "openid profile email notes:read notes:write".into();
            claims["name"] = "a claim that is shown".into();
            mint_pretended(&key, &claims)
        })
        .collect();
    let (held, _) = measured(|| {
        for _ in 0..3 {
            for token in &tokens {
                send(&world, &server, token).unwrap();
            }
        }
    });
    assert_eq!(world.verifications(), 1 + 4000, "each was verified once");
    assert!(held <= BOUND, "{held} bytes");
}

/// The scene of a provider that says something of 60 KB about every token.
fn introspecting(disclosure: &str, name: &str, value: Value) -> Scene {
    let mut policy = crate::opaque::policy();
    policy.disclosure = Disclosure::parse(disclosure).unwrap();
    let scene = Scene::new(policy);
    let mut answer = crate::opaque::active(&scene);
    answer["scope"] = "openid whoami:read".into();
    answer[name] = value;
    scene.world.answer(&introspection_url(ISSUER), Answer::json(&answer));
    scene.send(crate::opaque::TOKEN).unwrap();
    scene
}

#[test]
fn introspection_answers_full_of_small_objects_are_kept_within_the_bound() {
    for (disclosure, name) in [("", "pad"), ("", "custom_data"), ("whoami:read=custom_data", "custom_data")] {
        let scene = introspecting(disclosure, name, small_objects(60_000));
        let (held, _) = measured(|| {
            for number in 0..400 {
                scene.send(&format!("opaque-token-number-{number}")).unwrap();
            }
        });
        let received = scene.world.received().capacity() * 1000;
        assert!(held <= BOUND + received, "{held} bytes for 400 answers with {name} under {disclosure:?}");
    }
    let scene = introspecting("", "pad", small_objects(60_000));
    let (_, peak) = measured(|| drop(scene.send("another-opaque-token").unwrap()));
    assert!(peak < 600_000, "{peak} bytes for one answer of 60 KB");
}

#[test]
fn what_is_remembered_of_a_refusal_is_small() {
    let scene = introspecting("", "pad", json!("x"));
    let mut answer = crate::opaque::active(&scene);
    answer["aud"] = Value::Array(vec![json!("https://other.example/"); 2000]);
    scene.world.answer(&introspection_url(ISSUER), Answer::json(&answer));
    let (held, _) = measured(|| {
        for number in 0..40 {
            scene.send(&format!("opaque-token-number-{number}")).unwrap_err();
        }
    });
    assert!(held < 200_000, "{held} bytes for 40 refusals");
}
