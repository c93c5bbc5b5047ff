//! Skills: entries and files (MCP Skills extension, SEP-2640).

use mcp_edge_identity::Scopes;

use crate::{
    AccessNeeded, BuildError, Skill,
    primitives::skill::{IncludedContents, IncludedFile, IncludedSkill},
    testing::Client,
    tests::*,
};

// Digests are made by `include_skill!`, and tested there: these entries are passed on as they are.
static TEA: IncludedSkill = IncludedSkill {
    name: "tea",
    description: "Makes tea.",
    entry: r#"{"uri":"skill://tea/SKILL.md","frontmatter":{"name":"tea"},"resources":[]}"#,
    files: &[
        IncludedFile {
            uri: "skill://tea/SKILL.md",
            mime_type: "text/markdown",
            contents: IncludedContents::Text("---\nname: tea\n---\n\n\"Tea\"\n"),
        },
        IncludedFile {
            uri: "skill://tea/leaf.png",
            mime_type: "image/png",
            contents: IncludedContents::Bytes(&[1, 2]),
        },
    ],
};

static COFFEE: IncludedSkill = IncludedSkill {
    name: "coffee",
    description: "Makes coffee.",
    entry: r#"{"uri":"skill://coffee/SKILL.md"}"#,
    files: &[IncludedFile {
        uri: "skill://coffee/SKILL.md",
        mime_type: "text/markdown",
        contents: IncludedContents::Text("coffee"),
    }],
};

fn tea() -> Skill {
    Skill::included(&TEA)
}

fn coffee() -> Skill {
    Skill::included(&COFFEE)
}

fn kitchen() -> Server {
    build(
        Server::builder("t", "1")
            .scope("coffee", "Drink coffee")
            .resource(Resource::text("note://motd", "motd", "Hello"))
            .skill(tea())
            .skill(coffee().scope("coffee").needs_user()),
    )
}

fn client<'s>(server: &'s Server, scopes: &str) -> Client<'s, ()> {
    Client::new(server).identity(Identity::for_test("ada", scopes))
}

fn uris(list: &Value) -> Vec<&str> {
    list.as_array().into_iter().flatten().filter_map(|item| item["uri"].as_str()).collect()
}

#[test]
fn entries_are_listed_and_returned_as_they_were_made() {
    let server = kitchen();
    let ada = client(&server, "coffee");
    let entry: Value = serde_json::from_str(TEA.entry).unwrap_or_default();
    let list = run(ada.request("skills/list", json!({})));
    assert_eq!(list.result()["skills"][0], entry);
    assert_eq!(uris(&list.result()["skills"]), ["skill://tea/SKILL.md", "skill://coffee/SKILL.md"]);
    let got = run(ada.request("skills/get", json!({"uri": "skill://tea/SKILL.md"})));
    assert_eq!(got.result()["skill"], entry);
    for answer in [&list, &got] {
        assert_eq!(answer.result()["resultType"], "complete");
        assert_eq!(answer.result()["ttlMs"], 300_000);
    }
    // The list depends on who asks, and this skill is everybody's.
    assert_eq!((&list.result()["cacheScope"], &got.result()["cacheScope"]), (&json!("private"), &json!("public")));
    let got = run(ada.request("skills/get", json!({"uri": "skill://coffee/SKILL.md"})));
    assert_eq!(got.result()["cacheScope"], "private");
}

#[test]
fn a_list_of_skills_for_everybody_is_public_and_has_pages() {
    let server = build(Server::builder("t", "1").page_size(1).skill(tea()).skill(coffee()));
    let ada = client(&server, "");
    let first = run(ada.request("skills/list", json!({})));
    assert_eq!(first.result()["cacheScope"], "public");
    assert_eq!(uris(&first.result()["skills"]), ["skill://tea/SKILL.md"]);
    let rest = run(ada.request("skills/list", json!({"cursor": first.result()["nextCursor"]})));
    assert_eq!(uris(&rest.result()["skills"]), ["skill://coffee/SKILL.md"]);
    assert!(rest.result().get("nextCursor").is_none());
}

#[test]
fn files_are_resources_of_which_the_manifest_is_listed() {
    let server = kitchen();
    let ada = client(&server, "coffee");
    let list = run(ada.request("resources/list", json!({})));
    let manifest = json!({
        "uri": "skill://tea/SKILL.md", "name": "tea", "description": "Makes tea.", "mimeType": "text/markdown", "size": 25,
    });
    assert_eq!(list.result()["resources"][1], manifest);
    assert_eq!(uris(&list.result()["resources"]), ["note://motd", "skill://tea/SKILL.md", "skill://coffee/SKILL.md"]);
    let read = |uri: &str| run(ada.read_resource(uri)).result().clone();
    let text = "---\nname: tea\n---\n\n\"Tea\"\n";
    let manifest = read("skill://tea/SKILL.md");
    let expected = json!([{"uri": "skill://tea/SKILL.md", "text": text, "mimeType": "text/markdown"}]);
    assert_eq!((&manifest["contents"], &manifest["cacheScope"]), (&expected, &json!("public")));
    let picture = json!([{"uri": "skill://tea/leaf.png", "blob": "AQI=", "mimeType": "image/png"}]);
    assert_eq!(read("skill://tea/leaf.png")["contents"], picture);
    assert_eq!(read("skill://coffee/SKILL.md")["cacheScope"], "private");
    for uri in ["skill://tea", "skill://tea/", "skill://tea/other.md", "skill://tea/../tea/SKILL.md"] {
        assert_eq!(run(ada.read_resource(uri)).error_code(), Some(-32602), "{uri}");
    }
}

#[test]
fn skills_that_need_more_are_shown_to_nobody_else() {
    let server = kitchen();
    for other in [
        client(&server, ""),
        Client::new(&server).identity(
            Identity::for_test("cron", "coffee").with(|verified| verified.kind = mcp_edge_identity::Kind::Machine),
        ),
    ] {
        let list = run(other.request("skills/list", json!({})));
        assert_eq!(uris(&list.result()["skills"]), ["skill://tea/SKILL.md"]);
        let list = run(other.request("resources/list", json!({})));
        assert_eq!(uris(&list.result()["resources"]), ["note://motd", "skill://tea/SKILL.md"]);
        // As for any resource: refused before anything is returned, with what is missing.
        for request in [
            other.request("skills/get", json!({"uri": "skill://coffee/SKILL.md"})),
            other.request("resources/read", json!({"uri": "skill://coffee/SKILL.md"})),
        ] {
            let answer = run(request);
            assert!(answer.refused.is_some() && answer.message.is_null(), "{answer:?}");
        }
    }
    let refused = run(client(&server, "").request("skills/get", json!({"uri": "skill://coffee/SKILL.md"}))).refused;
    assert_eq!(refused, Some(AccessNeeded::Scopes(Scopes::parse("coffee"))));
    assert_eq!(server.scopes(), Scopes::parse("coffee"));
}

#[test]
fn what_is_no_skill_is_not_found() {
    let server = kitchen();
    let ada = client(&server, "coffee");
    for params in [
        json!({"uri": "skill://water/SKILL.md"}),
        json!({"uri": "skill://tea"}),
        json!({"uri": "skill://tea/leaf.png"}),
        json!({"uri": "note://motd"}),
        json!({"uri": "x".repeat(16_385)}),
        json!({"uri": 1}),
        json!({}),
    ] {
        let answer = run(ada.request("skills/get", params.clone()));
        assert_eq!((answer.error_code(), answer.refused), (Some(-32602), None), "{params}");
    }
    assert_eq!(run(ada.request("skills/list", json!({"cursor": "x"}))).error_code(), Some(-32602));
    // Not declared: the entry names all files.
    let directory = run(ada.request("resources/directory/read", json!({"uri": "skill://tea"})));
    assert_eq!(directory.error_code(), Some(-32601));
}

#[test]
fn both_eras_have_skills_and_declare_them() {
    let server = kitchen();
    let declared = json!({"resources": {}, "extensions": {"io.modelcontextprotocol/skills": {}}});
    let discover = run(client(&server, "").request("server/discover", json!({})));
    assert_eq!(discover.result()["capabilities"], declared);
    let legacy = client(&server, "").legacy();
    let initialize = run(legacy.request("initialize", json!({"protocolVersion": "2025-11-25"})));
    assert_eq!(initialize.result()["capabilities"], declared);
    let entry: Value = serde_json::from_str(TEA.entry).unwrap_or_default();
    let list = run(legacy.request("skills/list", json!({})));
    assert_eq!(list.result(), &json!({"skills": [entry]}));
    let got = run(legacy.request("skills/get", json!({"uri": "skill://tea/SKILL.md"})));
    assert_eq!(got.result(), &json!({"skill": entry}));
}

#[test]
fn a_server_without_skills_has_no_such_methods() {
    let server = build(Server::builder("t", "1").resource(Resource::text("note://motd", "motd", "Hello")));
    let ada = client(&server, "");
    for method in ["skills/list", "skills/get"] {
        let answer = run(ada.request(method, json!({"uri": "skill://tea/SKILL.md"})));
        assert_eq!((answer.status, answer.error_code()), (404, Some(-32601)), "{method}");
        assert_eq!(run(client(&server, "").legacy().request(method, json!({}))).error_code(), Some(-32601));
    }
    let discover = run(ada.request("server/discover", json!({})));
    assert_eq!(discover.result()["capabilities"], json!({"resources": {}}));
}

#[test]
fn the_builder_refuses_skills_of_one_name_and_scopes_that_are_not_declared() {
    let refusal = |builder: ServerBuilder<()>| match builder.build() {
        Err(error) => error,
        Ok(_) => panic!("this server must not be built"),
    };
    let twice = BuildError::Duplicate { kind: "resource", name: "skill://tea/leaf.png".to_owned() };
    assert_eq!(
        refusal(Server::builder("t", "1").skill(tea()).resource(Resource::text("skill://tea/leaf.png", "x", ""))),
        twice
    );
    let twice = BuildError::Duplicate { kind: "resource", name: "skill://coffee/SKILL.md".to_owned() };
    assert_eq!(refusal(Server::builder("t", "1").skill(coffee()).skill(coffee())), twice);
    let undeclared =
        BuildError::UndeclaredScope { item: "skill://coffee/SKILL.md".to_owned(), scope: "coffee".to_owned() };
    assert_eq!(refusal(Server::builder("t", "1").skill(coffee().scope("coffee"))), undeclared);
}

#[test]
fn the_log_has_the_skill_that_was_asked_for() {
    let server = kitchen();
    let summary = |uri: &str| Request::modern("skills/get", json!({"uri": uri})).send(&server).summary;
    let found = summary("skill://tea/SKILL.md");
    assert_eq!((found.method, found.name.as_deref()), (Some("skills/get"), Some("skill://tea/SKILL.md")));
    assert_eq!(summary("skill://made-up/SKILL.md").name, None);
}
