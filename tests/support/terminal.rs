//! A terminal for a program that asks on one: util-linux's `script` gives it one and types what it is told.

use std::{
    io::{Read as _, Write as _},
    process::{Child, ChildStdin, Command, Stdio},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

/// A program at a terminal that shows what is typed unless the program hides it.
pub(crate) struct Terminal {
    child: Child,
    keyboard: ChildStdin,
    arriving: mpsc::Receiver<Vec<u8>>,
    screen: Vec<u8>,
}

impl Terminal {
    /// Starts `command`, with its arguments, folder and environment; `None` where there is no such `script`.
    pub(crate) fn start(command: &Command) -> Option<Self> {
        let parts = [command.get_program()]
            .into_iter()
            .chain(command.get_args());
        let quoted: Vec<String> = parts
            .map(|part| format!("'{}'", part.to_str().unwrap()))
            .collect();
        assert!(quoted.iter().all(|part| part.matches('\'').count() == 2));
        let mut script = Command::new("script");
        script.args(["--quiet", "--return", "--flush", "--echo", "always"]);
        script.args(["--command", &quoted.join(" "), "/dev/null"]);
        if let Some(folder) = command.get_current_dir() {
            script.current_dir(folder);
        }
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => script.env(name, value),
                None => script.env_remove(name),
            };
        }
        let known = Command::new("script").arg("--version").output().ok()?;
        if !String::from_utf8_lossy(&known.stdout).contains("util-linux") {
            return None;
        }
        let mut child = script
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut output = child.stdout.take().unwrap();
        let (send, arriving) = mpsc::channel();
        thread::spawn(move || {
            let mut block = [0; 1024];
            while let Ok(length @ 1..) = output.read(&mut block)
                && send.send(block[..length].to_vec()).is_ok()
            {}
        });
        Some(Self {
            keyboard: child.stdin.take().unwrap(),
            child,
            arriving,
            screen: Vec::new(),
        })
    }

    /// Waits until the screen ends with `question`, and types `text` and the return key.
    pub(crate) fn answer(&mut self, question: &str, text: &str) {
        let until = Instant::now() + Duration::from_secs(30);
        while !self.screen.ends_with(question.as_bytes()) {
            let left = until.saturating_duration_since(Instant::now());
            let Ok(more) = self.arriving.recv_timeout(left) else {
                panic!("it never asked \"{question}\": {}", self.shown());
            };
            self.screen.extend(more);
        }
        // Programs ask first and hide second; no hand is faster.
        thread::sleep(Duration::from_millis(500));
        writeln!(self.keyboard, "{text}").unwrap();
    }

    /// Its exit code and all that the screen has shown.
    pub(crate) fn finish(mut self) -> (Option<i32>, String) {
        while let Ok(more) = self.arriving.recv_timeout(Duration::from_secs(30)) {
            self.screen.extend(more);
        }
        let code = self.child.wait().unwrap().code();
        (code, self.shown())
    }

    fn shown(&self) -> String {
        String::from_utf8_lossy(&self.screen).into_owned()
    }
}
