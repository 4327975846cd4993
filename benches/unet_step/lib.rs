//! Nothing: a package needs a library or program, and this one is for its benchmark, `unet_step.rs`.
