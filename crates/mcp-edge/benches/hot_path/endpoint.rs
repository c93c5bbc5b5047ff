//! Whole requests, from the parsed head to the response and its line of the log, without calls to JavaScript and WebCrypto.

use futures_util::FutureExt;
use gungraun::{library_benchmark, library_benchmark_group};
use mcp_edge::{endpoint::Endpoint, settings::Settings};
use mcp_edge_runtime::{
    app::{App, Handled},
    context::RequestContext,
    http::{RequestHead, Response},
    json::Object,
};
use mcp_edge_server::Server;

use super::protocol::{modern_call, modern_head, whoami};
use crate::support::{
    tokens::{self, ISSUER, RESOURCE, mint_pretended, pretended_jwk},
    world::World,
};

/// A deployment that has served a request before, and a request to it.
pub struct Scene {
    world: World,
    endpoint: Endpoint<(), World>,
    head: RequestHead<'static>,
    body: &'static str,
}

impl Scene {
    /// `token_number` tells the token that comes from the one that came before, which has the number 1.
    fn new(head: &RequestHead<'static>, token_number: Option<u64>) -> Self {
        let world = World::with_pretend_signatures();
        let key = pretended_jwk("k", 1);
        world.publish(ISSUER, std::slice::from_ref(&key));
        let settings = Settings::parse(|name| match name {
            "ISSUER" => Some(ISSUER.to_owned()),
            "RESOURCE" => Some(RESOURCE.to_owned()),
            "REQUIRED_SCOPES" => Some("whoami:read".to_owned()),
            _ => None,
        });
        let server = Server::builder("bench", "1").tool(whoami()).build().expect("good tools");
        let endpoint = Endpoint::new(settings.expect("good settings"), server, (), world.clone());
        let authorization = |number: u64| -> &'static str {
            let mut claims = tokens::claims(world.now());
            claims["jti"] = number.into();
            format!("Bearer {}", mint_pretended(&key, &claims)).leak()
        };
        let with_token = |number| head.clone().with_header("authorization", authorization(number));

        let first = with_token(1);
        let then = token_number.map_or_else(|| head.clone(), with_token);
        let scene = Self { world, endpoint, head: then, body: modern_call().to_string().leak() };
        let context = scene.world.context();
        let Handled { response, record } = scene.world.run(scene.endpoint.handle(&first, scene.body, &context));
        assert_eq!(response.status, 200, "{record:?}");
        scene
    }
}

fn call_head() -> RequestHead<'static> {
    modern_head("tools/call").with_header("mcp-name", "whoami")
}

fn known_token() -> (Scene, RequestContext) {
    prepared(Scene::new(&call_head(), Some(1)))
}

fn new_token() -> (Scene, RequestContext) {
    prepared(Scene::new(&call_head(), Some(2)))
}

fn no_token() -> (Scene, RequestContext) {
    prepared(Scene::new(&call_head(), None))
}

fn metadata() -> (Scene, RequestContext) {
    let mut scene = Scene::new(&call_head(), None);
    scene.head = RequestHead::new("GET", "/.well-known/oauth-protected-resource/mcp");
    prepared(scene)
}

fn prepared(scene: Scene) -> (Scene, RequestContext) {
    let context = scene.world.context();
    (scene, context)
}

fn is_let_in((_, response, line): (Scene, Response, String)) {
    assert_eq!(response.status, 200, "{line}");
    assert!(response.text().contains(r#""structuredContent":{"sub":"alice""#), "{}", response.text());
}

fn is_refused((_, response, line): (Scene, Response, String)) {
    assert_eq!(response.status, 401, "{line}");
    assert!(response.header("www-authenticate").is_some());
}

fn is_metadata((_, response, line): (Scene, Response, String)) {
    assert_eq!(response.status, 200, "{line}");
    assert!(response.text().contains(RESOURCE), "{}", response.text());
}

// One request of each kind.
#[library_benchmark]
#[bench::known_token(setup = known_token, teardown = is_let_in)]
#[bench::new_token(setup = new_token, teardown = is_let_in)]
#[bench::no_token(setup = no_token, teardown = is_refused)]
#[bench::metadata(setup = metadata, teardown = is_metadata)]
fn answer((scene, context): (Scene, RequestContext)) -> (Scene, Response, String) {
    let handling = scene.endpoint.handle(&scene.head, scene.body, &context);
    let Handled { response, record } = handling.now_or_never().expect("nothing here has to wait");
    let line = record.append_to(Object::new()).close();
    (scene, response, line)
}

library_benchmark_group!(name = requests, benchmarks = [answer]);
