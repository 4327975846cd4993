//! The documents as a site: `cargo run --release --example book -- FOLDER`.

use std::path::{Path, PathBuf};

fn main() -> anyhow::Result<()> {
    let project = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let out = std::env::args_os()
        .nth(1)
        .map_or_else(|| project.join("target/book"), PathBuf::from);
    let pages = segre_report::book::write_book(&project, &out)?;
    println!("{} pages in {}", pages.len(), out.display());
    Ok(())
}
