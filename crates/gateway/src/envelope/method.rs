//! The methods that are passed on, each with its era and with the setting that offers it.

use mcp_edge_protocol::revision::Era;

use crate::results::{Listed, ReadResult};

/// What the settings of a gateway offer at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "a set")]
pub struct Offers {
    /// Some tool.
    pub tools: bool,
    /// Some prompt.
    pub prompts: bool,
    /// Some resource.
    pub resources: bool,
    /// Tasks.
    pub tasks: bool,
}

/// A method of a request or of a notification that is passed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// `initialize`
    Initialize,
    /// `ping`
    Ping,
    /// `logging/setLevel`
    SetLevel,
    /// `server/discover`
    Discover,
    /// `tools/list`
    ToolsList,
    /// `tools/call`
    ToolsCall,
    /// `prompts/list`
    PromptsList,
    /// `prompts/get`
    PromptsGet,
    /// `resources/list`
    ResourcesList,
    /// `resources/templates/list`
    TemplatesList,
    /// `resources/read`
    ResourcesRead,
    /// `resources/subscribe`
    Subscribe,
    /// `resources/unsubscribe`
    Unsubscribe,
    /// `completion/complete`
    Complete,
    /// `subscriptions/listen`
    Listen,
    /// `tasks/get`
    TasksGet,
    /// `tasks/result`
    TasksResult,
    /// `tasks/list`
    TasksList,
    /// `tasks/cancel`
    TasksCancel,
    /// `tasks/update`
    TasksUpdate,
    /// `notifications/initialized`
    Initialized,
    /// `notifications/cancelled`
    Cancelled,
    /// `notifications/progress`
    Progress,
    /// `notifications/roots/list_changed`
    RootsChanged,
    /// `notifications/tasks/status`
    TaskStatus,
}

/// What must be offered for a method to exist.
#[derive(Clone, Copy)]
enum Group {
    Always,
    Tools,
    Prompts,
    Resources,
    Tasks,
    /// Prompts or resources.
    Completion,
    /// Anything.
    Subscriptions,
}

/// A row of [`METHODS`]: the name on the wire, whether the legacy and the modern era have it, and its group.
type Row = (Method, &'static str, bool, bool, Group);

/// Every method once. In the modern era clients send no notifications over HTTP: what cancels a request is that its
/// response is closed (MCP 2026-07-28, basic/transports).
const METHODS: [Row; 25] = [
    (Method::ToolsCall, "tools/call", true, true, Group::Tools),
    (Method::ToolsList, "tools/list", true, true, Group::Tools),
    (Method::Discover, "server/discover", false, true, Group::Always),
    (Method::Initialize, "initialize", true, false, Group::Always),
    (Method::Ping, "ping", true, false, Group::Always),
    (Method::SetLevel, "logging/setLevel", true, false, Group::Always),
    (Method::PromptsList, "prompts/list", true, true, Group::Prompts),
    (Method::PromptsGet, "prompts/get", true, true, Group::Prompts),
    (Method::ResourcesList, "resources/list", true, true, Group::Resources),
    (Method::TemplatesList, "resources/templates/list", true, true, Group::Resources),
    (Method::ResourcesRead, "resources/read", true, true, Group::Resources),
    (Method::Subscribe, "resources/subscribe", true, false, Group::Resources),
    (Method::Unsubscribe, "resources/unsubscribe", true, false, Group::Resources),
    (Method::Complete, "completion/complete", true, true, Group::Completion),
    (Method::Listen, "subscriptions/listen", false, true, Group::Subscriptions),
    (Method::TasksGet, "tasks/get", true, true, Group::Tasks),
    (Method::TasksResult, "tasks/result", true, false, Group::Tasks),
    (Method::TasksList, "tasks/list", true, false, Group::Tasks),
    (Method::TasksCancel, "tasks/cancel", true, true, Group::Tasks),
    (Method::TasksUpdate, "tasks/update", false, true, Group::Tasks),
    (Method::Initialized, "notifications/initialized", true, false, Group::Always),
    (Method::Cancelled, "notifications/cancelled", true, false, Group::Always),
    (Method::Progress, "notifications/progress", true, false, Group::Always),
    (Method::RootsChanged, "notifications/roots/list_changed", true, false, Group::Always),
    (Method::TaskStatus, "notifications/tasks/status", true, false, Group::Tasks),
];

impl Method {
    /// The method of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        METHODS.iter().find(|row| row.1 == name).map(|row| row.0)
    }

    /// The name on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.row().map_or("", |row| row.1)
    }

    /// Whether it is the method of a notification, which gets no answer.
    #[must_use]
    pub fn is_notification(self) -> bool {
        self.as_str().starts_with("notifications/")
    }

    /// Whether it exists in an era, for what is offered.
    #[must_use]
    pub fn exists_in(self, era: Era, offers: Offers) -> bool {
        let Some((_, _, legacy, modern, group)) = self.row() else { return false };
        let in_era = match era {
            Era::Legacy => *legacy,
            Era::Modern => *modern,
        };
        let is_offered = match group {
            Group::Always => true,
            Group::Tools => offers.tools,
            Group::Prompts => offers.prompts,
            Group::Resources => offers.resources,
            Group::Tasks => offers.tasks,
            Group::Completion => offers.prompts || offers.resources,
            Group::Subscriptions => offers.tools || offers.prompts || offers.resources || offers.tasks,
        };
        in_era && is_offered
    }

    /// The member of `params` that says what a request is about, which the `Mcp-Name` header repeats in the modern era
    /// (MCP 2026-07-28, basic/transports; of tasks, by their extension).
    #[must_use]
    pub fn named_by(self) -> Option<&'static str> {
        match self {
            Self::ToolsCall | Self::PromptsGet => Some("name"),
            Self::ResourcesRead | Self::Subscribe | Self::Unsubscribe => Some("uri"),
            Self::TasksGet | Self::TasksResult | Self::TasksCancel | Self::TasksUpdate => Some("taskId"),
            _ => None,
        }
    }

    /// What its result is read as; none if it passes unread.
    #[must_use]
    pub fn result(self, era: Era) -> Option<ReadResult> {
        match self {
            Self::ToolsList => Some(ReadResult::List(Listed::Tools)),
            Self::PromptsList => Some(ReadResult::List(Listed::Prompts)),
            Self::ResourcesList => Some(ReadResult::List(Listed::Resources)),
            Self::TemplatesList => Some(ReadResult::List(Listed::Templates)),
            Self::Initialize => Some(ReadResult::Initialize),
            Self::Discover => Some(ReadResult::Discover),
            // For its caching hints, which only the modern era has.
            Self::ResourcesRead if era == Era::Modern => Some(ReadResult::Resource),
            _ => None,
        }
    }

    fn row(self) -> Option<&'static Row> {
        METHODS.iter().find(|row| row.0 == self)
    }
}

// ---------------------------------------------------------------------------------------------------------------------

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: Offers = Offers { tools: true, prompts: true, resources: true, tasks: true };
    const NOTHING: Offers = Offers { tools: false, prompts: false, resources: false, tasks: false };

    fn of(era: Era, offers: Offers) -> Vec<&'static str> {
        METHODS.iter().filter(|row| row.0.exists_in(era, offers)).map(|row| row.1).collect()
    }

    #[test]
    fn names_and_methods_are_inverse_to_each_other() {
        for (method, name, ..) in METHODS {
            assert_eq!(Method::parse(name), Some(method));
            assert_eq!(method.as_str(), name);
        }
        for name in ["", "Tools/call", "tools/call ", "sampling/createMessage", "notifications/message"] {
            assert_eq!(Method::parse(name), None);
        }
    }

    #[test]
    fn each_era_has_its_methods() {
        let names = of(Era::Modern, ALL);
        assert_eq!(
            names,
            [
                "tools/call",
                "tools/list",
                "server/discover",
                "prompts/list",
                "prompts/get",
                "resources/list",
                "resources/templates/list",
                "resources/read",
                "completion/complete",
                "subscriptions/listen",
                "tasks/get",
                "tasks/cancel",
                "tasks/update",
            ]
        );
        let legacy = of(Era::Legacy, ALL);
        assert_eq!(legacy.len(), 22);
        for name in ["server/discover", "subscriptions/listen", "tasks/update"] {
            assert!(!legacy.contains(&name), "{name}");
        }
    }

    #[test]
    fn lists_and_handshakes_are_read_and_nothing_else() {
        let read = |era| -> Vec<_> { METHODS.iter().filter_map(|row| Some((row.1, row.0.result(era)?))).collect() };
        let mut expected = vec![
            ("tools/list", ReadResult::List(Listed::Tools)),
            ("server/discover", ReadResult::Discover),
            ("initialize", ReadResult::Initialize),
            ("prompts/list", ReadResult::List(Listed::Prompts)),
            ("resources/list", ReadResult::List(Listed::Resources)),
            ("resources/templates/list", ReadResult::List(Listed::Templates)),
        ];
        assert_eq!(read(Era::Legacy), expected);
        expected.push(("resources/read", ReadResult::Resource));
        assert_eq!(read(Era::Modern), expected);
    }

    #[test]
    fn what_is_not_offered_has_no_methods() {
        assert_eq!(of(Era::Modern, NOTHING), ["server/discover"]);
        assert_eq!(
            of(Era::Legacy, NOTHING),
            [
                "initialize",
                "ping",
                "logging/setLevel",
                "notifications/initialized",
                "notifications/cancelled",
                "notifications/progress",
                "notifications/roots/list_changed",
            ]
        );
        let prompts = Offers { prompts: true, ..NOTHING };
        assert!(Method::Complete.exists_in(Era::Legacy, prompts) && Method::Listen.exists_in(Era::Modern, prompts));
        for offers in [
            Offers { tools: true, ..NOTHING },
            Offers { resources: true, ..NOTHING },
            Offers { tasks: true, ..NOTHING },
        ] {
            assert!(Method::Listen.exists_in(Era::Modern, offers));
            assert_eq!(Method::Complete.exists_in(Era::Modern, offers), offers.resources);
        }
        assert!(!Method::ToolsCall.exists_in(Era::Legacy, prompts));
        assert!(!Method::TasksGet.exists_in(Era::Legacy, Offers { tasks: false, ..ALL }));
    }
}
