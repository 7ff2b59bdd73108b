//! Prints the JSON Schema of the report, as committed in `docs/report.schema.json`.

use std::io::{self, Write};

fn main() -> io::Result<()> {
    let text = serde_json::to_string_pretty(&verdict::schema()).map_err(io::Error::other)?;
    writeln!(io::stdout(), "{text}")
}
