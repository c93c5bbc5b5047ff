//! The whole server but KV, natively: requests through all layers but HTTP, and a store in memory.

use std::{cell::RefCell, collections::BTreeMap, rc::Rc};

use mcp_edge::{
    AccessNeeded, Identity, Kind, Scopes, Server,
    testing::{Client, ServerResponse, run},
};
use serde_json::{Value, json};

use crate::{
    note::{BODY_CHARACTERS, NoteId, TITLE_CHARACTERS},
    notebook::NOTES,
    server,
    store::{Metadata, NoteStore, StoreError},
};

/// A store in memory.
#[derive(Clone, Default)]
struct Memory {
    entries: Rc<RefCell<BTreeMap<String, (String, Metadata)>>>,
    broken: Rc<RefCell<bool>>,
}

impl Memory {
    fn check(&self) -> Result<(), StoreError> {
        if *self.broken.borrow() { Err(StoreError("the disk is on fire".to_owned())) } else { Ok(()) }
    }

    fn len(&self) -> usize {
        self.entries.borrow().len()
    }
}

impl NoteStore for Memory {
    async fn list(&self, prefix: &str) -> Result<Vec<(String, Metadata)>, StoreError> {
        self.check()?;
        let entries = self.entries.borrow();
        let found = entries.iter().filter(|(key, _)| key.starts_with(prefix));
        Ok(found.map(|(key, (_, metadata))| (key.clone(), metadata.clone())).collect())
    }

    async fn get(&self, key: &str) -> Result<Option<String>, StoreError> {
        self.check()?;
        Ok(self.entries.borrow().get(key).map(|(text, _)| text.clone()))
    }

    async fn put(&self, key: &str, text: &str, metadata: &Metadata) -> Result<(), StoreError> {
        self.check()?;
        self.entries.borrow_mut().insert(key.to_owned(), (text.to_owned(), metadata.clone()));
        Ok(())
    }

    async fn delete(&self, key: &str) -> Result<(), StoreError> {
        self.check()?;
        self.entries.borrow_mut().remove(key);
        Ok(())
    }
}

/// The scopes of somebody who may do everything.
const ALL: &str = "notes:read notes:write";

/// The server, and what is in its store.
struct World {
    server: Server<Memory>,
    memory: Memory,
}

impl World {
    fn new() -> Self {
        Self { server: server().unwrap_or_else(|error| panic!("{error}")), memory: Memory::default() }
    }

    fn client(&self, identity: Identity) -> Client<'_, Memory> {
        Client::with_env(&self.server, self.memory.clone()).identity(identity).capabilities(json!({"elicitation": {}}))
    }

    /// The client of a user who has granted everything.
    fn user(&self, subject: &str) -> Client<'_, Memory> {
        self.client(Identity::for_test(subject, ALL))
    }
}

fn create(client: &Client<'_, Memory>, title: &str) -> String {
    let answer = run(client.call_tool("create_note", json!({"title": title, "body": format!("About {title}")})));
    text(&answer.result()["structuredContent"]["id"])
}

/// The second round: the same request with what the user did.
fn delete(client: &Client<'_, Memory>, id: &str, action: &Value) -> ServerResponse {
    let params = json!({"name": "delete_note", "arguments": {"id": id}, "inputResponses": {"confirm": action}});
    run(client.request("tools/call", params))
}

fn titles(client: &Client<'_, Memory>) -> Vec<String> {
    let answer = run(client.call_tool("list_notes", json!({})));
    let notes = answer.result()["structuredContent"]["notes"].as_array().cloned().unwrap_or_default();
    notes.iter().map(|note| text(&note["title"])).collect()
}

fn names(client: &Client<'_, Memory>, method: &str, member: &str) -> Vec<String> {
    let answer = run(client.request(method, json!({})));
    let items = answer.result()[member].as_array().cloned().unwrap_or_default();
    items.iter().map(|item| text(&item["name"])).collect()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

#[test]
fn a_note_is_read_as_it_was_written() {
    let world = World::new();
    let ada = world.user("ada");
    let id = create(&ada, " Milk ");
    let answer = run(ada.call_tool("read_note", json!({"id": id})));
    let note = &answer.result()["structuredContent"];
    assert_eq!(*note, json!({"id": id, "title": "Milk", "body": "About  Milk ", "created_at": mcp_edge::testing::NOW}));
}

#[test]
fn a_random_id_has_the_form_of_an_id() {
    let world = World::new();
    let ada = world.user("ada");
    let (one, other) = (create(&ada, "one"), create(&ada, "other"));
    assert_ne!(one, other);
    assert!([one, other].into_iter().all(|id| NoteId::try_from(id).is_ok()));
}

#[test]
fn the_newest_note_comes_first() {
    let world = World::new();
    // One client: another would draw the same random ids again.
    let mut ada = world.user("ada");
    for (time, title) in [(10, "old"), (30, "new"), (20, "between")] {
        ada = ada.now(time);
        create(&ada, title);
    }
    assert_eq!(titles(&ada), ["new", "between", "old"]);
}

#[test]
fn users_see_their_own_notes_only() {
    let world = World::new();
    let (ada, bob) = (world.user("ada"), world.user("bob"));
    let id = create(&ada, "Secret");
    assert_eq!(titles(&bob), [""; 0]);
    let answer = run(bob.call_tool("read_note", json!({"id": id})));
    assert_eq!(answer.text(), format!("there is no note {id}; list_notes shows all"));
    assert_eq!(run(bob.read_resource(&format!("note://{id}"))).error_code(), Some(-32602));
    assert!(delete(&bob, &id, &json!({"action": "accept", "content": {"confirm": true}})).is_error());
    assert_eq!(titles(&ada), ["Secret"]);

    let namesake = Identity::for_test("ada", ALL).with(|verified| verified.issuer = "https://other.example".to_owned());
    assert_eq!(titles(&world.client(namesake)), [""; 0]);
}

#[test]
fn an_id_that_is_none_reaches_no_key() {
    let world = World::new();
    let ada = world.user("ada");
    create(&ada, "Secret");
    let key = world.memory.entries.borrow().keys().next().cloned().unwrap_or_default();
    let bob = world.user("bob");
    for id in [key.as_str(), "../0123456789ab", "", "0123456789AB"] {
        let answer = run(bob.call_tool("read_note", json!({"id": id})));
        assert!(answer.is_error() && answer.text().contains("twelve hexadecimal digits"), "{id}: {}", answer.text());
    }
    let escaped = format!("note://{}", key.replace('/', "%2F"));
    assert_eq!(run(bob.read_resource(&escaped)).error_code(), Some(-32602));
}

#[test]
fn lists_show_what_the_scopes_allow() {
    let world = World::new();
    let reader = world.client(Identity::for_test("ada", "notes:read"));
    assert_eq!(names(&reader, "tools/list", "tools"), ["list_notes", "read_note"]);
    assert_eq!(names(&reader, "resources/list", "resources"), ["index", "mcp-edge"]);
    assert_eq!(names(&reader, "resources/templates/list", "resourceTemplates"), ["note"]);
    assert_eq!(names(&reader, "prompts/list", "prompts"), ["summarize_notes"]);
    let all = ["list_notes", "read_note", "create_note", "import_notes", "delete_note"];
    assert_eq!(names(&world.user("ada"), "tools/list", "tools"), all);
    assert_eq!(names(&world.user("ada"), "resources/list", "resources"), ["index", "tidy-notes", "mcp-edge"]);
}

#[test]
fn a_refusal_names_all_scopes_that_the_tool_needs() {
    let world = World::new();
    let reader = world.client(Identity::for_test("ada", "notes:read"));
    let answer = run(reader.call_tool("delete_note", json!({"id": "0123456789ab"})));
    assert_eq!(answer.refused, Some(AccessNeeded::Scopes(Scopes::parse(ALL))));
}

#[test]
fn machines_have_no_notes() {
    let world = World::new();
    let machine = world.client(Identity::for_test("robot", ALL).with(|verified| verified.kind = Kind::Machine));
    assert_eq!(names(&machine, "tools/list", "tools"), [""; 0]);
    assert_eq!(run(machine.call_tool("list_notes", json!({}))).refused, Some(AccessNeeded::User));
    assert_eq!(run(machine.read_resource("notes://index")).refused, Some(AccessNeeded::User));
}

#[test]
fn what_is_too_long_is_refused_before_anything_is_written() {
    let world = World::new();
    let ada = world.user("ada");
    let call = |title: String, body: String| run(ada.call_tool("create_note", json!({"title": title, "body": body})));
    assert!(!call("ü".repeat(TITLE_CHARACTERS), "ü".repeat(BODY_CHARACTERS)).is_error());
    assert!(call("ü".repeat(TITLE_CHARACTERS + 1), String::new()).text().contains("title"));
    assert!(call("x".to_owned(), "ü".repeat(BODY_CHARACTERS + 1)).text().contains("body"));
    assert_eq!(call(" ".to_owned(), String::new()).text(), "the title is blank");
    assert_eq!(world.memory.len(), 1);
}

#[test]
fn a_full_notebook_takes_no_more() {
    let world = World::new();
    let ada = world.user("ada");
    let import = |count: usize| {
        let notes = vec![json!({"title": "x", "body": ""}); count];
        run(ada.call_tool("import_notes", json!({"notes": notes})))
    };
    assert!(import(51).text().contains("notes"), "too many at once");
    for _ in 0..NOTES / 50 - 1 {
        assert!(!import(50).is_error());
    }
    assert!(!import(49).is_error());
    assert_eq!(import(2).text(), format!("there is room for {NOTES} notes in all; delete some first"));
    create(&ada, "the last one");
    assert_eq!(world.memory.len(), NOTES);
    assert!(run(ada.call_tool("create_note", json!({"title": "x", "body": ""}))).is_error());
    assert!(!run(world.user("bob").call_tool("create_note", json!({"title": "x", "body": ""}))).is_error());
}

#[test]
fn an_import_reports_progress_after_each_note() {
    let world = World::new();
    let notes = ["a", "b", "c"].map(|title| json!({"title": title, "body": ""}));
    let answer = run(world.user("ada").call_tool("import_notes", json!({"notes": notes})));
    let progress = |message: &Value| {
        let params = &message["params"];
        (params["progress"].as_f64(), params["total"].as_f64(), text(&params["message"]))
    };
    let expected = [(1.0, "a"), (2.0, "b"), (3.0, "c")];
    let expected = expected.map(|(done, title)| (Some(done), Some(3.0), title.to_owned()));
    assert_eq!(answer.notifications.iter().map(progress).collect::<Vec<_>>(), expected);
    assert_eq!(answer.result()["structuredContent"]["ids"].as_array().map(Vec::len), Some(3));
}

#[test]
fn an_import_that_is_wrong_somewhere_adds_nothing() {
    let world = World::new();
    let notes = [json!({"title": "good", "body": ""}), json!({"title": " ", "body": ""})];
    let answer = run(world.user("ada").call_tool("import_notes", json!({"notes": notes})));
    assert_eq!(answer.text(), "notes[1]: the title is blank");
    assert_eq!(world.memory.len(), 0);
}

#[test]
fn a_note_is_deleted_only_if_its_user_says_so() {
    let world = World::new();
    let ada = world.user("ada");
    let id = create(&ada, "Milk");

    let asked = run(ada.call_tool("delete_note", json!({"id": id})));
    let question = &asked.result()["inputRequests"]["confirm"]["params"];
    assert_eq!(question["message"], "Delete the note “Milk”?");
    assert_eq!(question["requestedSchema"]["properties"]["confirm"]["type"], "boolean");

    for answer in [
        json!({"action": "decline"}),
        json!({"action": "cancel"}),
        json!({"action": "accept", "content": {"confirm": false}}),
    ] {
        let kept = delete(&ada, &id, &answer);
        assert_eq!(kept.result()["structuredContent"], json!({"id": id, "deleted": false}), "{answer}");
    }
    assert_eq!(titles(&ada), ["Milk"]);

    let yes = json!({"action": "accept", "content": {"confirm": true}});
    assert_eq!(delete(&ada, &id, &yes).result()["structuredContent"], json!({"id": id, "deleted": true}));
    assert_eq!(titles(&ada), [""; 0]);
    assert!(delete(&ada, &id, &yes).is_error(), "it is gone");
}

#[test]
fn a_client_that_cannot_ask_its_user_cannot_delete() {
    let world = World::new();
    let id = create(&world.user("ada"), "Milk");
    let legacy = run(world.user("ada").legacy().call_tool("delete_note", json!({"id": id})));
    assert!(legacy.is_error() && legacy.text().contains("2026-07-28"), "{}", legacy.text());
    let mute = run(world.user("ada").capabilities(json!({})).call_tool("delete_note", json!({"id": id})));
    assert_eq!((mute.status, mute.error_code()), (400, Some(-32021)));
    assert_eq!(world.memory.len(), 1);
}

#[test]
fn notes_are_resources() {
    let world = World::new();
    let ada = world.user("ada");
    let id = create(&ada, "Milk");
    let note = run(ada.read_resource(&format!("note://{id}")));
    let contents = json!([{"uri": format!("note://{id}"), "text": "About Milk", "mimeType": "text/markdown"}]);
    assert_eq!(note.result()["contents"], contents);
    assert_eq!(note.result()["cacheScope"], "private");
    let index = run(ada.read_resource("notes://index"));
    let index: Value = serde_json::from_str(&text(&index.result()["contents"][0]["text"])).unwrap_or_default();
    assert_eq!(index[0]["uri"], format!("note://{id}"));
}

#[test]
fn ids_are_completed_by_their_beginning_or_by_title() {
    let world = World::new();
    let ada = world.user("ada");
    let (milk, tea) = (create(&ada, "Milk"), create(&ada, "Green tea"));
    let complete = |client: &Client<'_, Memory>, value: &str| {
        let reference = json!({"type": "ref/resource", "uri": "note://{id}"});
        let params = json!({"ref": reference, "argument": {"name": "id", "value": value}});
        run(client.request("completion/complete", params)).result()["completion"]["values"].clone()
    };
    assert_eq!(complete(&ada, "TEA"), json!([tea]));
    assert_eq!(complete(&ada, &milk), json!([milk]));
    assert_eq!(complete(&ada, "").as_array().map(Vec::len), Some(2));
    assert_eq!(complete(&world.user("bob"), ""), json!([]));
}

#[test]
fn the_prompt_holds_the_newest_notes() {
    let world = World::new();
    let mut ada = world.user("ada");
    for time in 0..21 {
        ada = ada.now(time);
        create(&ada, &format!("Note {time}"));
    }
    let answer = run(ada.get_prompt("summarize_notes", json!({"style": "a haiku"})));
    let messages = answer.result()["messages"].as_array().cloned().unwrap_or_default();
    assert_eq!(messages.len(), 1 + 20);
    assert!(text(&messages[0]["content"]["text"]).ends_with("a haiku"));
    assert_eq!(messages[1]["content"]["resource"]["text"], "# Note 20\n\nAbout Note 20");
    let plain = run(world.user("bob").get_prompt("summarize_notes", json!({})));
    assert_eq!(plain.result()["messages"].as_array().map(Vec::len), Some(1));
}

#[test]
fn only_the_operator_reads_why_the_store_failed() {
    let world = World::new();
    *world.memory.broken.borrow_mut() = true;
    let lines = Rc::new(RefCell::new(Vec::new()));
    let log = Rc::clone(&lines);
    let ada = world.user("ada").report(move |line| log.borrow_mut().push(line.to_owned()));
    let answer = run(ada.call_tool("list_notes", json!({})));
    assert!(answer.is_error() && !answer.text().contains("fire"), "{}", answer.text());
    let answer = run(ada.read_resource("notes://index"));
    assert!(!answer.message.to_string().contains("fire"));
    assert_eq!(lines.borrow().len(), 2);
    assert!(lines.borrow().iter().all(|line| line.ends_with("the disk is on fire")));
}

#[test]
fn hints_tell_clients_what_to_ask_their_users_about() {
    let world = World::new();
    let answer = run(world.user("ada").request("tools/list", json!({})));
    let hints = |name: &str| {
        let tools = answer.result()["tools"].as_array().cloned().unwrap_or_default();
        let tool = tools.into_iter().find(|tool| tool["name"] == name).unwrap_or_default();
        let hint = |key: &str| tool["annotations"][key].as_bool();
        [hint("readOnlyHint"), hint("destructiveHint"), hint("idempotentHint"), hint("openWorldHint")]
            .map(Option::unwrap_or_default)
    };
    assert_eq!(hints("read_note"), [true, false, true, false]);
    assert_eq!(hints("create_note"), [false, false, false, false]);
    assert_eq!(hints("delete_note"), [false, true, true, false]);
}
