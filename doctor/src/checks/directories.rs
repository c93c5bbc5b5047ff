//! What the directories of Anthropic and `OpenAI` require of a server, as far as it shows from outside.
//!
//! Sources, as of November 2026: claude.com/docs/connectors/building/submission and Anthropic's software directory policy;
//! developers.openai.com/plugins and the app submission guidelines of the Apps SDK.

use serde_json::Value;

use super::{
    authorization::registration_support,
    mcp_result::{name_of, require_tools},
};
use crate::{
    check::{Check, Section},
    clients::Client,
    http::HttpResponse,
    outcome::{CheckResult, Outcome, Skip},
    probe::Probe,
    quote::{examples, quote},
    record::{Record, string},
};

pub(super) const CHECKS: &[Check] =
    &[DIRECTORY_DOCUMENTS, CLAUDE_DIRECTORY, OPENAI_DIRECTORY, OPENAI_CHALLENGE, DIRECTORY_REVIEW];

/// The longest token of `OpenAI`'s portal that is taken for one: the ones seen have some dozens of characters.
const MAX_CHALLENGE_BYTES: usize = 512;

/// Skips the checks of directories unless the operator wants to be listed in one.
///
/// # Errors
/// [`Skip`] without `--directories`.
pub(super) fn require_directories(record: &Record) -> Result<(), Skip> {
    if record.directories { Ok(()) } else { Err(Skip::new("for servers that are to be listed: --directories")) }
}

const DIRECTORY_DOCUMENTS: Check = Check {
    slug: "directory_documents",
    section: Section::Directories,
    title: "The metadata names the privacy policy, the terms of service and the documentation",
    why: "Anthropic's directory asks for a privacy policy and documentation, OpenAI's for a privacy policy and terms. They are \
          entered in a form; clients and reviewers look for the same ones in the metadata.",
    fix: "Set resource_policy_uri, resource_tos_uri and resource_documentation in the metadata. For mcp-edge they are \
          RESOURCE_POLICY_URI, RESOURCE_TOS_URI and RESOURCE_DOCUMENTATION.",
    affects: &[],
    run: directory_documents,
};

fn directory_documents(record: &Record) -> CheckResult {
    require_directories(record)?;
    let metadata = record.resource_metadata().ok_or_else(|| Skip::new("there is no metadata (see metadata_path)"))?;
    let names = ["resource_policy_uri", "resource_tos_uri", "resource_documentation"];
    let is_page = |name: &&str| string(&metadata, name).is_some_and(|url| url.starts_with("https://"));
    let missing: Vec<_> = names.into_iter().filter(|name| !is_page(name)).collect();
    Ok(if missing.is_empty() {
        Outcome::ok("privacy policy, terms and documentation are https URLs; what they say is for reviewers")
    } else {
        Outcome::warning(format!("without an https URL: {}", missing.join(", ")))
    })
}

const CLAUDE_DIRECTORY: Check = Check {
    slug: "claude_directory",
    section: Section::Directories,
    title: "The server has what Anthropic's directory requires: a sign-in without pasted keys, and annotated tools",
    why: "Anthropic lists servers on the internet that need no sign-in or OAuth with a client ID metadata document or dynamic \
          registration. Every tool needs annotations.title, and readOnlyHint: true or a destructiveHint; missing ones are \
          the most common reason for a refusal.",
    fix: "Set annotations.title, and readOnlyHint: true on tools that only read, destructiveHint on all others.",
    affects: &[],
    run: claude_directory,
};

fn claude_directory(record: &Record) -> CheckResult {
    require_directories(record)?;
    if record.target.is_private() {
        return Ok(Outcome::warning("this URL is in a private network").fix("Examine the public URL."));
    }
    if !record.is_open() {
        let support =
            registration_support(record).ok_or_else(|| Skip::new("the provider is not known (see discovery)"))?;
        if Client::Claude.registration_method(support).is_none() {
            return Ok(Outcome::warning("Claude cannot get a client ID at the provider (see registration)")
                .fix("Enable client ID metadata documents, or dynamic client registration, at the provider."));
        }
    }
    let tools = require_tools(record)?;
    let is_annotated = |tool: &&Value| {
        let annotations = &tool["annotations"];
        annotations["title"].as_str().is_some_and(|title| !title.trim().is_empty())
            && (annotations["readOnlyHint"] == true || annotations["destructiveHint"].is_boolean())
    };
    let bare: Vec<_> = tools.iter().filter(|tool| !is_annotated(tool)).map(name_of).collect();
    Ok(if bare.is_empty() {
        Outcome::ok("Claude can sign in, and every tool is annotated")
    } else {
        Outcome::warning(format!(
            "tools without title, or without readOnlyHint: true or destructiveHint: {}",
            examples(&bare)
        ))
    })
}

const OPENAI_DIRECTORY: Check = Check {
    slug: "openai_directory",
    section: Section::Directories,
    title: "Every tool has the annotations and the securitySchemes that OpenAI's scan reads",
    why: "The scan shows users what a tool does by readOnlyHint, destructiveHint and openWorldHint, each of them true or false, \
          and asks for sign-in by securitySchemes. A tool without hints is shown as destructive.",
    fix: "Set all three hints, and securitySchemes: [{\"type\": \"oauth2\", \"scopes\": […]}] or [{\"type\": \"noauth\"}] on \
          each tool. mcp-edge derives securitySchemes from the scopes of a tool.",
    affects: &[],
    run: openai_directory,
};

fn openai_directory(record: &Record) -> CheckResult {
    require_directories(record)?;
    let tools = require_tools(record)?;
    let has_hints = |tool: &Value| {
        ["readOnlyHint", "destructiveHint", "openWorldHint"].iter().all(|hint| tool["annotations"][*hint].is_boolean())
    };
    let having = |is_wrong: &dyn Fn(&Value) -> bool| -> Vec<String> {
        tools.iter().filter(|tool| is_wrong(tool)).map(name_of).collect()
    };
    let without_hints = having(&|tool| !has_hints(tool));
    if !without_hints.is_empty() {
        return Ok(Outcome::warning(format!("tools without all three hints: {}", examples(&without_hints))));
    }
    let schemes =
        |tool: &Value| has_schemes(&tool["securitySchemes"]) || has_schemes(&tool["_meta"]["securitySchemes"]);
    let without_schemes = having(&|tool| !schemes(tool));
    Ok(if without_schemes.is_empty() {
        Outcome::ok("every tool has its hints and securitySchemes")
    } else {
        Outcome::warning(format!("tools without securitySchemes: {}", examples(&without_schemes)))
    })
}

fn has_schemes(schemes: &Value) -> bool {
    let is_scheme = |scheme: &Value| matches!(scheme["type"].as_str(), Some("oauth2" | "noauth"));
    schemes.as_array().is_some_and(|schemes| !schemes.is_empty() && schemes.iter().all(is_scheme))
}

const OPENAI_CHALLENGE: Check = Check {
    slug: "openai_challenge",
    section: Section::Directories,
    title: "/.well-known/openai-apps-challenge is the token of OpenAI's portal, as plain text",
    why: "OpenAI verifies by it that the publisher controls the host. Anything around the token, a redirect or another media type \
          fails the verification.",
    fix: "Serve exactly the token that the portal shows, as text/plain. For mcp-edge it is OPENAI_APPS_CHALLENGE.",
    affects: &[],
    run: openai_challenge,
};

fn openai_challenge(record: &Record) -> CheckResult {
    require_directories(record)?;
    let response = record.require_response(Probe::OpenAiChallenge)?;
    if response.status == 404 {
        return Err(Skip::new("no token at /.well-known/openai-apps-challenge: needed once OpenAI's portal shows one"));
    }
    Ok(match challenge_problem(response) {
        None => Outcome::ok("a token is served; whether it is the portal's cannot be seen from outside"),
        Some(problem) => Outcome::warning(problem),
    })
}

fn challenge_problem(response: &HttpResponse) -> Option<String> {
    if response.status != 200 || response.media_type() != "text/plain" {
        return Some(format!("the response is {}", response.summary()));
    }
    let token = response.text();
    let is_token =
        (1..=MAX_CHALLENGE_BYTES).contains(&token.len()) && token.bytes().all(|byte| byte.is_ascii_graphic());
    (!is_token).then(|| format!("the body is {}, not one token", quote(token)))
}

const DIRECTORY_REVIEW: Check = Check {
    slug: "directory_review",
    section: Section::Directories,
    title: "What reviewers ask for beside the server is ready",
    why: "Reviewers sign in with a test account and call every tool; they read descriptions, pages and support channels.",
    fix: "Prepare a test account with sample data and without a second factor, a support contact, a logo and screenshots, and \
          examples of use.",
    affects: &[],
    run: directory_review,
};

fn directory_review(record: &Record) -> CheckResult {
    require_directories(record)?;
    Err(Skip::new(
        "cannot be seen from outside: test account with sample data, support contact, logo and screenshots, examples of use, \
         whether descriptions and hints are true, whether reading and writing are separate tools, whether the provider \
         allows https://claude.ai/api/mcp/auth_callback and the redirect URI of ChatGPT's connector",
    ))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        outcome::Verdict::{Ok as Fine, Skipped, Warning},
        target::{DiscoveryForm, Target},
        testing::{Change, expect, tool},
    };

    #[test]
    fn nobody_is_asked_who_does_not_want_to_be_listed() {
        for check in CHECKS {
            expect(check, Skipped, "--directories", |record| record.directories = false);
        }
    }

    #[test]
    fn documents_are_in_the_metadata() {
        expect(&DIRECTORY_DOCUMENTS, Fine, "https URLs", |_| {});
        for value in [json!(null), json!(""), json!("http://example.com/privacy"), json!(["https://example.com"])] {
            expect(&DIRECTORY_DOCUMENTS, Warning, "without an https URL: resource_policy_uri", move |record| {
                record.edit(Probe::MetadataAtPath, |it| it["resource_policy_uri"] = value);
            });
        }
    }

    #[test]
    fn claude_signs_in_and_reads_annotations() {
        expect(&CLAUDE_DIRECTORY, Fine, "annotated", |_| {});
        for annotations in [
            json!({ "readOnlyHint": true }),
            json!({ "title": " ", "readOnlyHint": true }),
            json!({ "title": "Who am I", "readOnlyHint": false }),
        ] {
            expect(&CLAUDE_DIRECTORY, Warning, "\"whoami\"", tool(move |it| it["annotations"] = annotations.clone()));
        }
        expect(&CLAUDE_DIRECTORY, Fine, "annotated", {
            tool(|it| it["annotations"] = json!({ "title": "Delete", "destructiveHint": true }))
        });
        expect(&CLAUDE_DIRECTORY, Warning, "cannot get a client ID", |record| {
            record.edit(Probe::Discovery(DiscoveryForm::OpenIdAppended), |it| {
                it.remove("registration_endpoint");
                it.remove("client_id_metadata_document_supported");
            });
        });
        expect(&CLAUDE_DIRECTORY, Warning, "private network", |it| {
            it.target = Target::parse("https://10.0.0.7/mcp").unwrap();
        });
    }

    #[test]
    fn openai_reads_hints_and_schemes() {
        expect(&OPENAI_DIRECTORY, Fine, "every tool", |_| {});
        expect(
            &OPENAI_DIRECTORY,
            Warning,
            "all three hints",
            tool(|it| it["annotations"]["openWorldHint"] = json!(null)),
        );
        for schemes in [json!(null), json!([]), json!([{ "type": "basic" }]), json!({ "type": "noauth" })] {
            expect(&OPENAI_DIRECTORY, Warning, "without securitySchemes", {
                tool(move |it| it["securitySchemes"] = schemes.clone())
            });
        }
        expect(&OPENAI_DIRECTORY, Fine, "every tool", {
            tool(|it| {
                it.remove("securitySchemes");
                it["_meta"]["securitySchemes"] = json!([{ "type": "noauth" }]);
            })
        });
    }

    #[test]
    fn the_challenge_is_the_token_alone() {
        let put = |status, media_type: &'static str, body: &'static str| {
            move |record: &mut Record| record.put(Probe::OpenAiChallenge, status, media_type, body)
        };
        expect(&OPENAI_CHALLENGE, Fine, "a token is served", |_| {});
        expect(&OPENAI_CHALLENGE, Skipped, "once OpenAI's portal", put(404, "application/json", "{}"));
        for (status, media_type, body) in [
            (200, "text/html", "abc"),
            (200, "text/plain", ""),
            (200, "text/plain", "abc\n"),
            (200, "text/plain", "abc def"),
            (302, "text/plain", "abc"),
            (401, "text/plain", "abc"),
        ] {
            expect(&OPENAI_CHALLENGE, Warning, "", put(status, media_type, body));
        }
    }

    #[test]
    fn what_is_not_seen_is_named() {
        expect(&DIRECTORY_REVIEW, Skipped, "test account", |_| {});
    }
}
