//! How long processes take to add up numbers: `mpirun -n 2 target/release/examples/exchange`. Built with the feature `mpi`.

fn main() -> Result<(), String> {
    #[cfg(feature = "mpi")]
    {
        let _job = segre::ranks::start()?;
        if segre::ranks::is_first() {
            println!(
                "{} processes\n   numbers   microseconds",
                segre::ranks::size()
            );
        }
        for power in 0..=7 {
            let mut numbers = vec![1.0; 10_usize.pow(power)];
            let mut times: Vec<f64> = (0..21)
                .map(|_| {
                    let start = std::time::Instant::now();
                    segre::ranks::sum(&mut numbers);
                    start.elapsed().as_secs_f64() * 1e6
                })
                .collect();
            times.sort_by(f64::total_cmp);
            if segre::ranks::is_first() {
                println!("{:>10} {:>14.1}", numbers.len(), times[times.len() / 2]);
            }
        }
        Ok(())
    }
    #[cfg(not(feature = "mpi"))]
    Err("build with --features mpi".to_owned())
}
