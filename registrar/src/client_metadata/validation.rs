//! The rules for each member of client metadata (RFC 7591 §2).

use mcp_edge_oauth::{Scopes, is_scope_token};
use serde_json::{Map, Value};

use super::{
    AuthMethod, ClientMetadata,
    error::{ErrorCode, MetadataError},
    members::{Members, is_invisible, members},
    page_uri,
    redirect_uri::{self, Kind},
};

/// More addresses than any client needs; each is shown, stored and compared.
pub const MAX_REDIRECT_URIS: usize = 10;

/// The longest name, in characters. A consent page shows it in its heading.
pub const MAX_NAME_CHARACTERS: usize = 80;

/// For `software_id` and `software_version`, in bytes: a UUID or a version.
const MAX_SOFTWARE_BYTES: usize = 255;

/// People responsible for a client.
const MAX_CONTACTS: usize = 5;

/// The longest e-mail address (RFC 5321 §4.5.3.1.3).
const MAX_CONTACT_BYTES: usize = 254;

/// More scopes than any product has for agents.
const MAX_SCOPE_BYTES: usize = 2048;

impl ClientMetadata {
    /// Parses and checks the body of a registration request. `more_schemes`: see [`redirect_uri::check`].
    ///
    /// # Errors
    /// The first error.
    pub fn parse(body: &str, more_schemes: &[String]) -> Result<Self, MetadataError> {
        Self::from_members(&members(body)?, more_schemes)
    }

    /// Checks metadata whose JSON has been taken apart by [`members`].
    ///
    /// # Errors
    /// The first error.
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
}

/// The addresses without repetitions, and what sort each is of.
fn redirect_uris(reader: &Members<'_>, more_schemes: &[String]) -> Result<(Vec<String>, Vec<Kind>), MetadataError> {
    const MEMBER: &str = "redirect_uris";
    let wrong = |problem: &str| MetadataError::redirect_uri(MEMBER, problem);
    let list = match reader.get(MEMBER) {
        None => return Err(wrong("must be given: it says where the answer to a sign-in may be sent")),
        Some(Value::Array(list)) => list,
        Some(_) => return Err(wrong("must be an array of strings")),
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
        let uri = entry.as_str().ok_or_else(|| MetadataError::redirect_uri(at(), "must be a string"))?;
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

impl Members<'_> {
    /// A short text, without markup, that cannot change how the text around it looks.
    fn client_name(&self, redirect_uris: &[String]) -> Result<String, MetadataError> {
        const MEMBER: &str = "client_name";
        let wrong = |problem: String| Err(MetadataError::metadata(MEMBER, problem));
        let name = self.text(MEMBER, 4 * MAX_NAME_CHARACTERS)?.unwrap_or_default().trim();
        match name {
            "" => {
                // The name must be true, so no host that gets some of the answers only: anybody can
                // name a bank's address beside their own.
                let mut hosts = redirect_uris.iter().map(|uri| page_uri::host_of(uri));
                let first = hosts.next().flatten().filter(|first| hosts.all(|other| other.as_ref() == Some(first)));
                let name = first.map(|host| format!("An agent at {host}"));
                // Clients send back what was returned (RFC 7592 §2.2), so it must be a name that is accepted.
                Ok(name
                    .filter(|name| name.len() <= MAX_NAME_CHARACTERS)
                    .unwrap_or_else(|| "An agent without a name".to_owned()))
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
        let asked = self.strings(MEMBER, 8)?.unwrap_or_else(|| vec!["authorization_code"]);
        if asked.iter().any(|grant| !OFFERED.contains(grant) && !LEFT_OUT.contains(grant)) {
            return Err(MetadataError::metadata(MEMBER, "may be \"authorization_code\" and \"refresh_token\" only"));
        }
        if !asked.contains(&"authorization_code") {
            return Err(MetadataError::metadata(MEMBER, "must contain \"authorization_code\""));
        }
        Ok(OFFERED.iter().filter(|grant| asked.contains(grant)).map(|grant| (*grant).to_owned()).collect())
    }

    fn check_response_types(&self) -> Result<(), MetadataError> {
        match self.strings("response_types", 8)? {
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
        let contacts = self.strings(MEMBER, MAX_CONTACTS)?.unwrap_or_default();
        let is_bad = |contact: &&str| {
            contact.len() > MAX_CONTACT_BYTES || contact.is_empty() || contact.chars().any(is_invisible)
        };
        if contacts.iter().any(is_bad) {
            return Err(MetadataError::metadata(MEMBER, "must be e-mail addresses"));
        }
        Ok(contacts.into_iter().map(str::to_owned).collect())
    }
}
