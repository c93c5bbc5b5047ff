//! The tools. Each needs a user: notes belong to people, and a client that acts for itself has none.

use mcp_edge::{Capability, ElicitResult, prelude::*};

use crate::{
    READ, WRITE,
    note::{Draft, Note, NoteId, Summary},
    notebook::Notebook,
    store::NoteStore,
};

/// 50 notes at once: each is a write of its own, and a call should end within seconds.
const NOTES_PER_IMPORT: usize = 50;

/// All notes of the user.
#[schema(output)]
struct NoteList {
    /// The newest first.
    notes: Vec<Summary>,
}

/// What has become of an import.
#[schema(output)]
struct Imported {
    /// The ids of the new notes, in the order in which they were given.
    ids: Vec<NoteId>,
}

/// What the user is asked before a note is deleted.
#[schema(input)]
struct Confirmation {
    /// Delete it for good
    confirm: bool,
}

/// What has become of a note that was to be deleted.
#[schema(output)]
struct Deletion {
    /// The note's id.
    id: NoteId,
    /// False if the user wants to keep it.
    deleted: bool,
}

/// Lists the user's notes with their ids and titles, the newest first.
#[tool(title = "List notes", scope = READ, needs_user, read_only, closed_world)]
pub async fn list_notes<S: NoteStore>(call: Call<S>) -> Result<Json<NoteList>, ToolError> {
    Ok(Json(NoteList { notes: Notebook::of(&call).summaries().await? }))
}

/// Reads one of the user's notes.
#[tool(title = "Read a note", scope = READ, needs_user, read_only, closed_world)]
pub async fn read_note<S: NoteStore>(
    call: Call<S>,
    /// The note's id, as `list_notes` shows it.
    id: NoteId,
) -> Result<Json<Note>, ToolError> {
    Ok(Json(Notebook::of(&call).find(&id).await?))
}

/// Writes a new note for the user.
#[tool(title = "Write a note", scope = WRITE, needs_user, additive, closed_world)]
pub async fn create_note<S: NoteStore>(call: Call<S>, #[arguments] draft: Draft) -> Result<Json<Note>, ToolError> {
    let notebook = Notebook::of(&call);
    let note = draft.into_note(NoteId::random(&call), call.now())?;
    notebook.has_room_for(1).await?;
    notebook.write(&note).await?;
    Ok(Json(note))
}

/// Writes several new notes for the user at once, and reports progress after each.
#[tool(title = "Import notes", scope = WRITE, needs_user, additive, closed_world)]
pub async fn import_notes<S: NoteStore>(
    call: Call<S>,
    /// The notes to add.
    #[schemars(length(min = 1, max = NOTES_PER_IMPORT))]
    notes: Vec<Draft>,
) -> Result<Json<Imported>, ToolError> {
    let notebook = Notebook::of(&call);
    // First everything that can be refused, then the effects: an import that is wrong somewhere adds nothing.
    let notes = notes.into_iter().enumerate().map(|(index, draft)| {
        let note = draft.into_note(NoteId::random(&call), call.now());
        note.map_err(|problem| ToolError::new(format!("notes[{index}]: {problem}")))
    });
    let notes = notes.collect::<Result<Vec<_>, _>>()?;
    notebook.has_room_for(notes.len()).await?;

    let total = u16::try_from(notes.len()).ok().map(f64::from);
    for (done, note) in (1_u16..).zip(&notes) {
        notebook.write(note).await?;
        call.progress(f64::from(done), total, Some(&note.title)).await;
    }
    Ok(Json(Imported { ids: notes.into_iter().map(|note| note.id).collect() }))
}

// It asks the user first, so it needs a client that can be asked: others are refused before it runs. The question is a
// courtesy to the user, not a lock: it is the client that brings the answer. The question shows the title, so this tool
// reads, too.
/// Deletes one of the user's notes for good, after asking the user.
#[tool(
    title = "Delete a note",
    scope = READ,
    scope = WRITE,
    needs_user,
    needs = Capability::Elicitation,
    idempotent,
    closed_world
)]
pub async fn delete_note<S: NoteStore>(
    call: Call<S>,
    /// The note's id, as `list_notes` shows it.
    id: NoteId,
) -> Result<Json<Deletion>, ToolError> {
    let notebook = Notebook::of(&call);
    let note = notebook.find(&id).await?;
    // While the answer is outstanding, `?` leaves here; with the answer, all of this runs again.
    let question = format!("Delete the note “{}”?", note.title);
    let answer = call.elicit_answer::<Confirmation>("confirm", &question)?;
    let deleted = matches!(answer, ElicitResult::Accepted(Confirmation { confirm: true }));
    if deleted {
        notebook.remove(&id).await?;
    }
    Ok(Json(Deletion { id, deleted }))
}
