//! `--heatmap DIR`: one drawing per scored picture, named by its digest, so that names cannot collide or lead elsewhere.

use std::{
    fs,
    path::{Path, PathBuf},
};

use media::Media;
use verdict::{Examiner, Report};

use crate::{
    exit::Failure,
    output::{cannot_write, say, shown, write_whole},
};

/// The folder that drawings go to.
pub(crate) struct Drawings(PathBuf);

impl Drawings {
    /// Makes the folder where it is missing.
    pub(crate) fn into_folder(folder: &Path) -> Result<Self, Failure> {
        fs::create_dir_all(folder).map_err(|error| cannot_write(folder, &error))?;
        Ok(Self(folder.to_owned()))
    }

    /// Draws a scored picture and names the drawing in its report. A drawing that cannot be written is a line on
    /// standard error; the report stands.
    pub(crate) fn add(&self, examiner: &Examiner, media: &Media, report: &mut Report) {
        if report.detection.probability.is_none() {
            return;
        }
        let Some(png) = examiner.heat_map(media) else {
            return;
        };
        let path = self.0.join(format!("{}.png", media.digest));
        match write_whole(&path, &png) {
            Ok(()) => report.detection.map = Some(path.to_string_lossy().into_owned()),
            Err(error) => say(&shown(&format!(
                "warning: the heat map {} cannot be written: {error}",
                path.display()
            ))),
        }
    }
}
