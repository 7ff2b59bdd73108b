//! Two tenants on one service: one asks for all it can get, and the other is never refused for it.

use std::{
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    thread,
};

use crate::support::{
    folder,
    http::{Answer, ask},
    run,
    server::Server,
    text,
};

/// Senders of the loud tenant.
const LOUD: usize = 8;

/// Requests of the quiet one.
const QUIET: usize = 20;

struct House {
    server: Server,
    loud: String,
    quiet: String,
    _data: tempfile::TempDir,
}

impl House {
    /// A service without models, with one key for each of two tenants.
    fn new(limits: &[&str]) -> Self {
        let data = folder();
        let key = |tenant| {
            let path = text(data.path());
            let made = run([
                "admin",
                "keys",
                "new",
                "--data-dir",
                path,
                "--tenant",
                tenant,
                "--scopes",
                "analyse,read",
            ]);
            made.out.lines().last().unwrap().to_owned()
        };
        let (loud, quiet) = (key("loud"), key("quiet"));
        let place = ["--data-dir", text(data.path()), "--no-bundled-trust"];
        let server = Server::start_in(data.path(), &[&place, limits].concat());
        Self {
            server,
            loud,
            quiet,
            _data: data,
        }
    }

    /// Has the loud tenant send all it can while the quiet one sends one request after the other, and counts
    /// the refusals of the loud one. No answer to the quiet one may be a refusal.
    fn try_them(&self, send: impl Fn(&str, usize) -> Answer + Sync) -> usize {
        let (done, refused, number) = (
            AtomicBool::new(false),
            AtomicUsize::new(0),
            AtomicUsize::new(QUIET),
        );
        thread::scope(|scope| {
            for _ in 0..LOUD {
                scope.spawn(|| {
                    while !done.load(Ordering::Relaxed) {
                        let answer = send(&self.loud, number.fetch_add(1, Ordering::Relaxed));
                        match answer.status {
                            200..300 => {}
                            429 | 503 => {
                                assert!(answer.header("retry-after").is_some(), "{answer:?}");
                                refused.fetch_add(1, Ordering::Relaxed);
                            }
                            _ => panic!("{answer:?}"),
                        }
                    }
                });
            }
            // The scope waits for the loud one, also when an assertion below fails.
            let end = Ends(&done);
            while refused.load(Ordering::Relaxed) == 0 {
                thread::yield_now();
            }
            for number in 0..QUIET {
                let answer = send(&self.quiet, number);
                assert!((200..300).contains(&answer.status), "{number}: {answer:?}");
            }
            drop(end);
        });
        refused.into_inner()
    }

    fn ask(&self, key: &str, method: &str, headers: &str, body: &[u8]) -> Answer {
        let headers = format!("Authorization: Bearer {key}\r\n{headers}");
        ask(self.server.address, method, "/v1/analyses", &headers, body)
    }
}

/// Says that it is over when dropped.
struct Ends<'a>(&'a AtomicBool);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn requests_over_the_rate_of_one_tenant_cost_the_other_none() {
    let house = House::new(&["--requests-per-minute", "30"]);
    let refused = house.try_them(|key, _| house.ask(key, "GET", "", b""));
    assert!(refused > QUIET, "{refused}");
}

#[test]
fn open_requests_of_one_tenant_leave_the_other_its_own() {
    let house = House::new(&["--max-open-requests", "1"]);
    let refused = house.try_them(|key, number| {
        let body = number.to_string();
        house.ask(key, "POST", "Prefer: wait=30\r\n", body.as_bytes())
    });
    assert!(refused > 0);
}

#[test]
fn a_queue_full_of_one_tenants_uploads_has_room_for_the_other() {
    let house = House::new(&["--queue", "1", "--jobs", "1"]);
    let refused = house.try_them(|key, number| {
        let body = number.to_string();
        house.ask(key, "POST", "Prefer: wait=30\r\n", body.as_bytes())
    });
    assert!(refused > 0);
}
