//! The tokens of each provider's profile, as they are documented, and with changes: one claim at a time, and several.

use std::{collections::BTreeSet, fs, path::Path};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use mcp_edge_providers::Profile;
use mcp_edge_runtime::crypto::Algorithm;
use serde_json::{Map, Value};

use crate::{
    both::{Comparison, Outcome, Scene},
    mutations::{self, Random},
    support::{
        signatures::{KeyPair, key_pair, pretend},
        tokens::{RESOURCE, mint},
        world::{START, thumbprint},
    },
};

/// One token of the corpus, complete but for its signature, with the settings for it.
pub struct Specimen {
    pub name: String,
    pub scene: Scene,
    pub header: Map<String, Value>,
    pub claims: Map<String, Value>,
    pub profile: &'static Profile,
    /// The file that it is from.
    pub file: String,
    key: KeyPair,
}

impl Specimen {
    /// Signs another header and other claims with the same key.
    pub fn signed(&self, header: &Map<String, Value>, claims: &Map<String, Value>) -> String {
        let [header, claims] = [header, claims].map(|object| Value::Object(object.clone()));
        if !self.scene.ignores_signatures {
            return mint(&self.key, Algorithm::EdDSA, &header, &claims);
        }
        let [header, claims] = [header, claims].map(|object| URL_SAFE_NO_PAD.encode(object.to_string()));
        let input = format!("{header}.{claims}");
        let signature = pretend(&thumbprint(&self.key.jwk("k")), input.as_bytes());
        format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    fn ignoring_signatures(mut self) -> Self {
        self.scene.ignores_signatures = true;
        self
    }

    /// The kind of its caller; empty if it is refused.
    fn kind(&self) -> String {
        let token = self.signed(&self.header, &self.claims);
        let Outcome::Accepted(identity) = self.scene.of_library(&token) else { return String::new() };
        let identity: Value = serde_json::from_str(&identity).expect("JSON");
        identity["kind"].as_str().expect("a kind").to_owned()
    }

    /// The claims that its profile looks at and those that it has; of the generic profile, all that mean something.
    fn changes(&self) -> Vec<mutations::Change> {
        let own = self.profile.claims().map(str::to_owned).chain(self.claims.keys().cloned());
        let all = mutations::NAMES.into_iter().map(str::to_owned);
        let names: BTreeSet<String> =
            if self.file == "generic.json" { own.chain(all).collect() } else { own.collect() };
        mutations::of_claims(&self.claims, &names)
    }
}

/// The corpus of the library.
pub fn specimens() -> Vec<Specimen> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/oauth-resource-server/tests/profiles");
    let mut files: Vec<_> =
        fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("a file").path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "json"));
    files.sort();
    files.iter().flat_map(|file| of_file(file)).collect()
}

fn of_file(file: &Path) -> Vec<Specimen> {
    let corpus: Value = serde_json::from_str(&fs::read_to_string(file).expect("a text")).expect("JSON");
    let provider = corpus["provider"].as_str().expect("a name");
    let file_name = file.file_name().expect("a name").to_string_lossy().into_owned();
    let tokens = corpus["tokens"].as_array().expect("an array");
    let specimens = tokens.iter().map(|token| {
        let mut scene = Scene::new(&[("RESOURCE", RESOURCE), ("PROVIDER", provider)]);
        for (name, value) in corpus["settings"].as_object().expect("an object") {
            scene.settings.insert(name.clone(), value.as_str().expect("a string").to_owned());
        }
        let key = key_pair("ed25519");
        for issuer in &scene.policy().expect("valid settings").issuers {
            scene.publish(&issuer.issuer, &[key.jwk("k")]);
        }
        let mut claims = token["claims"].as_object().expect("an object").clone();
        claims.insert("iat".into(), (START - 60).into());
        claims.insert("exp".into(), (START + 3600).into());
        let mut header = token["header"].as_object().expect("an object").clone();
        header.insert("alg".into(), "EdDSA".into());
        header.insert("kid".into(), "k".into());
        let profile = mcp_edge_providers::named(provider).expect("a profile");
        Specimen {
            name: format!("{file_name}: {}", token["name"]),
            scene,
            header,
            claims,
            profile,
            file: file_name.clone(),
            key,
        }
    });
    specimens.collect()
}

#[test]
fn documented_tokens_are_judged_alike() {
    let mut comparison = Comparison::default();
    for specimen in specimens() {
        let token = specimen.signed(&specimen.header, &specimen.claims);
        let client = specimen.claims.get("client_id").or(specimen.claims.get("azp")).or(specimen.claims.get("cid"));
        let client = client.or(specimen.claims.get("appid")).and_then(Value::as_str).unwrap_or("x");
        for settings in [
            &[][..],
            &[("ALLOWED_CLIENTS", client)],
            &[("ALLOWED_CLIENTS", "other")],
            &[("DENIED_CLIENTS", client)],
            &[("DENIED_CLIENTS", "other"), ("FIRST_PARTY_CLIENTS", client)],
            &[("ALLOWED_ORGANIZATIONS", "org_1 72f988bf-86f1-41af-91ab-2d7cd011db47")],
            &[("REQUIRED_SCOPES", "notes:read")],
            &[("SCOPE_HIERARCHY", "notes:read=a a=b,c b=openid"), ("REQUIRED_SCOPES", "c")],
            &[("CLAIM_SCOPES", "notes:read=email,username,ver"), ("SCOPE_CLAIMS", "scp roles permissions scope")],
            &[("SCOPE_PREFIX", "https://mcp.example.com/mcp/"), ("ALLOWED_CLIENTS", "other")],
            &[("SCOPE_PREFIX", "https://mcp.example.com/mcp/"), ("ALLOWED_CLIENTS", client)],
            &[("CLIENT_ID_CLAIMS", "sub"), ("TOKEN_TYPES", "none jwt at+jwt")],
            &[("ORGANIZATION_CLAIM", "sub"), ("DENIED_KEYS", "k")],
            &[("DENIED_ISSUED_BEFORE", "1794999939")],
            &[("DENIED_ISSUED_BEFORE", "1794999941")],
            &[("PROVIDER", "generic")],
            &[("PROVIDER", "keycloak"), ("ISSUER", "https://login.example.com")],
        ] {
            let scene = specimen.scene.clone().with(settings);
            comparison.compare(&scene, &token, || format!("{} {settings:?}", specimen.name));
        }
    }
    assert!(comparison.accepted > 100, "{}", comparison.accepted);
    comparison.finish();
}

#[test]
fn tokens_with_one_change_are_judged_alike() {
    let mut comparison = Comparison::default();
    // One of each kind for each provider.
    let mut kinds = BTreeSet::new();
    let is_new = |specimen: &Specimen| {
        let kind = specimen.kind();
        !kind.is_empty() && kinds.insert((specimen.file.clone(), kind))
    };
    let all = specimens().into_iter().filter(is_new).map(Specimen::ignoring_signatures);
    for (number, specimen) in all.enumerate() {
        // A third of the changes for each, another one for the next.
        for (claim, value) in specimen.changes().into_iter().skip(number % 3).step_by(3) {
            let mut claims = specimen.claims.clone();
            mutations::set(&mut claims, &claim, value.clone());
            let token = specimen.signed(&specimen.header, &claims);
            comparison.compare(&specimen.scene, &token, || format!("{}: {claim} = {value:?}", specimen.name));
        }
    }
    assert!(comparison.count() > 10_000, "{}", comparison.count());
    comparison.finish();
}

#[test]
fn headers_with_one_change_are_judged_alike() {
    let mut comparison = Comparison::default();
    for name in ["generic", "okta"] {
        let good = |specimen: &Specimen| specimen.profile.name == name && !specimen.kind().is_empty();
        let mut specimen = specimens().into_iter().find(good).expect("a good token");
        for (member, value) in mutations::of_header() {
            let mut header = specimen.header.clone();
            mutations::set(&mut header, &member, value.clone());
            // These two choose the key, so that its signature has to be real.
            specimen.scene.ignores_signatures = !matches!(member.as_str(), "alg" | "kid");
            let token = specimen.signed(&header, &specimen.claims);
            comparison.compare(&specimen.scene, &token, || format!("{}: header {member} = {value:?}", specimen.name));
        }
    }
    assert!(comparison.count() > 1000, "{}", comparison.count());
    comparison.finish();
}

#[test]
fn tokens_with_several_changes_are_judged_alike() {
    let mut comparison = Comparison::default();
    let mut random = Random::new(0x6d63_705f_6564_6765);
    let specimens = specimens().into_iter().map(Specimen::ignoring_signatures);
    let specimens: Vec<_> = specimens.map(|specimen| (specimen.changes(), specimen)).collect();
    for _ in 0..8_000 {
        let (all, specimen) = random.choose(&specimens);
        let (mut claims, mut changes) = (specimen.claims.clone(), Vec::new());
        for _ in 0..=random.below(3) {
            let (claim, value) = random.choose(all).clone();
            mutations::set(&mut claims, &claim, value.clone());
            changes.push((claim, value));
        }
        let settings = random.choose(&mutations::SETTINGS);
        let scene = specimen.scene.clone().with(settings);
        let token = specimen.signed(&specimen.header, &claims);
        comparison.compare(&scene, &token, || format!("{}: {changes:?} {settings:?}", specimen.name));
    }
    comparison.finish();
}
