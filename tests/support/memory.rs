//! The memory of another process, searched for bytes: what a core dump of it would hold.

use std::{
    fs::{self, File},
    os::unix::fs::FileExt as _,
};

/// How often each of `needles` occurs in the readable memory of process `id`. `None` where this system does
/// not let us look.
pub(crate) fn copies<const N: usize>(id: u32, needles: [&[u8]; N]) -> Option<[usize; N]> {
    let maps = fs::read_to_string(format!("/proc/{id}/maps")).ok()?;
    let memory = File::open(format!("/proc/{id}/mem")).ok()?;
    let mut found = [0; N];
    let mut read_bytes = 0;
    for line in maps.lines() {
        let Some(bytes) = region(&memory, line) else {
            continue;
        };
        read_bytes += bytes.len();
        for (count, needle) in found.iter_mut().zip(needles) {
            *count += memchr::memmem::find_iter(&bytes, needle).count();
        }
    }
    (read_bytes > 0).then_some(found)
}

fn region(memory: &File, line: &str) -> Option<Vec<u8>> {
    let mut fields = line.split_whitespace();
    let (from, to) = fields.next()?.split_once('-')?;
    let rights = fields.next()?;
    // The kernel's own pages cannot be read.
    if !rights.starts_with('r') || line.ends_with("[vvar]") || line.ends_with("[vsyscall]") {
        return None;
    }
    let from = u64::from_str_radix(from, 16).ok()?;
    let to = u64::from_str_radix(to, 16).ok()?;
    let mut bytes = vec![0; usize::try_from(to - from).ok()?];
    memory.read_exact_at(&mut bytes, from).ok()?;
    Some(bytes)
}
