//! What the doctor says: checks, their verdicts, and the texts that stay the same whoever is examined.
//!
//! A [`Check`] is stable: its slug stands in `--json`, `README.md` lists it with what it means and how to mend it, and
//! a test holds the two together. A new check does not compile until its slug, its texts and its judge
//! ([`crate::checks::judge`]) are decided.

use crate::clients::Client;

/// One thing that is checked. The order is that of a client's way in: what comes first breaks what comes after.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Check {
    // Reaching the endpoint.
    /// The URL itself.
    Url,
    /// DNS, TCP, TLS, and an answer in time.
    Reachable,
    /// No redirect.
    Redirect,
    /// It behaves as an MCP endpoint does before sign-in.
    Endpoint,
    /// The same URL with a slash more or less.
    Slash,
    /// Clients' user agents get through.
    BotProtection,

    // Asking for sign-in.
    /// 401 with a challenge that clients can read.
    Challenge,
    /// The challenge says where the metadata is.
    ChallengeMetadata,
    /// The challenge accuses nobody who sent no token.
    ChallengeError,
    /// Every kind of first request is asked to sign in.
    ChallengeEverywhere,
    /// A token that nobody signed is refused.
    ForgedToken,

    // Protected resource metadata.
    /// The document at the place of RFC 9728.
    MetadataPath,
    /// The document at the root.
    MetadataRoot,
    /// `resource` is the URL.
    Resource,
    /// A provider is named.
    AuthorizationServers,
    /// Clients learn which scopes to ask for.
    Scopes,

    // The identity provider.
    /// Its metadata can be found.
    Discovery,
    /// It calls itself what the server calls it.
    Issuer,
    /// Its endpoints are there and safe.
    ProviderEndpoints,
    /// PKCE with S256.
    Pkce,
    /// Unknown clients can get a client id.
    Registration,
    /// Clients without a secret are taken.
    PublicClients,
    /// Sign-in lasts.
    RefreshTokens,
    /// Authorization responses say who sent them.
    ResponseIssuer,
    /// There are keys to verify tokens with.
    Keys,
    /// Nothing at the server's own origin contradicts the provider.
    Mirror,

    // Browsers.
    /// The server takes calls from its own pages.
    OwnOrigin,
    /// Preflights of the endpoint.
    Preflight,
    /// Pages can read the challenge.
    CorsEndpoint,
    /// Pages can read the metadata.
    CorsMetadata,
    /// Pages can talk to the provider.
    CorsProvider,

    // With a token.
    /// The token belongs here.
    Token,
    /// The 2025-11-25 handshake.
    Legacy,
    /// 2026-07-28.
    Modern,
    /// The `GET` after the handshake.
    Stream,
    /// The tools.
    Tools,
    /// The identity.
    Whoami,
    /// What is known of the user beside the id.
    UserClaims,
}

/// Where a check stands in the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Section {
    /// Reaching the endpoint.
    Reaching,
    /// Asking for sign-in.
    SignIn,
    /// Protected resource metadata.
    Metadata,
    /// The identity provider.
    Provider,
    /// Browsers.
    Browsers,
    /// Speaking MCP.
    Protocol,
}

impl Section {
    /// The stable name in `--json`.
    #[must_use]
    pub const fn slug(self) -> &'static str {
        match self {
            Self::Reaching => "reaching",
            Self::SignIn => "sign_in",
            Self::Metadata => "metadata",
            Self::Provider => "provider",
            Self::Browsers => "browsers",
            Self::Protocol => "protocol",
        }
    }

    /// For people.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Reaching => "Reaching the endpoint",
            Self::SignIn => "Asking for sign-in",
            Self::Metadata => "Protected resource metadata",
            Self::Provider => "Identity provider",
            Self::Browsers => "Pages in browsers",
            Self::Protocol => "Speaking MCP",
        }
    }
}

/// What became of a check. Later ones are worse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// It could not be checked, or there is nothing to check.
    Skipped,
    /// Right.
    Ok,
    /// Some clients have trouble, or something is likely to break.
    Warning,
    /// Clients cannot connect, or strangers can.
    Failure,
}

impl Verdict {
    /// The stable name in `--json`.
    #[must_use]
    pub const fn slug(self) -> &'static str {
        match self {
            Self::Skipped => "skipped",
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Failure => "failure",
        }
    }

    /// Whether it asks the operator to do something.
    #[must_use]
    pub const fn is_trouble(self) -> bool {
        matches!(self, Self::Warning | Self::Failure)
    }
}

/// What a judge says; the check it belongs to is the caller's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    verdict: Verdict,
    seen: String,
    mend: Option<String>,
    hits: Option<Vec<Client>>,
}

/// Why a check was not made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skip(String);

impl Skip {
    /// With the reason.
    pub fn new(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }
}

impl Judgement {
    /// Right.
    pub fn ok(seen: impl Into<String>) -> Self {
        Self::of(Verdict::Ok, seen)
    }

    /// Some clients have trouble.
    pub fn warning(seen: impl Into<String>) -> Self {
        Self::of(Verdict::Warning, seen)
    }

    /// Clients cannot connect, or strangers can.
    pub fn failure(seen: impl Into<String>) -> Self {
        Self::of(Verdict::Failure, seen)
    }

    fn of(verdict: Verdict, seen: impl Into<String>) -> Self {
        Self { verdict, seen: seen.into(), mend: None, hits: None }
    }

    /// What to do in this case, instead of what the check always says.
    #[must_use]
    pub fn mend(mut self, mend: impl Into<String>) -> Self {
        self.mend = Some(mend.into());
        self
    }

    /// Who is hit in this case, instead of whom the check always names.
    #[must_use]
    pub fn hits(mut self, clients: impl IntoIterator<Item = Client>) -> Self {
        self.hits = Some(clients.into_iter().collect());
        self
    }
}

/// One line of the report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What was checked.
    pub check: Check,
    /// What became of it.
    pub verdict: Verdict,
    /// What was seen; for a skipped check, why it was not made. It may hold text that the server wrote.
    pub seen: String,
    /// How to mend it; empty unless the verdict is trouble.
    pub mend: String,
    /// Which clients are hit; empty unless the verdict is trouble.
    pub hits: Vec<Client>,
}

impl Finding {
    /// A judgement with what its check always says.
    #[must_use]
    pub fn new(check: Check, outcome: Result<Judgement, Skip>) -> Self {
        match outcome {
            Err(Skip(seen)) => Self { check, verdict: Verdict::Skipped, seen, mend: String::new(), hits: Vec::new() },
            Ok(Judgement { verdict, seen, .. }) if !verdict.is_trouble() => {
                Self { check, verdict, seen, mend: String::new(), hits: Vec::new() }
            }
            Ok(Judgement { verdict, seen, mend, hits }) => {
                let text = check.text();
                let mend = mend.unwrap_or_else(|| text.mend.to_owned());
                Self { check, verdict, seen, mend, hits: hits.unwrap_or_else(|| text.hits.to_vec()) }
            }
        }
    }
}

/// What is always the same about a check.
#[derive(Debug, Clone, Copy)]
pub struct Text {
    /// What is right if it is right: a statement.
    pub title: &'static str,
    /// Why it matters.
    pub why: &'static str,
    /// How to mend it.
    pub mend: &'static str,
    /// Which clients it concerns.
    pub hits: &'static [Client],
}

use Client::{ChatGpt, Claude, ClaudeCode, Codex, Cursor, Inspector, McpRemote, SdkApp, VsCode, WebPage};

const EVERYBODY: &[Client] = &Client::ALL;

impl Check {
    /// Every check, in the order of the report.
    pub const ALL: [Self; 38] = [
        Self::Url,
        Self::Reachable,
        Self::Redirect,
        Self::Endpoint,
        Self::Slash,
        Self::BotProtection,
        Self::Challenge,
        Self::ChallengeMetadata,
        Self::ChallengeError,
        Self::ChallengeEverywhere,
        Self::ForgedToken,
        Self::MetadataPath,
        Self::MetadataRoot,
        Self::Resource,
        Self::AuthorizationServers,
        Self::Scopes,
        Self::Discovery,
        Self::Issuer,
        Self::ProviderEndpoints,
        Self::Pkce,
        Self::Registration,
        Self::PublicClients,
        Self::RefreshTokens,
        Self::ResponseIssuer,
        Self::Keys,
        Self::Mirror,
        Self::OwnOrigin,
        Self::Preflight,
        Self::CorsEndpoint,
        Self::CorsMetadata,
        Self::CorsProvider,
        Self::Token,
        Self::Legacy,
        Self::Modern,
        Self::Stream,
        Self::Tools,
        Self::Whoami,
        Self::UserClaims,
    ];

    /// The stable name in `--json` and in `README.md`.
    #[must_use]
    pub const fn slug(self) -> &'static str {
        match self {
            Self::Url => "url",
            Self::Reachable => "reachable",
            Self::Redirect => "redirect",
            Self::Endpoint => "endpoint",
            Self::Slash => "slash",
            Self::BotProtection => "bot_protection",
            Self::Challenge => "challenge",
            Self::ChallengeMetadata => "challenge_metadata",
            Self::ChallengeError => "challenge_error",
            Self::ChallengeEverywhere => "challenge_everywhere",
            Self::ForgedToken => "forged_token",
            Self::MetadataPath => "metadata_path",
            Self::MetadataRoot => "metadata_root",
            Self::Resource => "resource",
            Self::AuthorizationServers => "authorization_servers",
            Self::Scopes => "scopes",
            Self::Discovery => "discovery",
            Self::Issuer => "issuer",
            Self::ProviderEndpoints => "provider_endpoints",
            Self::Pkce => "pkce",
            Self::Registration => "registration",
            Self::PublicClients => "public_clients",
            Self::RefreshTokens => "refresh_tokens",
            Self::ResponseIssuer => "response_issuer",
            Self::Keys => "keys",
            Self::Mirror => "mirror",
            Self::OwnOrigin => "own_origin",
            Self::Preflight => "preflight",
            Self::CorsEndpoint => "cors_endpoint",
            Self::CorsMetadata => "cors_metadata",
            Self::CorsProvider => "cors_provider",
            Self::Token => "token",
            Self::Legacy => "legacy",
            Self::Modern => "modern",
            Self::Stream => "stream",
            Self::Tools => "tools",
            Self::Whoami => "whoami",
            Self::UserClaims => "user_claims",
        }
    }

    /// Where it stands in the report.
    #[must_use]
    pub const fn section(self) -> Section {
        match self {
            Self::Url | Self::Reachable | Self::Redirect | Self::Endpoint | Self::Slash | Self::BotProtection => {
                Section::Reaching
            }
            Self::Challenge
            | Self::ChallengeMetadata
            | Self::ChallengeError
            | Self::ChallengeEverywhere
            | Self::ForgedToken => Section::SignIn,
            Self::MetadataPath | Self::MetadataRoot | Self::Resource | Self::AuthorizationServers | Self::Scopes => {
                Section::Metadata
            }
            Self::Discovery
            | Self::Issuer
            | Self::ProviderEndpoints
            | Self::Pkce
            | Self::Registration
            | Self::PublicClients
            | Self::RefreshTokens
            | Self::ResponseIssuer
            | Self::Keys
            | Self::Mirror => Section::Provider,
            Self::OwnOrigin | Self::Preflight | Self::CorsEndpoint | Self::CorsMetadata | Self::CorsProvider => {
                Section::Browsers
            }
            Self::Token
            | Self::Legacy
            | Self::Modern
            | Self::Stream
            | Self::Tools
            | Self::Whoami
            | Self::UserClaims => Section::Protocol,
        }
    }

    /// What is always the same about it.
    #[must_use]
    #[expect(clippy::too_many_lines, reason = "a table")]
    pub const fn text(self) -> Text {
        match self {
            Self::Url => Text {
                title: "The URL is https, with a path and nothing behind it",
                why: "Tokens travel in every request. Clients add a slash to a URL without a path, and then resource and \
                      audience differ.",
                mend: "Serve the endpoint over https at a path of its own, for example https://mcp.example.com/mcp. Plain \
                       http is fine on this machine only.",
                hits: EVERYBODY,
            },
            Self::Reachable => Text {
                title: "The endpoint answers",
                why: "Nothing else can work. Claude and ChatGPT call from their vendors' networks and trust public \
                      certificate authorities only.",
                mend: "Look at the DNS record, the route of the Worker or server, and its certificate.",
                hits: EVERYBODY,
            },
            Self::Redirect => Text {
                title: "The endpoint answers itself, without a redirect",
                why: "Clients do not repeat a POST at another place, or drop the token on the way.",
                mend: "Give people the URL that answers, or serve the endpoint at this one.",
                hits: EVERYBODY,
            },
            Self::Endpoint => Text {
                title: "Without a token it asks for sign-in, as MCP servers do",
                why: "No client sends a token first: all of them wait for the 401. Any other answer ends the attempt.",
                mend: "Check the path, and what stands in front of the server.",
                hits: EVERYBODY,
            },
            Self::Slash => Text {
                title: "The URL with a slash more or less is no trap",
                why: "People add a slash by mistake. VS Code compares byte for byte; others get a token for the wrong \
                      resource, and sign in again and again.",
                mend: "Answer 404 there, so that the mistake is seen at once.",
                hits: &[VsCode, Claude, ChatGpt],
            },
            Self::BotProtection => Text {
                title: "Clients' user agents get the same answers",
                why: "Agents are bots. Block AI Bots, AI Crawl Control and Bot Fight Mode at Cloudflare, and rules like \
                      them elsewhere, drop their requests without a word.",
                mend: "Exempt this host, the endpoint and /.well-known/ included, from bot protection. At Cloudflare \
                       switch these features off for the host: skip rules do not always help.",
                hits: EVERYBODY,
            },
            Self::Challenge => Text {
                title: "The 401 has a Bearer challenge that clients can read",
                why: "WWW-Authenticate is where a client learns that it should sign in, and where. Claude, mcp-remote and \
                      others give up without it.",
                mend: "Answer with WWW-Authenticate: Bearer resource_metadata=\"…\", scope=\"…\" as the first header of \
                       that name: Bearer first, each value in quotes. If your server does, a proxy in front drops it.",
                hits: EVERYBODY,
            },
            Self::ChallengeMetadata => Text {
                title: "The challenge says where the metadata is",
                why: "Claude takes only the URL with the endpoint's path inserted. Clients without this guess.",
                mend: "Set resource_metadata to the URL that the finding names.",
                hits: &[Claude, ChatGpt, McpRemote],
            },
            Self::ChallengeError => Text {
                title: "The challenge names no error where no token was sent",
                why: "RFC 6750 §3.1. A client that is told invalid_token throws away what it has and starts anew.",
                mend: "Leave error and error_description out unless a token was sent.",
                hits: &[Claude, SdkApp],
            },
            Self::ChallengeEverywhere => Text {
                title: "Every kind of first request is asked to sign in",
                why: "mcp-remote begins with GET, clients of 2026-07-28 with server/discover. Whoever gets another answer \
                      than 401 does not sign in.",
                mend: "Authenticate before looking at method, version or body.",
                hits: &[McpRemote, ClaudeCode, SdkApp],
            },
            Self::ForgedToken => Text {
                title: "A token that nobody signed is refused with 401",
                why: "A server that takes it lets anybody be anybody. One that fails otherwise (500, 403) leaves clients \
                      with an expired token in a loop.",
                mend: "Verify signature, issuer, audience and expiry of every token, and answer 401 with \
                       error=\"invalid_token\" if one is wrong.",
                hits: EVERYBODY,
            },
            Self::MetadataPath => Text {
                title: "The metadata is at the place of RFC 9728",
                why: "It names the provider. Claude and the SDKs look here first.",
                mend: "Serve it there as application/json, without authentication.",
                hits: EVERYBODY,
            },
            Self::MetadataRoot => Text {
                title: "The same metadata is at the root",
                why: "ChatGPT asks the root in some flows, and other clients fall back to it.",
                mend: "Serve the same document there.",
                hits: &[ChatGpt],
            },
            Self::Resource => Text {
                title: "resource is the URL of the endpoint, byte for byte",
                why: "Clients ask the provider for a token for this string, and VS Code and Claude compare it with the URL \
                      they were given. One slash of difference: tokens are issued and never accepted.",
                mend: "Make one string of all three: the URL that people get, resource in the metadata, and the API \
                       identifier (audience) at the provider. For mcp-edge that is RESOURCE.",
                hits: EVERYBODY,
            },
            Self::AuthorizationServers => Text {
                title: "The metadata names a provider, over https",
                why: "It is where users are sent to sign in. The SDKs use only the first entry.",
                mend: "List the provider's issuer in authorization_servers, exactly as its own metadata spells it. For \
                       mcp-edge that is ISSUER.",
                hits: EVERYBODY,
            },
            Self::Scopes => Text {
                title: "Clients learn which scopes to ask for",
                why: "A client asks for what the challenge names, or for all of scopes_supported, or for nothing; and a \
                      request for nothing gets a token that may do nothing (Logto answers access_denied).",
                mend: "Name the basic scopes in the challenge and in scopes_supported, and nothing that every client may \
                       not have. For mcp-edge that is REQUIRED_SCOPES.",
                hits: EVERYBODY,
            },
            Self::Discovery => Text {
                title: "The provider's metadata is found where clients look",
                why: "Clients try three places in order, and go on after a 404 only: an error or a page at an earlier \
                      place ends the search.",
                mend: "See that the provider is up and reachable from the internet, and answers 404 at places that it \
                       does not serve.",
                hits: EVERYBODY,
            },
            Self::Issuer => Text {
                title: "The provider calls itself what the server calls it",
                why: "Clients compare the two strings and must not go on if they differ, be it by a slash.",
                mend: "Copy issuer from the provider's metadata into authorization_servers, byte for byte. For mcp-edge \
                       that is ISSUER.",
                hits: EVERYBODY,
            },
            Self::ProviderEndpoints => Text {
                title: "The provider offers the authorization code flow, over https",
                why: "It is the only way in which MCP clients sign users in.",
                mend: "Switch the flow on at the provider, and serve its endpoints over https.",
                hits: EVERYBODY,
            },
            Self::Pkce => Text {
                title: "PKCE with S256 is advertised",
                why: "Clients must refuse a provider that does not advertise it, even if it would work.",
                mend: "Have code_challenge_methods_supported list S256: switch PKCE on at the provider, or choose a \
                       version of it that advertises it.",
                hits: EVERYBODY,
            },
            Self::Registration => Text {
                title: "Clients that the provider does not know can get a client id",
                why: "Otherwise each client needs an id made by hand, and hosted ones fail with \"does not support \
                      dynamic client registration\".",
                mend: "Switch on client id metadata documents (Logto, from 1.43, has them as a beta setting) or dynamic \
                       registration, put a registrar in front of the provider, or make a client by hand and tell users \
                       its id: the list of clients below says where each takes it.",
                hits: EVERYBODY,
            },
            Self::PublicClients => Text {
                title: "The provider takes clients without a secret",
                why: "Programs on users' machines cannot keep one. Claude, Codex and others use client id metadata \
                      documents only if none is listed.",
                mend: "Have token_endpoint_auth_methods_supported list none.",
                hits: &[Claude, ClaudeCode, ChatGpt, VsCode, Codex, Cursor, McpRemote, Inspector, WebPage],
            },
            Self::RefreshTokens => Text {
                title: "The provider issues refresh tokens",
                why: "Without one, users sign in again whenever the access token ends.",
                mend: "Allow the grant refresh_token at the provider.",
                hits: EVERYBODY,
            },
            Self::ResponseIssuer => Text {
                title: "Authorization responses say who sent them",
                why: "RFC 9207: it keeps a client that knows several providers from giving a code to the wrong one. \
                      Clients of 2026-07-28 check it.",
                mend: "Switch it on if the provider can (authorization_response_iss_parameter_supported).",
                hits: &[SdkApp],
            },
            Self::Keys => Text {
                title: "The provider's keys can be read and used",
                why: "Without a key no token can be verified, and every request ends in 401 or 503.",
                mend: "See that jwks_uri answers with a key set that holds a public signing key (RSA of 2048 bits or \
                       more, P-256, P-384, P-521 or Ed25519).",
                hits: EVERYBODY,
            },
            Self::Mirror => Text {
                title: "Nothing at the server's own origin contradicts the provider",
                why: "Clients of 2025-03-26, and SDKs that found no metadata, believe what they find there; strict ones \
                      refuse an issuer that differs.",
                mend: "Remove it, or pass the provider's document on unchanged.",
                hits: &[SdkApp],
            },
            Self::OwnOrigin => Text {
                title: "Pages of the server's own origin may call it",
                why: "A playground or a console served beside the endpoint sends that Origin.",
                mend: "Allow the server's own origin. If it is refused by mcp-edge, RESOURCE has another origin than the \
                       URL.",
                hits: &[WebPage],
            },
            Self::Preflight => Text {
                title: "Preflights of the endpoint are answered",
                why: "A browser asks before each MCP request, without a token, and sends nothing if it does not like the \
                      answer.",
                mend: "Answer OPTIONS with 204 without authentication; allow POST, GET, DELETE and the headers of MCP by \
                       name (* does not cover Authorization).",
                hits: &[WebPage],
            },
            Self::CorsEndpoint => Text {
                title: "Pages that may call can read the challenge",
                why: "Without these headers on the 401 a page sees an opaque error instead of the way to sign-in.",
                mend: "Send Access-Control-Allow-Origin and Access-Control-Expose-Headers: WWW-Authenticate with every \
                       status. For mcp-edge list the page's origin in ALLOWED_ORIGINS.",
                hits: &[WebPage],
            },
            Self::CorsMetadata => Text {
                title: "Pages can read the metadata",
                why: "SDKs in a page send MCP-Protocol-Version with this request, so it is preflighted, too.",
                mend: "Send Access-Control-Allow-Origin: * with the document, and allow MCP-Protocol-Version in the \
                       answer to its preflight.",
                hits: &[WebPage],
            },
            Self::CorsProvider => Text {
                title: "Pages can talk to the provider",
                why: "A page reads the provider's metadata and exchanges its code for a token by itself.",
                mend: "Allow the page's origin at the provider (at some this is a setting of the application).",
                hits: &[WebPage],
            },
            Self::Token => Text {
                title: "The token was issued for this server",
                why: "What is no access token, or one for another audience, from another issuer or past its end, is refused, \
                      and rightly.",
                mend: "Get a new token with resource=<the URL> in both the authorization and the token request.",
                hits: EVERYBODY,
            },
            Self::Legacy => Text {
                title: "It speaks the protocol with a handshake (2025-11-25)",
                why: "ChatGPT, VS Code, Cursor, Inspector and mcp-remote begin with initialize.",
                mend: "Look into the server's log at the time of this run.",
                hits: &[Claude, ChatGpt, VsCode, Cursor, Codex, McpRemote, Inspector, SdkApp],
            },
            Self::Modern => Text {
                title: "It speaks the protocol without one (2026-07-28)",
                why: "Claude and Claude Code begin with server/discover. After a 4xx they fall back to initialize; a 5xx \
                      or an unreadable answer ends the attempt.",
                mend: "Look into the server's log at the time of this run.",
                hits: &[Claude, ClaudeCode, SdkApp],
            },
            Self::Stream => Text {
                title: "A GET after the handshake is understood",
                why: "Legacy clients try to open a stream for the server's own messages; 405 tells them that there is \
                      none.",
                mend: "Answer 405 with Allow, or a stream of events.",
                hits: &[ClaudeCode, VsCode, SdkApp],
            },
            Self::Tools => Text {
                title: "The tools are well described",
                why: "A bad schema makes clients drop a tool or the whole list; a tool without annotations is shown as \
                      destructive, and marketplaces refuse it.",
                mend: "Give each tool a description, an object as inputSchema, and annotations (readOnlyHint, \
                       destructiveHint, openWorldHint).",
                hits: &[Claude, ChatGpt],
            },
            Self::Whoami => Text {
                title: "whoami answers with the token's owner",
                why: "It is the whole way at once: token, keys, scopes, protocol and tool.",
                mend: "Look into the server's log at the time of this run.",
                hits: EVERYBODY,
            },
            Self::UserClaims => Text {
                title: "whoami knows more of the user than an id",
                why: "Tools that greet a user by name, or look for an e-mail address, find nothing.",
                mend: "Have the provider put claims about the user into access tokens, and have a granted scope disclose \
                       them. At Logto a JWT access token has none until a custom-claims script is stored (console: Custom \
                       JWT; API: PUT /api/configs/jwt-customizer/access-token) that returns, for example, username, name, \
                       email, email_verified and picture. Clients can read what it returns: have it do so by token.scope. \
                       For mcp-edge map the claims in CLAIM_SCOPES, for example \
                       whoami:read=username,name,email,email_verified,picture.",
                hits: &[],
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn slugs_are_unique_and_all_lists_every_check_once_and_in_order() {
        let slugs: HashSet<_> = Check::ALL.iter().map(|check| check.slug()).collect();
        assert_eq!(slugs.len(), Check::ALL.len());
        // `UserClaims` is declared last: its discriminant tells how many there are.
        assert_eq!(Check::ALL.len(), Check::UserClaims as usize + 1);
        assert!(Check::ALL.is_sorted());
    }

    #[test]
    fn only_trouble_says_what_to_do() {
        let fine = Finding::new(Check::Pkce, Ok(Judgement::ok("S256").mend("nothing")));
        assert_eq!((fine.mend.as_str(), fine.hits.len()), ("", 0));
        let bad = Finding::new(Check::Pkce, Ok(Judgement::failure("plain")));
        assert_eq!((bad.mend.as_str(), bad.hits.len()), (Check::Pkce.text().mend, Client::ALL.len()));
        let special = Finding::new(Check::Pkce, Ok(Judgement::warning("x").mend("y").hits([Client::Codex])));
        assert_eq!((special.mend.as_str(), special.hits.as_slice()), ("y", [Client::Codex].as_slice()));
    }

    /// `README.md` is what an operator reads about a slug: a row for each check, and no row for what is gone.
    #[test]
    fn the_documentation_lists_every_check_and_how_to_mend_it() {
        let page = include_str!("../README.md");
        let (_, findings) = page.split_once("## Findings").unwrap();
        let (findings, _) = findings.split_once("\n## ").unwrap();
        let rows: Vec<_> = findings.lines().filter(|line| line.starts_with("| `")).collect();
        let expected = Check::ALL.map(|check| {
            let Text { title, mend, .. } = check.text();
            format!("| `{}` | {title} | {mend} |", check.slug())
        });
        assert_eq!(rows, expected);
    }
}
