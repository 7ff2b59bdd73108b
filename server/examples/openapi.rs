//! Prints the description of the API, as committed in `docs/openapi.json`.

use std::io::{self, Write};

fn main() -> io::Result<()> {
    let text = serde_json::to_string_pretty(&server::openapi()).map_err(io::Error::other)?;
    writeln!(io::stdout(), "{text}")
}
