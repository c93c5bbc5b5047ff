//! The form for a new key.

use mcp_edge_sign_in::{form::Form, html::Html, session::Session};

use super::{Pages, hidden};
use crate::requested_key::{MAX_NAME_CHARACTERS, Problem};

/// The life of a key, in days, that the form proposes.
const USUAL_DAYS: u64 = 30;

impl Pages {
    /// The form, empty or as it was sent, with what is wrong with it.
    pub(super) fn form(&self, session: &Session, form: &Form, problems: &[Problem]) -> Html {
        let mut html = Html::default();
        summary(&mut html, problems);
        html.raw("<form method=\"post\" action=\"/account/keys\">\n").piece(&hidden(session));
        html.raw("<label for=\"name\">Name</label>\n<p class=\"hint\" id=\"name-hint\">What will use it: a program, a machine. You alone see it.</p>\n")
            .raw("<input id=\"name\" name=\"name\" required autocomplete=\"off\" maxlength=\"")
            .number(MAX_NAME_CHARACTERS as u64)
            .raw("\" aria-describedby=\"name-hint name-error\"")
            .raw(invalid("name", problems))
            .raw(" value=\"")
            .text(form.first("name"))
            .raw("\">\n");
        problem(&mut html, "name", problems);
        self.scopes_field(&mut html, form, problems);
        self.tools_field(&mut html, form, problems);
        let usual = USUAL_DAYS.min(self.max_days).to_string();
        let days = if form.first("days").is_empty() { &usual } else { form.first("days") };
        html.raw("<label for=\"days\">Days until it expires</label>\n<p class=\"hint\" id=\"days-hint\">At most ")
            .number(self.max_days)
            .raw(".</p>\n<input id=\"days\" name=\"days\" type=\"number\" required min=\"1\" max=\"")
            .number(self.max_days)
            .raw("\" aria-describedby=\"days-hint days-error\"")
            .raw(invalid("days", problems))
            .raw(" value=\"")
            .text(days)
            .raw("\">\n");
        problem(&mut html, "days", problems);
        html.raw("<p class=\"about\">Next you confirm at ")
            .text(&self.provider)
            .raw(" what the key may do; you may have to sign in again. Then the key is shown, once.</p>\n")
            .raw("<div class=\"buttons\"><button>Continue</button></div>\n</form>\n");
        html
    }

    fn scopes_field(&self, html: &mut Html, form: &Form, problems: &[Problem]) {
        html.raw("<fieldset id=\"scope\" aria-describedby=\"scope-error\"><legend>Scopes</legend>\n")
            .raw("<p class=\"hint\">What it may do: tools, resources and prompts.</p>\n");
        for scope in &self.scopes {
            html.raw("<label class=\"choice\"><input type=\"checkbox\" name=\"scope\" value=\"").text(scope).raw("\"");
            // A box that cannot be changed is not sent; the scope is in every key all the same.
            if self.required_scopes.contains(scope) {
                html.raw(" checked disabled");
            } else if form.has("scope", scope) {
                html.raw(" checked");
            }
            html.raw("><span><code>").text(scope).raw("</code>");
            if self.required_scopes.contains(scope) {
                html.raw(" <small>always</small>");
            }
            html.raw("</span></label>\n");
        }
        problem(html, "scope", problems);
        html.raw("</fieldset>\n");
    }

    fn tools_field(&self, html: &mut Html, form: &Form, problems: &[Problem]) {
        if self.tools.is_empty() {
            html.raw("<label for=\"tools\">Tools</label>\n<p class=\"hint\" id=\"tools-hint\">Optional: the names of the only tools that it may call, one in a line. Empty: all that the scopes allow. Resources and prompts follow the scopes alone.</p>\n")
                .raw("<textarea id=\"tools\" name=\"tools\" rows=\"2\" spellcheck=\"false\" autocapitalize=\"none\" aria-describedby=\"tools-hint tools-error\"")
                .raw(invalid("tools", problems))
                .raw(">\n")
                .text(form.first("tools"))
                .raw("</textarea>\n");
            problem(html, "tools", problems);
            return;
        }
        html.raw("<fieldset id=\"tools\" aria-describedby=\"tools-error\"><legend>Tools</legend>\n")
            .raw("<p class=\"hint\">Optional: the only tools that it may call. None chosen: all that the scopes allow. Resources and prompts follow the scopes alone.</p>\n");
        for tool in &self.tools {
            html.raw("<label class=\"choice\"><input type=\"checkbox\" name=\"tool\" value=\"").text(tool).raw("\"");
            if form.has("tool", tool) {
                html.raw(" checked");
            }
            html.raw("><span><code>").text(tool).raw("</code></span></label>\n");
        }
        problem(html, "tools", problems);
        html.raw("</fieldset>\n");
    }
}

/// What is wrong, with links to the fields.
fn summary(html: &mut Html, problems: &[Problem]) {
    if problems.is_empty() {
        return;
    }
    html.raw("<div class=\"note error\" role=\"alert\"><p>No key was made. Please look at this again:</p>\n<ul>");
    for (field, text) in problems {
        html.raw("<li><a href=\"#").raw(field).raw("\">").text(label(field)).raw("</a>: ").text(text).raw("</li>");
    }
    html.raw("</ul></div>\n");
}

fn label(field: &str) -> &'static str {
    match field {
        "name" => "Name",
        "scope" => "Scopes",
        "tools" => "Tools",
        _ => "Days",
    }
}

fn invalid(field: &str, problems: &[Problem]) -> &'static str {
    if problems.iter().any(|(known, _)| *known == field) { " aria-invalid=\"true\"" } else { "" }
}

fn problem(html: &mut Html, field: &'static str, problems: &[Problem]) {
    let text = problems.iter().find(|(known, _)| *known == field).map_or("", |(_, text)| text);
    html.raw("<p class=\"problem\" id=\"").raw(field).raw("-error\">").text(text).raw("</p>\n");
}
