//! `initialize` and `server/discover`: the revisions and capabilities that an upstream and the gateway both have.

use mcp_edge_protocol::{
    members::{is_alike, string, walk_array, walk_object},
    revision::{MODERN, Revision},
};
use mcp_edge_runtime::json::{Object, array, quote};

use super::{CACHE_SCOPE, RewriteContext, UnreadableResult, split, with_private_cache};

/// Characters of a revision's name that an error repeats.
const SHOWN_CHARACTERS: usize = 40;

/// The extension of the modern era for tasks.
const TASKS: &str = "io.modelcontextprotocol/tasks";

/// The extension for skills. Its methods are in no allow-list of the gateway, and who declares it must have them; their files
/// pass as the resources that they are.
const SKILLS: &str = "io.modelcontextprotocol/skills";

/// The members of the result of `initialize`.
pub(super) fn initialize(result: &str, context: &RewriteContext<'_>) -> Result<Object, UnreadableResult> {
    let parts = split(result, ["protocolVersion", "capabilities"])?;
    let [version, capabilities] = parts.known;
    let version = version.and_then(string).ok_or(UnreadableResult::Member("protocolVersion"))?;
    let Some(revision) = Revision::legacy(&version) else {
        return Err(UnreadableResult::UnknownRevision(version.chars().take(SHOWN_CHARACTERS).collect()));
    };
    let capabilities = offered(capabilities, context)?;
    Ok(parts.others.text("protocolVersion", revision.as_str()).raw("capabilities", &capabilities.close()))
}

/// The members of the result of `server/discover`.
pub(super) fn discover(result: &str, context: &RewriteContext<'_>) -> Result<Object, UnreadableResult> {
    let parts = split(result, ["supportedVersions", "capabilities", CACHE_SCOPE])?;
    let [versions, capabilities, _] = parts.known;
    let mut is_known = false;
    let walked = walk_array(versions.unwrap_or_default(), &mut |version| {
        is_known |= string(version).is_some_and(|version| version == MODERN.as_str());
        true
    });
    walked.map_err(|_| UnreadableResult::Member("supportedVersions"))?;
    if !is_known {
        return Err(UnreadableResult::NoModernRevision);
    }
    let capabilities = offered(capabilities, context)?;
    let members = parts.others.raw("supportedVersions", &array([quote(MODERN.as_str())]));
    Ok(with_private_cache(members.raw("capabilities", &capabilities.close()), true))
}

/// The capabilities without those of groups in which nothing is offered.
fn offered(capabilities: Option<&str>, context: &RewriteContext<'_>) -> Result<Object, UnreadableResult> {
    let policy = context.policy;
    let offers = |name: &str| match name {
        "tools" => !policy.tools.offers_nothing(),
        "prompts" => !policy.prompts.offers_nothing(),
        "resources" => !policy.resources.offers_nothing(),
        "completions" => !policy.prompts.offers_nothing() || !policy.resources.offers_nothing(),
        "tasks" => policy.offers_tasks(context.identity),
        // Nobody knows what it would let clients do.
        "experimental" => false,
        _ => true,
    };
    let names = ["tools", "prompts", "resources", "completions", "tasks", "experimental", "extensions"];
    let parts = split(capabilities.unwrap_or("{}"), names).map_err(|_| UnreadableResult::Member("capabilities"))?;
    let mut members = parts.others;
    for (name, value) in names.into_iter().zip(parts.known) {
        match value {
            // Some serializers write what is absent.
            Some("null") if name == "extensions" => {}
            Some(extensions) if name == "extensions" => {
                members = members.raw(name, &passed_on(extensions, context)?);
            }
            Some(value) if offers(name) => members = members.raw(name, value),
            _ => {}
        }
    }
    Ok(members)
}

/// The extensions; tasks only where they are offered, and never skills.
fn passed_on(extensions: &str, context: &RewriteContext<'_>) -> Result<String, UnreadableResult> {
    let offers_tasks = context.policy.offers_tasks(context.identity);
    let mut others = Vec::new();
    let walked = walk_object(extensions, &mut |name, value| {
        if !is_alike(&name, SKILLS) && (offers_tasks || !is_alike(&name, TASKS)) {
            others.push((name, value));
        }
        true
    });
    walked.map_err(|_| UnreadableResult::Member("extensions"))?;
    Ok(others.iter().fold(Object::new(), |object, (name, value)| object.entry(name, value)).close())
}
