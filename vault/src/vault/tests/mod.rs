//! `/account` natively: browsers, a provider, and objects in memory.

mod administration;
mod connected;
mod connecting;
mod creation;
mod keys;
mod requests;
mod revocation;
mod world;

use std::{cell::RefCell, collections::BTreeMap, rc::Rc};

use futures_util::future::FutureExt;
use mcp_edge_oauth::client_authentication::form_encode;
use mcp_edge_runtime::{
    app::{self, App},
    base64::URL_SAFE_NO_PAD,
    context::{Connection, RequestContext},
    http::{RequestHead, Response},
};
use mcp_edge_sign_in::form::Form;
use serde_json::{Value, json};

use self::world::{Outside, SIGNATURE, Services, TestPlatform};
use super::Vault;
use crate::settings::tests::{ISSUER, RESOURCE, parse};

const HOST: &str = "https://mcp.example.com";

/// A form that makes a key.
const FORM: [(&str, &str); 3] = [("name", "Nightly <build>"), ("scope", "notes:read"), ("days", "30")];

struct Address;

impl Connection for Address {
    fn address(&self) -> Option<String> {
        Some("192.0.2.1".to_owned())
    }
}

/// A deployment with its surroundings.
#[derive(Clone)]
struct Deployed {
    vault: Rc<Vault<TestPlatform>>,
    outside: Services,
}

/// Deploys with changes to the settings.
fn deploy(changes: &[(&str, &str)]) -> Deployed {
    let offered = [("KEY_SCOPES", "whoami:read notes:read notes:write"), ("RESOURCE_NAME", "Notes")];
    let changes: Vec<_> = changes.iter().chain(&offered).copied().collect();
    let outside: Services = Box::leak(Box::new(Outside::new()));
    let settings = parse(&changes).unwrap_or_else(|errors| panic!("{errors}"));
    Deployed { vault: Rc::new(Vault::new(settings, TestPlatform(outside))), outside }
}

impl Deployed {
    fn send(&self, method: &str, target: &str, headers: &[(&str, &str)], body: &str) -> app::Handled {
        let head =
            headers.iter().fold(RequestHead::new(method, target), |head, (name, value)| head.with_header(name, value));
        let context =
            RequestContext { request_id: String::new(), now: self.outside.now.get(), connection: Rc::new(Address) };
        let handled = self.vault.handle(&head, body, &context).now_or_never().expect("nothing here waits");
        assert_eq!(handled.response.unsendable_header(), None, "{method} {target}");
        handled
    }

    fn post_form(&self, path: &str, fields: &[(&str, &str)]) -> app::Handled {
        self.send("POST", path, &[("content-type", "application/x-www-form-urlencoded")], &encode(fields))
    }
}

fn encode(fields: &[(&str, &str)]) -> String {
    let pairs: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={}", form_encode(value))).collect();
    pairs.join("&")
}

/// A signed token of the provider's.
fn token(claims: &Value) -> String {
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let typ = if claims.get("nonce").is_some() { "JWT" } else { "at+jwt" };
    let header = json!({ "alg": "ES384", "typ": typ, "kid": "k" });
    format!("{}.{}.{}", encode(&header), encode(claims), URL_SAFE_NO_PAD.encode(SIGNATURE))
}

/// A browser with its cookies.
struct Browser {
    deployed: Deployed,
    cookies: RefCell<BTreeMap<String, String>>,
}

impl Browser {
    /// One that nobody is signed in with.
    fn new(deployed: &Deployed) -> Self {
        Self { deployed: deployed.clone(), cookies: RefCell::default() }
    }

    /// One with a session of `subject`.
    fn of(deployed: &Deployed, subject: &str) -> Self {
        let browser = Self::new(deployed);
        browser.sign_in(subject);
        browser
    }

    fn sign_in(&self, subject: &str) {
        assert_eq!(self.sign_in_at("/account/sign-in", subject), "/account/keys");
    }

    /// Signs in at this address, and returns where that leads.
    fn sign_in_at(&self, path: &str, subject: &str) -> String {
        let begun = self.get(path).response;
        assert_eq!(begun.status, 303, "{}", begun.text());
        let sent = Form::parse(begun.header("location").unwrap().split_once('?').unwrap().1);
        assert_eq!((sent.first("scope"), sent.first("resource")), ("openid profile", ""));
        let back = self.come_back(&sent, |id, _| id["sub"] = subject.into());
        assert_eq!(back.response.status, 303, "{}", back.response.text());
        back.response.header("location").unwrap().to_owned()
    }

    fn send(&self, method: &str, target: &str, headers: &[(&str, &str)], body: &str) -> app::Handled {
        let pairs: Vec<String> = self.cookies.borrow().iter().map(|(name, value)| format!("{name}={value}")).collect();
        let cookies = pairs.join("; ");
        let headers: Vec<_> = headers.iter().copied().chain([("cookie", cookies.as_str())]).collect();
        let handled = self.deployed.send(method, target, &headers, body);
        for (_, value) in handled.response.headers.iter().filter(|(name, _)| *name == "set-cookie") {
            let (name, rest) = value.split_once('=').unwrap();
            let value = rest.split(';').next().unwrap_or_default();
            match value {
                "" => self.cookies.borrow_mut().remove(name),
                value => self.cookies.borrow_mut().insert(name.to_owned(), value.to_owned()),
            };
        }
        handled
    }

    fn get(&self, target: &str) -> app::Handled {
        self.send("GET", target, &[], "")
    }

    /// The token of the session, as a page has it.
    fn csrf(&self) -> String {
        let page = self.get("/account/keys").response;
        let after = page.text().split("name=\"csrf\" value=\"").nth(1).expect("a form");
        after.split('"').next().unwrap().to_owned()
    }

    fn post(&self, path: &str, fields: &[(&str, &str)]) -> app::Handled {
        let csrf = self.csrf();
        let fields: Vec<_> = fields.iter().copied().chain([("csrf", csrf.as_str())]).collect();
        let headers = [
            ("content-type", "application/x-www-form-urlencoded"),
            ("origin", HOST),
            ("sec-fetch-site", "same-origin"),
        ];
        self.send("POST", path, &headers, &encode(&fields))
    }

    /// Begins to make a key: what the provider is asked for.
    fn begin(&self, path: &str, fields: &[(&str, &str)]) -> Form {
        sent_to(&self.post(path, fields).response)
    }

    /// Comes back from the provider, which answers with an ID token and an access token, both changed.
    fn come_back(&self, sent: &Form, change: impl FnOnce(&mut Value, &mut Value)) -> app::Handled {
        let now = self.deployed.outside.now.get();
        let mut id = json!({
            "iss": ISSUER, "aud": "vault", "sub": "alice", "name": "Alice <a>", "nonce": sent.first("nonce"),
            "iat": now, "exp": now + 3_600, "auth_time": now - 60,
        });
        let asked: Vec<_> = sent.first("scope").split(' ').filter(|it| it.contains(':')).collect();
        let mut answer = json!({
            "iss": ISSUER, "aud": RESOURCE, "sub": "alice", "client_id": "vault", "scope": asked.join(" "),
            "iat": now, "exp": now + 600, "grant_id": "grant-1",
        });
        change(&mut id, &mut answer);
        if answer["sub"] == "alice" {
            answer["sub"] = id["sub"].clone();
        }
        let mut tokens = json!({
            "access_token": token(&answer), "token_type": "Bearer", "id_token": token(&id),
            "refresh_token": "the-refresh-token",
        });
        if answer.get("no_refresh_token").is_some() {
            tokens.as_object_mut().unwrap().remove("refresh_token");
        }
        *self.deployed.outside.tokens.borrow_mut() = (200, tokens);
        self.return_with(sent)
    }

    /// Comes back with a code.
    fn return_with(&self, sent: &Form) -> app::Handled {
        let query = encode(&[("code", "the-code"), ("state", sent.first("state")), ("iss", ISSUER)]);
        self.get(&format!("/account/callback?{query}"))
    }

    /// Makes a key, and returns it.
    fn make(&self, fields: &[(&str, &str)], subject: &str) -> String {
        let sent = self.begin("/account/keys", fields);
        let page = self.come_back(&sent, |id, _| id["sub"] = subject.into()).response;
        key_in(&page)
    }
}

/// The query of the address that a page leads to.
fn sent_to(page: &Response) -> Form {
    assert_eq!(page.status, 200, "{}", page.text());
    let url = page.text().split("url=").nth(1).and_then(|rest| rest.split('"').next()).expect("an address");
    assert!(url.starts_with(&format!("{ISSUER}/auth?")), "{url}");
    assert!(page.text().contains(&format!("href=\"{url}\"")), "a link, too");
    Form::parse(url.split_once('?').unwrap().1.replace("&amp;", "&").as_str())
}

/// The key that a page shows.
fn key_in(page: &Response) -> String {
    assert_eq!(page.status, 200, "{}", page.text());
    let after = page.text().split("<code id=\"key\">").nth(1).expect("a key");
    after.split('<').next().unwrap().to_owned()
}

/// The id in a key.
fn id_of(key: &str) -> &str {
    key.split('_').nth(1).unwrap()
}
