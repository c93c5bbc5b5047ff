//! The portal's form: its fields as client metadata, and errors by field.

use mcp_edge_runtime::ports::Runtime;
pub use mcp_edge_sign_in::form::Form;
use mcp_edge_sign_in::random_text::random_text;
use serde_json::{Map, Value, json};

use crate::client_metadata::{ClientMetadata, error::MetadataError, page_uri};

/// A field and what is wrong with it.
pub type Problem = (&'static str, String);

/// The fields, by their names in the forms, and the members of client metadata that they fill in.
const FIELDS: [(&str, &str); 8] = [
    ("client_name", "client_name"),
    ("redirect_uris", "redirect_uris"),
    ("kind", "token_endpoint_auth_method"),
    ("scope", "scope"),
    ("client_uri", "client_uri"),
    ("logo_uri", "logo_uri"),
    ("tos_uri", "tos_uri"),
    ("policy_uri", "policy_uri"),
];

/// The error for a page at another host (see [`ClientMetadata::foreign_pages`]).
const FOREIGN_PAGE: &str = "must be at the host of every https redirect address, or at a host below it";

/// Forms as client metadata.
pub trait MetadataForm: Sized {
    /// An empty form with a number of its own: sending it twice is one wish.
    fn for_new(runtime: &impl Runtime) -> Self;

    /// The form that asks for this metadata.
    #[must_use]
    fn of(metadata: &ClientMetadata) -> Self;

    /// The form with the kind of client that cannot be changed any more.
    #[must_use]
    fn with_kind_of(self, metadata: &ClientMetadata) -> Self;

    /// The metadata that the form asks for, with what forms have no field for taken from before.
    #[must_use]
    fn keeping(&self, asked: ClientMetadata, before: &ClientMetadata) -> ClientMetadata;

    /// The metadata that the form asks for.
    ///
    /// # Errors
    /// Everything that is wrong with it, one problem for each field at most.
    fn to_metadata(&self, more_schemes: &[String]) -> Result<ClientMetadata, Vec<Problem>>;
}

impl MetadataForm for Form {
    fn for_new(runtime: &impl Runtime) -> Self {
        let mut form = Self::default();
        form.set("once", &random_text(runtime));
        form
    }

    fn of(metadata: &ClientMetadata) -> Self {
        let mut form = Self::default();
        form.set("client_name", &metadata.client_name);
        form.set("redirect_uris", &metadata.redirect_uris.join("\n"));
        for name in metadata.scopes().unwrap_or_default().iter() {
            form.add("scope", name);
        }
        let pages = [
            ("client_uri", &metadata.client_uri),
            ("logo_uri", &metadata.logo_uri),
            ("tos_uri", &metadata.tos_uri),
            ("policy_uri", &metadata.policy_uri),
        ];
        for (field, uri) in pages {
            form.set(field, uri.as_deref().unwrap_or_default());
        }
        form.with_kind_of(metadata)
    }

    fn with_kind_of(mut self, metadata: &ClientMetadata) -> Self {
        self.set("kind", if metadata.token_endpoint_auth_method.has_secret() { "server" } else { "public" });
        self
    }

    fn keeping(&self, asked: ClientMetadata, before: &ClientMetadata) -> ClientMetadata {
        ClientMetadata {
            token_endpoint_auth_method: before.token_endpoint_auth_method,
            grant_types: before.grant_types.clone(),
            contacts: before.contacts.clone(),
            software_id: before.software_id.clone(),
            software_version: before.software_version.clone(),
            ..asked
        }
    }

    fn to_metadata(&self, more_schemes: &[String]) -> Result<ClientMetadata, Vec<Problem>> {
        let mut problems: Vec<Problem> = Vec::new();
        if self.first("client_name").trim().is_empty() {
            problems.push((
                "client_name",
                "must not be empty: users read it when they are asked to allow access".to_owned(),
            ));
        }
        if !matches!(self.first("kind"), "public" | "server") {
            problems.push(("kind", "must be chosen".to_owned()));
        }
        // The endpoint leaves out pages that it cannot keep; who fills in a form can correct them.
        for (page, _) in FIELDS.iter().filter(|(field, _)| field.ends_with("_uri")) {
            let uri = self.first(page).trim();
            if let Some(problem) = (!uri.is_empty()).then(|| page_uri::check(uri).err()).flatten() {
                problems.push((page, problem.to_string()));
            }
        }
        let mut form = self.clone();
        // Validation stops at the first error, so each wrong field is replaced by a good value and validated again.
        for _ in FIELDS {
            match ClientMetadata::from_members(&members(&form), more_schemes) {
                Ok(metadata) => {
                    let foreign =
                        metadata.foreign_pages().filter(|page| problems.iter().all(|(field, _)| field != page));
                    let foreign: Vec<Problem> = foreign.map(|page| (page, FOREIGN_PAGE.to_owned())).collect();
                    problems.extend(foreign);
                    return if problems.is_empty() { Ok(metadata) } else { Err(problems) };
                }
                Err(error) => {
                    let (field, problem) = in_words(&error);
                    if problems.iter().all(|(known, _)| *known != field) {
                        problems.push((field, problem));
                    }
                    form.set(field, if field == "redirect_uris" { "http://127.0.0.1/" } else { "" });
                }
            }
        }
        Err(problems)
    }
}

/// The members of client metadata that a form fills in.
fn members(form: &Form) -> Map<String, Value> {
    let lines = form.first("redirect_uris").lines().map(str::trim).filter(|line| !line.is_empty());
    let scopes: Vec<&str> = form.all("scope").collect();
    let method = if form.first("kind") == "server" { "client_secret_basic" } else { "none" };
    let members = json!({
        "client_name": form.first("client_name"),
        "redirect_uris": lines.collect::<Vec<_>>(),
        "token_endpoint_auth_method": method,
        "grant_types": ["authorization_code", "refresh_token"],
        "scope": format!("openid offline_access {}", scopes.join(" ")),
        "client_uri": form.first("client_uri").trim(),
        "logo_uri": form.first("logo_uri").trim(),
        "tos_uri": form.first("tos_uri").trim(),
        "policy_uri": form.first("policy_uri").trim(),
    });
    members.as_object().cloned().unwrap_or_default()
}

/// Translates an error to the form: the field, and the line where a field has several.
#[must_use]
pub fn in_words(error: &MetadataError) -> Problem {
    let (member, index) = error.member.split_once('[').unwrap_or((&error.member, ""));
    let line = index.trim_end_matches(']').parse::<usize>().map(|index| format!("Line {}: ", index + 1));
    // Errors without a field of their own are about the addresses: they decide what is possible.
    let field = FIELDS.iter().find(|(_, known)| *known == member).map_or("redirect_uris", |(field, _)| field);
    (field, format!("{}{}", line.unwrap_or_default(), error.problem))
}

/// The rules speak of members and go on from their names; a form shows the text alone.
#[must_use]
pub fn sentence(text: &str) -> String {
    let (line, rest) = text.split_once(": ").filter(|(line, _)| line.starts_with("Line ")).unwrap_or(("", text));
    let subject = if line.is_empty() { "It".to_owned() } else { line.to_owned() };
    format!("{subject} {rest}.")
}

// ---------------------------------------------------------------------------------------------------------------------

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "client_name=Agent&kind=public&redirect_uris=http%3A%2F%2Flocalhost%2Fcb%0D%0A%0D%0Acom.example.agent%3A%2Fcb&scope=a&scope=b";

    #[test]
    fn a_form_becomes_metadata_and_back() {
        let metadata = Form::parse(GOOD).to_metadata(&[]).unwrap();
        assert_eq!(metadata.redirect_uris, ["http://localhost/cb", "com.example.agent:/cb"]);
        assert_eq!(metadata.scope.as_deref(), Some("a b offline_access openid"));
        assert_eq!(Form::of(&metadata).to_metadata(&[]), Ok(metadata));
    }

    #[test]
    fn every_field_that_is_wrong_is_named_once() {
        let form =
            "client_name=%3Cb%3E&kind=&redirect_uris=http://localhost/%0Ajavascript:x&logo_uri=http://x&tos_uri=y";
        let problems = Form::parse(form).to_metadata(&[]).unwrap_err();
        let mut fields: Vec<_> = problems.iter().map(|(field, _)| *field).collect();
        fields.sort_unstable();
        assert_eq!(fields, ["client_name", "kind", "logo_uri", "redirect_uris", "tos_uri"]);
        assert!(problems.iter().any(|(_, text)| text.starts_with("Line 2: uses a scheme")), "{problems:?}");
    }

    #[test]
    fn a_page_of_somebody_else_is_an_error_in_its_field() {
        let form = "client_name=Agent&kind=public&redirect_uris=https://alice.github.io/cb&logo_uri=https://github.io/l.png&tos_uri=https://alice.github.io/";
        let problems = Form::parse(form).to_metadata(&[]).unwrap_err();
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert!(problems[0].0 == "logo_uri" && problems[0].1.contains("every https redirect address"), "{problems:?}");
    }

    #[test]
    fn an_empty_form_is_no_application() {
        let fields: Vec<_> =
            Form::default().to_metadata(&[]).unwrap_err().into_iter().map(|(field, _)| field).collect();
        assert_eq!(fields, ["client_name", "kind", "redirect_uris"]);
    }

    #[test]
    fn a_private_scheme_and_a_secret_do_not_go_together() {
        let form = GOOD.replace("kind=public", "kind=server");
        assert_eq!(Form::parse(&form).to_metadata(&[]).unwrap_err()[0].0, "kind");
    }
}
