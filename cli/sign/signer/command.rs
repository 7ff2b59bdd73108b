//! A program that holds the key: the bytes to sign go to its standard input, the signature comes out of its
//! standard output. No shell is in between, and it gets a time limit.

use std::{
    ffi::OsString,
    io::{Read, Write as _},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc::{self, RecvTimeoutError},
    thread,
    time::{Duration, Instant},
};

use super::{Hand, MAX_SIGNATURE_BYTES};
use crate::output::shown;

/// The program.
pub(super) struct Program {
    path: PathBuf,
    arguments: Vec<OsString>,
    timeout: Duration,
}

impl Program {
    pub(super) fn new(path: &Path, arguments: &[OsString], timeout: Duration) -> Self {
        Self {
            path: path.to_owned(),
            arguments: arguments.to_vec(),
            timeout,
        }
    }

    fn start(&self) -> Result<Child, String> {
        let mut command = Command::new(&self.path);
        command
            .args(&self.arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        // A group of its own, so that what it starts can be ended with it.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        command
            .spawn()
            .map_err(|error| format!("{} cannot be started: {error}", self.path.display()))
    }

    fn talk(&self, child: &mut Child, message: &[u8]) -> Result<Vec<u8>, String> {
        let deadline = Instant::now() + self.timeout;
        let late = || format!("it took longer than {} s", self.timeout.as_secs());
        let answer = collect(child.stdout.take());
        let complaint = collect(child.stderr.take());
        if let Some(mut input) = child.stdin.take() {
            let message = message.to_vec();
            // A program that does not read must not keep us waiting either.
            thread::spawn(move || {
                let _ = input.write_all(&message);
            });
        }
        let left = || deadline.saturating_duration_since(Instant::now());
        let answer = match answer.recv_timeout(left()) {
            Ok(answer) => answer,
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return Err(late()),
        };
        let status = wait(child, deadline).ok_or_else(late)?;
        if !status.success() {
            let complaint = complaint
                .recv_timeout(left().min(GRACE))
                .unwrap_or_default();
            return Err(failed(status, &complaint));
        }
        Ok(answer)
    }
}

impl Hand for Program {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, String> {
        let mut child = self.start()?;
        let answer = self.talk(&mut child, message);
        if answer.is_err() {
            end(&mut child);
        }
        answer.map_err(|why| format!("{}: {why}", self.path.display()))
    }
}

/// Everything a pipe gives, up to a bound, read on a thread of its own.
fn collect(pipe: Option<impl Read + Send + 'static>) -> mpsc::Receiver<Vec<u8>> {
    let (send, receive) = mpsc::channel();
    if let Some(pipe) = pipe {
        thread::spawn(move || {
            let mut bytes = Vec::new();
            let _ = pipe.take(MAX_OUTPUT_BYTES).read_to_end(&mut bytes);
            let _ = send.send(bytes);
        });
    }
    receive
}

fn wait(child: &mut Child, deadline: Instant) -> Option<ExitStatus> {
    loop {
        if let Ok(Some(status)) = child.try_wait() {
            return Some(status);
        }
        if Instant::now() >= deadline {
            return None;
        }
        thread::sleep(Duration::from_millis(2));
    }
}

/// Ends the program and what it started.
fn end(child: &mut Child) {
    #[cfg(unix)]
    {
        use rustix::process::{Pid, Signal, kill_process_group};
        let running = matches!(child.try_wait(), Ok(None));
        let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        if let (true, Some(pid)) = (running, pid) {
            let _ = kill_process_group(pid, Signal::KILL);
        }
    }
    let _ = child.kill();
    let _ = child.wait();
}

fn failed(status: ExitStatus, complaint: &[u8]) -> String {
    let text = String::from_utf8_lossy(complaint);
    match text.lines().rfind(|line| !line.trim().is_empty()) {
        Some(line) => format!("{status}: {}", shown(line.trim())),
        None => status.to_string(),
    }
}

/// Enough for a signature and for the last words of a program that fails.
const MAX_OUTPUT_BYTES: u64 = 16 * MAX_SIGNATURE_BYTES;
/// How long last words may take.
const GRACE: Duration = Duration::from_millis(200);
