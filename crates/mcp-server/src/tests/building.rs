//! What the builder refuses.

use crate::{BuildError, Cache, Icon, Json, SchemaError, TemplateError, tests::*};

fn refusal(builder: ServerBuilder<()>) -> BuildError {
    match builder.build() {
        Err(error) => error,
        Ok(_) => panic!("this server must not be built"),
    }
}

fn builder() -> ServerBuilder<()> {
    Server::builder("t", "1")
}

#[test]
fn names_are_what_clients_accept() {
    for name in ["", "a b", "ä", "a/b", "a.b", &"a".repeat(65)] {
        let expected = BuildError::Name { kind: "tool", name: name.to_owned() };
        assert_eq!(refusal(builder().tool(Tool::new(name, echo))), expected);
        let expected = BuildError::Name { kind: "prompt", name: name.to_owned() };
        assert_eq!(refusal(builder().prompt(Prompt::new(name, greet))), expected);
    }
    // Gemini wants a letter or `_` first. It reads no prompts.
    for name in ["2fa", "-x"] {
        let expected = BuildError::Name { kind: "tool", name: name.to_owned() };
        assert_eq!(refusal(builder().tool(Tool::new(name, echo))), expected);
        assert!(builder().prompt(Prompt::new(name, greet)).tool(Tool::new("_x", echo)).build().is_ok());
    }
    assert!(builder().tool(Tool::new("Az09_-", echo)).tool(Tool::new("a".repeat(64), echo)).build().is_ok());
}

#[test]
fn names_and_uris_are_unique() {
    let twice = |kind, name: &str| BuildError::Duplicate { kind, name: name.to_owned() };
    let tools = builder().tool(Tool::new("a", echo)).tool(Tool::new("b", echo)).tool(Tool::new("a", echo));
    assert_eq!(refusal(tools), twice("tool", "a"));
    let prompts = builder().prompt(Prompt::new("a", greet)).prompt(Prompt::new("a", greet));
    assert_eq!(refusal(prompts), twice("prompt", "a"));
    let resources = builder().resource(Resource::text("a:b", "x", "")).resource(Resource::text("a:b", "y", ""));
    assert_eq!(refusal(resources), twice("resource", "a:b"));
    let template = || ResourceTemplate::new("a:{b}", "x", note);
    assert_eq!(
        refusal(builder().resource_template(template()).resource_template(template())),
        twice("resource template", "a:{b}")
    );
    assert_eq!(refusal(builder().scope("s", "").scope("s", "")), twice("scope", "s"));
}

#[test]
fn scopes_are_declared() {
    let undeclared = BuildError::UndeclaredScope { item: "a".to_owned(), scope: "s".to_owned() };
    assert_eq!(refusal(builder().tool(Tool::new("a", echo).scope("s"))), undeclared);
    assert_eq!(refusal(builder().prompt(Prompt::new("a", greet).scope("s"))), undeclared);
    assert_eq!(refusal(builder().scope("a b", "")), BuildError::ScopeName("a b".to_owned()));
    let malformed = builder().scope("s", "").tool(Tool::new("a", echo).scope("s s"));
    assert!(matches!(refusal(malformed), BuildError::UndeclaredScope { scope, .. } if scope == "s s"));
    assert!(builder().scope("s", "").tool(Tool::new("a", echo).scope("s")).build().is_ok());
}

#[test]
fn schemas_are_fit_for_use() {
    let any = || Tool::new("a", |_: Call, _: Value| async { "" });
    let schema = |tool| match refusal(builder().tool(tool)) {
        BuildError::Schema { error, .. } => error,
        other => panic!("{other}"),
    };
    assert_eq!(schema(any()), SchemaError::NotAnObject);
    assert_eq!(schema(any().input_schema(json!({"type": "string"}))), SchemaError::NotAnObject);
    let remote = json!({"type": "object", "$ref": "https://example.com/s"});
    assert!(matches!(schema(any().input_schema(remote)), SchemaError::Reference(_)));
    let header = json!({"type": "object", "properties": {"a": {"type": "number", "x-mcp-header": "A"}}});
    assert!(matches!(schema(any().input_schema(header)), SchemaError::Header(_)));
    let fine = || any().input_schema(json!({"type": "object"}));
    assert_eq!(schema(fine().output_schema(json!("x"))), SchemaError::NotASchema);
    assert_eq!(schema(fine().output_schema(json!({"type": "array"}))), SchemaError::ResultNotAnObject);
    assert!(builder().tool(fine().output_schema(json!({"type": "object"}))).build().is_ok());
}

#[test]
fn names_of_arguments_are_what_model_apis_accept() {
    #[derive(Deserialize, JsonSchema)]
    #[allow(dead_code, reason = "only its schema is looked at")]
    struct Dollar {
        #[serde(rename = "$filter")]
        filter: String,
    }
    #[derive(Deserialize, JsonSchema)]
    #[allow(dead_code, reason = "only its schema is looked at")]
    struct Umlaut {
        größe: u8,
    }
    #[derive(Deserialize, JsonSchema)]
    #[allow(dead_code, reason = "only its schema is looked at")]
    struct Fine {
        #[serde(rename = "a.b-C_9")]
        field: Option<Umlaut>,
    }
    let refused = |tool| match refusal(builder().tool(tool)) {
        BuildError::Schema { error, .. } => error,
        other => panic!("{other}"),
    };
    let dollar = refused(Tool::new("a", |_: Dollar| async { "" }));
    assert_eq!(dollar, SchemaError::ArgumentName("$filter".to_owned()));
    assert!(dollar.to_string().contains("\"$filter\"") && dollar.to_string().contains("rename"), "{dollar}");
    assert_eq!(refused(Tool::new("a", |_: Umlaut| async { "" })), SchemaError::ArgumentName("größe".to_owned()));
    // Only those of the arguments themselves are checked there.
    assert!(builder().tool(Tool::new("a", |_: Fine| async { "" })).build().is_ok());
    // An author who writes a schema may have other clients in mind.
    let given = json!({"type": "object", "properties": {"$filter": {}}});
    assert!(builder().tool(Tool::new("a", |_: Value| async { "" }).input_schema(given)).build().is_ok());
}

#[derive(Deserialize, JsonSchema)]
#[serde(tag = "kind")]
#[allow(dead_code, reason = "only its schema is looked at")]
enum Shape {
    Circle { radius: f64 },
    Square { side: f64 },
}

#[derive(Deserialize, JsonSchema)]
#[allow(dead_code, reason = "only its schema is looked at")]
struct Drawing {
    name: String,
    #[serde(flatten)]
    shape: Shape,
}

#[test]
fn alternatives_at_the_root_are_refused_with_the_fix_unless_they_are_written_by_hand() {
    let alternatives = |tool| match refusal(builder().tool(tool)) {
        BuildError::Schema { error: error @ SchemaError::RootAlternatives(_), .. } => error.to_string(),
        other => panic!("{other}"),
    };
    let words = alternatives(Tool::new("a", |_: Call, _: Shape| async { "" }));
    assert!(words.contains("make the enum a field of the arguments"), "{words}");
    assert_eq!(alternatives(Tool::new("a", |_: Call, _: Drawing| async { "" })), words);
    let given = json!({"type": "object", "anyOf": [{"required": ["a"]}, {"required": ["b"]}]});
    assert!(builder().tool(Tool::new("a", |_: Call, _: Value| async { "" }).input_schema(given)).build().is_ok());
}

#[test]
fn results_are_objects() {
    #[derive(serde::Serialize, JsonSchema)]
    #[serde(tag = "kind")]
    enum Answer {
        Found { name: String },
        Missing,
    }
    async fn list(_: Call) -> Json<Vec<u8>> {
        Json(vec![1])
    }
    async fn answer(_: Call) -> Json<Answer> {
        Json(if false { Answer::Found { name: String::new() } } else { Answer::Missing })
    }
    let error = refusal(builder().tool(Tool::new("a", list)));
    assert!(matches!(&error, BuildError::Schema { error: SchemaError::ResultNotAnObject, .. }), "{error}");
    assert!(error.to_string().contains("put it into a struct"), "{error}");
    assert!(builder().tool(Tool::new("a", answer)).build().is_ok(), "an enum of objects is an object");
}

#[test]
fn uris_templates_icons_and_caches_are_sound() {
    for uri in ["", "a", "/a", "1a:b", "a:ä", "a:b c", "a:{b}"] {
        assert_eq!(refusal(builder().resource(Resource::text(uri, "x", ""))), BuildError::Uri(uri.to_owned()));
    }
    let template = refusal(builder().resource_template(ResourceTemplate::new("a:{+b}", "x", note)));
    let error = TemplateError::LoggingLevel("+b".to_owned());
    assert_eq!(template, BuildError::Template { template: "a:{+b}".to_owned(), error });
    let completed = ResourceTemplate::new("a:{b}", "x", note).complete_among("c", [""; 0]);
    assert!(matches!(refusal(builder().resource_template(completed)), BuildError::Template { .. }));
    let icon = || Icon::new("http://a.example/i.png");
    assert!(matches!(refusal(builder().icon(icon())), BuildError::Icon(_)));
    assert!(matches!(refusal(builder().tool(Tool::new("a", echo).icon(icon()))), BuildError::Icon(_)));
    let leaky = Resource::text("a:b", "x", "").scope("s").cache(Cache::public(std::time::Duration::ZERO));
    assert_eq!(refusal(builder().scope("s", "").resource(leaky)), BuildError::PublicCache("a:b".to_owned()));
    assert_eq!(refusal(builder().page_size(0)), BuildError::PageSize);
}

#[test]
fn what_went_wrong_is_said_with_its_place() {
    let error = refusal(builder().tool(Tool::new("a", |_: Call, _: Value| async { "" })));
    assert_eq!(
        error.to_string(),
        "the schema of tool \"a\": the arguments must be an object (root \"type\": \"object\"): put them into a struct with \
         a field for each"
    );
}
