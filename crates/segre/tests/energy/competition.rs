//! Models of the UAI competition, where somebody has them: they are not part of the project.

use std::path::PathBuf;

use segre::energy::exact::ExactPlan;
use segre::energy::format::{read_evidence, read_model};
use segre::progress::Silent;

/// `SEGRE_UAI_DIR` names a folder of `NAME.uai`, `.uai.evid`, `.uai.PR` and `.uai.MAR`;
/// `SEGRE_UAI_MEMORY_GIB` the memory to spend (4).
///
/// Run with `cargo test --release --test energy -- --ignored --nocapture competition`.
#[test]
#[ignore = "needs the competition's models in the folder SEGRE_UAI_DIR, and minutes"]
fn published_values_are_met_to_their_printed_digits() {
    let folder = std::env::var("SEGRE_UAI_DIR").expect("SEGRE_UAI_DIR names no folder");
    let budget: f64 = std::env::var("SEGRE_UAI_MEMORY_GIB").map_or(4.0, |gib| gib.parse().unwrap());
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "uai"))
        .collect();
    paths.sort();
    let mut inferred = 0;
    println!("model width log2-table GiB seconds |Δ log10 Z| max|Δ marginal|");
    for path in paths {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let beside = |ending: &str| path.with_extension(format!("uai.{ending}"));
        let numbers = |ending: &str, skip: usize| -> Vec<String> {
            let text = std::fs::read_to_string(beside(ending)).unwrap();
            text.split_whitespace()
                .skip(skip)
                .map(str::to_owned)
                .collect()
        };
        let model = read_model(&path).unwrap();
        let evidence = read_evidence(&beside("evid"), &model).unwrap();
        let model = model.condition(&evidence).unwrap();
        let started = std::time::Instant::now();
        let plan = ExactPlan::new(&model).unwrap();
        let cost = plan.cost();
        let (gib, log2) = (cost.bytes / f64::from(1 << 30), cost.log2_table);
        if gib > budget {
            println!("{name} {} {log2:.1} {gib:.2} refused", cost.width);
            continue;
        }
        let found = plan.infer(&mut Silent).unwrap();
        let seconds = started.elapsed().as_secs_f64();
        let published = &numbers("PR", 1)[0];
        let log10_z = found.log10_z().unwrap();
        let off = (log10_z - published.parse::<f64>().unwrap()).abs();
        let expected: Vec<f64> = numbers("MAR", 2)
            .iter()
            .map(|n| n.parse().unwrap())
            .collect();
        let flat = found.marginals.iter().flat_map(|marginal| {
            std::iter::once(marginal.len() as f64).chain(marginal.iter().copied())
        });
        let flat: Vec<f64> = flat.collect();
        assert_eq!(flat.len(), expected.len(), "{name}");
        let worst = flat
            .iter()
            .zip(&expected)
            .fold(0.0_f64, |most, (a, b)| most.max((a - b).abs()));
        println!(
            "{name} {} {log2:.1} {gib:.2} {seconds:.2} {off:.1e} {worst:.1e}",
            cost.width
        );
        // Six digits are printed: half a unit of the last one, and nothing for our own rounding.
        let digits = published.split('.').nth(1).map_or(0, str::len) as i32;
        assert!(
            off <= 0.51 * 10_f64.powi(-digits),
            "{name}: {log10_z} beside {published}"
        );
        assert!(worst <= 1e-6, "{name}: marginals are off by {worst}");
        inferred += 1;
    }
    assert!(inferred > 0, "no model was inferred in");
}
