//! Nothing: a package needs a library or program, and this one is for its benchmarks, `unet_step.rs` and `kernels.rs`.
