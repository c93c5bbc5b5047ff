//! Forms: what the fields of a Rust type look like to the user who fills them in.
//!
//! The suite asks for these only in the revision of 2025-11-25, in which a server without sessions cannot ask anything.
//! So the tests below look at what it would look at, in the revision that can.

use mcp_edge::{Call, ElicitResult, ServerBuilder, ToolError, schema, tool};
use serde::Serialize;

/// Adds the tools.
pub fn add_to<E: Clone + 'static>(server: ServerBuilder<E>) -> ServerBuilder<E> {
    server.tool(contact()).tool(defaults()).tool(choices())
}

#[schema]
struct Contact {
    /// User's response
    username: String,
    /// User's email address
    #[schemars(email)]
    email: String,
}

/// Asks for a user name and an e-mail address
#[tool(name = "test_elicitation")]
async fn contact(
    call: Call,
    /// What the user reads above the form
    message: String,
) -> Result<String, ToolError> {
    let answer = call.elicit_answer::<Contact>("contact", &message)?;
    Ok(format!("User response: {}", outcome(&answer)?))
}

/// `serde(default)` makes fields optional, and shows their defaults.
#[schema]
#[serde(default)]
struct Profile {
    name: String,
    age: i64,
    score: f64,
    status: Status,
    verified: bool,
}

#[schema]
#[serde(rename_all = "lowercase")]
enum Status {
    Active,
    Inactive,
    Pending,
}

impl Default for Profile {
    fn default() -> Self {
        Self { name: "John Doe".to_owned(), age: 30, score: 95.5, status: Status::Active, verified: true }
    }
}

/// Shows a form that is filled in already
#[tool(name = "test_elicitation_sep1034_defaults")]
async fn defaults(call: Call) -> Result<String, ToolError> {
    let answer = call.elicit_answer::<Profile>("profile", "Please review your profile")?;
    Ok(format!("Elicitation completed: {}", outcome(&answer)?))
}

#[schema]
#[serde(rename_all = "camelCase")]
struct Choices {
    untitled_single: Untitled,
    titled_single: Titled,
    legacy_enum: Legacy,
    untitled_multi: Vec<Untitled>,
    titled_multi: Vec<TitledChoice>,
}

#[schema]
#[serde(rename_all = "lowercase")]
enum Untitled {
    Option1,
    Option2,
    Option3,
}

// What is said about a variant is its title.
#[schema]
#[serde(rename_all = "lowercase")]
enum Titled {
    /// First Option
    Value1,
    /// Second Option
    Value2,
    /// Third Option
    Value3,
}

#[schema]
#[serde(rename_all = "lowercase")]
enum TitledChoice {
    /// First Choice
    Value1,
    /// Second Choice
    Value2,
    /// Third Choice
    Value3,
}

// Titles as they were before 2025-11-25, for clients that know no others.
#[schema]
#[serde(rename_all = "lowercase")]
#[schemars(extend("enumNames" = ["Option One", "Option Two", "Option Three"]))]
enum Legacy {
    Opt1,
    Opt2,
    Opt3,
}

/// Shows a form with every kind of choice
#[tool(name = "test_elicitation_sep1330_enums")]
async fn choices(call: Call) -> Result<String, ToolError> {
    let answer = call.elicit_answer::<Choices>("choices", "Please choose")?;
    Ok(format!("Elicitation completed: {}", outcome(&answer)?))
}

/// What the user did, in words.
fn outcome<T: Serialize>(answer: &ElicitResult<T>) -> Result<String, ToolError> {
    Ok(match answer {
        ElicitResult::Accepted(content) => {
            let content = serde_json::to_string(content).map_err(ToolError::internal)?;
            format!("action=accept, content={content}")
        }
        ElicitResult::Declined => "action=decline, content={}".to_owned(),
        ElicitResult::Cancelled => "action=cancel, content={}".to_owned(),
    })
}

// ---------------------------------------------------------------------------------------------------------------------

#[cfg(test)]
mod tests {
    use mcp_edge::testing::{Client, run};
    use serde_json::{Value, json};

    /// The fields of the form that a tool shows.
    fn fields(tool: &str, arguments: Value) -> Value {
        let server = crate::server::<()>().unwrap_or_else(|error| panic!("{error}"));
        let client = Client::new(&server).capabilities(json!({"elicitation": {}}));
        let answer = run(client.call_tool(tool, arguments));
        let requests = answer.result()["inputRequests"].as_object().cloned().unwrap_or_default();
        let request = requests.into_iter().next().map(|(_, request)| request).unwrap_or_default();
        assert_eq!(request["method"], "elicitation/create", "{:?}", answer.message);
        request["params"]["requestedSchema"].clone()
    }

    #[test]
    fn fields_are_described_and_required() {
        let form = fields("test_elicitation", json!({"message": "Who?"}));
        assert_eq!(
            form["properties"],
            json!({
                "username": {"type": "string", "description": "User's response"},
                "email": {"type": "string", "format": "email", "description": "User's email address"}
            })
        );
        assert_eq!(form["required"], json!(["username", "email"]));
    }

    #[test]
    fn fields_have_defaults() {
        let form = fields("test_elicitation_sep1034_defaults", json!({}));
        assert_eq!(
            form["properties"],
            json!({
                "name": {"type": "string", "default": "John Doe"},
                "age": {"type": "integer", "default": 30},
                "score": {"type": "number", "default": 95.5},
                "status": {"type": "string", "enum": ["active", "inactive", "pending"], "default": "active"},
                "verified": {"type": "boolean", "default": true}
            })
        );
        assert!(form.get("required").is_none());
    }

    #[test]
    fn choices_have_the_five_forms_that_there_are() {
        let titles = |kind: &str| {
            json!([
                {"const": "value1", "title": format!("First {kind}")},
                {"const": "value2", "title": format!("Second {kind}")},
                {"const": "value3", "title": format!("Third {kind}")}
            ])
        };
        let untitled = json!({"type": "string", "enum": ["option1", "option2", "option3"]});
        let form = fields("test_elicitation_sep1330_enums", json!({}));
        assert_eq!(
            form["properties"],
            json!({
                "untitledSingle": untitled,
                "titledSingle": {"type": "string", "oneOf": titles("Option")},
                "legacyEnum": {
                    "type": "string",
                    "enum": ["opt1", "opt2", "opt3"],
                    "enumNames": ["Option One", "Option Two", "Option Three"]
                },
                "untitledMulti": {"type": "array", "items": untitled},
                "titledMulti": {"type": "array", "items": {"anyOf": titles("Choice")}}
            })
        );
    }

    #[test]
    fn a_handler_may_go_on_when_the_user_declines() {
        let server = crate::server::<()>().unwrap_or_else(|error| panic!("{error}"));
        let client = Client::new(&server).capabilities(json!({"elicitation": {}}));
        for (response, expected) in [
            (
                json!({"action": "accept", "content": {"age": 31}}),
                r#"action=accept, content={"name":"John Doe","age":31,"score":95.5,"status":"active","verified":true}"#,
            ),
            (json!({"action": "decline"}), "action=decline, content={}"),
            (json!({"action": "cancel"}), "action=cancel, content={}"),
        ] {
            let params = json!({"name": "test_elicitation_sep1034_defaults", "inputResponses": {"profile": response}});
            let answer = run(client.request("tools/call", params));
            assert_eq!(answer.text(), format!("Elicitation completed: {expected}"));
        }
    }
}
