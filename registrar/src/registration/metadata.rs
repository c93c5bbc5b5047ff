//! Client metadata (RFC 7591 §2): parsed strictly, or refused with the member's name and what to do.
//!
//! Members that mean nothing here are ignored, as the RFC demands (§2: "MUST ignore values it does not understand"),
//! and are neither kept nor echoed. Of those that mean something each is checked for type, length and content. Nothing
//! that is named by a URI is fetched.

use std::fmt;

use mcp_edge::oauth::access::scope::{Scopes, is_scope_token};
use serde::{Deserialize, Deserializer, Serialize, de};
use serde_json::{Map, Value};

use super::{
    error::{ErrorCode, MetadataError},
    redirect_uri::{self, Kind},
    web_uri,
};

/// More addresses than any client needs; each is shown, stored and compared.
pub const MAX_REDIRECT_URIS: usize = 10;

/// In characters. A consent page shows the name in its heading.
pub const MAX_NAME_CHARACTERS: usize = 80;

/// For `software_id` and `software_version`, in bytes: a UUID or a version.
const MAX_SOFTWARE_BYTES: usize = 255;

/// People responsible for a client.
const MAX_CONTACTS: usize = 5;

/// The longest e-mail address (RFC 5321 §4.5.3.1.3).
const MAX_CONTACT_BYTES: usize = 254;

/// More scopes than any product has for agents.
const MAX_SCOPE_BYTES: usize = 2048;

/// How a client authenticates at the token endpoint (RFC 7591 §2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuthMethod {
    /// It does not: a public client.
    None,
    /// HTTP Basic. The default of the RFC.
    ClientSecretBasic,
    /// In the form.
    ClientSecretPost,
}

impl AuthMethod {
    /// Whether the client has a secret.
    #[must_use]
    pub const fn has_secret(self) -> bool {
        !matches!(self, Self::None)
    }
}

/// Metadata that was checked. Serializes as it is sent to clients and kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientMetadata {
    /// At least one, no two the same, in the order of the request.
    pub redirect_uris: Vec<String>,
    /// How it authenticates.
    pub token_endpoint_auth_method: AuthMethod,
    /// `authorization_code`, and `refresh_token` if it was asked for.
    pub grant_types: Vec<String>,
    /// Always `["code"]`.
    pub response_types: Vec<String>,
    /// `native` or `web`, as the redirect URIs decide.
    pub application_type: String,
    /// For people.
    pub client_name: String,
    /// What was asked for; the operator's policy narrows it down.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// The client's home page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_uri: Option<String>,
    /// The picture on the consent page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logo_uri: Option<String>,
    /// Terms of service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tos_uri: Option<String>,
    /// How the client uses data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy_uri: Option<String>,
    /// People responsible for the client.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub contacts: Vec<String>,
    /// Identifies the software behind many registrations.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub software_id: Option<String>,
    /// Its version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub software_version: Option<String>,
}

impl ClientMetadata {
    /// Parses and checks the body of a registration request. `more_schemes`: see [`redirect_uri::check`].
    ///
    /// # Errors
    /// The first mistake.
    pub fn parse(body: &str, more_schemes: &[String]) -> Result<Self, MetadataError> {
        Self::from_members(&members(body)?, more_schemes)
    }

    /// Checks metadata whose JSON has been taken apart by [`members`].
    ///
    /// # Errors
    /// The first mistake.
    pub fn from_members(members: &Map<String, Value>, more_schemes: &[String]) -> Result<Self, MetadataError> {
        let reader = Members(members);
        let (redirect_uris, kinds) = redirect_uris(&reader, more_schemes)?;
        let auth_method = auth_method(&reader)?;
        check_combination(auth_method, &kinds)?;
        reader.check_response_types()?;
        reader.check_keys()?;
        let is_native = kinds.iter().any(|kind| *kind != Kind::Web) && !auth_method.has_secret();
        if let Some(hint) = reader.text("application_type", MAX_SOFTWARE_BYTES)?
            && !matches!(hint, "native" | "web")
        {
            return Err(MetadataError::metadata("application_type", "must be \"native\" or \"web\""));
        }
        Ok(Self {
            token_endpoint_auth_method: auth_method,
            grant_types: reader.grant_types()?,
            response_types: vec!["code".to_owned()],
            // A hint that some clients get wrong: the redirect URIs decide.
            application_type: if is_native { "native" } else { "web" }.to_owned(),
            client_name: reader.client_name(&redirect_uris)?,
            scope: reader.scope()?,
            client_uri: reader.page("client_uri")?,
            logo_uri: reader.page("logo_uri")?,
            tos_uri: reader.page("tos_uri")?,
            policy_uri: reader.page("policy_uri")?,
            contacts: reader.contacts()?,
            software_id: reader.text("software_id", MAX_SOFTWARE_BYTES)?.map(str::to_owned),
            software_version: reader.text("software_version", MAX_SOFTWARE_BYTES)?.map(str::to_owned),
            redirect_uris,
        })
    }

    /// Whether any redirect URI leads to the user's own machine, and the client has no secret: a native application.
    #[must_use]
    pub fn is_native(&self) -> bool {
        self.application_type == "native"
    }

    /// The scopes that were asked for; `None` if that was left to the server.
    #[must_use]
    pub fn scopes(&self) -> Option<Scopes> {
        self.scope.as_deref().map(Scopes::parse)
    }

    /// Which members name pages and pictures that cannot be known to be the client's own. Users are shown them, and a
    /// client whose answers go to `https://evil.example` must not show the logo of `https://bank.example`, so RFC 7591 §5
    /// wants them at the hosts of the redirect URIs. Here it is at or below *every* https one, since nobody has to prove
    /// that an address is theirs to register it: naming the bank's as well must not help. Of a client without any,
    /// nothing can be known.
    pub fn foreign_pages(&self) -> impl Iterator<Item = &'static str> {
        let own: Vec<String> = self
            .redirect_uris
            .iter()
            .filter(|uri| redirect_uri::check(uri, &[]) == Ok(Kind::Web))
            .filter_map(|uri| web_uri::host_of(uri))
            .collect();
        let is_foreign = |uri: &Option<String>| {
            let host = uri.as_deref().and_then(web_uri::host_of);
            host.is_some_and(|host| !own.iter().all(|own| web_uri::is_at_or_below(&host, own)))
        };
        let pages = [
            ("client_uri", is_foreign(&self.client_uri)),
            ("logo_uri", is_foreign(&self.logo_uri)),
            ("tos_uri", is_foreign(&self.tos_uri)),
            ("policy_uri", is_foreign(&self.policy_uri)),
        ];
        pages.into_iter().filter_map(|(member, is_foreign)| is_foreign.then_some(member))
    }

    /// The metadata without its [`foreign_pages`](Self::foreign_pages). VS Code and Cursor register some, and would not
    /// work at all if they were refused; that they are left out, which RFC 7591 §3.2.1 allows, is seen in the answer.
    #[must_use]
    pub fn without_foreign_pages(mut self) -> Self {
        let foreign: Vec<&str> = self.foreign_pages().collect();
        let pages = [
            ("client_uri", &mut self.client_uri),
            ("logo_uri", &mut self.logo_uri),
            ("tos_uri", &mut self.tos_uri),
            ("policy_uri", &mut self.policy_uri),
        ];
        for (member, uri) in pages {
            if foreign.contains(&member) {
                *uri = None;
            }
        }
        self
    }
}

/// Takes a JSON object apart. A member that occurs twice is refused: whoever reads it next might take the other one.
///
/// # Errors
/// `invalid_client_metadata` if it is no JSON object, or a member occurs twice.
pub fn members(body: &str) -> Result<Map<String, Value>, MetadataError> {
    struct Unique(Map<String, Value>);

    impl<'de> Deserialize<'de> for Unique {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            struct Visitor;
            impl<'de> de::Visitor<'de> for Visitor {
                type Value = Unique;

                fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                    formatter.write_str("a JSON object")
                }

                fn visit_map<A: de::MapAccess<'de>>(self, mut access: A) -> Result<Unique, A::Error> {
                    let mut members = Map::new();
                    while let Some((name, value)) = access.next_entry::<String, Value>()? {
                        if members.insert(name, value).is_some() {
                            return Err(de::Error::custom("duplicate"));
                        }
                    }
                    Ok(Unique(members))
                }
            }
            deserializer.deserialize_map(Visitor)
        }
    }

    serde_json::from_str::<Unique>(body)
        .map(|unique| unique.0)
        .map_err(|_| MetadataError::metadata("the body", "must be one JSON object in which no member occurs twice"))
}

/// The addresses without repetitions, and what sort each is of.
fn redirect_uris(reader: &Members<'_>, more_schemes: &[String]) -> Result<(Vec<String>, Vec<Kind>), MetadataError> {
    const MEMBER: &str = "redirect_uris";
    let wrong = |problem: &str| MetadataError::redirect_uri(MEMBER, problem);
    let list = match reader.get(MEMBER) {
        None => return Err(wrong("must be given: it says where the answer to a sign-in may be sent")),
        Some(Value::Array(list)) => list,
        Some(_) => return Err(wrong("must be a list of texts")),
    };
    if list.is_empty() {
        return Err(wrong("must not be empty"));
    }
    if list.len() > MAX_REDIRECT_URIS {
        return Err(wrong(&format!("must not have more than {MAX_REDIRECT_URIS} entries")));
    }
    let (mut uris, mut kinds) = (Vec::new(), Vec::new());
    for (index, entry) in list.iter().enumerate() {
        let at = || format!("{MEMBER}[{index}]");
        let uri = entry.as_str().ok_or_else(|| MetadataError::redirect_uri(at(), "must be a text"))?;
        let kind = redirect_uri::check(uri, more_schemes)
            .map_err(|problem| MetadataError::redirect_uri(at(), problem.to_string()))?;
        if !uris.iter().any(|known| known == uri) {
            uris.push(uri.to_owned());
            kinds.push(kind);
        }
    }
    Ok((uris, kinds))
}

fn auth_method(reader: &Members<'_>) -> Result<AuthMethod, MetadataError> {
    const MEMBER: &str = "token_endpoint_auth_method";
    match reader.text(MEMBER, MAX_SOFTWARE_BYTES)? {
        Some("none") => Ok(AuthMethod::None),
        // The default of RFC 7591 §2.
        None | Some("client_secret_basic") => Ok(AuthMethod::ClientSecretBasic),
        Some("client_secret_post") => Ok(AuthMethod::ClientSecretPost),
        Some(_) => {
            Err(MetadataError::metadata(MEMBER, "must be \"none\", \"client_secret_basic\" or \"client_secret_post\""))
        }
    }
}

/// A secret inside of an application that everybody can take apart is none (RFC 8252 §8.5).
fn check_combination(auth_method: AuthMethod, kinds: &[Kind]) -> Result<(), MetadataError> {
    if auth_method.has_secret() && kinds.contains(&Kind::PrivateUse) {
        return Err(MetadataError::metadata(
            "token_endpoint_auth_method",
            "must be \"none\" for a client with a private-use redirect URI: such a client cannot keep a secret",
        ));
    }
    Ok(())
}

/// Typed access to members. `null` counts as absent (RFC 7592 §2.2).
struct Members<'a>(&'a Map<String, Value>);

impl<'a> Members<'a> {
    fn get(&self, name: &str) -> Option<&'a Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    /// A text of at most `max_bytes` without control and formatting characters; an empty one counts as absent, which is
    /// how some clients leave a member out.
    fn text(&self, name: &str, max_bytes: usize) -> Result<Option<&'a str>, MetadataError> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let text = value.as_str().ok_or_else(|| MetadataError::metadata(name, "must be a text"))?;
        if text.len() > max_bytes {
            return Err(MetadataError::metadata(name, format!("must not be longer than {max_bytes} bytes")));
        }
        if text.chars().any(is_invisible) {
            return Err(MetadataError::metadata(name, "must not contain control or formatting characters"));
        }
        Ok(Some(text).filter(|text| !text.is_empty()))
    }

    fn texts(&self, name: &str, max_entries: usize) -> Result<Option<Vec<&'a str>>, MetadataError> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let wrong = || MetadataError::metadata(name, format!("must be a list of at most {max_entries} texts"));
        let list = value.as_array().filter(|list| list.len() <= max_entries).ok_or_else(wrong)?;
        list.iter().map(Value::as_str).collect::<Option<Vec<_>>>().map(Some).ok_or_else(wrong)
    }

    fn page(&self, name: &str) -> Result<Option<String>, MetadataError> {
        let Some(uri) = self.text(name, redirect_uri::MAX_BYTES)? else { return Ok(None) };
        web_uri::check(uri).map_err(|problem| MetadataError::metadata(name, problem.to_string()))?;
        Ok(Some(uri.to_owned()))
    }

    /// A short text, without markup, that cannot change how the text around it looks.
    fn client_name(&self, redirect_uris: &[String]) -> Result<String, MetadataError> {
        const MEMBER: &str = "client_name";
        let wrong = |problem: String| Err(MetadataError::metadata(MEMBER, problem));
        let name = self.text(MEMBER, 4 * MAX_NAME_CHARACTERS)?.unwrap_or_default().trim();
        match name {
            "" => {
                // Users must be told something that is true, so no host that gets some of the answers only: anybody can
                // name a bank's address beside their own.
                let mut hosts = redirect_uris.iter().map(|uri| web_uri::host_of(uri));
                let first = hosts.next().flatten().filter(|first| hosts.all(|other| other.as_ref() == Some(first)));
                Ok(first.map_or_else(|| "An agent without a name".to_owned(), |host| format!("An agent at {host}")))
            }
            _ if name.chars().count() > MAX_NAME_CHARACTERS => {
                wrong(format!("must not be longer than {MAX_NAME_CHARACTERS} characters"))
            }
            _ if name.contains(['<', '>']) => wrong("must not contain < or >".to_owned()),
            _ if !name.chars().any(char::is_alphanumeric) => wrong("must contain a letter or a digit".to_owned()),
            _ => Ok(name.to_owned()),
        }
    }

    /// Grants that are not offered are refused, but for those that well-known clients name whether they use them or
    /// not: they are left out, which RFC 7591 §3.2.1 allows and the answer shows.
    fn grant_types(&self) -> Result<Vec<String>, MetadataError> {
        const MEMBER: &str = "grant_types";
        const OFFERED: [&str; 2] = ["authorization_code", "refresh_token"];
        const LEFT_OUT: [&str; 2] =
            ["urn:ietf:params:oauth:grant-type:device_code", "urn:ietf:params:oauth:grant-type:jwt-bearer"];
        let asked = self.texts(MEMBER, 8)?.unwrap_or_else(|| vec!["authorization_code"]);
        if asked.iter().any(|grant| !OFFERED.contains(grant) && !LEFT_OUT.contains(grant)) {
            return Err(MetadataError::metadata(MEMBER, "may be \"authorization_code\" and \"refresh_token\" only"));
        }
        if !asked.contains(&"authorization_code") {
            return Err(MetadataError::metadata(MEMBER, "must contain \"authorization_code\""));
        }
        Ok(OFFERED.iter().filter(|grant| asked.contains(grant)).map(|grant| (*grant).to_owned()).collect())
    }

    fn check_response_types(&self) -> Result<(), MetadataError> {
        match self.texts("response_types", 8)? {
            None => Ok(()),
            Some(types) if types == ["code"] => Ok(()),
            Some(_) => Err(MetadataError::metadata("response_types", "must be [\"code\"]")),
        }
    }

    /// Key sets belong to authentication methods that are not offered, and statements to issuers that nobody trusts
    /// here. What a statement says would count more than the members beside it (RFC 7591 §2.3), so it is not ignored.
    fn check_keys(&self) -> Result<(), MetadataError> {
        if self.get("jwks").is_some() && self.get("jwks_uri").is_some() {
            return Err(MetadataError::metadata("jwks", "must not be given together with jwks_uri"));
        }
        if self.get("software_statement").is_some() {
            return Err(MetadataError {
                code: ErrorCode::UnapprovedSoftwareStatement,
                ..MetadataError::metadata("software_statement", "is not accepted here: leave it out")
            });
        }
        Ok(())
    }

    fn scope(&self) -> Result<Option<String>, MetadataError> {
        const MEMBER: &str = "scope";
        let Some(list) = self.text(MEMBER, MAX_SCOPE_BYTES)? else { return Ok(None) };
        if !list.split(' ').filter(|name| !name.is_empty()).all(is_scope_token) {
            let problem = "must be a list of scope names, separated by spaces, without quotes and backslashes";
            return Err(MetadataError::metadata(MEMBER, problem));
        }
        Ok(Some(Scopes::parse(list).to_string()))
    }

    fn contacts(&self) -> Result<Vec<String>, MetadataError> {
        const MEMBER: &str = "contacts";
        let contacts = self.texts(MEMBER, MAX_CONTACTS)?.unwrap_or_default();
        let is_bad = |contact: &&str| {
            contact.len() > MAX_CONTACT_BYTES || contact.is_empty() || contact.chars().any(is_invisible)
        };
        if contacts.iter().any(is_bad) {
            return Err(MetadataError::metadata(MEMBER, "must be e-mail addresses"));
        }
        Ok(contacts.into_iter().map(str::to_owned).collect())
    }
}

/// Control characters, and what hides text, turns its direction around, or looks like nothing: the line breaks and the
/// `Default_Ignorable_Code_Point`s of Unicode without the selectors of an emoji's look (FE0E, FE0F), interlinear
/// annotations, and the blank Braille pattern.
fn is_invisible(character: char) -> bool {
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
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    /// What the official TypeScript client sends, with members changed or added; `null` removes one.
    #[allow(clippy::needless_pass_by_value, reason = "every caller makes the value in place")]
    fn parse(changes: Value) -> Result<ClientMetadata, MetadataError> {
        let mut metadata = json!({
            "client_name": "Agent", "redirect_uris": ["http://127.0.0.1:9999/callback"],
            "grant_types": ["authorization_code", "refresh_token"], "response_types": ["code"],
            "token_endpoint_auth_method": "none",
        });
        for (name, value) in changes.as_object().unwrap() {
            metadata[name] = value.clone();
        }
        ClientMetadata::parse(&metadata.to_string(), &[])
    }

    fn mistake(changes: Value) -> (ErrorCode, String) {
        let error = parse(changes).unwrap_err();
        (error.code, error.to_string())
    }

    #[test]
    fn what_the_typescript_client_sends_is_accepted() {
        let metadata = parse(json!({})).unwrap();
        assert_eq!(metadata.client_name, "Agent");
        assert_eq!(metadata.grant_types, ["authorization_code", "refresh_token"]);
        assert!(metadata.is_native() && !metadata.token_endpoint_auth_method.has_secret());
    }

    #[test]
    fn what_other_clients_send_is_accepted() {
        // VS Code and Claude: a grant that is not offered. Cursor: a wrong application_type.
        for other in ["device_code", "jwt-bearer"] {
            let other = format!("urn:ietf:params:oauth:grant-type:{other}");
            let metadata = parse(json!({"grant_types": ["authorization_code", "refresh_token", other]})).unwrap();
            assert_eq!(metadata.grant_types, ["authorization_code", "refresh_token"]);
        }
        let cursor =
            json!({"application_type": "web", "redirect_uris": ["cursor://anysphere.cursor-mcp/oauth/callback"]});
        assert_eq!(parse(cursor).unwrap().application_type, "native");
        // Left out by an empty text, as some do.
        assert_eq!(parse(json!({"logo_uri": "", "scope": ""})).unwrap().logo_uri, None);
    }

    #[test]
    fn defaults_are_those_of_the_rfc() {
        let metadata = ClientMetadata::parse(r#"{"redirect_uris":["https://agent.example.com/cb"]}"#, &[]).unwrap();
        assert_eq!(metadata.token_endpoint_auth_method, AuthMethod::ClientSecretBasic);
        assert_eq!(metadata.grant_types, ["authorization_code"]);
        assert_eq!((metadata.response_types.as_slice(), metadata.scope.as_deref()), (&["code".to_owned()][..], None));
        assert_eq!(metadata.client_name, "An agent at agent.example.com");
    }

    #[test]
    fn the_redirect_uris_decide_what_the_client_is() {
        let is_native = |uris: Value| parse(json!({"redirect_uris": uris})).unwrap().is_native();
        assert!(is_native(json!(["https://agent.example.com/cb", "http://localhost/cb"])));
        assert!(!is_native(json!(["https://agent.example.com/cb"])));
        let secret = parse(json!({"token_endpoint_auth_method": "client_secret_post"})).unwrap();
        assert!(!secret.is_native(), "a client with a secret may use a loopback address and is still a web client");
    }

    #[test]
    fn repeated_addresses_count_once_and_their_order_stays() {
        let metadata =
            parse(json!({"redirect_uris": ["http://localhost/b", "http://localhost/a", "http://localhost/b"]}))
                .unwrap();
        assert_eq!(metadata.redirect_uris, ["http://localhost/b", "http://localhost/a"]);
    }

    #[test]
    fn every_mistake_has_the_code_of_the_rfc_and_names_its_member() {
        use ErrorCode::{InvalidClientMetadata, InvalidRedirectUri, UnapprovedSoftwareStatement};
        let uris = |count: usize| (0..count).map(|n| format!("http://localhost/{n}")).collect::<Vec<_>>();
        for (changes, code, member) in [
            (json!({"redirect_uris": null}), InvalidRedirectUri, "redirect_uris: must be given"),
            (json!({"redirect_uris": []}), InvalidRedirectUri, "redirect_uris: must not be empty"),
            (json!({"redirect_uris": "http://localhost/"}), InvalidRedirectUri, "redirect_uris: must be a list"),
            (json!({"redirect_uris": [1]}), InvalidRedirectUri, "redirect_uris[0]: must be a text"),
            (json!({"redirect_uris": uris(11)}), InvalidRedirectUri, "redirect_uris: must not have more than 10"),
            (
                json!({"redirect_uris": ["http://localhost/", "javascript:alert(1)"]}),
                InvalidRedirectUri,
                "redirect_uris[1]: uses a scheme",
            ),
            (
                json!({"token_endpoint_auth_method": "private_key_jwt"}),
                InvalidClientMetadata,
                "token_endpoint_auth_method",
            ),
            (
                json!({"token_endpoint_auth_method": "tls_client_auth"}),
                InvalidClientMetadata,
                "token_endpoint_auth_method",
            ),
            (json!({"token_endpoint_auth_method": ["none"]}), InvalidClientMetadata, "token_endpoint_auth_method"),
            (
                json!({"token_endpoint_auth_method": null, "redirect_uris": ["cursor://anysphere.cursor-mcp/oauth/callback"]}),
                InvalidClientMetadata,
                "token_endpoint_auth_method: must be \"none\"",
            ),
            (json!({"grant_types": ["client_credentials"]}), InvalidClientMetadata, "grant_types"),
            (json!({"grant_types": ["authorization_code", "password"]}), InvalidClientMetadata, "grant_types"),
            (json!({"grant_types": ["authorization_code", "implicit"]}), InvalidClientMetadata, "grant_types"),
            (json!({"grant_types": ["refresh_token"]}), InvalidClientMetadata, "grant_types: must contain"),
            (json!({"grant_types": []}), InvalidClientMetadata, "grant_types: must contain"),
            (json!({"grant_types": "authorization_code"}), InvalidClientMetadata, "grant_types: must be a list"),
            (json!({"response_types": ["token"]}), InvalidClientMetadata, "response_types"),
            (json!({"response_types": ["code", "id_token"]}), InvalidClientMetadata, "response_types"),
            (json!({"response_types": []}), InvalidClientMetadata, "response_types"),
            (json!({"application_type": "service"}), InvalidClientMetadata, "application_type"),
            (json!({"client_name": "x".repeat(81)}), InvalidClientMetadata, "client_name: must not be longer"),
            (json!({"client_name": "<b>Bank</b>"}), InvalidClientMetadata, "client_name: must not contain <"),
            (
                json!({"client_name": "Bank\u{202e}knaB"}),
                InvalidClientMetadata,
                "client_name: must not contain control",
            ),
            (json!({"client_name": "Ba\u{200b}nk"}), InvalidClientMetadata, "client_name: must not contain control"),
            (json!({"client_name": "Bank\nSafe"}), InvalidClientMetadata, "client_name: must not contain control"),
            (json!({"client_name": "…"}), InvalidClientMetadata, "client_name: must contain a letter"),
            (json!({"client_name": {"en": "Agent"}}), InvalidClientMetadata, "client_name: must be a text"),
            (json!({"scope": ["a"]}), InvalidClientMetadata, "scope: must be a text"),
            (json!({"scope": "a \"b\""}), InvalidClientMetadata, "scope: must be a list of scope names"),
            (json!({"scope": "x".repeat(3000)}), InvalidClientMetadata, "scope: must not be longer"),
            (
                json!({"client_uri": "http://agent.example.com"}),
                InvalidClientMetadata,
                "client_uri: must begin with https",
            ),
            (json!({"logo_uri": "data:image/png,x"}), InvalidClientMetadata, "logo_uri: must begin with https"),
            (json!({"tos_uri": "https://10.0.0.1/"}), InvalidClientMetadata, "tos_uri: must name its host"),
            (json!({"policy_uri": "javascript:alert(1)"}), InvalidClientMetadata, "policy_uri: must begin with https"),
            (json!({"contacts": "me@example.com"}), InvalidClientMetadata, "contacts"),
            (json!({"contacts": ["a", "b", "c", "d", "e", "f"]}), InvalidClientMetadata, "contacts"),
            (json!({"contacts": [""]}), InvalidClientMetadata, "contacts"),
            (json!({"software_id": 7}), InvalidClientMetadata, "software_id"),
            (json!({"software_version": "x".repeat(256)}), InvalidClientMetadata, "software_version"),
            (json!({"software_statement": "a.b.c"}), UnapprovedSoftwareStatement, "software_statement"),
            (json!({"jwks": {"keys": []}, "jwks_uri": "https://a.example/"}), InvalidClientMetadata, "jwks"),
        ] {
            let (found, text) = mistake(changes.clone());
            assert_eq!(found, code, "{changes}");
            assert!(text.starts_with(member), "{changes}: {text}");
        }
    }

    #[test]
    fn what_users_are_shown_belongs_to_every_host_that_gets_an_answer() {
        let foreign = |uris: Value, logo: &str| {
            parse(json!({"redirect_uris": uris, "logo_uri": logo})).unwrap().foreign_pages().count() == 1
        };
        let agent = || json!(["https://agent.example.com/cb"]);
        assert!(!foreign(agent(), "https://agent.example.com/logo.png"));
        assert!(!foreign(agent(), "https://cdn.agent.example.com/logo.png"));
        assert!(foreign(agent(), "https://bank.example/logo.png"));
        // Whose the host above is, nobody can tell without a list of all places that give names away.
        assert!(foreign(agent(), "https://example.com/logo.png"));
        assert!(foreign(json!(["https://alice.github.io/cb"]), "https://github.io/logo.png"));
        assert!(foreign(json!(["https://alice.github.io/cb"]), "https://bob.github.io/logo.png"));
        assert!(foreign(json!(["https://a.co.uk/cb"]), "https://b.co.uk/logo.png"));
        // Naming a bank's address does not make one a bank, however many there are beside it.
        assert!(foreign(
            json!(["https://bank.example/cb", "https://evil.example/cb"]),
            "https://bank.example/logo.png"
        ));
        assert!(!foreign(
            json!(["https://vscode.dev/r", "https://insiders.vscode.dev/r"]),
            "https://insiders.vscode.dev/"
        ));
        // Of a program on the user's machine nothing can be known.
        assert!(!foreign(json!(["http://127.0.0.1/cb", "com.example.agent:/cb"]), "https://agent.example/logo.png"));
    }

    #[test]
    fn pages_of_others_are_left_out_and_the_rest_is_registered() {
        // What VS Code and Cursor send: pages at hosts that get no answers.
        for (body, kept) in [
            (
                json!({"client_name": "Visual Studio Code", "client_uri": "https://code.visualstudio.com",
                    "redirect_uris": ["https://insiders.vscode.dev/redirect", "https://vscode.dev/redirect", "http://127.0.0.1/"]}),
                json!({"policy_uri": "https://insiders.vscode.dev/privacy"}),
            ),
            (
                json!({"client_name": "Cursor", "logo_uri": "https://storage.example/logo.svg",
                    "redirect_uris": ["cursor://anysphere.cursor-mcp/oauth/callback", "https://www.cursor.com/callback"]}),
                json!({"tos_uri": "https://www.cursor.com/terms"}),
            ),
        ] {
            let mut all = body.clone();
            all.as_object_mut().unwrap().extend(kept.as_object().unwrap().clone());
            let metadata = parse(all).unwrap().without_foreign_pages();
            assert_eq!((metadata.client_uri, metadata.logo_uri), (None, None), "{body}");
            assert_eq!(metadata.policy_uri.as_deref(), kept["policy_uri"].as_str(), "{body}");
            assert_eq!(metadata.tos_uri.as_deref(), kept["tos_uri"].as_str(), "{body}");
            assert_eq!(json!(metadata.redirect_uris), body["redirect_uris"]);
        }
    }

    #[test]
    fn a_client_without_a_name_is_called_by_the_host_that_gets_every_answer() {
        // Of schemes that the operator lists, addresses may have something like a host.
        let schemes = ["com.evil.agent".to_owned()];
        let name = |uris: Value| {
            let body = json!({"redirect_uris": uris, "token_endpoint_auth_method": "none"}).to_string();
            ClientMetadata::parse(&body, &schemes).unwrap().client_name
        };
        assert_eq!(name(json!(["https://agent.example.com/cb"])), "An agent at agent.example.com");
        assert_eq!(name(json!(["http://127.0.0.1:9999/cb", "http://127.0.0.1/cb"])), "An agent at 127.0.0.1");
        for claims in [
            // What follows a private-use scheme is not a host, whatever it looks like.
            json!(["com.evil.agent://bank.example/cb"]),
            json!(["https://bank.example/cb", "https://evil.example/cb"]),
            json!(["https://bank.example/cb", "com.evil.agent:/cb"]),
        ] {
            assert_eq!(name(claims.clone()), "An agent without a name", "{claims}");
        }
    }

    #[test]
    fn what_is_not_understood_is_neither_an_error_nor_kept() {
        let metadata = parse(json!({
            "client_id": "chosen-by-me", "client_secret": "chosen-by-me", "isThirdParty": false, "require_pkce": false,
            "backchannel_logout_uri": "http://169.254.169.254/", "client_name#de": "<b>",
        }))
        .unwrap();
        let kept = serde_json::to_string(&metadata).unwrap();
        assert!(!kept.contains("chosen-by-me") && !kept.contains("169.254") && !kept.contains("<b>"), "{kept}");
    }

    #[test]
    fn a_member_that_occurs_twice_is_refused() {
        let body = r#"{"redirect_uris":["http://localhost/"],"redirect_uris":["https://evil.example/"]}"#;
        assert!(ClientMetadata::parse(body, &[]).unwrap_err().to_string().contains("occurs twice"));
        for body in ["", "[]", "null", "1", "{", r#"{"a":1} x"#] {
            assert_eq!(ClientMetadata::parse(body, &[]).unwrap_err().member, "the body", "{body}");
        }
    }

    #[test]
    fn a_name_can_be_seen() {
        // Letters by their class and nothing by their looks: Hangul fillers.
        for name in ["\u{3164}", "\u{115f}\u{1160}", "\u{ffa0}", "Bank\u{34f}", "Bank\u{1d173}", "Bank\u{e0100}"] {
            assert!(mistake(json!({"client_name": name})).1.starts_with("client_name: must not contain"), "{name:?}");
        }
        assert!(parse(json!({"client_name": "Agent \u{2764}\u{fe0f}"})).is_ok(), "a heart in colour");
    }

    #[test]
    fn no_message_repeats_what_the_client_sent() {
        for changes in [
            json!({"redirect_uris": ["evil-text"]}),
            json!({"client_name": "<evil-text"}),
            json!({"scope": "\"evil-text"}),
        ] {
            assert!(!parse(changes).unwrap_err().body().contains("evil-text"));
        }
    }

    #[test]
    fn what_is_kept_is_read_again() {
        let metadata = parse(json!({"contacts": ["me@example.com"], "scope": "b a"})).unwrap();
        let kept = serde_json::to_string(&metadata).unwrap();
        assert_eq!(serde_json::from_str::<ClientMetadata>(&kept).unwrap(), metadata);
        assert_eq!(ClientMetadata::parse(&kept, &[]), Ok(metadata), "and is acceptable as a new request");
    }

    proptest! {
        #[test]
        fn no_body_makes_it_panic(body in "\\PC{0,80}") {
            let _ = ClientMetadata::parse(&body, &[]);
        }

        #[test]
        fn accepted_names_are_short_and_visible(name in "\\PC{0,100}") {
            if let Ok(metadata) = parse(json!({"client_name": name})) {
                prop_assert!(metadata.client_name.chars().count() <= MAX_NAME_CHARACTERS);
                prop_assert!(!metadata.client_name.chars().any(is_invisible));
            }
        }
    }
}
