//! The `segre` command line.
use mimalloc as _;
fn main() {}
