//! The recorded tokens of a real Logto, with each of its key sets, at each of its times.

use crate::{
    both::{Comparison, Scene},
    support::logto::{ISSUER, KEY_SETS, RESOURCE, file, vectors},
};

fn scene(key_set: &str) -> Scene {
    let mut scene = Scene::new(&[("ISSUER", ISSUER), ("RESOURCE", RESOURCE)]);
    scene.publish(ISSUER, file(key_set)["keys"].as_array().expect("keys"));
    scene
}

#[test]
fn logtos_tokens_are_judged_alike() {
    let mut comparison = Comparison::default();
    for vector in vectors() {
        let token = vector.token();
        for key_set in KEY_SETS {
            for provider in ["logto", "generic"] {
                let mut scene =
                    scene(key_set).with(&[("PROVIDER", provider), ("CLAIM_SCOPES", "whoami:read=email,username")]);
                scene.now = vector.now;
                comparison.compare(&scene, &token, || format!("{vector} with {key_set} as {provider}"));
            }
        }
        for now in [vector.iat - 61, vector.iat - 60, vector.iat, vector.exp - 1, vector.exp + 4, vector.exp + 5] {
            let mut scene = scene(vector.verifies_with.first().map_or(KEY_SETS[0], String::as_str));
            scene.now = now;
            comparison.compare(&scene, &token, || format!("{vector} at {now}"));
        }
    }
    assert!(comparison.count() > 500 && comparison.accepted > 100, "{}", comparison.count());
    comparison.finish();
}

#[test]
fn tokens_without_structure_are_judged_alike() {
    let mut comparison = Comparison::default();
    let scene = scene(KEY_SETS[0]);
    let opaque = file("token-opaque.json")["body"]["access_token"].as_str().expect("a token").to_owned();
    let words = ["pat_0123", "mcpreg_0123", "a", "a.b", "a.b.c", "a.b.c.d.e", "e30", "ey", "eyJ", ".", "..", "...."];
    for token in [opaque.as_str()].into_iter().chain(words) {
        comparison.compare(&scene, token, || token.to_owned());
    }
    for bytes in [4096, 4097, 16_384, 16_385] {
        let token = "a".repeat(bytes);
        comparison.compare(&scene, &token, || format!("{bytes} bytes"));
        let token = format!("e30.e30.{}", "A".repeat(bytes - 8));
        comparison.compare(&scene, &token, || format!("a JWT of {bytes} bytes"));
    }
    comparison.finish();
}
