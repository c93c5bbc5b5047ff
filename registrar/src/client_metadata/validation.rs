//! The rules for each member of client metadata (RFC 7591 §2).

use mcp_edge_oauth::{Scopes, is_scope_token};
use serde_json::{Map, Value};

use super::{
    AuthMethod, ClientMetadata,
    error::{ErrorCode, MetadataError},
    members::{Members, is_invisible, members},
    name::client_name,
    redirect_uri::{self, Kind},
};

/// More addresses than any client needs; each is shown, stored and compared.
pub const MAX_REDIRECT_URIS: usize = 10;

/// For `software_id` and `software_version`, in bytes: a UUID or a version.
const MAX_SOFTWARE_BYTES: usize = 255;

/// People responsible for a client that are kept.
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
        let auth_method = auth_method(&reader, &kinds)?;
        check_combination(auth_method, &kinds)?;
        reader.check_response_types()?;
        reader.check_keys()?;
        let is_native = kinds.iter().any(|kind| *kind != Kind::Web) && !auth_method.has_secret();
        Ok(Self {
            token_endpoint_auth_method: auth_method,
            grant_types: reader.grant_types()?,
            response_types: vec!["code".to_owned()],
            // What a client says of it, some get wrong: the redirect URIs decide.
            application_type: if is_native { "native" } else { "web" }.to_owned(),
            client_name: client_name(&reader, &redirect_uris)?,
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

/// How the client authenticates. The default of RFC 7591 §2 is a secret, but no client with a private-use redirect URI can
/// keep one (RFC 8252 §8.5), and those that name no method expect none.
fn auth_method(reader: &Members<'_>, kinds: &[Kind]) -> Result<AuthMethod, MetadataError> {
    const MEMBER: &str = "token_endpoint_auth_method";
    match reader.text(MEMBER, MAX_SOFTWARE_BYTES)? {
        Some("none") => Ok(AuthMethod::None),
        None if kinds.contains(&Kind::PrivateUse) => Ok(AuthMethod::None),
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
    /// The grants that are offered, of those that are asked for. The others are left out, which RFC 7591 §3.2.1 allows and
    /// the answer shows: clients name grants that they never use, some of them all that the provider's metadata lists.
    fn grant_types(&self) -> Result<Vec<String>, MetadataError> {
        const MEMBER: &str = "grant_types";
        const OFFERED: [&str; 2] = ["authorization_code", "refresh_token"];
        let asked = self.strings(MEMBER)?.unwrap_or_else(|| vec!["authorization_code"]);
        if !asked.contains(&"authorization_code") {
            return Err(MetadataError::metadata(MEMBER, "must contain \"authorization_code\""));
        }
        Ok(OFFERED.iter().filter(|grant| asked.contains(grant)).map(|grant| (*grant).to_owned()).collect())
    }

    /// Others than `code` are left out, as other grants are.
    fn check_response_types(&self) -> Result<(), MetadataError> {
        const MEMBER: &str = "response_types";
        match self.strings(MEMBER)? {
            Some(types) if !types.contains(&"code") => Err(MetadataError::metadata(MEMBER, "must contain \"code\"")),
            _ => Ok(()),
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

    /// People to contact: of those that are given, the first that can be kept. Some clients give one as a string.
    fn contacts(&self) -> Result<Vec<String>, MetadataError> {
        const MEMBER: &str = "contacts";
        let contacts = match self.get(MEMBER) {
            Some(Value::String(contact)) => vec![contact.as_str()],
            _ => self.strings(MEMBER)?.unwrap_or_default(),
        };
        let contacts = contacts.into_iter().map(str::trim);
        let can_be_kept = |it: &&str| !it.is_empty() && it.len() <= MAX_CONTACT_BYTES && !it.chars().any(is_invisible);
        Ok(contacts.filter(can_be_kept).take(MAX_CONTACTS).map(str::to_owned).collect())
    }
}
