//! Connected accounts: links, round trips to services, confirmations, the list.

mod accounts;
mod confirmations;
mod links;
mod round_trips;

use std::ops::Deref;

use super::{
    connected::{ACCESS_TOKEN, ConnectedUser, REFRESH_TOKEN, SERVICE, TestServers},
    *,
};
use crate::{
    connected::message::Link, connection::caller::Agent, deployment::Deployment, secrets::account_name,
    service::ServiceError, vault::Vault,
};

/// The id of a link.
const ID: &str = "aB3xyzAAAAAAAAAAAAAAAA";

const LINK: &str = "/account/connect/aB3xyzAAAAAAAAAAAAAAAA";

/// A client whose id is the URL of its document.
const CLIENT: &str = "https://claude.example/oauth/client.json";

const CONNECTIONS: &str = r#"{
    "github": {
        "kind": "connect", "title": "GitHub <b>", "url": "https://api.github.example/v3", "scopes": "repo:read user:read",
        "scope_descriptions": { "user:read": "Read your <profile>" },
        "authorization_endpoint": "https://github.example/authorize", "token_endpoint": "https://github.example/token",
        "client_id": "gh"
    },
    "calendar": { "kind": "connect", "title": "Calendar", "url": "https://calendar.example", "scopes": "read", "issuer": "https://calendar.example" },
    "drive": {
        "kind": "connect", "title": "Drive", "url": "https://drive.example:8443/v1", "scopes": "openid files:read files:write offline_access",
        "issuer": "https://drive.example:8443"
    }
}"#;

const SETTINGS: [(&str, &str); 3] = [
    ("CONNECTIONS", CONNECTIONS),
    ("CONNECTIONS_SECRET", "a-secret-of-connections-of-32-characters"),
    ("CONNECTION_GITHUB_SECRET", "the-secret-of-gh"),
];

/// A deployment with connections.
struct Connecting {
    deployed: Deployed,
    servers: Rc<TestServers>,
}

impl Deref for Connecting {
    type Target = Deployed;

    fn deref(&self) -> &Deployed {
        &self.deployed
    }
}

/// Deploys with two connections, and changes to the settings.
fn deploy_connecting(changes: &[(&str, &str)]) -> Connecting {
    let offered = [("KEY_SCOPES", "whoami:read notes:read"), ("RESOURCE_NAME", "Notes")];
    let changes: Vec<_> = changes.iter().chain(&SETTINGS).chain(&offered).copied().collect();
    let outside: Services = Box::leak(Box::new(Outside::new()));
    let settings = parse(&changes).unwrap_or_else(|errors| panic!("{errors}"));
    let offered = settings.connections.of_accounts().map(|(it, _)| (it.name.clone(), it.scopes.clone())).collect();
    let servers = Rc::new(TestServers::new(offered));
    let of_pages: Rc<dyn crate::connect::servers::Servers> = Rc::clone(&servers) as _;
    let vault = Vault::connecting(Deployment::new(settings, TestPlatform(outside)), Some(of_pages));
    Connecting { deployed: Deployed { vault: Rc::new(vault), outside }, servers }
}

impl Connecting {
    /// Looks at the object of a user, or changes it.
    fn user<T>(&self, subject: &str, look: impl FnOnce(&mut ConnectedUser) -> T) -> T {
        let name = account_name(ISSUER, subject);
        look(self.outside.connected.borrow_mut().entry(name).or_default())
    }

    /// What has changed in the object of a user.
    fn changes(&self, subject: &str) -> Vec<&'static str> {
        self.user(subject, |user| user.changes.clone())
    }

    /// Makes a link of alice's.
    fn link(&self, agent: Agent) {
        let link = Link {
            connection: "github".to_owned(),
            scopes: vec!["repo:read".to_owned()],
            agent,
            user_of_token: "list_<issues>".to_owned(),
            is_spent: false,
            is_cancelled: false,
        };
        let until = self.outside.now.get() + 600;
        self.user("alice", |user| user.links.insert(ID.to_owned(), (link, until)));
    }

    /// A deployment with a link of alice's for a client, and her browser.
    fn with_link() -> (Self, Browser) {
        let deployed = deploy_connecting(&[]);
        deployed.link(Agent::Client(CLIENT.to_owned()));
        let browser = Browser::of(&deployed, "alice");
        (deployed, browser)
    }

    /// Everything that was written: lines of the log.
    fn log(&self) -> String {
        self.outside.log.borrow().join("\n")
    }
}

/// The `state` of a round trip to a service that a page leads to.
fn state_in(page: &Response) -> String {
    assert_eq!(page.status, 200, "{}", page.text());
    let url = page.text().split("url=").nth(1).and_then(|rest| rest.split('"').next()).expect("an address");
    assert!(url.starts_with(&format!("{SERVICE}/authorize?")), "{url}");
    Form::parse(url.split_once('?').unwrap().1.replace("&amp;", "&").as_str()).first("state").to_owned()
}

impl Browser {
    /// Agrees to a link, and goes to the service: the state.
    fn agree(&self, fields: &[(&str, &str)]) -> String {
        state_in(&self.post(LINK, fields).response)
    }

    /// Comes back from the service of a connection.
    fn back_at(&self, connection: &str, fields: &[(&str, &str)]) -> app::Handled {
        self.get(&format!("/account/connections/{connection}/callback?{}", encode(fields)))
    }

    /// Comes back with a code, to the question: its address.
    fn back(&self, state: &str) -> String {
        let back = self.back_at("github", &answer(state)).response;
        assert_eq!(back.status, 303, "{}", back.text());
        back.header("location").unwrap().to_owned()
    }

    /// Answers the question at this address.
    fn decide(&self, question: &str, decision: &str) -> app::Handled {
        let (path, query) = question.split_once('?').unwrap();
        let query = Form::parse(query);
        let fields = [("hold", query.first("hold")), ("link", query.first("link")), ("decision", decision)];
        self.post(path, &fields)
    }

    /// Whether a text is in a cookie of this browser.
    fn has_in_a_cookie(&self, text: &str) -> bool {
        self.cookies.borrow().values().any(|value| value.contains(text))
    }
}

/// What a service answers with.
fn answer(state: &str) -> [(&str, &str); 3] {
    [("code", "the-code"), ("state", state), ("iss", SERVICE)]
}
