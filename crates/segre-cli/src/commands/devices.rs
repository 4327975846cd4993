//! `segre devices`: what this build can compute on, and what `--device auto` would choose.

use anyhow::Result;
use clap::Args;
use segre_kernels::{Precision, graphics_devices};
use serde_json::json;

use crate::args::Common;
use crate::device::chosen;
use crate::report::json::print_object;
use crate::report::table::{Align, Table};

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  segre devices
  segre devices --json
  segre fit digits --out runs/digits --device auto")]
pub struct Devices {}

/// Lists the devices.
pub fn run(common: &Common) -> Result<()> {
    let found = graphics_devices();
    let best = chosen(&found).map(|best| (best.way, best.name.clone()));
    let mut rows = vec![json!({
        "device": "cpu",
        "name": "the processor",
        "bf16": Precision::Bf16.is_available(&segre::Device::flex()),
        "auto": best.is_none(),
    })];
    for device in &found {
        rows.push(json!({
            "device": device.way,
            "name": device.name,
            "bf16": Precision::Bf16.is_available(&device.device),
            "auto": best.as_ref() == Some(&(device.way, device.name.clone())),
        }));
    }
    if common.json {
        return print_object(&json!({ "devices": rows }));
    }
    let columns = ["--device", "name", "--precision bf16", "auto"];
    let mut table = Table::new(&columns.map(|column| (column, Align::Left)));
    for row in &rows {
        let yes = |key: &str| if row[key] == true { "yes" } else { "" };
        let text = |key: &str| row[key].as_str().unwrap_or_default().to_owned();
        let (bf16, auto) = (yes("bf16").to_owned(), yes("auto").to_owned());
        table.push([text("device"), text("name"), bf16, auto]);
    }
    print!("{}", table.to_text());
    if cfg!(not(any(
        feature = "cuda",
        feature = "metal",
        feature = "rocm",
        feature = "vulkan",
        feature = "wgpu"
    ))) {
        println!("This build has the processor only; see docs/graphics.md for others.");
    }
    Ok(())
}
