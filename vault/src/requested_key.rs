//! The key that a user asks for: what a form says, checked.

use mcp_edge_sign_in::form::Form;
use serde::{Deserialize, Serialize};

use crate::settings::{MAX_TOOL_NAME, Settings};

/// The longest name of a key, in characters.
pub const MAX_NAME_CHARACTERS: usize = 60;

/// As many tools as a person selects one by one. All of them together travel in a cookie.
pub const MAX_TOOLS: usize = 50;

/// A field of the form and what is wrong with it, as a sentence.
pub type Problem = (&'static str, String);

/// A key that a user asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestedKey {
    /// What the user calls it.
    pub name: String,
    /// Its scopes, separated by spaces, without `SCOPE_PREFIX`.
    pub scopes: String,
    /// The names of the tools that it may call; `None`: all that its scopes allow.
    pub tools: Option<Vec<String>>,
    /// How long it is to live, in seconds.
    pub lifetime: u64,
}

impl RequestedKey {
    /// Reads the fields `name`, `scope` (repeated), `tool` (repeated), `tools` (a list) and `days`.
    ///
    /// # Errors
    /// What is wrong, one problem for each field at most.
    pub fn of(form: &Form, settings: &Settings) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let mut take = |field: &'static str, problem: Option<String>| problems.extend(problem.map(|it| (field, it)));
        let name = form.first("name").trim();
        take("name", name_problem(name));
        let (scopes, problem) = scopes(form, settings);
        take("scope", problem);
        let (tools, problem) = tools(form, settings);
        take("tools", problem);
        let days = form.first("days").trim().parse::<u64>().ok().filter(|days| (1..=settings.max_days).contains(days));
        let of_days = format!("It must be a whole number of days, from 1 to {}.", settings.max_days);
        take("days", days.is_none().then_some(of_days));
        if !problems.is_empty() {
            return Err(problems);
        }
        Ok(Self { name: name.to_owned(), scopes, tools, lifetime: days.unwrap_or(1) * 86_400 })
    }
}

fn name_problem(name: &str) -> Option<String> {
    match name.chars().count() {
        0 => Some("Give it a name, such as the program or the machine that will use it.".to_owned()),
        1..=MAX_NAME_CHARACTERS if !name.chars().any(is_invisible) => None,
        1..=MAX_NAME_CHARACTERS => {
            Some("It must not have control characters, or characters that cannot be seen.".to_owned())
        }
        length => Some(format!("It must have at most {MAX_NAME_CHARACTERS} characters, and has {length}.")),
    }
}

/// The chosen scopes, and those that every request needs.
fn scopes(form: &Form, settings: &Settings) -> (String, Option<String>) {
    let required = &settings.server.trust.required_scopes;
    let is_chosen = |scope: &&String| required.contains(scope) || form.has("scope", scope);
    let chosen: Vec<&str> = settings.key_scopes.iter().filter(is_chosen).map(String::as_str).collect();
    let problem = if form.all("scope").any(|scope| !settings.key_scopes.iter().any(|known| known == scope)) {
        Some("One of these scopes is not offered any more. Look at the choice again.".to_owned())
    } else {
        chosen.is_empty().then(|| "Choose at least one scope: a key without any could do nothing.".to_owned())
    };
    (chosen.join(" "), problem)
}

/// The chosen or written tools. None of them is all of them.
fn tools(form: &Form, settings: &Settings) -> (Option<Vec<String>>, Option<String>) {
    let written = form.all("tools").flat_map(str::split_whitespace);
    let mut tools: Vec<String> = Vec::new();
    for tool in form.all("tool").chain(written).filter(|tool| !tool.is_empty()) {
        if !tools.iter().any(|known| known == tool) {
            tools.push(tool.to_owned());
        }
    }
    let is_offered = |tool: &String| settings.key_tools.is_empty() || settings.key_tools.contains(tool);
    let is_name = |tool: &String| tool.len() <= MAX_TOOL_NAME && !tool.chars().any(is_invisible) && !tool.contains('*');
    let problem = if tools.len() > MAX_TOOLS {
        Some(format!("Name at most {MAX_TOOLS} tools, or none for all that the scopes allow."))
    } else if !tools.iter().all(is_name) {
        Some("Write whole names of tools, one in a line: there are no patterns.".to_owned())
    } else if !tools.iter().all(is_offered) {
        Some("One of these tools is not offered any more. Look at the choice again.".to_owned())
    } else {
        None
    };
    (Some(tools).filter(|tools| !tools.is_empty()), problem)
}

/// Whether a character changes text without being seen: control and formatting characters, also those of directions,
/// joiners, fillers, and separators of lines.
#[must_use]
pub fn is_invisible(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}'
            | '\u{fe00}'..='\u{fe0d}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

// ---------------------------------------------------------------------------------------------------------------------

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::tests::parse;

    const GOOD: &str = "name=Nightly+build&scope=whoami:read&scope=notes:read&days=30";

    fn read(form: &str, changes: &[(&str, &str)]) -> Result<RequestedKey, Vec<&'static str>> {
        let offered = [("KEY_SCOPES", "whoami:read notes:read notes:write")];
        let changes: Vec<_> = changes.iter().chain(&offered).copied().collect();
        RequestedKey::of(&Form::parse(form), &parse(&changes).unwrap())
            .map_err(|problems| problems.into_iter().map(|(field, _)| field).collect())
    }

    #[test]
    fn a_good_form_is_a_key() {
        let key = read(GOOD, &[]).unwrap();
        assert_eq!((key.name.as_str(), key.scopes.as_str()), ("Nightly build", "whoami:read notes:read"));
        assert_eq!((key.tools, key.lifetime), (None, 30 * 86_400));
    }

    #[test]
    fn what_every_request_needs_is_in_every_key() {
        assert_eq!(read("name=x&days=1&scope=notes:read", &[]).unwrap().scopes, "whoami:read notes:read");
        assert_eq!(read("name=x&days=1", &[]).unwrap().scopes, "whoami:read");
        assert_eq!(read("name=x&days=1", &[("REQUIRED_SCOPES", "")]), Err(vec!["scope"]));
    }

    #[test]
    fn tools_are_written_or_chosen() {
        let tools =
            |form: &str, changes: &[(&str, &str)]| read(&format!("{GOOD}&{form}"), changes).map(|key| key.tools);
        let named = |names: &[&str]| Ok(Some(names.iter().map(|name| (*name).to_owned()).collect()));
        assert_eq!(tools("tools=whoami%0D%0Anotes_list++whoami", &[]), named(&["whoami", "notes_list"]));
        assert_eq!(tools("tools=+%0A", &[]), Ok(None));
        assert_eq!(tools("tools=notes_*", &[]), Err(vec!["tools"]));
        assert_eq!(tools("tools=no%E2%80%8Btes", &[]), Err(vec!["tools"]));
        assert_eq!(tools(&format!("tools={}", "x".repeat(129)), &[]), Err(vec!["tools"]));
        let many: Vec<String> = (0..51).map(|number| format!("t{number}")).collect();
        assert_eq!(tools(&format!("tools={}", many.join("+")), &[]), Err(vec!["tools"]));
        let offered = [("KEY_TOOLS", "whoami notes_list")];
        assert_eq!(tools("tool=notes_list", &offered), named(&["notes_list"]));
        assert_eq!(tools("tool=notes_delete", &offered), Err(vec!["tools"]));
    }

    #[test]
    fn every_field_that_is_wrong_is_named_once() {
        assert_eq!(read("", &[("REQUIRED_SCOPES", "")]), Err(vec!["name", "scope", "days"]));
        for name in ["%00", "a%0Ab", "%E2%80%AEkey", "a%E2%80%8Bb", "%EF%BB%BFx", "a%E2%80%8Db", "%C2%AD", "+", ""] {
            assert_eq!(read(&format!("name={name}&days=1"), &[]), Err(vec!["name"]), "{name}");
        }
        assert_eq!(read(&format!("name={}&days=1", "%C3%A4".repeat(60)), &[]).unwrap().name.chars().count(), 60);
        assert_eq!(read(&format!("name={}&days=1", "x".repeat(61)), &[]), Err(vec!["name"]));
        assert_eq!(read("name=x&days=1&scope=admin", &[]), Err(vec!["scope"]));
        for days in ["0", "91", "-1", "1.5", "", "99999999999999999999"] {
            assert_eq!(read(&format!("name=x&days={days}"), &[]), Err(vec!["days"]), "{days}");
        }
        assert_eq!(read("name=x&days=91", &[("KEY_MAX_DAYS", "91")]).unwrap().lifetime, 91 * 86_400);
    }
}
