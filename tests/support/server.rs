//! The real service in a process of its own, on a port that the system chooses.

use std::{
    fs::File,
    io::{BufRead as _, BufReader},
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use super::{command, folder, root, system, test_root};

/// A running service; it is ended with the value.
pub(crate) struct Server {
    child: Child,
    pub(crate) address: SocketAddr,
    /// For its temporary files: it is killed, and cannot remove them.
    _temporary: tempfile::TempDir,
}

impl Server {
    /// Starts it with more arguments and waits until it tells its address.
    pub(crate) fn start(args: &[&str]) -> Self {
        Self::start_in(root(), args)
    }

    /// The same in a folder of its own, where neither models nor ONNX Runtime are found by default.
    pub(crate) fn start_in(folder: &Path, args: &[&str]) -> Self {
        let mut command = serve();
        if folder != root() {
            command.env_remove("ORT_DYLIB_PATH");
        }
        command
            .current_dir(folder)
            .args(["--log", "off"])
            .args(args);
        Self::started(command)
    }

    /// The same with its log in a file.
    pub(crate) fn start_in_logging(folder: &Path, log: &Path, args: &[&str]) -> Self {
        let mut command = serve();
        command
            .env_remove("ORT_DYLIB_PATH")
            .current_dir(folder)
            .args(args)
            .stderr(File::create(log).unwrap());
        Self::started(command)
    }

    /// The same as [`Self::start`] with its log in a file.
    pub(crate) fn start_logging(log: &Path, args: &[&str]) -> Self {
        let mut command = serve();
        command.args(args).stderr(File::create(log).unwrap());
        Self::started(command)
    }

    fn started(mut command: Command) -> Self {
        let temporary = folder();
        let mut child = command.env("TMPDIR", temporary.path()).spawn().unwrap();
        let mut line = String::new();
        let stdout = child.stdout.take().unwrap();
        BufReader::new(stdout).read_line(&mut line).unwrap();
        let address = line
            .trim()
            .strip_prefix("listening on http://")
            .unwrap_or_else(|| panic!("no address in {line:?}"))
            .parse()
            .unwrap();
        Self {
            child,
            address,
            _temporary: temporary,
        }
    }

    /// Asks it to stop, as an orchestrator does.
    pub(crate) fn terminate(&self) {
        assert!(system("kill", &["-TERM", &self.child.id().to_string()]));
    }

    /// Has it read its rules again.
    pub(crate) fn reload(&self) {
        assert!(system("kill", &["-HUP", &self.id()]));
    }

    /// Its process id.
    pub(crate) fn id(&self) -> String {
        self.child.id().to_string()
    }

    /// Its exit code, once it has ended.
    pub(crate) fn wait(mut self, limit: Duration) -> Option<i32> {
        let started = Instant::now();
        while started.elapsed() < limit {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("the service still runs after {limit:?}");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The command without its own arguments, silent.
fn serve() -> Command {
    let mut command = command();
    command
        .args(["serve", "--listen", "127.0.0.1:0", "--trust"])
        .arg(test_root())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    command
}
