//! What was acknowledged stays through a power cut. A kill does not try that: what the process wrote is then
//! still with the system. Here a file system of its own is cut off, and loses all that was not synced.
#![cfg(target_os = "linux")]

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use crate::{
    serve_durable::{picture, post, size, start, verdicts},
    support::{folder, system, text},
};

/// Uploads that are acknowledged before each cut.
const ACKNOWLEDGED: usize = 40;

/// More than the service leaves free. The file has holes, and takes a fraction of it.
const DISK_BYTES: u64 = 1 << 30;

/// `EXT4_IOC_SHUTDOWN` with the flag that not even the journal is written; no crate of ours may call it.
const CUT: &str = r#"open(my $folder, "<", $ARGV[0]) or die; my $flag = pack("L", 2); ioctl($folder, 0x8004587D, $flag) or die;"#;

/// A disk in a file. Unmounted with the value.
struct Disk {
    image: PathBuf,
    at: PathBuf,
}

impl Disk {
    /// Mounted at `at`; `None` where that is not possible.
    fn new(folder: &Path, at: PathBuf) -> Option<Self> {
        let image = folder.join("image");
        std::fs::create_dir(&at).unwrap();
        std::fs::File::create(&image)
            .unwrap()
            .set_len(DISK_BYTES)
            .unwrap();
        let disk = Self { image, at };
        let made = system("mkfs.ext4", &["-q", "-F", text(&disk.image)]) && disk.mount();
        (made && system("perl", &["-e", "1"])).then_some(disk)
    }

    fn mount(&self) -> bool {
        system("mount", &["-o", "loop", text(&self.image), text(&self.at)])
    }

    fn unmount(&self) -> bool {
        system("umount", &[text(&self.at)])
    }

    fn cut(&self) {
        assert!(system("perl", &["-e", CUT, text(&self.at)]));
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        self.unmount();
    }
}

#[test]
fn what_was_acknowledged_survives_power_cuts() {
    let folder = folder();
    let data = folder.path().join("data");
    let Some(disk) = Disk::new(folder.path(), data.clone()) else {
        eprintln!(
            "SKIPPED: power_cuts: only root with mkfs.ext4, loop devices and perl may try it"
        );
        return;
    };
    let (next, acknowledged) = (AtomicUsize::new(0), Mutex::default());
    for round in 1..=size("BONAFIDE_CUT_ROUNDS", 2) {
        let enough = round * ACKNOWLEDGED;
        upload_until_cut(folder.path(), &disk, &next, &acknowledged, enough);
        assert!(disk.unmount() && disk.mount());
        let server = start(folder.path());
        let acknowledged = acknowledged.lock().unwrap();
        let ids = acknowledged.keys().cloned().collect();
        let found = verdicts(server.address, &ids, Duration::from_secs(60));
        let blobs = blobs(&data);
        for (id, number) in acknowledged.iter() {
            let report = &found[id]["report"];
            assert!(report["verdict"]["code"].is_string(), "{id}: {report}");
            // A verdict may have been given before the cut: the bytes must be there all the same.
            let digest = report["media"]["sha256"].as_str().unwrap();
            let kept = blobs.get(digest).map(|path| std::fs::read(path).unwrap());
            assert!(kept == Some(picture(*number)), "{id} lost its bytes");
        }
    }
}

/// Every blob by its digest.
fn blobs(data: &Path) -> BTreeMap<String, PathBuf> {
    let entries = std::fs::read_dir(data.join("blobs")).unwrap();
    entries
        .map(|entry| entry.unwrap().path())
        .map(|path| {
            let digest = path.extension().unwrap().to_str().unwrap();
            (digest.to_owned(), path)
        })
        .collect()
}

/// Has four senders upload until this many are acknowledged, cuts the disk off under them and ends the service.
fn upload_until_cut(
    folder: &Path,
    disk: &Disk,
    next: &AtomicUsize,
    acknowledged: &Mutex<BTreeMap<String, usize>>,
    enough: usize,
) {
    let server = start(folder);
    let address = server.address;
    let send = || {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let Some((201 | 202, answer)) =
                post(address, &format!("upload-{number}"), &picture(number))
            else {
                return;
            };
            let id = answer["id"].as_str().unwrap().to_owned();
            acknowledged.lock().unwrap().insert(id, number);
        }
    };
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(send);
        }
        let started = Instant::now();
        while acknowledged.lock().unwrap().len() < enough {
            assert!(
                started.elapsed() < Duration::from_secs(60),
                "nothing is acknowledged"
            );
            thread::sleep(Duration::from_millis(1));
        }
        disk.cut();
        drop(server);
    });
}
