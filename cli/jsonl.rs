//! Reports as JSON lines: exact, complete, one write per line so that lines never mix.

use std::io::{self, Write};

use serde::Serialize;

/// Writes `value` as one line and hands it on at once: whoever reads the other end works meanwhile.
pub(crate) fn line(out: &mut impl Write, value: &impl Serialize) -> io::Result<()> {
    let mut line = serde_json::to_vec(value)?;
    line.push(b'\n');
    out.write_all(&line)?;
    out.flush()
}
