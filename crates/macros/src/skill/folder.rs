//! The files of a skill. The only part that reads anything.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::error::SkillError;

/// What hosts have to take of one skill (MCP Skills, "Limits").
const FILES: usize = 512;
const BYTES: usize = 16 << 20;

pub const MANIFEST: &str = "SKILL.md";

/// A file of a skill.
#[derive(Debug, PartialEq, Eq)]
pub struct File {
    /// From the folder of the skill, with `/` between the parts.
    pub path: String,
    /// Where it is on this machine.
    pub source: PathBuf,
    pub bytes: Vec<u8>,
}

/// Reads the files of a folder: `SKILL.md` first, and the others by path. What begins with a dot is left out: it belongs to
/// tools (`.git`, `.DS_Store`), or is kept out of sight for a reason (`.env`).
///
/// # Errors
/// [`SkillError`] for what cannot be read, has a name that is no part of a URI, or is more than hosts take.
pub fn read(folder: &Path) -> Result<Vec<File>, SkillError> {
    let mut files = Vec::new();
    walk(folder, "", &mut files)?;
    if !files.iter().any(|file| file.path == MANIFEST) {
        return Err(SkillError::NoManifest(folder.to_owned()));
    }
    if let Some(nested) = files.iter().find(|file| file.path.ends_with("/SKILL.md")) {
        return Err(SkillError::Nested(nested.path.clone()));
    }
    files.sort_by(|one, other| (one.path != MANIFEST, &one.path).cmp(&(other.path != MANIFEST, &other.path)));
    Ok(files)
}

fn walk(folder: &Path, prefix: &str, files: &mut Vec<File>) -> Result<(), SkillError> {
    let unreadable =
        |path: &Path, error: &io::Error| SkillError::Unreadable { path: path.to_owned(), problem: error.to_string() };
    for entry in fs::read_dir(folder).map_err(|error| unreadable(folder, &error))? {
        let entry = entry.map_err(|error| unreadable(folder, &error))?;
        let (name, source) = (entry.file_name(), entry.path());
        let name = name.to_string_lossy();
        if name.starts_with('.') {
            continue;
        }
        if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte)) {
            return Err(SkillError::FileName(name.into_owned()));
        }
        let path = format!("{prefix}{name}");
        let kind = entry.file_type().map_err(|error| unreadable(&source, &error))?;
        if kind.is_dir() {
            walk(&source, &format!("{path}/"), files)?;
        } else if kind.is_file() {
            let bytes = fs::read(&source).map_err(|error| unreadable(&source, &error))?;
            files.push(File { path, source, bytes });
            check_amount(files)?;
        } else {
            return Err(SkillError::Link(path));
        }
    }
    Ok(())
}

fn check_amount(files: &[File]) -> Result<(), SkillError> {
    let bytes = files.iter().map(|file| file.bytes.len()).sum();
    match (files.len(), bytes) {
        (count, _) if count > FILES => Err(SkillError::TooManyFiles(count)),
        (_, bytes) if bytes > BYTES => Err(SkillError::TooLarge(bytes)),
        _ => Ok(()),
    }
}

// ---------------------------------------------------------------------------------------------------------------------

#[cfg(test)]
mod tests {
    use super::*;
    use crate::skill::testing::Folder;

    fn paths(folder: &Folder) -> Result<Vec<String>, SkillError> {
        Ok(read(folder.path())?.into_iter().map(|file| file.path).collect())
    }

    #[test]
    fn the_manifest_comes_first_and_hidden_files_stay_out() {
        let folder = Folder::new("order");
        for path in ["b/2.md", "b/10.md", "SKILL.md", "A.txt", ".env", ".git/config", "b/.DS_Store", "zz/deep/er/x_-.1"]
        {
            folder.write(path, path.as_bytes());
        }
        assert_eq!(
            paths(&folder),
            Ok(["SKILL.md", "A.txt", "b/10.md", "b/2.md", "zz/deep/er/x_-.1"].map(str::to_owned).into())
        );
        let files = read(folder.path()).unwrap_or_default();
        assert!(files.iter().all(|file| file.bytes == file.path.as_bytes() && file.source.is_file()));
    }

    #[test]
    fn a_folder_without_a_manifest_is_no_skill() {
        let folder = Folder::new("none");
        folder.write("skill.md", b"");
        assert_eq!(paths(&folder), Err(SkillError::NoManifest(folder.path().to_owned())));
        let missing = folder.path().join("missing");
        assert!(matches!(read(&missing), Err(SkillError::Unreadable { path, .. }) if path == missing));
    }

    #[test]
    fn names_are_parts_of_uris_as_they_are() {
        for name in ["a b.md", "ä.md", "a%20b", "a#b", "notes~", "a+b"] {
            let folder = Folder::new("names");
            folder.write("SKILL.md", b"");
            folder.write(name, b"");
            assert_eq!(paths(&folder), Err(SkillError::FileName(name.to_owned())));
        }
    }

    #[test]
    fn skills_do_not_nest() {
        let folder = Folder::new("nested");
        folder.write("SKILL.md", b"");
        folder.write("inner/SKILL.md", b"");
        assert_eq!(paths(&folder), Err(SkillError::Nested("inner/SKILL.md".to_owned())));
    }

    #[cfg(unix)]
    #[test]
    fn links_lead_nowhere() {
        let folder = Folder::new("links");
        folder.write("SKILL.md", b"");
        std::os::unix::fs::symlink("/etc/hostname", folder.path().join("host"))
            .unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(paths(&folder), Err(SkillError::Link("host".to_owned())));
    }

    #[test]
    fn there_is_no_more_than_hosts_take() {
        let file = |size: usize| File { path: String::new(), source: PathBuf::new(), bytes: vec![0; size] };
        let full: Vec<File> = (0..FILES).map(|_| file(BYTES / FILES)).collect();
        assert_eq!(check_amount(&full), Ok(()));
        let more: Vec<File> = (0..=FILES).map(|_| file(0)).collect();
        assert_eq!(check_amount(&more), Err(SkillError::TooManyFiles(513)));
        assert_eq!(check_amount(&[file(BYTES), file(1)]), Err(SkillError::TooLarge(16_777_217)));
    }
}
