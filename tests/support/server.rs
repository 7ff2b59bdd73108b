//! The real service in a process of its own, on a port that the system chooses.

use std::{
    io::{BufRead as _, BufReader},
    net::SocketAddr,
    path::Path,
    process::{Child, Stdio},
    time::{Duration, Instant},
};

use super::{command, root, system, test_root};

/// A running service; it is ended with the value.
pub(crate) struct Server {
    child: Child,
    pub(crate) address: SocketAddr,
}

impl Server {
    /// Starts it with more arguments and waits until it tells its address.
    pub(crate) fn start(args: &[&str]) -> Self {
        Self::start_in(root(), args)
    }

    /// The same in a folder of its own, where neither models nor ONNX Runtime are found by default.
    pub(crate) fn start_in(folder: &Path, args: &[&str]) -> Self {
        let mut command = command();
        if folder != root() {
            command.env_remove("ORT_DYLIB_PATH");
        }
        let mut child = command
            .current_dir(folder)
            .args([
                "serve",
                "--listen",
                "127.0.0.1:0",
                "--log",
                "off",
                "--trust",
            ])
            .arg(test_root())
            .args(args)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let stdout = child.stdout.take().unwrap();
        BufReader::new(stdout).read_line(&mut line).unwrap();
        let address = line
            .trim()
            .strip_prefix("listening on http://")
            .unwrap_or_else(|| panic!("no address in {line:?}"))
            .parse()
            .unwrap();
        Self { child, address }
    }

    /// Asks it to stop, as an orchestrator does.
    pub(crate) fn terminate(&self) {
        assert!(system("kill", &["-TERM", &self.child.id().to_string()]));
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
