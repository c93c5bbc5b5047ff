//! The whole server but the platform's `fetch`, natively: connections and services are handed in.

use std::{
    cell::{Cell, RefCell},
    future::{Future, ready},
    pin::Pin,
    rc::Rc,
};

use mcp_edge::{
    AccessNeeded, Connections, Identity, Kind, NoAccess, Secret, Server, ServiceAccess, TokenRequest,
    testing::{Client, ServerResponse, run},
};
use serde_json::{Value, json};

use crate::{
    server,
    web::{Answer, NoAnswer, Web},
};

const CALENDAR: &str = "https://calendar.example/api";

/// Services that answer as a test wants, and keep what they were asked: address and `Authorization`.
#[derive(Clone, Default)]
struct Services {
    answers: Rc<RefCell<Vec<Result<Answer, NoAnswer>>>>,
    asked: Rc<RefCell<Vec<(String, String)>>>,
}

impl Web for Services {
    async fn get(&self, url: &str, authorization: &Secret) -> Result<Answer, NoAnswer> {
        self.asked.borrow_mut().push((url.to_owned(), authorization.expose().to_owned()));
        self.answers.borrow_mut().remove(0)
    }
}

fn answer(status: u16, body: &Value) -> Answer {
    Answer { status, body: body.to_string() }
}

struct World {
    server: Server<Services>,
    services: Services,
}

impl World {
    fn answering(answers: impl IntoIterator<Item = Answer>) -> Self {
        Self::of(answers.into_iter().map(Ok).collect())
    }

    fn of(answers: Vec<Result<Answer, NoAnswer>>) -> Self {
        let services = Services { answers: Rc::new(RefCell::new(answers)), ..Services::default() };
        Self { server: server().unwrap_or_else(|error| panic!("{error}")), services }
    }

    /// The client of a user who has connected a calendar.
    fn client(&self) -> Client<'_, Services> {
        self.stranger().connection_at("calendar", "token-of-ada", CALENDAR)
    }

    /// The client of a user who has connected nothing.
    fn stranger(&self) -> Client<'_, Services> {
        let client = Client::with_env(&self.server, self.services.clone());
        client.identity(Identity::for_test("ada", "agenda:read")).not_connected("calendar")
    }

    fn asked(&self) -> Vec<(String, String)> {
        self.services.asked.borrow().clone()
    }
}

fn list(client: &Client<'_, Services>) -> ServerResponse {
    run(client.call_tool("list_events", json!({"days": 2})))
}

#[test]
fn events_come_from_the_users_calendar() {
    let events = json!({"events": [{"id": "1", "title": "Dentist", "starts_at": "2027-01-15T09:00:00Z"}]});
    let world = World::answering([answer(200, &events)]);
    let answer = list(&world.client());
    let event = json!({"title": "Dentist", "starts_at": "2027-01-15T09:00:00Z"});
    assert_eq!(answer.result()["structuredContent"]["events"], json!([event]));
    assert_eq!(world.asked(), [(format!("{CALENDAR}/events?days=2"), "Bearer token-of-ada".to_owned())]);
    assert!(!answer.message.to_string().contains("token-of-ada"));
}

#[test]
fn invoices_come_from_the_api_of_the_company() {
    let invoices = json!({"invoices": [{"number": "7", "amount": "49.00 EUR", "due_on": "2027-01-31"}]});
    let world = World::answering([answer(200, &invoices)]);
    let ada = world.stranger().connection_at("billing", "exchanged", "https://billing.example/api/");
    let answer = run(ada.call_tool("my_invoices", json!({})));
    assert_eq!(answer.result()["structuredContent"], invoices);
    assert_eq!(world.asked(), [("https://billing.example/api/invoices".to_owned(), "Bearer exchanged".to_owned())]);
}

#[test]
fn without_a_connected_account_the_user_gets_a_link_and_no_service_is_asked() {
    let world = World::answering([]);
    for client in [world.stranger(), world.stranger().legacy()] {
        let answer = list(&client);
        assert!(
            answer.is_error() && answer.text().contains("https://vault.test/account/connect/calendar"),
            "{answer:?}"
        );
    }
    let shows_links = world.stranger().capabilities(json!({"elicitation": {"url": {}}}));
    let question = list(&shows_links).result()["inputRequests"]["connect:calendar"]["params"].clone();
    assert_eq!(question["url"], "https://vault.test/account/connect/calendar");
    assert!(world.asked().is_empty());
}

/// Tokens that are good until the service refuses them: each further one has a higher number.
#[derive(Default)]
struct Renewing(Cell<usize>);

impl Connections for Renewing {
    fn access<'a>(
        &'a self,
        request: TokenRequest<'a>,
    ) -> Pin<Box<dyn Future<Output = Result<ServiceAccess, NoAccess>> + 'a>> {
        if request.refused.is_some() {
            self.0.set(self.0.get() + 1);
        }
        let token = Secret::new(format!("token-{}", self.0.get()));
        let (connection, scopes) = (request.connection.to_owned(), request.scopes.join(" "));
        Box::pin(ready(Ok(ServiceAccess { connection, token, scopes, url: CALENDAR.to_owned() })))
    }
}

#[test]
fn a_token_that_the_service_refuses_is_replaced_once() {
    let world = World::answering([answer(401, &json!({})), answer(200, &json!({"events": []}))]);
    let ada = world.client().connections(Rc::new(Renewing::default()));
    assert_eq!(list(&ada).result()["structuredContent"], json!({"events": []}));
    let sent: Vec<_> = world.asked().into_iter().map(|(_, authorization)| authorization).collect();
    assert_eq!(sent, ["Bearer token-0", "Bearer token-1"]);

    let world = World::answering([answer(401, &json!({})), answer(401, &json!({}))]);
    assert!(list(&world.client().connections(Rc::new(Renewing::default()))).is_error());
    assert_eq!(world.asked().len(), 2);
}

#[test]
fn an_account_that_has_ended_is_connected_anew() {
    let world = World::answering([answer(401, &json!({}))]);
    let answer = list(&world.client());
    assert!(answer.text().contains("https://vault.test/account/connect/calendar"), "{}", answer.text());
}

#[test]
fn a_service_that_is_down_is_no_reason_to_connect_it_anew() {
    for down in [Err(NoAnswer), Ok(answer(503, &json!({})))] {
        let world = World::of(vec![down]);
        let answer = list(&world.client());
        assert_eq!(answer.text(), "calendar cannot be reached at the moment; try again in a minute");
    }
}

#[test]
fn what_a_service_says_is_shown_to_nobody_unless_it_is_events() {
    for body in [json!({"events": "secret"}), json!({"error": "secret"})] {
        for status in [200, 302, 400] {
            let lines = Rc::new(RefCell::new(Vec::new()));
            let log = Rc::clone(&lines);
            let world = World::answering([answer(status, &body)]);
            let answer = list(&world.client().report(move |line| log.borrow_mut().push(line.to_owned())));
            assert!(answer.is_error() && !answer.text().contains("secret"), "{}", answer.text());
            assert_eq!(lines.borrow().len(), 1);
        }
    }
}

#[test]
fn only_users_with_the_scope_have_an_agenda() {
    let world = World::answering([]);
    let machine = world
        .client()
        .identity(Identity::for_test("robot", "agenda:read").with(|verified| verified.kind = Kind::Machine));
    assert_eq!(list(&machine).refused, Some(AccessNeeded::User));
    let other = world.client().identity(Identity::for_test("ada", "other"));
    assert!(matches!(list(&other).refused, Some(AccessNeeded::Scopes(_))));
}

#[test]
fn lists_say_which_connections_a_tool_uses() {
    let world = World::answering([]);
    let answer = run(world.client().request("tools/list", json!({})));
    let tools = answer.result()["tools"].as_array().cloned().unwrap_or_default();
    let connections: Vec<Value> = tools.iter().map(|tool| tool["_meta"]["mcp-edge/connections"].clone()).collect();
    let expected = [
        json!([{"name": "calendar", "scopes": ["events:read"]}]),
        json!([{"name": "billing", "scopes": ["invoices:read"]}]),
    ];
    assert_eq!(connections, expected);
}
