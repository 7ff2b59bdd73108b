//! A folder as a list: `real/` and `synthetic/` in it hold the pictures, and folders in those are the sources.

use std::path::Path;

use media::{Digest, Kind};
use walkdir::WalkDir;

use crate::{
    error::EvaluationError,
    manifest::{Label, MAX_ROWS, Manifest, Row},
};

impl Manifest {
    /// Lists every file with the extension of a picture under `folder/real` and `folder/synthetic`, in the order of the
    /// paths; links are not followed.
    ///
    /// # Errors
    ///
    /// [`EvaluationError::Unreadable`] when a folder cannot be walked, [`EvaluationError::OneSided`] when one of the two
    /// holds no picture.
    pub fn of_folder(folder: &Path) -> Result<Self, EvaluationError> {
        let unreadable = |detail: String| EvaluationError::Unreadable {
            path: folder.into(),
            detail,
        };
        let mut rows = Vec::new();
        for label in [Label::Real, Label::Synthetic] {
            list(folder, label, &mut rows).map_err(unreadable)?;
        }
        let names: String = rows.iter().map(|row| format!("{}\n", row.name)).collect();
        Self::checked(Digest::of(names.as_bytes()), rows)
    }
}

fn list(folder: &Path, label: Label, rows: &mut Vec<Row>) -> Result<(), String> {
    let top = folder.join(label.word());
    for entry in WalkDir::new(&top).sort_by_file_name().max_depth(MAX_DEPTH) {
        let entry = entry.map_err(|error| error.to_string())?;
        let path = entry.path();
        let extension = path.extension().and_then(|extension| extension.to_str());
        let is_picture = extension.and_then(Kind::from_extension).is_some();
        if !entry.file_type().is_file() || !is_picture {
            continue;
        }
        if rows.len() >= MAX_ROWS {
            return Err(format!("it has more than {MAX_ROWS} pictures"));
        }
        let inside = path.strip_prefix(&top).unwrap_or(path);
        let source = inside.parent().and_then(|parent| parent.iter().next());
        rows.push(Row {
            name: path
                .strip_prefix(folder)
                .unwrap_or(path)
                .to_string_lossy()
                .into_owned(),
            path: path.to_owned(),
            label,
            source: source.map_or_else(
                || label.word().into(),
                |name| name.to_string_lossy().into_owned(),
            ),
            group: None,
            crop: None,
        });
    }
    Ok(())
}

/// Folders in folders that are walked.
const MAX_DEPTH: usize = 16;

#[cfg(test)]
mod tests {
    use std::fs;

    use crate::{
        error::EvaluationError,
        manifest::{Label, Manifest},
    };

    #[test]
    fn folders_are_labels_and_folders_in_them_sources() {
        let folder = tempfile::tempdir().unwrap();
        let put = |name: &str| {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "x").unwrap();
        };
        put("real/a.jpg");
        put("real/phone/b.PNG");
        put("real/notes.txt");
        let alone = Manifest::of_folder(folder.path()).unwrap_err();
        assert!(
            matches!(alone, EvaluationError::Unreadable { .. }),
            "{alone}"
        );
        put("synthetic/gen/deep/c.webp");
        let rows = Manifest::of_folder(folder.path()).unwrap().rows;
        let found: Vec<_> = rows
            .iter()
            .map(|row| (row.name.as_str(), row.label, row.source.as_str()))
            .collect();
        assert_eq!(
            found,
            [
                ("real/a.jpg", Label::Real, "real"),
                ("real/phone/b.PNG", Label::Real, "phone"),
                ("synthetic/gen/deep/c.webp", Label::Synthetic, "gen"),
            ]
        );
    }
}
