//! The local Python: pip brings the wheel, the standard library opens it. Nothing of the wheel is run.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::error::TaskError;
use crate::pins::{PACKAGE, PYTHON_TAG, Platform, VERSION};
use crate::steps::run;

/// Copies one member of a zip archive into a file of its own: archive, member, target.
const COPY_MEMBER: &str = "\
import shutil, sys, zipfile
archive, member, target = sys.argv[1:4]
with zipfile.ZipFile(archive) as files, files.open(member) as source, open(target, 'wb') as sink:
    shutil.copyfileobj(source, sink)
";

/// A Python interpreter that can be started.
#[derive(Debug)]
pub(crate) struct Python {
    program: &'static str,
}

impl Python {
    /// The first of `python3` and `python` that starts.
    ///
    /// # Errors
    ///
    /// [`TaskError::PythonMissing`] when neither does.
    pub(crate) fn find() -> Result<Self, TaskError> {
        ["python3", "python"]
            .into_iter()
            .find(|program| {
                is_quietly_well(
                    program,
                    &["-c", "import sys, zipfile; assert sys.version_info[0] == 3"],
                )
            })
            .map(|program| Self { program })
            .ok_or(TaskError::PythonMissing)
    }

    /// Lets pip download the wheel of `platform` into `folder`.
    ///
    /// # Errors
    ///
    /// [`TaskError::PipMissing`] without pip, [`TaskError::Download`] when pip fails.
    pub(crate) fn download(&self, platform: &Platform, folder: &Path) -> Result<(), TaskError> {
        if !is_quietly_well(self.program, &["-m", "pip", "--version"]) {
            return Err(TaskError::PipMissing {
                python: self.program.to_owned(),
            });
        }
        let mut command = Command::new(self.program);
        let arguments = download_arguments(platform);
        command.args(&arguments).args([
            "--quiet",
            "--no-input",
            "--timeout",
            "20",
            "--retries",
            "2",
        ]);
        command.arg("--dest").arg(folder).stdout(Stdio::null());
        run(&mut command).map_err(|_| TaskError::Download {
            command: format!("python3 {}", arguments.join(" ")),
        })
    }

    /// Copies `member` of the zip archive `archive` to the file `target`.
    ///
    /// # Errors
    ///
    /// [`TaskError::Failed`] when Python cannot, for example because the archive has no such member.
    pub(crate) fn copy_member(
        &self,
        archive: &Path,
        member: &str,
        target: &Path,
    ) -> Result<(), TaskError> {
        let mut command = Command::new(self.program);
        command
            .args(["-c", COPY_MEMBER])
            .arg(archive)
            .arg(member)
            .arg(target);
        run(&mut command)
    }
}

/// What pip is asked for; also what the hint tells a person to run elsewhere.
fn download_arguments(platform: &Platform) -> Vec<String> {
    let words = [
        "-m pip download --disable-pip-version-check --no-deps --only-binary=:all: --implementation cp",
        &format!(
            "--abi cp{PYTHON_TAG} --python-version {PYTHON_TAG} --platform {}",
            platform.tag
        ),
        &format!("{PACKAGE}=={VERSION}"),
    ];
    words.join(" ").split(' ').map(str::to_owned).collect()
}

fn is_quietly_well(program: &str, arguments: &[&str]) -> bool {
    Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}
