//! All settings about access, and the decision on everything that a message is about.

use std::borrow::Cow;

use mcp_edge_identity::{AccessNeeded, Credential, Identity, Requirements, Scopes};
use mcp_edge_runtime::settings::Reader;

use super::{
    needs,
    table::{AccessTable, Names},
    uri::before_query,
};

/// Who may use what of an upstream.
#[derive(Debug, Clone)]
pub struct Policy {
    /// `TOOL_SCOPES`
    pub tools: AccessTable,
    /// `PROMPT_SCOPES`
    pub prompts: AccessTable,
    /// `RESOURCE_SCOPES`, of resources and of templates
    pub resources: AccessTable,
    /// `TASK_SCOPES`: what `tasks/*` need. None: tasks are not offered.
    pub tasks: Option<Requirements>,
    /// `LIST_TOOLS`
    pub list: ListMode,
}

/// What lists show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListMode {
    /// What the caller may use.
    Granted,
    /// Also what further scopes would allow.
    Obtainable,
}

/// One thing that a message is about: what access is decided by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target<'a> {
    /// A tool by its name.
    Tool(Cow<'a, str>),
    /// A prompt by its name.
    Prompt(Cow<'a, str>),
    /// A resource by its URI; in a completion, a template by itself.
    Resource(Cow<'a, str>),
    /// Any task, of which the upstream knows whose it is.
    Task,
}

impl Target<'_> {
    /// The name or the URI, if it has one.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Tool(name) | Self::Prompt(name) | Self::Resource(name) => Some(name),
            Self::Task => None,
        }
    }

    /// The name for the log: of a URI what is before query and fragment, which may contain what is nobody's business.
    #[must_use]
    pub fn logged_name(&self) -> Option<&str> {
        match self {
            Self::Resource(uri) => Some(before_query(uri)),
            Self::Tool(_) | Self::Prompt(_) | Self::Task => self.name(),
        }
    }
}

/// What was decided about all that a message is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// The caller may do all of it.
    Granted,
    /// The caller may not yet: the scopes that all of it needs together.
    NeedsScopes(Scopes),
    /// The first target that the caller must not use, with any scopes, by its position.
    Denied(usize),
    /// The caller may not with the access key or the personal access token that it has sent.
    KeyRefused(AccessNeeded),
}

impl Policy {
    /// Reads the settings.
    pub fn read(reader: &mut Reader<'_>) -> Self {
        Self {
            tools: AccessTable::read(reader, "TOOL_SCOPES", Names::Tools),
            prompts: AccessTable::read(reader, "PROMPT_SCOPES", Names::Prompts),
            resources: AccessTable::read(reader, "RESOURCE_SCOPES", Names::Resources),
            tasks: tasks(reader),
            list: list_mode(reader),
        }
    }

    /// All scopes that the settings name.
    #[must_use]
    pub fn scopes(&self) -> Scopes {
        let tasks = self.tasks.as_ref().map_or_else(Scopes::default, |needs| needs.scopes.clone());
        [&self.tools, &self.prompts, &self.resources].iter().fold(tasks, |all, table| all.union(&table.scopes()))
    }

    /// Whether tasks are offered to the caller. A task is named by its id, which does not say which tool's result it has: so not
    /// with an access key for some tools alone, and with no key at all if some tools refuse keys.
    #[must_use]
    pub fn offers_tasks(&self, identity: &Identity) -> bool {
        let has_all_tools = identity.tools().is_none()
            && (*identity.credential() == Credential::AccessToken || !self.tools.refuses_keys());
        self.tasks.is_some() && has_all_tools
    }

    /// Decides about all targets together. A denial is said before missing scopes: no user is asked for a
    /// consent that does not help.
    pub fn decide<'a>(&self, targets: impl IntoIterator<Item = &'a Target<'a>>, identity: &Identity) -> Decision {
        let (mut all, mut is_granted) = (Scopes::default(), true);
        for (index, target) in targets.into_iter().enumerate() {
            let Some(needs) = self.needs(target) else { return Decision::Denied(index) };
            let checked = match target {
                Target::Tool(name) => needs.check_tool(name, identity),
                Target::Task if !self.offers_tasks(identity) => return Decision::Denied(index),
                Target::Prompt(_) | Target::Resource(_) | Target::Task => needs.check(identity),
            };
            match checked {
                Ok(()) => {}
                Err(AccessNeeded::Scopes(_)) => is_granted = false,
                Err(AccessNeeded::User | AccessNeeded::FirstParty) => return Decision::Denied(index),
                Err(
                    needed @ (AccessNeeded::AccessToken | AccessNeeded::KeyForTool | AccessNeeded::AcceptedCredential),
                ) => {
                    return Decision::KeyRefused(needed);
                }
            }
            // Those of granted operations, too: a client may ask for exactly these.
            if !needs.scopes.is_empty() {
                all = all.union(&needs.scopes);
            }
        }
        if is_granted { Decision::Granted } else { Decision::NeedsScopes(all) }
    }

    fn needs(&self, target: &Target<'_>) -> Option<&Requirements> {
        match target {
            Target::Tool(name) => self.tools.needs(name),
            Target::Prompt(name) => self.prompts.needs(name),
            Target::Resource(uri) => self.resources.needs(uri),
            Target::Task => self.tasks.as_ref(),
        }
    }
}

/// Reads `TASK_SCOPES`.
fn tasks(reader: &mut Reader<'_>) -> Option<Requirements> {
    let text = reader.text("TASK_SCOPES")?;
    if reader.text("UPSTREAM_AUTH").is_some_and(|auth| auth != "assertion") {
        reader.error(
            "TASK_SCOPES needs UPSTREAM_AUTH = \"assertion\": otherwise the upstream cannot tell whose a task is. Remove \
             TASK_SCOPES, and tasks are not offered",
        );
    }
    let needs = if text.contains(char::is_whitespace) {
        Err("must separate needs with commas".to_owned())
    } else {
        needs::parse(&text)
    };
    needs.unwrap_or_else(|problem| {
        reader.wrong_value("TASK_SCOPES", &text, &problem);
        None
    })
}

/// Reads `LIST_TOOLS`.
fn list_mode(reader: &mut Reader<'_>) -> ListMode {
    match reader.text("LIST_TOOLS").as_deref() {
        None | Some("granted") => ListMode::Granted,
        Some("obtainable") => ListMode::Obtainable,
        Some(other) => {
            reader.wrong_value("LIST_TOOLS", other, "must be \"granted\" or \"obtainable\"");
            ListMode::Granted
        }
    }
}

#[cfg(test)]
mod tests;
