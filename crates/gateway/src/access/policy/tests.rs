//! The settings together, and decisions on several targets.

use mcp_edge_runtime::settings::SettingsError;

use super::*;

fn read(settings: &[(&str, &str)]) -> Result<Policy, SettingsError> {
    let get = |name: &str| settings.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
    let mut reader = Reader::new(&get);
    let policy = Policy::read(&mut reader);
    reader.finish(policy)
}

fn policy() -> Policy {
    let settings = [
        ("TOOL_SCOPES", "a=t1,t2 open=allow none=deny own=first_party,t3"),
        ("PROMPT_SCOPES", "a=p"),
        ("RESOURCE_SCOPES", "note:*=r"),
        ("TASK_SCOPES", "task,user"),
    ];
    read(&settings).unwrap()
}

#[test]
fn without_settings_nothing_is_offered() {
    let policy = read(&[]).unwrap();
    assert!(policy.tools.offers_nothing() && policy.prompts.offers_nothing() && policy.resources.offers_nothing());
    assert!(policy.tasks.is_none());
    assert_eq!(policy.list, ListMode::Granted);
    assert_eq!(policy.scopes(), Scopes::default());
    let decision = policy.decide([&Target::Task], &Identity::for_test("ada", "task"));
    assert_eq!(decision, Decision::Denied(0));
}

#[test]
fn the_scopes_of_all_tables_are_known() {
    assert_eq!(policy().scopes(), Scopes::parse("t1 t2 t3 p r task"));
}

#[test]
fn targets_are_decided_together() {
    use Target::Task;
    let (tool, prompt) =
        (|name: &'static str| Target::Tool(name.into()), |name: &'static str| Target::Prompt(name.into()));
    let resource = |uri: &'static str| Target::Resource(uri.into());
    let decide = |targets: &[Target<'_>], scopes: &str| policy().decide(targets, &Identity::for_test("ada", scopes));
    assert_eq!(decide(&[], ""), Decision::Granted);
    assert_eq!(decide(&[tool("a"), prompt("a"), resource("note:1"), Task], "t1 t2 p r task"), Decision::Granted);
    // Also of what is granted: a client asks for exactly these.
    assert_eq!(
        decide(&[tool("open"), tool("a"), prompt("a")], "t1 t2"),
        Decision::NeedsScopes(Scopes::parse("p t1 t2"))
    );
    // No consent helps, in any order.
    assert_eq!(decide(&[tool("a"), tool("none"), prompt("a")], ""), Decision::Denied(1));
    assert_eq!(decide(&[tool("a"), prompt("b"), tool("none")], ""), Decision::Denied(1));
    assert_eq!(decide(&[tool("own"), tool("a")], "t3"), Decision::Denied(0));
    assert_eq!(decide(&[resource("note:../1")], "r"), Decision::Denied(0));
}

#[test]
fn what_a_key_may_not_is_said_before_missing_scopes() {
    use Target::{Task, Tool};
    let settings = [("TOOL_SCOPES", "a=t1 open=allow none=deny n=no_keys own=first_party"), ("TASK_SCOPES", "allow")];
    let policy = read(&settings).unwrap();
    let with = key_for;
    let decide = |targets: &[Target<'_>], identity: &Identity| policy.decide(targets, identity);
    let tool = |name: &'static str| Tool(name.into());
    let (for_tool, token) = (AccessNeeded::KeyForTool, AccessNeeded::AccessToken);
    assert_eq!(decide(&[tool("a"), tool("open")], &with(Some(&["a"]))), Decision::KeyRefused(for_tool.clone()));
    assert_eq!(decide(&[tool("a")], &with(Some(&["open"]))), Decision::KeyRefused(for_tool));
    assert_eq!(decide(&[tool("a"), tool("n")], &with(None)), Decision::KeyRefused(token));
    assert_eq!(decide(&[tool("a"), tool("n")], &Identity::for_test("ada", "t1")), Decision::Granted);
    // What the caller must not know of stays unknown.
    assert_eq!(decide(&[tool("none")], &with(Some(&["a"]))), Decision::Denied(0));
    assert_eq!(decide(&[tool("other")], &with(Some(&["a"]))), Decision::Denied(0));
    assert_eq!(decide(&[tool("own")], &with(Some(&["a"]))), Decision::Denied(0));
    assert_eq!(decide(&[tool("open"), Task], &with(Some(&["open"]))), Decision::Denied(1));
}

fn key_for(tools: Option<&[&str]>) -> Identity {
    Identity::for_test("ada", "").with_access_key(tools)
}

#[test]
fn a_task_does_not_say_of_which_tool_it_is() {
    let policy = |tools: &str| read(&[("TOOL_SCOPES", tools), ("TASK_SCOPES", "allow")]).unwrap();
    let has_tasks = |policy: &Policy, identity: &Identity| {
        let is_granted = policy.decide([&Target::Task], identity) == Decision::Granted;
        assert_eq!(policy.offers_tasks(identity), is_granted);
        is_granted
    };
    let (token, key, for_some_tools) = (Identity::for_test("ada", ""), key_for(None), key_for(Some(&["open"])));
    let pat = Identity::for_test("ada", "").with(|verified| verified.credential = Credential::PersonalAccessToken);
    let open = policy("open=allow a=user");
    assert!([&token, &key, &pat].iter().all(|identity| has_tasks(&open, identity)));
    assert!(!has_tasks(&open, &for_some_tools));
    // Its result may be that of a tool that refuses keys.
    for tools in ["open=allow pay=no_keys", "*=user,no_keys", "pay_*=pay,no_keys none=deny"] {
        let policy = policy(tools);
        assert!(has_tasks(&policy, &token), "{tools}");
        assert!([&key, &for_some_tools, &pat].iter().all(|identity| !has_tasks(&policy, identity)), "{tools}");
    }
}

#[test]
fn tasks_can_refuse_keys() {
    let tasks = read(&[("TASK_SCOPES", "no_keys,t")]).unwrap().tasks.unwrap();
    assert!(tasks.refuses_keys && tasks.scopes == Scopes::parse("t"));
    let SettingsError(errors) = read(&[("TASK_SCOPES", "no_keys,allow")]).map(drop).unwrap_err();
    assert_eq!(errors, ["TASK_SCOPES = \"no_keys,allow\" allow must stand alone, without other needs"]);
}

#[test]
fn tasks_need_an_upstream_that_knows_whose_they_are() {
    for auth in ["secret", "none"] {
        let SettingsError(errors) = read(&[("TASK_SCOPES", "a"), ("UPSTREAM_AUTH", auth)]).map(drop).unwrap_err();
        assert_eq!(errors.len(), 1);
        assert!(errors[0].starts_with("TASK_SCOPES needs UPSTREAM_AUTH = \"assertion\""), "{errors:?}");
    }
    assert!(read(&[("TASK_SCOPES", "a"), ("UPSTREAM_AUTH", "assertion")]).unwrap().tasks.is_some());
    assert!(read(&[("TASK_SCOPES", "deny")]).unwrap().tasks.is_none());
    assert!(read(&[("TASK_SCOPES", "allow")]).unwrap().tasks.unwrap().is_open());
    let SettingsError(errors) = read(&[("TASK_SCOPES", "a b")]).map(drop).unwrap_err();
    assert_eq!(errors, ["TASK_SCOPES = \"a b\" must separate needs with commas"]);
}

#[test]
fn lists_show_what_is_granted_or_also_what_can_be_obtained() {
    assert_eq!(read(&[("LIST_TOOLS", "obtainable")]).unwrap().list, ListMode::Obtainable);
    assert_eq!(read(&[("LIST_TOOLS", "granted")]).unwrap().list, ListMode::Granted);
    let SettingsError(errors) = read(&[("LIST_TOOLS", "all")]).map(drop).unwrap_err();
    assert_eq!(errors, ["LIST_TOOLS = \"all\" must be \"granted\" or \"obtainable\""]);
}

#[test]
fn the_log_names_a_resource_without_its_query() {
    for (uri, logged) in [("note:a?token=b", "note:a"), ("note:a#b?c", "note:a"), ("note:a", "note:a")] {
        assert_eq!(Target::Resource(uri.into()).logged_name(), Some(logged));
    }
    assert_eq!(Target::Tool("a?b".into()).logged_name(), Some("a?b"));
    assert_eq!(Target::Task.logged_name(), None);
}
