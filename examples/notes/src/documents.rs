//! Notes as resources, and a prompt that is made of them.

use mcp_edge::{CompleteParams, PromptResult, ResourceContents, prelude::*};

use crate::{READ, note::NoteId, notebook::Notebook, store::NoteStore};

/// How notes are written.
const MARKDOWN: &str = "text/markdown";

/// 20 notes in a summary, the newest: 200,000 characters at most, which is what large models can read.
const NOTES_PER_SUMMARY: usize = 20;

/// Names a note: the variables of `note://{id}`. Another text than an id names no resource.
#[schema(input)]
struct Named {
    id: NoteId,
}

/// `notes://index`: which notes there are. A server's list of resources is the same for all its users, so what differs
/// between them is in the contents of this one.
pub fn index<S: NoteStore>() -> Resource<S> {
    async fn read<S: NoteStore>(call: Call<S>) -> Result<String, ResourceError> {
        let summaries = Notebook::of(&call).summaries().await?;
        serde_json::to_string(&summaries).map_err(ResourceError::internal)
    }
    Resource::new("notes://index", "index", read)
        .title("All notes")
        .description("The ids, titles and URIs of the user's notes, the newest first.")
        .mime_type("application/json")
        .scope(READ)
        .needs_user()
}

/// `note://{id}`: the text of a note.
pub fn note<S: NoteStore>() -> ResourceTemplate<S> {
    async fn read<S: NoteStore>(call: Call<S>, Named { id }: Named) -> Result<String, ResourceError> {
        Ok(Notebook::of(&call).find(&id).await?.body)
    }
    ResourceTemplate::new("note://{id}", "note", read)
        .title("A note")
        .description("The text of one of the user's notes.")
        .mime_type(MARKDOWN)
        .complete("id", suggest_ids)
        .scope(READ)
        .needs_user()
}

/// The ids that begin with what was typed, and those of notes with it in their titles: people remember titles.
async fn suggest_ids<S: NoteStore>(call: Call<S>, CompleteParams { value, .. }: CompleteParams) -> Vec<String> {
    let typed = value.to_lowercase();
    // No suggestions are a good answer, too.
    let summaries = Notebook::of(&call).summaries().await.unwrap_or_default();
    let fitting = summaries
        .into_iter()
        .filter(|summary| summary.id.as_str().starts_with(&typed) || summary.title.to_lowercase().contains(&typed));
    fitting.map(|summary| summary.id.into()).collect()
}

/// Summarizes the user's newest notes.
#[prompt(
    title = "Summarize my notes",
    complete_among("style", ["one sentence", "three bullet points", "a table"]),
    scope = READ,
    needs_user
)]
pub async fn summarize_notes<S: NoteStore>(
    call: Call<S>,
    /// What the summary should look like, for example "three bullet points"
    style: Option<String>,
) -> Result<PromptResult, PromptError> {
    let notebook = Notebook::of(&call);
    let request = match style {
        Some(style) => format!("Summarize my notes. What the summary should look like: {style}"),
        None => "Summarize my notes.".to_owned(),
    };
    let mut messages = vec![PromptMessage::user(request)];
    for summary in notebook.summaries().await?.into_iter().take(NOTES_PER_SUMMARY) {
        let note = notebook.find(&summary.id).await?;
        let contents = ResourceContents::text(&summary.uri, &format!("# {}\n\n{}", note.title, note.body));
        messages.push(PromptMessage::user(ContentBlock::resource(&contents.mime_type(MARKDOWN))));
    }
    Ok(PromptResult::new(messages).description("A summary of the user's newest notes"))
}
