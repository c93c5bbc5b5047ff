//! All settings about access, and the decision on everything that a message is about.

use mcp_edge_identity::{AccessNeeded, Identity, Requirements, Scopes};
use mcp_edge_runtime::settings::Reader;

use super::{
    needs,
    table::{AccessTable, Names},
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

/// One thing that a message is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation<'a> {
    /// The tool of this name.
    Tool(&'a str),
    /// The prompt of this name.
    Prompt(&'a str),
    /// The resource of this URI, or the template.
    Resource(&'a str),
    /// A task.
    Task,
}

/// What was decided about all that a message is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// The caller may do all of it.
    Granted,
    /// The caller may not yet: the scopes that all of it needs together.
    NeedsScopes(Scopes),
    /// The first operation that the caller must not do, with any scopes, by its position.
    Denied(usize),
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

    /// Decides about all operations of a message together. A denial is said before missing scopes: no user is asked for a
    /// consent that does not help.
    pub fn decide<'a>(&self, operations: impl IntoIterator<Item = Operation<'a>>, identity: &Identity) -> Decision {
        let (mut all, mut is_granted) = (Scopes::default(), true);
        for (index, operation) in operations.into_iter().enumerate() {
            let Some(needs) = self.needs(operation) else { return Decision::Denied(index) };
            match needs.check(identity) {
                Ok(()) => {}
                Err(AccessNeeded::Scopes(_)) => is_granted = false,
                Err(AccessNeeded::User | AccessNeeded::FirstParty) => return Decision::Denied(index),
            }
            // Those of granted operations, too: a client may ask for exactly these.
            if !needs.scopes.is_empty() {
                all = all.union(&needs.scopes);
            }
        }
        if is_granted { Decision::Granted } else { Decision::NeedsScopes(all) }
    }

    fn needs(&self, operation: Operation<'_>) -> Option<&Requirements> {
        match operation {
            Operation::Tool(name) => self.tools.needs(name),
            Operation::Prompt(name) => self.prompts.needs(name),
            Operation::Resource(uri) => self.resources.needs(uri),
            Operation::Task => self.tasks.as_ref(),
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
