//! What a request is about: the names by which access is decided, each written anew as it was read.

use std::borrow::Cow;

use mcp_edge_protocol::{error::RpcError, jsonrpc::elements, params::text, revision::Revision};
use mcp_edge_runtime::json::{Object, array, quote};
use serde_json::value::RawValue;

use super::{
    data::Target,
    members::Members,
    method::{Method, Offers},
    params::Params,
};
use crate::access::is_plain;

/// 16 KiB for a name or a URI: that is what a header can repeat.
const NAME_BYTES: usize = 16 * 1024;

/// Resources that one stream may watch.
const SUBSCRIPTIONS: usize = 100;

/// What a request is about.
#[derive(Default)]
pub(super) struct Subject<'a> {
    /// What access is decided by.
    pub(super) targets: Vec<Target<'a>>,
    /// The member of `params` that says so, and what is sent for it.
    pub(super) rewritten: Option<(&'static str, String)>,
    /// The text that `Mcp-Name` repeats.
    pub(super) name: Option<Cow<'a, str>>,
    /// The revision that a handshake names, if it is one.
    pub(super) revision: Option<Revision>,
}

impl<'a> Subject<'a> {
    /// Reads what a request is about.
    ///
    /// # Errors
    /// If a member that must say so is missing or of another type, or too long; or if it asks for a task where none are
    /// offered.
    pub(super) fn read(method: Method, params: &Params<'a>, offers: Offers) -> Result<Self, RpcError> {
        match method {
            Method::ToolsCall => {
                let mut subject = Self::named(params, "name", Target::Tool)?;
                if params.get("task").is_some() {
                    if !offers.tasks {
                        return Err(RpcError::invalid_params("params.task: tasks are not offered"));
                    }
                    subject.targets.push(Target::Task);
                }
                Ok(subject)
            }
            Method::PromptsGet => Self::named(params, "name", Target::Prompt),
            Method::ResourcesRead | Method::Subscribe | Method::Unsubscribe => {
                Self::named(params, "uri", Target::Resource)
            }
            Method::TasksGet | Method::TasksResult | Method::TasksCancel | Method::TasksUpdate => {
                Self::named(params, "taskId", |_| Target::Task)
            }
            Method::TasksList | Method::TaskStatus => Ok(Self { targets: vec![Target::Task], ..Self::default() }),
            Method::Complete => Self::of_completion(params),
            Method::Listen => Self::of_subscriptions(params, offers),
            Method::Initialize => {
                let version = required(params.get("protocolVersion"), "protocolVersion")?;
                let rewritten = Some(("protocolVersion", quote(&version)));
                Ok(Self { rewritten, revision: Revision::legacy(&version), ..Self::default() })
            }
            _ => Ok(Self::default()),
        }
    }

    fn named(
        params: &Params<'a>,
        member: &'static str,
        target: fn(Cow<'a, str>) -> Target<'a>,
    ) -> Result<Self, RpcError> {
        let name = required(params.get(member), member)?;
        check_name(member, &name)?;
        Ok(Self {
            rewritten: Some((member, quote(&name))),
            targets: vec![target(name.clone())],
            name: Some(name),
            revision: None,
        })
    }

    /// `completion/complete`: of a prompt, or of a template of resources (MCP 2026-07-28, server/utilities/completion).
    fn of_completion(params: &Params<'a>) -> Result<Self, RpcError> {
        let invalid = || RpcError::invalid_params("params.ref is invalid");
        let reference = params.get("ref").ok_or_else(invalid)?;
        let reference = Members::read(reference.get(), &["type", "name", "uri"]).map_err(|_| invalid())?;
        let kind = reference.get("type").and_then(text).ok_or_else(invalid)?;
        let (member, path, target): (_, _, fn(Cow<'a, str>) -> Target<'a>) = match &*kind {
            "ref/prompt" => ("name", "ref.name", Target::Prompt),
            "ref/resource" => ("uri", "ref.uri", Target::Resource),
            _ => return Err(RpcError::invalid_params("params.ref must name a prompt or a resource template")),
        };
        let name = required(reference.get(member), path)?;
        check_name(member, &name)?;
        let rewritten = Object::new().text("type", &kind).text(member, &name).close();
        Ok(Self { targets: vec![target(name)], rewritten: Some(("ref", rewritten)), ..Self::default() })
    }

    /// `subscriptions/listen`: what is not offered is not listened to (MCP 2026-07-28, basic/utilities/subscriptions; of
    /// tasks, by their extension).
    fn of_subscriptions(params: &Params<'a>, offers: Offers) -> Result<Self, RpcError> {
        let names = [
            ("toolsListChanged", offers.tools),
            ("promptsListChanged", offers.prompts),
            ("resourcesListChanged", offers.resources),
        ];
        let invalid = || RpcError::invalid_params("params.notifications is invalid");
        let known = [names[0].0, names[1].0, names[2].0, "resourceSubscriptions", "taskIds"];
        let filter = params.get("notifications").ok_or_else(invalid)?;
        let filter = Members::read(filter.get(), &known).map_err(|_| invalid())?;
        let mut written = Object::new();
        for (name, is_offered) in names {
            match filter.get(name).map(RawValue::get).filter(|_| is_offered) {
                None => {}
                Some(flag @ ("true" | "false")) => written = written.raw(name, flag),
                Some(_) => return Err(invalid()),
            }
        }
        let mut targets = Vec::new();
        if let Some(raw) = filter.get("resourceSubscriptions").filter(|_| offers.resources) {
            let mut quoted = Vec::new();
            for raw in elements(raw.get(), SUBSCRIPTIONS).map_err(|_| invalid())? {
                let uri = required(Some(raw), "notifications.resourceSubscriptions")?;
                quoted.push(quote(&uri));
                targets.push(Target::Resource(uri));
            }
            written = written.raw("resourceSubscriptions", &array(quoted));
        }
        if let Some(raw) = filter.get("taskIds").filter(|_| offers.tasks) {
            written = written.raw("taskIds", raw.get());
            targets.push(Target::Task);
        }
        Ok(Self { targets, rewritten: Some(("notifications", written.close())), ..Self::default() })
    }
}

/// Checks that no reader takes a name for a shorter one. URIs have rules of their own, see [`access`](crate::access).
fn check_name(member: &str, name: &str) -> Result<(), RpcError> {
    if member != "name" || name.is_empty() || is_plain(name) {
        return Ok(());
    }
    Err(RpcError::invalid_params("names have neither control characters nor white space at the edges"))
}

/// A parameter that must be a string.
fn required<'a>(raw: Option<&'a RawValue>, member: &str) -> Result<Cow<'a, str>, RpcError> {
    let invalid = |problem| RpcError::invalid_params(["params.", member, problem].concat());
    let name = raw.and_then(text).ok_or_else(|| invalid(" must be a string"))?;
    if name.len() > NAME_BYTES { Err(invalid(" is longer than 16384 bytes")) } else { Ok(name) }
}
