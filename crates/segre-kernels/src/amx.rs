//! Products of pairs of bfloat16 in matrix registers (Intel's AMX): what `tiles.rs` does with vectors, 16 × 16 sums at
//! a time.
//!
//! A matrix register has 16 rows of 16 words. One instruction multiplies 16 rows of words of a left factor with 16
//! columns of words of a right one, the words as in `pairs.rs`. Rows lie at a fixed distance in memory: those of a
//! convolution's left factor are neighbouring pixels. The compiler has no names for these instructions yet, so the loops
//! over them are assembly.

use std::arch::asm;
use std::arch::x86_64::__cpuid_count;
use std::sync::OnceLock;

use super::tiles::{Correlate, Run, padded_channels, panel_widths};

/// Rows of a matrix register, and words of a row.
pub(super) const SIDE: usize = 16;
/// Fewest words of a row that are worth it.
const FEWEST: usize = 8;

/// Whether the processor has matrix registers, and the system lets this process use them.
pub(super) fn is_available() -> bool {
    static FOUND: OnceLock<bool> = OnceLock::new();
    *FOUND.get_or_init(|| {
        let leaf = match __cpuid_count(0, 0).eax >= 7 {
            true => __cpuid_count(7, 0).edx,
            false => 0,
        };
        let [products, registers] = [22, 24].map(|bit| leaf >> bit & 1 == 1);
        products && registers && super::simd::has_bf16() && is_permitted()
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
pub(super) fn piece(runs: &[Run]) -> Option<usize> {
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

/// Two by two registers of sums in memory.
struct Sums {
    /// Of each left factor; the second right one's lie beside the first one's.
    rows: [*mut f32; 2],
    /// Where they begin; rows are `step` apart.
    columns: [usize; 2],
    step: usize,
}

/// Does a task of a convolution, unless its runs are cut badly; then it returns the task.
pub(super) fn correlate(task: Correlate<'_>) -> Option<Correlate<'_>> {
    assert!(is_available());
    let [rows, columns] = task.pixels;
    let Some(piece) = piece(task.runs).filter(|_| rows * columns > 0) else {
        return Some(task);
    };
    task.check(SIDE);
    let depth: usize = task.runs.iter().map(|run| run.length).sum();
    let pieces: Vec<usize> = pieces(task.runs, piece).iter().map(|at| 4 * at).collect();
    // Groups of as many pixels of a row; the last one of a row may repeat some of the one before.
    let across = columns.div_ceil(SIDE);
    let group = columns.div_ceil(across);
    let groups = rows * across;
    let place = |index: usize, steps: [usize; 2]| {
        let column = (index % across * group).min(columns - group);
        column * steps[0] + index / across * steps[1]
    };
    // SAFETY: there are at most `SIDE` pixels in a group and words in a piece.
    let _shapes = unsafe { Shapes::new(group, piece, SIDE) };
    let mut channel = 0;
    for width in panel_widths(task.channels, SIDE) {
        let kept = width.min(task.channels - channel);
        for first in (0..groups).step_by(2) {
            // An odd group is paired with itself.
            let pair = [first, (first + 1).min(groups - 1)];
            let mut beside = [[0.0_f32; 2 * SIDE * SIDE]; 2];
            // SAFETY: the task was checked, so pixels and panels that exist are within the slices; a group has `group`
            // pixels. What does not fill a panel goes to a place of its own.
            unsafe {
                let source = |of: usize| task.patch.as_ptr().add(place(of, task.patch_steps));
                let weights = task.weights.as_ptr().add(channel * depth);
                let factors = Factors {
                    left: pair.map(source),
                    left_step: 4 * task.patch_steps[0],
                    right: [weights, weights.wrapping_add(SIDE)],
                    right_step: 4 * width,
                };
                let bias = task.bias.as_ptr().add(channel);
                let output = task.output.as_mut_ptr().add(channel);
                let (targets, step) = match kept == width {
                    true => (
                        pair.map(|of| output.add(place(of, task.output_steps))),
                        task.output_steps[0],
                    ),
                    false => (beside.each_mut().map(|sums| sums.as_mut_ptr()), width),
                };
                let block = Block {
                    factors,
                    pieces: pieces.as_ptr_range(),
                    piece,
                    bias,
                    targets,
                    step: 4 * step,
                };
                match width == 2 * SIDE {
                    true => correlate_wide(block),
                    false => correlate_narrow(block),
                }
                if kept < width {
                    for (of, sums) in pair.into_iter().zip(&beside) {
                        let target = output.add(place(of, task.output_steps));
                        for (pixel, sums) in sums.chunks_exact(width).take(group).enumerate() {
                            let target = target.add(pixel * task.output_steps[0]);
                            std::ptr::copy_nonoverlapping(sums.as_ptr(), target, kept);
                        }
                    }
                }
            }
        }
        channel += width;
    }
    debug_assert_eq!(channel, padded_channels(task.channels, SIDE));
    None
}

/// Two groups of pixels of a convolution: `targets = bias + left · right`, summed over the pieces.
struct Block {
    factors: Factors,
    /// Where in the left factors the pieces begin, in bytes.
    pieces: std::ops::Range<*const usize>,
    /// Rows of the right factor for each piece.
    piece: usize,
    bias: *const f32,
    targets: [*mut f32; 2],
    /// From pixel to pixel of a target, in bytes.
    step: usize,
}

/// Instructions with the operands of a [`Block`]. What they change is named, numbers are read and written through its
/// pointers.
macro_rules! instructions {
    ($block:ident: $($line:literal),* $(,)?) => {
        asm!(
            $($line,)*
            place = inout(reg) $block.bias => _,
            at = inout(reg) $block.pieces.start => _,
            end = in(reg) $block.pieces.end,
            first = in(reg) $block.factors.left[0],
            second = in(reg) $block.factors.left[1],
            left_step = in(reg) $block.factors.left_step,
            right = inout(reg) $block.factors.right[0] => _,
            right_step = in(reg) $block.factors.right_step,
            advance = in(reg) $block.piece * $block.factors.right_step,
            target = in(reg) $block.targets[0],
            other = in(reg) $block.targets[1],
            step = in(reg) $block.step,
            out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _,
            out("tmm4") _, out("tmm5") _, out("tmm6") _, out("tmm7") _,
            options(nostack),
        )
    };
}

/// Two registers of channels.
///
/// # Safety
/// [`Shapes`] are set; there is a piece; left factors reach all pieces of their pixels, right ones their rows for each
/// piece, the bias 32 numbers, the targets 32 numbers of every pixel.
unsafe fn correlate_wide(block: Block) {
    // SAFETY: the caller's.
    unsafe {
        instructions! {
            block:
            "tileloadd tmm0, [{place}]",
            "tileloadd tmm1, [{place} + 64]",
            "tileloadd tmm2, [{place}]",
            "tileloadd tmm3, [{place} + 64]",
            "2:",
            "tileloadd tmm6, [{right} + {right_step}*1]",
            "mov {place}, [{at}]",
            "add {place}, {first}",
            "tileloadd tmm4, [{place} + {left_step}*1]",
            "tdpbf16ps tmm0, tmm4, tmm6",
            "tileloadd tmm7, [{right} + {right_step}*1 + 64]",
            "tdpbf16ps tmm1, tmm4, tmm7",
            "mov {place}, [{at}]",
            "add {place}, {second}",
            "tileloadd tmm5, [{place} + {left_step}*1]",
            "tdpbf16ps tmm2, tmm5, tmm6",
            "tdpbf16ps tmm3, tmm5, tmm7",
            "add {right}, {advance}",
            "add {at}, 8",
            "cmp {at}, {end}",
            "jne 2b",
            "tilestored [{target} + {step}*1], tmm0",
            "tilestored [{target} + {step}*1 + 64], tmm1",
            "tilestored [{other} + {step}*1], tmm2",
            "tilestored [{other} + {step}*1 + 64], tmm3",
        }
    }
}

/// One register of channels.
///
/// # Safety
/// As [`correlate_wide`], with 16 numbers for 32.
unsafe fn correlate_narrow(block: Block) {
    // SAFETY: the caller's.
    unsafe {
        instructions! {
            block:
            "tileloadd tmm0, [{place}]",
            "tileloadd tmm2, [{place}]",
            "2:",
            "tileloadd tmm6, [{right} + {right_step}*1]",
            "mov {place}, [{at}]",
            "add {place}, {first}",
            "tileloadd tmm4, [{place} + {left_step}*1]",
            "tdpbf16ps tmm0, tmm4, tmm6",
            "mov {place}, [{at}]",
            "add {place}, {second}",
            "tileloadd tmm5, [{place} + {left_step}*1]",
            "tdpbf16ps tmm2, tmm5, tmm6",
            "add {right}, {advance}",
            "add {at}, 8",
            "cmp {at}, {end}",
            "jne 2b",
            "tilestored [{target} + {step}*1], tmm0",
            "tilestored [{other} + {step}*1], tmm2",
        }
    }
}

/// `sums[o, m] += Σ_p gradient[o, p] · patch[p; m]` over pixels `p`, where `m` walks along the runs from pixel `p`.
pub(super) struct Accumulate<'a> {
    /// Every number in a word with that of the next pixel.
    pub patch: &'a [f32],
    /// Words of a pixel.
    pub step: usize,
    /// What the pixels contribute.
    pub runs: &'a [Run],
    /// `[o, words]`, a word for two neighbouring pixels, see [`transposed_pairs`].
    pub gradient: &'a [f32],
    /// Words of a row of the gradient, a multiple of [`SIDE`].
    pub words: usize,
    /// `[o, m]`, the number of rows a multiple of [`SIDE`].
    pub sums: &'a mut [f32],
}

impl Accumulate<'_> {
    /// Adds to the sums.
    ///
    /// # Panics
    /// Panics without matrix registers, or if [`piece`] finds none.
    pub fn run(self) {
        assert!(is_available());
        let piece = piece(self.runs).expect("runs that can be cut");
        let depth: usize = self.runs.iter().map(|run| run.length).sum();
        let reach = self.runs.iter().map(|run| run.offset + run.length).max();
        let last = (2 * self.words).saturating_sub(2) * self.step;
        assert!(self.words.is_multiple_of(SIDE) && self.words > 0);
        assert!(last + reach.unwrap_or(0) <= self.patch.len());
        let rows = self.gradient.len() / self.words;
        assert!(rows.is_multiple_of(SIDE) && self.gradient.len() == rows * self.words);
        assert!(self.sums.len() == rows * depth);
        let pieces = pieces(self.runs, piece);
        // SAFETY: a piece has at most `SIDE` words.
        let _shapes = unsafe { Shapes::new(SIDE, SIDE, piece) };
        for row in (0..rows).step_by(2 * SIDE) {
            // What is odd is paired with itself: both sums begin as, and become, the same.
            let pair = [row, (row + SIDE).min(rows - SIDE)];
            for first in (0..pieces.len()).step_by(2) {
                let columns = [first, (first + 1).min(pieces.len() - 1)];
                // SAFETY: the asserts above keep all that is read and written within the slices.
                unsafe {
                    let gradient = |row: usize| self.gradient.as_ptr().add(row * self.words);
                    let patch = |of: usize| self.patch.as_ptr().add(pieces[of]);
                    let factors = Factors {
                        left: pair.map(gradient),
                        left_step: 4 * self.words,
                        right: columns.map(patch),
                        right_step: 8 * self.step,
                    };
                    let sums = self.sums.as_mut_ptr();
                    let sums = Sums {
                        rows: pair.map(|row| sums.add(row * depth)),
                        columns: columns.map(|of| 4 * of * piece),
                        step: 4 * depth,
                    };
                    accumulate(&factors, self.words / SIDE, &sums);
                }
            }
        }
    }
}

/// Adds the product of left and right factors, `count` registers of words long, to two by two registers of sums.
///
/// # Safety
/// [`Shapes`] are set; the factors have as many words, the sums a register each.
unsafe fn accumulate(factors: &Factors, count: usize, sums: &Sums) {
    let corner = |row: usize, column: usize| sums.rows[row].wrapping_byte_add(sums.columns[column]);
    let corners = [corner(0, 0), corner(0, 1), corner(1, 0), corner(1, 1)];
    // SAFETY: the caller's; the registers are named as changed.
    unsafe {
        asm!(
            "mov {at}, [{corners}]",
            "tileloadd tmm0, [{at} + {step}*1]",
            "mov {at}, [{corners} + 8]",
            "tileloadd tmm1, [{at} + {step}*1]",
            "mov {at}, [{corners} + 16]",
            "tileloadd tmm2, [{at} + {step}*1]",
            "mov {at}, [{corners} + 24]",
            "tileloadd tmm3, [{at} + {step}*1]",
            "2:",
            "tileloadd tmm4, [{first} + {left_step}*1]",
            "tileloadd tmm6, [{right} + {right_step}*1]",
            "tdpbf16ps tmm0, tmm4, tmm6",
            "tileloadd tmm7, [{other} + {right_step}*1]",
            "tdpbf16ps tmm1, tmm4, tmm7",
            "tileloadd tmm5, [{second} + {left_step}*1]",
            "tdpbf16ps tmm2, tmm5, tmm6",
            "tdpbf16ps tmm3, tmm5, tmm7",
            "add {first}, 64",
            "add {second}, 64",
            "add {right}, {advance}",
            "add {other}, {advance}",
            "dec {count}",
            "jnz 2b",
            "mov {at}, [{corners}]",
            "tilestored [{at} + {step}*1], tmm0",
            "mov {at}, [{corners} + 8]",
            "tilestored [{at} + {step}*1], tmm1",
            "mov {at}, [{corners} + 16]",
            "tilestored [{at} + {step}*1], tmm2",
            "mov {at}, [{corners} + 24]",
            "tilestored [{at} + {step}*1], tmm3",
            at = out(reg) _,
            corners = in(reg) corners.as_ptr(),
            step = in(reg) sums.step,
            first = inout(reg) factors.left[0] => _,
            second = inout(reg) factors.left[1] => _,
            left_step = in(reg) factors.left_step,
            right = inout(reg) factors.right[0] => _,
            other = inout(reg) factors.right[1] => _,
            right_step = in(reg) factors.right_step,
            advance = in(reg) SIDE * factors.right_step,
            count = inout(reg) count => _,
            out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _,
            out("tmm4") _, out("tmm5") _, out("tmm6") _, out("tmm7") _,
            options(nostack),
        );
    }
}

/// Operations of [`multiply`] in a round.
pub(super) const OPERATIONS: usize = 4 * 4 * SIDE.pow(3);

/// Products added to four registers of sums, for the measurement of the peak.
pub(super) fn multiply(rounds: usize) {
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
