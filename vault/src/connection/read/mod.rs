//! The table `CONNECTIONS`, and the secrets of connections: read and checked. Every error is found at once, and says its fix.
//!
//! | module | what it contains |
//! |---|---|
//! | `json` | JSON in which no member is lost |
//! | `entry` | one connection: its members, and the errors that name it |
//! | `kinds` | what belongs to each kind |

mod entry;
mod json;
mod kinds;

use mcp_edge_connections::name::is_connection_name;
use mcp_edge_oauth::{is_scope_token, settings::ResourceServerSettings};
use mcp_edge_runtime::{
    secret::Secret,
    settings::{Reader, words},
};
use mcp_edge_sign_in::client::Client;

use self::{
    entry::{Around, Entry},
    json::Json,
};
use super::{
    address::Reach,
    settings::{Connection, Connections, ConnectionsSecret, Management, RegisteredClient},
};

/// More than any server needs; each has a page of its own.
const MAX_CONNECTIONS: usize = 100;
const MAX_TITLE: usize = 60;

/// Of what a scope is said to do, in characters.
const MAX_DESCRIPTION: usize = 100;

/// Of `CONNECTIONS_SECRET`, in characters.
const MIN_SECRET_LENGTH: usize = 32;

const FORM: &str = "CONNECTIONS must be a table of connections, such as [vars.CONNECTIONS.github] in wrangler.toml or \
                    {\"github\": {\"kind\": \"connect\", …}}";

/// Reads and checks the connections; errors are left in `reader`. `client` is the vault's client at the provider.
pub fn read(
    reader: &mut Reader<'_>,
    server: &ResourceServerSettings,
    client: &Client,
) -> (Connections, Option<ConnectionsSecret>) {
    let table = table(reader);
    let around = Around {
        resource: &server.resource.url,
        audiences: server.trust.issuers.first().map_or(&[], |issuer| &issuer.audiences),
        client,
        management: management(reader, &table),
    };
    let mut connections = Vec::new();
    for (at, (name, value)) in table.iter().enumerate() {
        if table[..at].iter().any(|(other, _)| other == name) {
            reader.wrong_entry("CONNECTIONS", name, "is the name of two connections");
        }
        connections.extend(connection(reader, name, value, &around));
    }
    if table.len() > MAX_CONNECTIONS {
        reader.error(format!("CONNECTIONS has {} connections, and there can be {MAX_CONNECTIONS}", table.len()));
    }
    connections.sort_by(|one, other| one.name.cmp(&other.name));
    let of_accounts = table.iter().find(|(_, value)| kind_of(value) == Some(kinds::CONNECT));
    let secret = secret(reader, of_accounts.map(|(name, _)| name.as_str()));
    (Connections::new(connections), secret)
}

fn table(reader: &mut Reader<'_>) -> Vec<(String, Json)> {
    let Some(text) = reader.text("CONNECTIONS") else { return Vec::new() };
    if let Ok(Json::Object(table)) = serde_json::from_str(&text) {
        return table;
    }
    reader.error(FORM);
    Vec::new()
}

/// `kind` of an entry.
fn kind_of(value: &Json) -> Option<&str> {
    let Json::Object(members) = value else { return None };
    members.iter().find_map(|(name, value)| match value {
        Json::Text(kind) if name == "kind" => Some(kind.trim()),
        _ => None,
    })
}

fn connection(reader: &mut Reader<'_>, name: &str, value: &Json, around: &Around<'_>) -> Option<Connection> {
    if !is_connection_name(name) {
        let problem = "is no name of a connection: a lower-case letter, then up to 31 lower-case letters, digits and -";
        reader.wrong_entry("CONNECTIONS", name, problem);
        return None;
    }
    let Json::Object(members) = value else {
        reader.error(FORM);
        return None;
    };
    let entry = Entry::new(name, members, reader, Reach::of_resource(around.resource));
    let kind = entry.required("kind", kinds::KINDS);
    let title = title(&entry).unwrap_or_else(|| name.to_owned());
    let url = entry.base("url").unwrap_or_default();
    if url.is_empty() {
        entry.error("url is not set: give the base URL of the service, such as https://api.example.com");
    }
    let scopes = scopes(&entry);
    let scope_descriptions = scope_descriptions(&entry, &scopes);
    let read = kinds::read(&entry, &kind, &url, around);
    if kinds::NAMES.contains(&kind.as_str()) {
        entry.finish();
    }
    Some(Connection { name: name.to_owned(), title, url, scopes, scope_descriptions, kind: read? })
}

fn title(entry: &Entry<'_, '_>) -> Option<String> {
    let title = entry.text("title")?;
    if title.chars().count() > MAX_TITLE || title.contains(char::is_control) {
        entry.wrong("title", &title, &format!("must be one line of at most {MAX_TITLE} characters"));
    }
    Some(title)
}

fn scopes(entry: &Entry<'_, '_>) -> Vec<String> {
    let mut scopes = Vec::new();
    for scope in words(&entry.text("scopes").unwrap_or_default()) {
        if !is_scope_token(&scope) {
            entry.wrong("scopes", &scope, "is not a scope: separate scopes by spaces");
        } else if !scopes.contains(&scope) {
            scopes.push(scope);
        }
    }
    scopes
}

/// What each scope lets tools do, in words for users.
fn scope_descriptions(entry: &Entry<'_, '_>, scopes: &[String]) -> Vec<(String, String)> {
    let descriptions = entry.pairs("scope_descriptions");
    for (at, (scope, description)) in descriptions.iter().enumerate() {
        if !scopes.contains(scope) {
            entry.wrong("scope_descriptions", scope, "is none of scopes: write it as there, or remove it");
        } else if descriptions[..at].iter().any(|(other, _)| other == scope) {
            entry.wrong("scope_descriptions", scope, "is described twice");
        }
        let characters = description.chars().count();
        if description.trim().is_empty() || characters > MAX_DESCRIPTION || description.contains(char::is_control) {
            let problem = format!("must be one line of 1 to {MAX_DESCRIPTION} characters");
            entry.wrong("scope_descriptions", description, &problem);
        }
    }
    descriptions
}

/// Logto's Management API, if a connection of the table needs it.
fn management(reader: &mut Reader<'_>, table: &[(String, Json)]) -> Option<Management> {
    let needs = |value: &Json| kind_of(value).is_some_and(|kind| [kinds::BROKER, kinds::VAULT].contains(&kind));
    let (name, _) = table.iter().find(|(_, value)| needs(value))?;
    let mut required = |setting: &str, hint: &str| {
        let value = reader.text(setting);
        if value.is_none() {
            reader.error(format!("{setting} is not set, and the connection {name} needs it: {hint}"));
        }
        value
    };
    let api =
        required("MANAGEMENT_API", "give the Management API's address, such as https://your-tenant.logto.app/api");
    let client_id = required(
        "MANAGEMENT_CLIENT_ID",
        "give the id of a machine-to-machine application with the role Logto Management API access",
    );
    let client_secret = required("MANAGEMENT_CLIENT_SECRET", "set it with `wrangler secret put`").map(Secret::new);
    let api = api.and_then(|_| reader.url("MANAGEMENT_API"))?.trim_end_matches('/').to_owned();
    let resource = reader.text("MANAGEMENT_RESOURCE").unwrap_or_else(|| api.clone());
    Some(Management { api, resource, client: RegisteredClient { client_id: client_id?, client_secret } })
}

/// `CONNECTIONS_SECRET` and the previous one.
fn secret(reader: &mut Reader<'_>, of_accounts: Option<&str>) -> Option<ConnectionsSecret> {
    let long = |reader: &mut Reader<'_>, name: &str| {
        let secret = reader.secret(name);
        if secret.as_ref().is_some_and(|secret| secret.expose().len() < MIN_SECRET_LENGTH) {
            reader.error(format!(
                "{name} must have at least {MIN_SECRET_LENGTH} characters, for example from `openssl rand -base64 32`"
            ));
        }
        secret
    };
    let current = long(reader, "CONNECTIONS_SECRET");
    let previous = long(reader, "CONNECTIONS_SECRET_PREVIOUS");
    match (&current, of_accounts) {
        (None, Some(name)) => reader.error(format!(
            "CONNECTIONS_SECRET is not set, and the connection {name} needs it: set it with `wrangler secret put` to at \
             least {MIN_SECRET_LENGTH} characters, for example from `openssl rand -base64 32`, and keep a copy, because \
             without it all accounts have to be connected anew"
        )),
        (None, None) if previous.is_some() => {
            reader.error("CONNECTIONS_SECRET_PREVIOUS is set without CONNECTIONS_SECRET: delete it, or set both");
        }
        _ => {}
    }
    Some(ConnectionsSecret { current: current?, previous })
}

#[cfg(test)]
mod tests;
