//! What is read of the discovery document for a client.

use serde_json::json;

use super::*;
use crate::testing::provider;

#[test]
fn the_secret_is_posted_only_where_nothing_else_is_taken() {
    for (token, revocation, expected) in [
        (Value::Null, Value::Null, (false, false)),
        (json!(["client_secret_post"]), Value::Null, (true, true)),
        (json!(["client_secret_post", "client_secret_basic"]), Value::Null, (false, false)),
        (json!(["client_secret_post"]), json!(["client_secret_basic"]), (true, false)),
        (Value::Null, json!(["none", "client_secret_post"]), (false, true)),
        (json!(["private_key_jwt"]), json!([]), (false, false)),
        (json!("client_secret_post"), json!({}), (false, false)),
    ] {
        let provider = provider(|it| {
            it[TOKEN_METHODS] = token.clone();
            it[REVOCATION_METHODS] = revocation.clone();
        });
        let read = ProviderMetadata::of(&provider);
        assert_eq!((read.posts_secret, read.posts_secret_to_revoke), expected, "{token} {revocation}");
    }
}

#[test]
fn only_true_is_true() {
    for (value, expected) in [(json!(true), true), (json!(false), false), (json!("true"), false), (Value::Null, false)]
    {
        assert_eq!(ProviderMetadata::of(&provider(|it| it[ISS] = value.clone())).sends_iss, expected, "{value}");
    }
}
