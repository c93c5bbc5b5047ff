//! The form to make or change an application.

use mcp_edge_runtime::http::Response;
use mcp_edge_sign_in::{html::escape, session::Session};

use super::{
    super::form::{Form, Problem, sentence},
    Pages, hidden,
};
use crate::record::Record;

/// A text field of the form.
struct Field {
    name: &'static str,
    label: &'static str,
    hint: &'static str,
    kind: &'static str,
    placeholder: &'static str,
}

const PAGES: [Field; 4] = [
    Field {
        name: "client_uri",
        label: "Home page",
        hint: "Optional. Where people can read about it.",
        kind: "url",
        placeholder: "https://agent.example.com",
    },
    Field {
        name: "logo_uri",
        label: "Logo",
        hint: "Optional. A picture at an https address; shown when users are asked to allow access.",
        kind: "url",
        placeholder: "https://agent.example.com/logo.png",
    },
    Field {
        name: "tos_uri",
        label: "Terms of service",
        hint: "Optional. Shown beside the question.",
        kind: "url",
        placeholder: "https://agent.example.com/terms",
    },
    Field {
        name: "policy_uri",
        label: "Privacy policy",
        hint: "Optional. What it does with users’ data. Shown beside the question.",
        kind: "url",
        placeholder: "https://agent.example.com/privacy",
    },
];

impl Pages {
    /// The form for a new application, empty or with what is wrong with it.
    #[must_use]
    pub fn new_application(&self, session: &Session, form: &Form, problems: &[Problem], status: u16) -> Response {
        let kind = |value: &str, title: &str, text: &str| {
            let checked = if form.has("kind", value) { " checked" } else { "" };
            format!(
                r#"<label class="choice"><input type="radio" name="kind" value="{value}" required{checked}><span><strong>{title}</strong> {text}</span></label>"#
            )
        };
        let kinds = format!(
            r#"<fieldset id="kind" aria-describedby="kind-error"><legend>Where does it run?</legend>
{}{}
{}</fieldset>"#,
            kind("public", "On the user’s device or in the browser.", "It cannot keep a secret and gets none."),
            kind("server", "On your own server.", "It gets a client secret, which it must keep."),
            problem_of("kind", problems),
        );
        let content = format!(
            r#"<h1>Create an application</h1>
{summary}
<form method="post" action="/applications" data-check>
{hidden}<input type="hidden" name="once" value="{once}">
{fields}
<div class="buttons"><button>Create application</button><a class="button quiet" href="/">Cancel</a></div>
</form>"#,
            summary = summary_of(problems),
            hidden = hidden(session),
            once = escape(form.first("once")),
            fields = self.fields(form, problems, &kinds),
        );
        let title = if problems.is_empty() { "Create an application" } else { "Not yet: create an application" };
        self.page(status, Some(session), title, &content)
    }

    /// The form to change an application, with what is wrong with it.
    #[must_use]
    pub fn edit(
        &self,
        session: &Session,
        client_id: &str,
        record: &Record,
        form: &Form,
        problems: &[Problem],
    ) -> Response {
        let content = format!(
            "<p class=\"small\"><a href=\"/applications/{id}\">{name}</a></p><h1>Not changed yet</h1>{summary}{form}",
            id = escape(client_id),
            name = escape(&record.metadata.client_name),
            summary = summary_of(problems),
            form = self.edit_form(session, client_id, form, problems),
        );
        self.page(422, Some(session), "Not changed yet", &content)
    }

    pub(super) fn edit_form(&self, session: &Session, client_id: &str, form: &Form, problems: &[Problem]) -> String {
        format!(
            r#"<form method="post" action="/applications/{id}" data-check>
{hidden}<input type="hidden" name="kind" value="{kind}">
{fields}
<div class="buttons"><button>Save changes</button></div></form>"#,
            id = escape(client_id),
            hidden = hidden(session),
            kind = escape(form.first("kind")),
            fields = self.fields(form, problems, ""),
        )
    }

    /// The fields that a new application and a change have in common; `kinds` goes between name and addresses.
    fn fields(&self, form: &Form, problems: &[Problem], kinds: &str) -> String {
        let name = Field {
            name: "client_name",
            label: "Name",
            hint: "Users read it when they are asked to allow access.",
            kind: "text",
            placeholder: "",
        };
        let is_new_form = form.first("client_name").is_empty() && problems.is_empty();
        let scopes = self.scopes.iter().fold(String::new(), |list, scope| {
            // At first everything that is offered: leaving out is easier than finding out.
            let checked = if is_new_form || form.has("scope", scope) { " checked" } else { "" };
            let scope = escape(scope);
            list + &format!(
                r#"<label class="choice"><input type="checkbox" name="scope" value="{scope}"{checked}><span><code>{scope}</code></span></label>"#
            )
        });
        let addresses = format!(
            r#"<label for="redirect_uris">Redirect addresses</label>
<p class="hint" id="redirect_uris-hint">Where users are sent back to, one address in a line, compared character by character. <code>https://…</code>, or
<code>http://127.0.0.1/…</code> for a program on the user’s device (any port), or a scheme of its own such as <code>com.example.agent:/callback</code>.</p>
<textarea id="redirect_uris" name="redirect_uris" rows="3" required spellcheck="false" autocapitalize="none" aria-describedby="redirect_uris-hint redirect_uris-error"{invalid}>{value}</textarea>
{problem}"#,
            invalid = invalid("redirect_uris", problems),
            value = escape(form.first("redirect_uris")),
            problem = problem_of("redirect_uris", problems),
        );
        let pages = PAGES.iter().fold(String::new(), |list, field| list + &text_field(field, form, problems));
        format!(
            r#"{name}{kinds}
{addresses}
<fieldset id="scope" aria-describedby="scope-error"><legend>What may it ask users for?</legend>{scopes}{scope_problem}</fieldset>
<details{open}><summary>Home page, logo and terms</summary>{pages}</details>"#,
            name = text_field(&name, form, problems).replace("<input ", "<input required maxlength=\"80\" "),
            scope_problem = problem_of("scope", problems),
            open = if PAGES.iter().any(|field| !form.first(field.name).is_empty()) { " open" } else { "" },
        )
    }
}

fn text_field(field: &Field, form: &Form, problems: &[Problem]) -> String {
    let Field { name, label, hint, kind, placeholder } = field;
    format!(
        r#"<label for="{name}">{label}</label><p class="hint" id="{name}-hint">{hint}</p>
<input id="{name}" name="{name}" type="{kind}" value="{value}" placeholder="{placeholder}" autocomplete="off" aria-describedby="{name}-hint {name}-error"{invalid}>
{problem}"#,
        value = escape(form.first(name)),
        invalid = invalid(name, problems),
        problem = problem_of(name, problems),
    )
}

fn invalid(field: &str, problems: &[Problem]) -> &'static str {
    if problems.iter().any(|(known, _)| *known == field) { " aria-invalid=\"true\"" } else { "" }
}

/// The place where a field's problem stands, also while there is none: the script puts it there.
fn problem_of(field: &str, problems: &[Problem]) -> String {
    let problem =
        problems.iter().find(|(known, _)| *known == field).map(|(_, text)| sentence(text)).unwrap_or_default();
    format!(r#"<p class="problem" id="{field}-error">{}</p>"#, escape(&problem))
}

fn summary_of(problems: &[Problem]) -> String {
    if problems.is_empty() {
        return String::new();
    }
    let links = problems.iter().fold(String::new(), |list, (field, text)| {
        list + &format!(r##"<li><a href="#{field}">{}</a></li>"##, escape(&sentence(text)))
    });
    format!(r#"<div class="note error" role="alert"><p>Please look at this again:</p><ul>{links}</ul></div>"#)
}
