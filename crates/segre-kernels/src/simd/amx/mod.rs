//! Products of pairs of bfloat16 in matrix registers (Intel's AMX): what `tiles.rs` does with vectors, 16 × 16 sums at
//! a time.
//!
//! A matrix register has 16 rows of 16 words. One instruction multiplies 16 rows of words of a left factor with 16
//! columns of words of a right one, the words as in `pairs.rs`. Rows lie at a fixed distance in memory: those of a
//! convolution's left factor are neighbouring pixels. The compiler has no names for these instructions yet, so the loops
//! over them are assembly.

mod accumulate;
mod correlate;

use std::arch::asm;
use std::arch::x86_64::__cpuid_count;
use std::sync::OnceLock;

use super::tiles::Run;
pub(crate) use accumulate::Accumulate;
pub(crate) use correlate::correlate;

/// Rows of a matrix register, and words of a row.
pub(crate) const SIDE: usize = 16;
/// Fewest words of a row that are worth it.
const FEWEST: usize = 8;

/// Whether the processor has matrix registers, and the system lets this process use them.
pub(crate) fn is_available() -> bool {
    static FOUND: OnceLock<bool> = OnceLock::new();
    *FOUND.get_or_init(|| {
        let leaf = match __cpuid_count(0, 0).eax >= 7 {
            true => __cpuid_count(7, 0).edx,
            false => 0,
        };
        let [products, registers] = [22, 24].map(|bit| leaf >> bit & 1 == 1);
        products && registers && super::has_bf16() && is_permitted()
    })
}

/// Asks the system for the registers, which grow what it keeps of every thread.
#[cfg(target_os = "linux")]
fn is_permitted() -> bool {
    const ARCH_REQ_XCOMP_PERM: libc::c_long = 0x1023;
    const XFEATURE_XTILEDATA: libc::c_long = 18;
    // SAFETY: the call takes two numbers and touches no memory; a system that does not know it says so.
    unsafe {
        libc::syscall(
            libc::SYS_arch_prctl,
            ARCH_REQ_XCOMP_PERM,
            XFEATURE_XTILEDATA,
        ) == 0
    }
}

#[cfg(not(target_os = "linux"))]
fn is_permitted() -> bool {
    false
}

/// Into how many words rows of the factors are cut, if runs can be cut evenly.
pub(crate) fn piece(runs: &[Run]) -> Option<usize> {
    let length = runs.first()?.length;
    let piece = (FEWEST..=SIDE)
        .rev()
        .find(|piece| length.is_multiple_of(*piece))?;
    runs.iter().all(|run| run.length == length).then_some(piece)
}

/// Where in the source the pieces of the runs begin, in words.
fn pieces(runs: &[Run], piece: usize) -> Vec<usize> {
    let of_run = |run: &Run| (run.offset..run.offset + run.length).step_by(piece);
    runs.iter().flat_map(of_run).collect()
}

/// The shapes of the matrix registers while it lives: 0 to 3 are sums, 4 and 5 left factors, 6 and 7 right ones. No
/// other code touches them: they are not among the registers that compiled programs use.
struct Shapes;

/// What the processor reads; rows of a register, and bytes of a row.
#[repr(C, align(64))]
struct Configuration {
    palette: u8,
    start: u8,
    reserved: [u8; 14],
    bytes: [u16; 16],
    rows: [u8; 16],
}

impl Shapes {
    /// Left factors have `rows` rows of `words`, right ones `words` rows of `columns`.
    ///
    /// # Safety
    /// [`is_available`]; `rows`, `words` and `columns` are at least 1 and at most [`SIDE`].
    unsafe fn new(rows: usize, words: usize, columns: usize) -> Self {
        let mut configuration = Configuration {
            palette: 1,
            start: 0,
            reserved: [0; 14],
            bytes: [0; 16],
            rows: [0; 16],
        };
        for register in 0..8 {
            let (rows, across) = match register {
                0..4 => (rows, columns),
                4..6 => (rows, words),
                _ => (words, columns),
            };
            configuration.rows[register] = rows as u8;
            configuration.bytes[register] = 4 * across as u16;
        }
        // SAFETY: the instruction reads the 64 bytes of the configuration; the caller vouches for the rest.
        unsafe {
            asm!("ldtilecfg [{}]", in(reg) &raw const configuration, options(nostack, readonly));
        }
        Self
    }
}

impl Drop for Shapes {
    fn drop(&mut self) {
        // SAFETY: there are matrix registers, or there were no shapes.
        unsafe { asm!("tilerelease", options(nostack, nomem)) }
    }
}

/// Left and right factors of two by two registers of sums.
struct Factors {
    left: [*const f32; 2],
    /// From row to row, in bytes.
    left_step: usize,
    right: [*const f32; 2],
    right_step: usize,
}

/// Operations of [`multiply`] in a round.
pub(crate) const OPERATIONS: usize = 4 * 4 * SIDE.pow(3);

/// Products added to four registers of sums, for the measurement of the peak.
pub(crate) fn multiply(rounds: usize) {
    assert!(is_available() && rounds > 0);
    // SAFETY: the instructions are there, and touch nothing but the registers named.
    unsafe {
        let _shapes = Shapes::new(SIDE, SIDE, SIDE);
        asm!(
            "tilezero tmm0", "tilezero tmm1", "tilezero tmm2", "tilezero tmm3",
            "tilezero tmm4", "tilezero tmm6",
            "2:",
            "tdpbf16ps tmm0, tmm4, tmm6", "tdpbf16ps tmm1, tmm4, tmm6",
            "tdpbf16ps tmm2, tmm4, tmm6", "tdpbf16ps tmm3, tmm4, tmm6",
            "dec {rounds}",
            "jnz 2b",
            rounds = inout(reg) rounds => _,
            out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _, out("tmm4") _, out("tmm6") _,
            options(nostack, nomem),
        );
    }
}
