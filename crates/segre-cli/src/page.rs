//! The page of a folder, written with a progress bar: `segre report`, and `fit --report`.

use std::path::Path;

use anyhow::Result;
use segre::atomic;
use segre_report::page::{PageOptions, page_of_folder};
use serde::Serialize;

use crate::args::Common;

/// A page's name in its folder.
pub const PAGE_FILE: &str = "report.html";

/// What was written.
#[derive(Serialize)]
pub struct Written {
    out: String,
    bytes: usize,
    sections: Vec<String>,
}

impl Written {
    /// It in a line.
    pub fn line(&self) -> String {
        format!("page: {} ({} kB)", self.out, self.bytes.div_ceil(1000))
    }
}

/// Looks, draws and writes.
pub fn write(folder: &Path, out: &Path, options: &PageOptions, common: &Common) -> Result<Written> {
    let mut bar = common.bar();
    let page = page_of_folder(folder, options, &mut bar)?;
    bar.finish(&format!("{} sections", page.sections.len()));
    let html = page.to_html()?;
    atomic::write_bytes(out, html.as_bytes())?;
    Ok(Written {
        out: out.display().to_string(),
        bytes: html.len(),
        sections: page.sections.into_iter().map(|own| own.title).collect(),
    })
}
