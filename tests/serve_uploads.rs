//! Long uploads: they go to the disk while they come in, so memory does not grow with them, and nothing stays
//! of one that breaks off, whoever breaks it off.

use std::{
    fs,
    io::Write as _,
    net::{SocketAddr, TcpStream},
    path::Path,
    thread,
    time::{Duration, Instant},
};

use crate::support::{
    fixture, folder,
    http::{connect, get, post, receive},
    server::Server,
    system, text,
};

/// Bytes of one long upload.
const LONG: usize = 32 << 20;

/// A service without models on `data`.
fn start(data: &Path, more: &[&str]) -> Server {
    let args = ["--data-dir", text(data), "--no-bundled-trust"];
    Server::start_in(data.parent().unwrap(), &[&args, more].concat())
}

/// Sends all of a long upload but its last byte.
fn begin(address: SocketAddr) -> TcpStream {
    let mut stream = connect(address);
    let head = format!(
        "POST /v1/analyses HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nPrefer: wait=30\r\nContent-Length: {LONG}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(&vec![7; LONG - 1]).unwrap();
    stream
}

/// Names and bytes in the folder of blobs.
fn blobs(data: &Path) -> Vec<(String, u64)> {
    let entries = fs::read_dir(data.join("blobs")).unwrap();
    entries
        .map(Result::unwrap)
        .filter_map(|entry| {
            let name = entry.file_name().into_string().unwrap();
            // It may be gone since it was listed.
            Some((name, entry.metadata().ok()?.len()))
        })
        .collect()
}

#[track_caller]
fn wait_until(what: &str, done: impl Fn() -> bool) {
    let started = Instant::now();
    while !done() {
        assert!(started.elapsed() < Duration::from_secs(20), "never: {what}");
        thread::sleep(Duration::from_millis(20));
    }
}

/// Bytes of memory that the service has, as it says itself.
#[cfg(target_os = "linux")]
fn memory(server: &Server) -> u64 {
    let figures = get(server.address, "/metrics").body;
    let line = figures
        .lines()
        .find_map(|line| line.strip_prefix("bonafide_resident_memory_bytes "));
    line.unwrap().parse().unwrap()
}

#[cfg(target_os = "linux")]
#[test]
fn memory_does_not_grow_with_what_is_being_uploaded() {
    let folder = folder();
    let data = folder.path().join("data");
    let server = start(&data, &[]);
    // Whatever the first request takes is taken before the comparison.
    drop(begin(server.address));
    wait_until("the first is gone", || blobs(&data).is_empty());
    let before = memory(&server);
    let mut senders: Vec<TcpStream> = (0..4).map(|_| begin(server.address)).collect();
    let whole = u64::try_from(LONG).unwrap();
    wait_until("all are nearly there", || {
        let written: u64 = blobs(&data).iter().map(|(_, bytes)| bytes).sum();
        written > 4 * (whole - (1 << 20))
    });
    let grown = memory(&server).saturating_sub(before);
    assert!(
        grown < whole,
        "{grown} bytes more with 4 x {LONG} under way"
    );

    for sender in &mut senders {
        sender.write_all(b"x").unwrap();
    }
    let ids: Vec<_> = senders
        .iter_mut()
        .map(|sender| {
            let answer = receive(sender);
            assert_eq!(answer.status, 201, "{answer:?}");
            assert_eq!(answer.json()["report"]["media"]["bytes"], LONG);
            answer.json()["id"].clone()
        })
        .collect();
    assert!(ids.iter().all(|id| id.is_string()));
    let kept = blobs(&data);
    assert_eq!(kept.len(), 1, "the same bytes are one blob: {kept:?}");
    assert_eq!(kept[0].1, whole);
}

#[test]
fn nothing_stays_of_an_upload_that_breaks_off() {
    let folder = folder();
    let data = folder.path().join("data");
    let server = start(&data, &[]);
    let sender = begin(server.address);
    wait_until("it is on its way", || !blobs(&data).is_empty());
    drop(sender);
    wait_until("it is gone", || blobs(&data).is_empty());

    let _sender = begin(server.address);
    wait_until("another is on its way", || !blobs(&data).is_empty());
    // The process is killed, and has no time to clean up.
    drop(server);
    assert!(!blobs(&data).is_empty());
    let _server = start(&data, &[]);
    assert_eq!(blobs(&data), []);
}

#[test]
fn no_upload_is_taken_below_the_room_that_verdicts_need() {
    let server = Server::start(&["--min-free-bytes", "18446744073709551615"]);
    let refused = post(server.address, "/v1/analyses", "image/jpeg", b"x");
    refused.assert_problem(503, "disk_full");
    assert!(refused.header("retry-after").is_some());
    assert_eq!(get(server.address, "/v1/analyses").status, 200);
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_refuses_what_does_not_fit_and_loses_nothing() {
    let folder = folder();
    let data = folder.path().join("data");
    fs::create_dir(&data).unwrap();
    let mount = |options: &str| {
        let args = ["-t", "tmpfs", "-o", options, "tmpfs", text(&data)];
        system("mount", &args)
    };
    if !mount("size=8m") {
        eprintln!("SKIPPED: a_full_disk: only root may mount a small file system");
        return;
    }
    let _unmount = Unmount(&data);
    let server = start(&data, &["--min-free-bytes", "0"]);
    let address = server.address;
    let picture = fs::read(fixture("unsigned.jpg")).unwrap();
    let kept = post(address, "/v1/analyses", "image/jpeg", &picture);
    assert_eq!(kept.status, 201, "{kept:?}");
    let path = format!("/v1/analyses/{}", kept.json()["id"].as_str().unwrap());

    let long = vec![7; 12 << 20];
    let refused = post(address, "/v1/analyses", "image/jpeg", &long);
    refused.assert_problem(503, "disk_full");
    wait_until("nothing of it is left", || blobs(&data).len() == 1);
    assert_eq!(get(address, &path).json()["report"], kept.json()["report"]);
    let small = post(address, "/v1/analyses?name=b", "image/png", &picture);
    assert_eq!(small.status, 201, "what fits is taken: {small:?}");

    assert!(mount("remount,size=64m"));
    let taken = post(address, "/v1/analyses", "image/jpeg", &long);
    assert_eq!(taken.status, 201, "{taken:?}");
    drop(server);
}

/// Unmounts also when the test fails, or its folder could not vanish.
#[cfg(target_os = "linux")]
struct Unmount<'a>(&'a Path);

#[cfg(target_os = "linux")]
impl Drop for Unmount<'_> {
    fn drop(&mut self) {
        system("umount", &[text(self.0)]);
    }
}
