//! The parameters of a message: read strictly, and written anew.

use mcp_edge_protocol::{
    error::RpcError,
    params::{Meta, is_empty_array, pick_members, text},
};
use serde_json::value::RawValue;

use super::{data::UserAnswer, members::Members};

/// The members of `params` that decide anything, here or at the upstream, for any method.
const NAMES: [&str; 19] = [
    "_meta",
    "name",
    "arguments",
    "uri",
    "cursor",
    INPUTS,
    "requestState",
    "protocolVersion",
    "capabilities",
    "clientInfo",
    "level",
    "ref",
    "argument",
    "context",
    "taskId",
    "task",
    "notifications",
    "requestId",
    "progressToken",
];

/// The members of `_meta` that decide anything.
const META_NAMES: [&str; 7] = [
    "io.modelcontextprotocol/protocolVersion",
    CAPABILITIES,
    "io.modelcontextprotocol/clientInfo",
    "io.modelcontextprotocol/logLevel",
    "io.modelcontextprotocol/related-task",
    "progressToken",
    "io.modelcontextprotocol/subscriptionId",
];

/// The member of `_meta` that says what a client can do.
const CAPABILITIES: &str = "io.modelcontextprotocol/clientCapabilities";

/// The answers to what a client was asked.
const INPUTS: &str = "inputResponses";

/// 64 KiB for them: they are written anew several times. Those of clients take hundreds of bytes.
const CAPABILITIES_BYTES: usize = 64 * 1024;

/// The extension by which a server may answer a call with a task.
const TASKS: &str = "io.modelcontextprotocol/tasks";

/// `params` and its `_meta`.
pub(super) struct Params<'a> {
    /// None if there are no parameters.
    members: Option<Members<'a>>,
    /// None if it is missing, or no object, which counts as missing.
    meta: Option<Members<'a>>,
}

/// What of the parameters is sent on in another form, as JSON.
#[derive(Clone, Copy, Default)]
pub(super) struct Changed<'a> {
    /// The capabilities of the client.
    pub capabilities: Option<&'a str>,
    /// The answers to what the client was asked.
    pub inputs: Option<&'a str>,
}

impl<'a> Params<'a> {
    /// Reads parameters. `null` and an array without elements count as none.
    ///
    /// # Errors
    /// If they are no object, or if different readers could read them or their `_meta` differently.
    pub(super) fn read(raw: Option<&'a RawValue>) -> Result<Self, RpcError> {
        let json = match raw.map(RawValue::get) {
            None | Some("null") => return Ok(Self { members: None, meta: None }),
            Some(json) if is_empty_array(json) => return Ok(Self { members: None, meta: None }),
            Some(json) if json.starts_with('{') => json,
            Some(_) => return Err(RpcError::invalid_request("`params` must be an object")),
        };
        let members = Members::read(json, &NAMES).map_err(|_| {
            RpcError::invalid_request(
                "`params` has a member twice, one with a name in another spelling, more than 64, or is not valid text",
            )
        })?;
        let meta = members.raw("_meta").map(RawValue::get).filter(|json| json.starts_with('{'));
        let meta = meta.map(|json| Members::read(json, &META_NAMES)).transpose().map_err(|_| {
            RpcError::invalid_request(
                "params._meta has a member twice, one with a name in another spelling, more than 64, or is not valid text",
            )
        })?;
        let capabilities = meta.as_ref().and_then(|meta| meta.get(CAPABILITIES));
        if capabilities.is_some_and(|raw| raw.get().len() > CAPABILITIES_BYTES) {
            return Err(RpcError::envelope("clientCapabilities", "has more than 64 KiB"));
        }
        Ok(Self { members: Some(members), meta })
    }

    /// A member by its name. `null` counts as absent.
    pub(super) fn get(&self, name: &str) -> Option<&'a RawValue> {
        self.members.as_ref()?.get(name)
    }

    /// `_meta`, as the rules of the eras want it.
    pub(super) fn meta(&self) -> Option<Meta<'a>> {
        match &self.meta {
            Some(meta) => Some(Meta::of(|name| meta.get(name))),
            None => self.get("_meta").map(|_| Meta::default()),
        }
    }

    /// Writes the parameters anew, as a member of a message, if there are any.
    ///
    /// A member of the name `rewritten.0` is written as `rewritten.1` says, and others as `changed` does.
    pub(super) fn write(&self, into: &mut String, rewritten: Option<(&str, &str)>, changed: Changed<'_>) {
        let Some(members) = &self.members else { return };
        let meta = self.meta.as_ref().map(|meta| {
            let mut text = String::with_capacity(members.raw("_meta").map_or(0, |raw| raw.get().len()));
            meta.write(&mut text, |name, json| match changed.capabilities {
                Some(capabilities) if name == CAPABILITIES => Some(capabilities),
                _ => (json != "null" || !META_NAMES.contains(&name)).then_some(json),
            });
            text
        });
        let meta = meta.as_deref();
        into.push_str(",\"params\":");
        members.write(into, |name, json| match rewritten {
            Some((written, json)) if written == name => Some(json),
            _ if name == "_meta" => meta,
            _ if name == INPUTS && changed.inputs.is_some() => changed.inputs.filter(|json| *json != "{}"),
            _ if json == "null" && NAMES.contains(&name) => None,
            _ if matches!(name, "arguments" | "context") && is_empty_array(json) => None,
            _ => Some(json),
        });
    }

    /// The capabilities of the client, as JSON.
    pub(super) fn capabilities(&self) -> Option<&'a str> {
        self.meta.as_ref()?.get(CAPABILITIES).map(RawValue::get)
    }

    /// What was answered under a key of the gateway's own, if it can be understood, and the other answers, as JSON. `None` if
    /// nothing was.
    ///
    /// # Errors
    /// If they are no object, or if different readers could read them differently.
    pub(super) fn answer(&self, key: &str) -> Result<Option<(Option<UserAnswer>, String)>, RpcError> {
        let Some(raw) = self.get(INPUTS) else { return Ok(None) };
        let answers = Members::read(raw.get(), &[key]).map_err(|_| {
            RpcError::invalid_params("params.inputResponses is no object, or has a member twice, or more than 64")
        })?;
        let Some(own) = answers.raw(key) else { return Ok(None) };
        let action = pick_members(own.get(), &["action"]).ok().and_then(|[action]| text(action?));
        let answer = match action.as_deref() {
            Some("accept") => Some(UserAnswer::Accepted),
            Some("decline" | "cancel") => Some(UserAnswer::Declined),
            _ => None,
        };
        let mut others = String::new();
        answers.write(&mut others, |name, json| (name != key).then_some(json));
        Ok(Some((answer, others)))
    }

    /// The capabilities of the client without those of tasks.
    ///
    /// # Errors
    /// If different readers could read them differently.
    pub(super) fn capabilities_without_tasks(&self) -> Result<Option<String>, RpcError> {
        let capabilities = self.meta.as_ref().and_then(|meta| meta.get(CAPABILITIES));
        capabilities.map(|raw| without_tasks(raw.get())).transpose().map_err(|_| {
            RpcError::envelope("clientCapabilities", "has a member twice, or with a name in another spelling")
        })
    }
}

fn without_tasks(capabilities: &str) -> serde_json::Result<String> {
    let members = Members::read(capabilities, &["extensions"])?;
    let mut rest = None;
    if let Some(raw) = members.get("extensions") {
        let mut text = String::new();
        let extensions = Members::read(raw.get(), &[TASKS])?;
        extensions.write(&mut text, |name, json| (name != TASKS).then_some(json));
        rest = Some(text);
    }
    let mut text = String::new();
    members.write(&mut text, |name, json| if name == "extensions" { rest.as_deref() } else { Some(json) });
    Ok(text)
}
