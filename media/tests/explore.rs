#![allow(missing_docs, clippy::all, clippy::unwrap_used, clippy::print_stdout)]
use media::*;
use std::time::Instant;
fn rss() -> u64 {
    let s = std::fs::read_to_string("/proc/self/status").unwrap();
    s.lines()
        .find(|l| l.starts_with("VmHWM"))
        .unwrap()
        .split_whitespace()
        .nth(1)
        .unwrap()
        .parse()
        .unwrap()
}
#[test]
fn explore() {
    let limits = Limits::default();
    for dir in std::env::var("DIRS").unwrap().split(',') {
        let mut names: Vec<_> = std::fs::read_dir(dir)
            .unwrap()
            .map(|e| e.unwrap().path())
            .collect();
        names.sort();
        for p in names {
            if !p.is_file() {
                continue;
            }
            std::fs::write("/proc/self/clear_refs", "5").ok();
            let before = rss();
            let t = Instant::now();
            let m = match Media::open(&p, &limits) {
                Ok(m) => m,
                Err(e) => {
                    println!("{}\tOPEN {e}", p.file_name().unwrap().to_string_lossy());
                    continue;
                }
            };
            let t1 = t.elapsed().as_millis();
            let r = m.decode(&limits);
            let t2 = t.elapsed().as_millis();
            let after = rss();
            println!(
                "{}\t{:?}\t{:?}\t{}x{}\tf{}\td{:?}\ttr{}\t{}\t{}+{}ms\t{}MB",
                p.file_name().unwrap().to_string_lossy(),
                m.kind,
                m.declared_kind,
                m.header.width.unwrap_or(0),
                m.header.height.unwrap_or(0),
                m.header.frames,
                m.header.duration_s,
                m.header.trailing_bytes,
                match &r {
                    Ok(p) => format!("ok {}x{}", p.width(), p.height()),
                    Err(e) => format!("{}: {e}", e.code()),
                },
                t1,
                t2 - t1,
                (after - before) / 1024
            );
        }
    }
}
