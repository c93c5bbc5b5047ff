//! The identity provider, as clients and the server meet it.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;

use super::{quote, trouble_with_document};
use crate::{
    clients::{Client, Offer, Way},
    finding::{Judgement, Skip},
    record::{Probe, Record, document, string, strings},
    target::{DiscoveryForm, is_secure},
};

pub fn discovery(record: &Record) -> Result<Judgement, Skip> {
    let issuer = record.issuer().ok_or_else(|| Skip::new("no provider is named"))?;
    let found = record.provider();
    let mut passed: Vec<String> = Vec::new();
    let mut obstacle = None;
    for form in DiscoveryForm::ALL {
        if found.as_ref().is_some_and(|(it, _)| *it == form) {
            break;
        }
        let probe = Probe::Discovery(form);
        let Some(outcome) = record.outcome(probe) else { continue };
        let url = record.url(probe);
        match outcome {
            Err(failure) => passed.push(format!("{url}: {failure}")),
            Ok(answer) => {
                let trouble = trouble_with_document(answer).unwrap_or_default();
                if !(400..500).contains(&answer.status) {
                    obstacle.get_or_insert_with(|| format!("{url}: {trouble}, and clients do not look further"));
                }
                passed.push(format!("{url}: {trouble}"));
            }
        }
    }
    Ok(match (found, obstacle) {
        (None, _) if passed.is_empty() => Judgement::failure(format!("{} is not a URL", quote(&issuer))),
        (None, _) => Judgement::failure(passed.join("; ")),
        (Some(_), Some(obstacle)) => Judgement::failure(obstacle),
        (Some((form, _)), None) => {
            let url = record.url(Probe::Discovery(form));
            Judgement::ok(match passed.len() {
                0 => url.to_owned(),
                1 => format!("{url}, at the second place where clients look"),
                _ => format!("{url}, at the third place where clients look"),
            })
        }
    })
}

pub fn issuer(record: &Record) -> Result<Judgement, Skip> {
    let document = record.of_provider()?;
    let named = record.issuer().unwrap_or_default();
    Ok(match string(&document, "issuer") {
        None => Judgement::failure("the provider's metadata has no issuer"),
        Some(issuer) if issuer == named => Judgement::ok(quote(issuer)),
        Some(issuer) => {
            Judgement::failure(format!("the provider says {}, the server says {}", quote(issuer), quote(&named)))
        }
    })
}

pub fn endpoints(record: &Record) -> Result<Judgement, Skip> {
    let document = record.of_provider()?;
    for name in ["authorization_endpoint", "token_endpoint"] {
        match string(&document, name) {
            None => return Ok(Judgement::failure(format!("the provider's metadata has no {name}"))),
            Some(url) if !is_secure(url) => {
                return Ok(Judgement::failure(format!("{name} {} is not https", quote(url))));
            }
            Some(_) => {}
        }
    }
    // Both lists have defaults that hold the value wanted here, so only a list without it is wrong.
    for (name, wanted) in [("response_types_supported", "code"), ("grant_types_supported", "authorization_code")] {
        if document.contains_key(name) && !strings(&document, name).contains(&wanted) {
            return Ok(Judgement::failure(format!("{name} does not list {wanted}")));
        }
    }
    Ok(Judgement::ok("authorization and token endpoint, code flow"))
}

pub fn pkce(record: &Record) -> Result<Judgement, Skip> {
    let document = record.of_provider()?;
    let methods = strings(&document, "code_challenge_methods_supported");
    Ok(match methods.as_slice() {
        [] => Judgement::failure("code_challenge_methods_supported is missing"),
        methods if methods.contains(&"S256") => Judgement::ok(methods.join(", ")),
        methods => Judgement::failure(format!("only {}", quote(&methods.join(", ")))),
    })
}

/// What the provider offers to clients that it does not know. `None` if its metadata could not be read.
#[must_use]
pub fn offer(record: &Record) -> Option<Offer> {
    let (_, document) = record.provider()?;
    Some(Offer {
        documents: document.get("client_id_metadata_document_supported") == Some(&Value::Bool(true)),
        registration: string(&document, "registration_endpoint").is_some(),
        public_clients: strings(&document, "token_endpoint_auth_methods_supported").contains(&"none"),
    })
}

pub fn registration(record: &Record) -> Result<Judgement, Skip> {
    record.of_provider()?;
    let offer = offer(record).unwrap_or_default();
    let left_out = || Client::ALL.into_iter().filter(|client| client.way_in(offer).is_none());
    Ok(match offer {
        Offer { documents: true, registration: true, .. } => {
            Judgement::ok(format!("{} and {}", Way::MetadataDocument.name(), Way::DynamicRegistration.name()))
        }
        Offer { registration: true, .. } => Judgement::ok(Way::DynamicRegistration.name()),
        Offer { documents: true, public_clients: false, .. } => Judgement::warning(
            "client id metadata documents, but not for clients without a secret: nobody can use them",
        )
        .mend("Have token_endpoint_auth_methods_supported list none."),
        Offer { documents: true, .. } => {
            let names: Vec<_> = left_out().map(Client::name).collect();
            Judgement::ok(format!("{}; {} need a client id", Way::MetadataDocument.name(), names.join(", ")))
        }
        Offer { .. } => Judgement::warning("neither client id metadata documents nor dynamic registration"),
    })
}

pub fn public_clients(record: &Record) -> Result<Judgement, Skip> {
    let document = record.of_provider()?;
    let methods = strings(&document, "token_endpoint_auth_methods_supported");
    Ok(match methods.as_slice() {
        [] => Judgement::warning("token_endpoint_auth_methods_supported is missing, which means client_secret_basic"),
        methods if methods.contains(&"none") => Judgement::ok("none is listed"),
        methods => Judgement::warning(format!("only {}", quote(&methods.join(", ")))),
    })
}

pub fn refresh_tokens(record: &Record) -> Result<Judgement, Skip> {
    let document = record.of_provider()?;
    let grants = strings(&document, "grant_types_supported");
    Ok(match grants.as_slice() {
        [] => Judgement::warning("grant_types_supported is missing, which means that there are none"),
        grants if grants.contains(&"refresh_token") => Judgement::ok("refresh_token is listed"),
        _ => Judgement::warning("grant_types_supported does not list refresh_token"),
    })
}

pub fn response_issuer(record: &Record) -> Result<Judgement, Skip> {
    let document = record.of_provider()?;
    let flag = document.get("authorization_response_iss_parameter_supported");
    Ok(if flag == Some(&Value::Bool(true)) {
        Judgement::ok("iss is promised")
    } else {
        Judgement::warning("authorization_response_iss_parameter_supported is not true")
    })
}

/// Shorter RSA keys are refused by every verifier of the field (RFC 7518 §3.3: 2048 bits).
const RSA_BYTES_MIN: usize = 256;

pub fn keys(record: &Record) -> Result<Judgement, Skip> {
    let metadata = record.of_provider()?;
    let Some(url) = string(&metadata, "jwks_uri") else {
        return Ok(Judgement::failure("the provider's metadata has no jwks_uri"));
    };
    let answer = match record.outcome(Probe::Keys) {
        None => return Err(Skip::new("they were not asked for")),
        Some(Err(failure)) => return Ok(Judgement::failure(format!("{url}: {failure}"))),
        Some(Ok(answer)) => answer,
    };
    if let Some(trouble) = trouble_with_document(answer) {
        return Ok(Judgement::failure(format!("{url}: {trouble}")));
    }
    let set = document(answer).unwrap_or_default();
    let keys: Vec<&Value> = set.get("keys").and_then(Value::as_array).into_iter().flatten().collect();
    if keys.iter().any(|key| is_secret(key)) {
        return Ok(Judgement::failure("the published set holds a private or symmetric key: anybody can sign tokens")
            .mend("Take it down, make new keys, and treat every token signed with the old ones as forged."));
    }
    let usable: Vec<_> = keys.iter().filter_map(|key| usable(key).map(|name| (name, key["kid"].as_str()))).collect();
    if usable.is_empty() {
        return Ok(Judgement::failure(format!("{url}: none of its {} keys can verify a token", keys.len())));
    }
    let mut kids: Vec<_> = usable.iter().map(|(_, kid)| *kid).collect();
    kids.sort_unstable();
    if kids.windows(2).any(|pair| pair.first() == pair.last()) {
        return Ok(Judgement::warning(format!("{url}: two keys have the same kid, or none"))
            .mend("Give each key its own kid: otherwise verifiers cannot tell which one signed a token."));
    }
    let names: Vec<_> = usable.iter().map(|(name, _)| *name).collect();
    Ok(Judgement::ok(names.join(", ")))
}

fn is_secret(key: &Value) -> bool {
    key["kty"] == "oct" || key.get("d").is_some() || key.get("k").is_some()
}

/// What kind of key it is, if it can verify a signature.
fn usable(key: &Value) -> Option<&'static str> {
    if key.get("use").is_some_and(|it| it != "sig") {
        return None;
    }
    match (key["kty"].as_str()?, key["crv"].as_str()) {
        ("RSA", _) => {
            let modulus = URL_SAFE_NO_PAD.decode(key["n"].as_str()?).ok()?;
            (modulus.iter().skip_while(|byte| **byte == 0).count() >= RSA_BYTES_MIN).then_some("RSA")
        }
        ("EC", Some("P-256")) => Some("P-256"),
        ("EC", Some("P-384")) => Some("P-384"),
        ("EC", Some("P-521")) => Some("P-521"),
        ("OKP", Some("Ed25519")) => Some("Ed25519"),
        _ => None,
    }
}

pub fn mirror(record: &Record) -> Result<Judgement, Skip> {
    let provider = record.of_provider()?;
    let answer = record.of_server(Probe::Mirror)?;
    let url = record.url(Probe::Mirror);
    let Some(mirror) = document(answer) else {
        return Ok(if answer.status == 200 {
            Judgement::warning(format!("{url}: {}", trouble_with_document(answer).unwrap_or_default()))
                .mend("Answer 404 there.")
        } else {
            Judgement::ok(format!("nothing at {url}"))
        });
    };
    if mirror == provider {
        return Ok(Judgement::ok("it passes the provider's document on"));
    }
    Ok(match (string(&mirror, "issuer"), string(&provider, "issuer")) {
        (here, there) if here != there => Judgement::warning(format!(
            "{url} names the issuer {}, the provider {}",
            quote(here.unwrap_or_default()),
            quote(there.unwrap_or_default())
        )),
        _ => {
            let lost: Vec<_> =
                provider.keys().filter(|name| mirror.get(*name) != provider.get(*name)).cloned().collect();
            let added: Vec<_> = mirror.keys().filter(|name| !provider.contains_key(*name)).cloned().collect();
            let differing = [lost, added].concat().join(", ");
            Judgement::warning(format!("{url} differs from the provider's document in {}", quote(&differing)))
        }
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, json};

    use super::*;
    use crate::{
        exchange::FailureKind,
        finding::{
            Check,
            Verdict::{Failure as Bad, Ok as Fine, Skipped, Warning},
        },
        testing::{Change, expect, found},
    };

    const FOUND: Probe = Probe::Discovery(DiscoveryForm::OpenIdAppended);
    const FIRST: Probe = Probe::Discovery(DiscoveryForm::OAuthInserted);

    fn edited(change: impl FnOnce(&mut Map<String, Value>)) -> impl FnOnce(&mut Record) {
        move |record| record.edit(FOUND, change)
    }

    fn with(name: &'static str, value: Value) -> impl FnOnce(&mut Record) {
        edited(move |it| drop(it.insert(name.to_owned(), value)))
    }

    fn without(name: &'static str) -> impl FnOnce(&mut Record) {
        edited(move |it| drop(it.remove(name)))
    }

    #[test]
    fn a_provider_that_does_not_answer_is_one_failure() {
        let down = |record: &mut Record| {
            for form in DiscoveryForm::ALL {
                record.fail(Probe::Discovery(form), FailureKind::Connect);
            }
        };
        expect(Check::Discovery, Bad, "no connection", down);
        expect(Check::Pkce, Skipped, "could not be read", down);
        expect(Check::Keys, Skipped, "could not be read", down);
    }

    #[test]
    fn only_a_404_lets_clients_look_further() {
        expect(Check::Discovery, Bad, "do not look further", |it| it.put(FIRST, 200, "text/html", "<html>"));
        expect(Check::Discovery, Bad, "do not look further", |it| it.put(FIRST, 500, "text/plain", ""));
        expect(Check::Discovery, Fine, "third place", |it| it.put(FIRST, 403, "text/plain", ""));
    }

    #[test]
    fn the_issuer_is_compared_byte_for_byte() {
        expect(Check::Issuer, Bad, "the provider says \"https://tenant.logto.app/oidc/\"", {
            with("issuer", json!("https://tenant.logto.app/oidc/"))
        });
        expect(Check::Issuer, Bad, "no issuer", without("issuer"));
    }

    #[test]
    fn the_code_flow_needs_its_endpoints() {
        expect(Check::ProviderEndpoints, Bad, "no token_endpoint", without("token_endpoint"));
        let plain = with("authorization_endpoint", json!("http://tenant.logto.app/auth"));
        expect(Check::ProviderEndpoints, Bad, "not https", plain);
        expect(Check::ProviderEndpoints, Bad, "list code", with("response_types_supported", json!(["id_token"])));
        let machine = with("grant_types_supported", json!(["client_credentials"]));
        expect(Check::ProviderEndpoints, Bad, "list authorization_code", machine);
        expect(Check::ProviderEndpoints, Fine, "", without("response_types_supported"));
    }

    #[test]
    fn pkce_must_be_advertised_with_s256() {
        expect(Check::Pkce, Bad, "missing", without("code_challenge_methods_supported"));
        expect(Check::Pkce, Bad, "only \"plain\"", with("code_challenge_methods_supported", json!(["plain"])));
    }

    #[test]
    fn registration_says_who_is_left_out() {
        expect(Check::Registration, Fine, "Cursor, mcp-remote", without("registration_endpoint"));
        expect(Check::Registration, Fine, "dynamic", without("client_id_metadata_document_supported"));
        let neither = edited(|it| {
            it.remove("registration_endpoint");
            it.remove("client_id_metadata_document_supported");
        });
        expect(Check::Registration, Warning, "neither", neither);
        let useless = edited(|it| {
            it.remove("registration_endpoint");
            it.insert("token_endpoint_auth_methods_supported".into(), json!(["client_secret_basic"]));
        });
        expect(Check::Registration, Warning, "nobody can use them", useless);
        // Only `true` is an offer.
        expect(
            Check::Registration,
            Fine,
            "dynamic registration",
            with("client_id_metadata_document_supported", json!("yes")),
        );
        assert!(
            !found(Check::Registration, with("client_id_metadata_document_supported", json!("yes")))
                .seen
                .contains("document")
        );
    }

    #[test]
    fn what_makes_sign_in_lasting_and_safe_is_looked_for() {
        let secrets = with("token_endpoint_auth_methods_supported", json!(["client_secret_post"]));
        expect(Check::PublicClients, Warning, "only \"client_secret_post\"", secrets);
        expect(Check::PublicClients, Warning, "missing", without("token_endpoint_auth_methods_supported"));
        expect(
            Check::RefreshTokens,
            Warning,
            "does not list",
            with("grant_types_supported", json!(["authorization_code"])),
        );
        expect(Check::RefreshTokens, Warning, "missing", without("grant_types_supported"));
        expect(Check::ResponseIssuer, Warning, "not true", without("authorization_response_iss_parameter_supported"));
    }

    fn keys(keys: Value) -> impl FnOnce(&mut Record) {
        move |record| record.edit(Probe::Keys, |it| drop(it.insert("keys".to_owned(), keys)))
    }

    #[test]
    fn keys_must_be_there_and_fit_for_verifying() {
        expect(Check::Keys, Bad, "no jwks_uri", without("jwks_uri"));
        expect(Check::Keys, Bad, "in time", |it| it.fail(Probe::Keys, FailureKind::Timeout));
        expect(Check::Keys, Bad, "500", |it| it.put(Probe::Keys, 500, "", ""));
        expect(Check::Keys, Bad, "none of its 0 keys", keys(json!([])));
        expect(
            Check::Keys,
            Bad,
            "none of its 3 keys",
            keys(json!([
                { "kty": "EC", "crv": "secp256k1" },
                { "kty": "EC", "crv": "P-256", "use": "enc" },
                { "kty": "RSA", "n": URL_SAFE_NO_PAD.encode([0xff; 128]), "e": "AQAB" },
            ])),
        );
        expect(
            Check::Keys,
            Fine,
            "RSA, Ed25519",
            keys(json!([
                { "kty": "RSA", "n": URL_SAFE_NO_PAD.encode([0xff; 256]), "kid": "a" },
                { "kty": "OKP", "crv": "Ed25519", "kid": "b" },
            ])),
        );
    }

    #[test]
    fn keys_must_be_told_apart_and_public() {
        let twins = json!([{ "kty": "EC", "crv": "P-256", "kid": "a" }, { "kty": "EC", "crv": "P-384", "kid": "a" }]);
        expect(Check::Keys, Warning, "same kid", keys(twins));
        expect(
            Check::Keys,
            Bad,
            "anybody can sign",
            keys(json!([{ "kty": "EC", "crv": "P-256", "kid": "a", "d": "x" }])),
        );
        expect(Check::Keys, Bad, "anybody can sign", keys(json!([{ "kty": "oct", "k": "x" }])));
    }

    #[test]
    fn a_mirror_must_not_contradict_the_provider() {
        let mirrored = |change: fn(&mut Map<String, Value>)| {
            move |record: &mut Record| {
                let original = record.answer(FOUND).unwrap().clone();
                record.change(Probe::Mirror, |it| *it = original);
                record.edit(Probe::Mirror, change);
            }
        };
        expect(Check::Mirror, Fine, "passes the provider's document on", mirrored(|_| {}));
        expect(
            Check::Mirror,
            Warning,
            "names the issuer \"https://mcp.example.com\"",
            mirrored(|it| {
                it.insert("issuer".into(), json!("https://mcp.example.com"));
            }),
        );
        expect(
            Check::Mirror,
            Warning,
            "registration_endpoint, extra",
            mirrored(|it| {
                it.remove("registration_endpoint");
                it.insert("extra".into(), json!(1));
            }),
        );
        expect(Check::Mirror, Warning, "a page for people", |it| it.put(Probe::Mirror, 200, "text/html", "<html>"));
    }
}
