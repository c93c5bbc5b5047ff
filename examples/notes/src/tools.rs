//! The tools. Each needs a user: notes belong to people, and a client that acts for itself has none.

use mcp_edge::{
    Call, Capability, ElicitResult, Json, Tool, ToolError,
    schemars::{self, JsonSchema},
};
use serde::{Deserialize, Serialize};

use crate::{
    READ, WRITE,
    note::{Draft, Note, NoteId, Summary},
    notebook::Notebook,
    store::NoteStore,
};

/// 50 notes at once: each is a write of its own, and a call should end within seconds.
const NOTES_PER_IMPORT: usize = 50;

/// All notes of the user.
#[derive(Debug, Serialize, JsonSchema)]
struct NoteList {
    /// The newest first.
    notes: Vec<Summary>,
}

/// Names a note.
#[derive(Debug, Deserialize, JsonSchema)]
struct Named {
    /// The note's id, as `list_notes` shows it.
    id: NoteId,
}

/// Notes from elsewhere.
#[derive(Debug, Deserialize, JsonSchema)]
struct Import {
    /// The notes to add.
    #[schemars(length(min = 1, max = NOTES_PER_IMPORT))]
    notes: Vec<Draft>,
}

/// What has become of an import.
#[derive(Debug, Serialize, JsonSchema)]
struct Imported {
    /// The ids of the new notes, in the order in which they were given.
    ids: Vec<NoteId>,
}

/// What the user is asked before a note is deleted.
#[derive(Debug, Deserialize, JsonSchema)]
struct Confirmation {
    /// Delete it for good
    confirm: bool,
}

/// What has become of a note that was to be deleted.
#[derive(Debug, Serialize, JsonSchema)]
struct Deletion {
    /// The note's id.
    id: NoteId,
    /// False if the user wants to keep it.
    deleted: bool,
}

/// `list_notes`
pub fn list_notes<S: NoteStore>() -> Tool<S> {
    async fn run<S: NoteStore>(call: Call<S>) -> Result<Json<NoteList>, ToolError> {
        Ok(Json(NoteList { notes: Notebook::of(&call).summaries().await? }))
    }
    Tool::new("list_notes", run)
        .title("List notes")
        .description("Lists the user's notes with their ids and titles, the newest first.")
        .scope(READ)
        .needs_user()
        .read_only()
        .closed_world()
}

/// `read_note`
pub fn read_note<S: NoteStore>() -> Tool<S> {
    async fn run<S: NoteStore>(call: Call<S>, Named { id }: Named) -> Result<Json<Note>, ToolError> {
        Ok(Json(Notebook::of(&call).find(&id).await?))
    }
    Tool::new("read_note", run)
        .title("Read a note")
        .description("Reads one of the user's notes.")
        .scope(READ)
        .needs_user()
        .read_only()
        .closed_world()
}

/// `create_note`
pub fn create_note<S: NoteStore>() -> Tool<S> {
    async fn run<S: NoteStore>(call: Call<S>, draft: Draft) -> Result<Json<Note>, ToolError> {
        let notebook = Notebook::of(&call);
        let id = NoteId::random().map_err(ToolError::internal)?;
        let note = draft.into_note(id, call.now())?;
        notebook.has_room_for(1).await?;
        notebook.write(&note).await?;
        Ok(Json(note))
    }
    Tool::new("create_note", run)
        .title("Write a note")
        .description("Writes a new note for the user.")
        .scope(WRITE)
        .needs_user()
        .additive()
        .closed_world()
}

/// `import_notes`
pub fn import_notes<S: NoteStore>() -> Tool<S> {
    async fn run<S: NoteStore>(call: Call<S>, Import { notes }: Import) -> Result<Json<Imported>, ToolError> {
        let notebook = Notebook::of(&call);
        // First everything that can be refused, then the effects: an import that is wrong somewhere adds nothing.
        let notes = notes.into_iter().enumerate().map(|(index, draft)| {
            let id = NoteId::random().map_err(ToolError::internal)?;
            draft.into_note(id, call.now()).map_err(|problem| ToolError::new(format!("notes[{index}]: {problem}")))
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
    Tool::new("import_notes", run)
        .title("Import notes")
        .description("Writes several new notes for the user at once, and reports progress after each.")
        .scope(WRITE)
        .needs_user()
        .additive()
        .closed_world()
}

/// `delete_note`
///
/// It asks the user first, so it needs a client that can be asked: others are refused before it runs. The question is a
/// courtesy to the user, not a lock: it is the client that brings the answer.
pub fn delete_note<S: NoteStore>() -> Tool<S> {
    async fn run<S: NoteStore>(call: Call<S>, Named { id }: Named) -> Result<Json<Deletion>, ToolError> {
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
    Tool::new("delete_note", run)
        .title("Delete a note")
        .description("Deletes one of the user's notes for good, after asking the user.")
        // The question shows the title: this tool reads, too.
        .scope(READ)
        .scope(WRITE)
        .needs_user()
        .needs(Capability::Elicitation)
        .idempotent()
        .closed_world()
}
