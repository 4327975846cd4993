//! Speed of the kernels beside the machine's peak, on all threads:
//! `cargo bench --manifest-path benches/speed/Cargo.toml --bench kernels`, with `-- convolution` or another part of the
//! names for some of them. It builds Segre once more and takes minutes.
//!
//! The peak is measured: products added to sums in registers, at the level of the kernel (`SEGRE_SIMD` included) and in
//! its precision. A kernel's share is that of its median time.

use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use segre::Device;
use segre_kernels::Precision;
use segre_kernels::bench::{kernels, peak};

fn speeds(criterion: &mut Criterion) {
    let peaks = [Precision::F32, Precision::Bf16].map(|precision| (precision, peak(precision)));
    for (precision, peak) in peaks {
        if precision.is_available(&Device::flex()) {
            println!("peak in {precision:?}: {:.0} GFLOP/s", peak * 1e-9);
        }
    }
    let mut group = criterion.benchmark_group("kernels");
    group.sample_size(20);
    group.warm_up_time(Duration::from_millis(200));
    group.measurement_time(Duration::from_secs(1));
    for kernel in kernels() {
        let mut times = Vec::new();
        group.throughput(Throughput::Elements(kernel.operations as u64));
        group.bench_function(&kernel.name, |bencher| {
            bencher.iter_custom(|rounds| {
                let start = Instant::now();
                (0..rounds).for_each(|_| kernel.run());
                let elapsed = start.elapsed();
                times.push(elapsed.as_secs_f64() / rounds as f64);
                elapsed
            });
        });
        times.sort_by(f64::total_cmp);
        if let Some(median) = times.get(times.len() / 2) {
            let speed = kernel.operations / median;
            let found = peaks.iter().find(|(precision, _)| *precision == kernel.precision);
            let peak = found.map_or(f64::NAN, |(_, peak)| *peak);
            println!(
                "{}: {:.3} ms, {:.0} GFLOP/s, {:.0} % of the peak\n",
                kernel.name,
                1e3 * median,
                speed * 1e-9,
                1e2 * speed / peak
            );
        }
    }
    group.finish();
}

criterion_group!(benches, speeds);
criterion_main!(benches);
