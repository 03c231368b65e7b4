//! Matrix products of small f32 matrices, whose packing and dispatch cost a library for large ones as much as the work.
//! b goes into aligned panels a few SIMD registers wide, c is computed in tiles that stay in registers.

use pulp::{MemMask, Simd, WithSimd};

use super::product::Product;
use super::real::Real;

/// Most elements of b: 32 KiB, two thirds of a core's first cache. On an AVX-512 Xeon the article's products take 0.76 of the
/// time that `gemm` takes for them, the step 0.75; 128 rows by 64 by 64 take as long in either.
const MOST: usize = 1 << 13;
/// Bytes of a cache line: a panel's rows lie in whole ones.
const LINE: usize = 64;

/// What a product is added to.
#[derive(Clone, Copy)]
pub(super) enum Start<'a, T> {
    Zero,
    /// What c holds.
    C,
    /// The same row everywhere.
    Row(&'a [T]),
}

/// Whether a product by rows is computed here, which its number of rows does not decide.
pub(super) fn takes(p: &Product) -> bool {
    p.n >= 2 && p.k > 0 && p.n * p.k <= MOST
}

/// Computes c and says yes, or leaves a product to others that is large, empty, or one column wide: that needs no tiles.
pub(super) fn product(p: &Product, a: &[f32], b: &[f32], start: Start<'_, f32>, c: &mut [f32]) -> bool {
    let a_by = [p.a_strides == (p.k, 1), p.a_strides == (1, p.m)];
    let b_by = [p.b_strides == (p.n, 1), p.b_strides == (1, p.k)];
    if !takes(p) || !a_by.contains(&true) || !b_by.contains(&true) {
        return false;
    }
    f32::with_scratch((p.n + LINE) * p.k + LINE, |memory| {
        let skip = memory.as_ptr().align_offset(LINE).min(LINE);
        let panel = &mut memory[skip..];
        pulp::Arch::new().dispatch(Small { p, a, a_rows: a_by[0], b, b_rows: b_by[0], start, c, panel });
    });
    true
}

struct Small<'a> {
    p: &'a Product,
    a: &'a [f32],
    a_rows: bool,
    b: &'a [f32],
    b_rows: bool,
    start: Start<'a, f32>,
    c: &'a mut [f32],
    panel: &'a mut [f32],
}

impl WithSimd for Small<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { p, a, a_rows, b, b_rows, start, c, panel } = self;
        // A tile of 6 rows takes 24 of 32 registers, 12 of AVX's 16, and as many of the 16 that a browser has for wasm on x86.
        let most = if S::F32_LANES == 8 || cfg!(target_family = "wasm") { 2 } else { 4 };
        for first in (0..p.n).step_by(most * S::F32_LANES) {
            let width = (p.n - first).min(most * S::F32_LANES);
            let wide = width.div_ceil(S::F32_LANES);
            let tail = simd.mask_between_m32s(0, (width - (wide - 1) * S::F32_LANES) as u32);
            // Without the pointers to code that pulp keeps for processors with slow masks.
            let edge = Edge { simd, mask: MemMask::new(tail.mask()), width };
            let panel = &mut panel[..p.k * wide * S::F32_LANES];
            let rows = panel.chunks_exact_mut(wide * S::F32_LANES);
            match b_rows {
                true => rows.zip(b.chunks(p.n)).for_each(|(to, from)| edge.copy(&from[first..], to)),
                false => transpose(&b[first * p.k..][..width * p.k], p.k, panel, wide * S::F32_LANES),
            }
            let panel = Panel { p, a, b: panel, start, first, edge };
            match (wide, a_rows) {
                (1, true) => panel.run::<1, true>(c),
                (2, true) => panel.run::<2, true>(c),
                (3, true) => panel.run::<3, true>(c),
                (_, true) => panel.run::<4, true>(c),
                (1, false) => panel.run::<1, false>(c),
                (2, false) => panel.run::<2, false>(c),
                (3, false) => panel.run::<3, false>(c),
                (_, false) => panel.run::<4, false>(c),
            }
        }
    }
}

/// `to[j][i] = from[i][j]` for rows of `columns` and of `stride` elements, four at a time.
#[inline(always)]
fn transpose(from: &[f32], columns: usize, to: &mut [f32], stride: usize) {
    let mut fours = from.chunks_exact(4 * columns);
    let mut place = 0;
    for four in &mut fours {
        let (one, two) = four.split_at(2 * columns);
        let ((a, b), (c, d)) = (one.split_at(columns), two.split_at(columns));
        for ((((to, &a), &b), &c), &d) in to[place..].chunks_mut(stride).zip(a).zip(b).zip(c).zip(d) {
            to[..4].copy_from_slice(&[a, b, c, d]);
        }
        place += 4;
    }
    for row in fours.remainder().chunks_exact(columns) {
        to[place..].chunks_mut(stride).zip(row).for_each(|(to, &from)| to[0] = from);
        place += 1;
    }
}

/// Where rows of a panel's width end within a register.
#[derive(Clone, Copy)]
struct Edge<S: Simd> {
    simd: S,
    mask: MemMask<S::m32s>,
    width: usize,
}

impl<S: Simd> Edge<S> {
    #[inline(always)]
    #[allow(unsafe_code)]
    fn last(&self, tail: &[f32]) -> S::f32s {
        // SAFETY: the mask has the lanes that remain of `width` behind whole registers, and `tail` is just that.
        unsafe { self.simd.mask_load_ptr_f32s(self.mask, tail.as_ptr()) }
    }

    #[inline(always)]
    fn load<const C: usize>(&self, row: &[f32]) -> [S::f32s; C] {
        let (whole, tail) = row[..self.width].split_at((C - 1) * S::F32_LANES);
        let whole = S::as_simd_f32s(whole).0;
        std::array::from_fn(|i| if i + 1 < C { whole[i] } else { self.last(tail) })
    }

    #[inline(always)]
    #[allow(unsafe_code)]
    fn store<const C: usize>(&self, values: [S::f32s; C], row: &mut [f32]) {
        let (whole, tail) = row[..self.width].split_at_mut((C - 1) * S::F32_LANES);
        S::as_mut_simd_f32s(whole).0.copy_from_slice(&values[..C - 1]);
        // SAFETY: as in `last`.
        unsafe { self.simd.mask_store_ptr_f32s(self.mask, tail.as_mut_ptr(), values[C - 1]) }
    }

    /// Into a row of whole registers.
    #[inline(always)]
    fn copy(&self, from: &[f32], to: &mut [f32]) {
        let to = S::as_mut_simd_f32s(to).0;
        let (whole, tail) = from[..self.width].split_at((to.len() - 1) * S::F32_LANES);
        for (to, from) in to.iter_mut().zip(S::as_simd_f32s(whole).0) {
            *to = *from;
        }
        to.iter_mut().last().into_iter().for_each(|to| *to = self.last(tail));
    }
}

/// Some columns of c, from as many of b.
#[derive(Clone, Copy)]
struct Panel<'a, S: Simd> {
    p: &'a Product,
    a: &'a [f32],
    /// `[k, registers]`.
    b: &'a [f32],
    start: Start<'a, f32>,
    /// Of the columns.
    first: usize,
    edge: Edge<S>,
}

impl<S: Simd> Panel<'_, S> {
    #[inline(always)]
    fn run<const C: usize, const A_ROWS: bool>(&self, c: &mut [f32]) {
        // Even runs: one of a single row would take as long as one of four.
        let (mut row, tiles) = (0, self.p.m.div_ceil(6));
        for left in (1..=tiles).rev() {
            let rows = (self.p.m - row).div_ceil(left);
            match rows {
                1 => self.tile::<1, C, A_ROWS>(row, c),
                2 => self.tile::<2, C, A_ROWS>(row, c),
                3 => self.tile::<3, C, A_ROWS>(row, c),
                4 => self.tile::<4, C, A_ROWS>(row, c),
                5 => self.tile::<5, C, A_ROWS>(row, c),
                _ => self.tile::<6, C, A_ROWS>(row, c),
            }
            row += rows;
        }
    }

    /// R rows of c, C registers wide.
    #[inline(always)]
    fn tile<const R: usize, const C: usize, const A_ROWS: bool>(&self, row: usize, c: &mut [f32]) {
        let Self { p, a, b, start, first, edge } = *self;
        let simd = edge.simd;
        let b = S::as_simd_f32s(b).0.as_chunks::<C>().0;
        let mut sums = [match start {
            Start::Row(row) => edge.load::<C>(&row[first..]),
            _ => [simd.splat_f32s(0.0); C],
        }; R];
        let mut add = |b: &[S::f32s; C], a: [f32; R]| {
            for (sums, a) in sums.iter_mut().zip(a) {
                let a = simd.splat_f32s(a);
                for (sum, &b) in sums.iter_mut().zip(b) {
                    // Fused where the instructions have it: without, as in wasm, a function would compute each lane's exact sum.
                    *sum = simd.mul_add_e_f32s(a, b, *sum);
                }
            }
        };
        if A_ROWS {
            let a: [&[f32]; R] = std::array::from_fn(|r| &a[(row + r) * p.k..][..p.k]);
            for (l, b) in b[..p.k].iter().enumerate() {
                add(b, std::array::from_fn(|r| a[r][l]));
            }
        } else {
            for (b, a) in b.iter().zip(a[row..].chunks(p.m)) {
                let a = &a[..R];
                add(b, std::array::from_fn(|r| a[r]));
            }
        }
        for (c, mut sums) in c[row * p.n..].chunks_mut(p.n).zip(sums) {
            let c = &mut c[first..];
            if let Start::C = start {
                let held = edge.load::<C>(c);
                for (sum, held) in sums.iter_mut().zip(held) {
                    *sum = simd.add_f32s(*sum, held);
                }
            }
            edge.store(sums, c);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Small whole numbers, so that sums are exact in any order; c's row behind the last one stays.
    #[test]
    fn agrees_with_the_sums_around_tiles_and_panels() {
        let numbers =
            |len: usize, step: usize| -> Vec<f32> { (0..len).map(|i| (i * step % 13) as f32 - 6.0).collect() };
        for m in [1, 2, 5, 6, 7, 11, 13] {
            for n in [2, 7, 8, 9, 15, 16, 17, 33, 50, 63, 64, 65, 130] {
                for (k, ways) in [1, 2, 5, 63].into_iter().flat_map(|k| (0..4).map(move |ways| (k, ways))) {
                    let plain = Product::new(m, n, k);
                    let p = if ways & 1 > 0 { plain.a_transposed() } else { plain };
                    let p = if ways & 2 > 0 { p.b_transposed() } else { p };
                    let (a, b, bias, before) =
                        (numbers(m * k, 7), numbers(k * n, 5), numbers(n, 3), numbers((m + 1) * n, 11));
                    for (start, name) in [(Start::Zero, "zero"), (Start::C, "c"), (Start::Row(&bias), "row")] {
                        let mut c = before.clone();
                        assert!(product(&p, &a, &b, start, &mut c), "{p:?} is small");
                        for (at, &found) in c.iter().enumerate() {
                            let (i, j) = (at / n, at % n);
                            let sum: f32 = (0..k)
                                .map(|l| {
                                    a[i.min(m - 1) * p.a_strides.0 + l * p.a_strides.1]
                                        * b[l * p.b_strides.0 + j * p.b_strides.1]
                                })
                                .sum();
                            let from = match start {
                                Start::Zero => 0.0,
                                Start::C => before[at],
                                Start::Row(bias) => bias[j],
                            };
                            let wanted = if i == m { before[at] } else { from + sum };
                            assert_eq!(found, wanted, "{p:?} from {name}: row {i}, column {j}");
                        }
                    }
                }
            }
        }
    }
}
