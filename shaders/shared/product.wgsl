// What kernels that multiply matrices share: c[m,n] = a[m,k] b[k,n] in tiles. A workgroup makes ROWS x COLUMNS of c from
// panels of DEPTH in workgroup memory, an invocation 4 x 4 elements of c, or several such blocks, in registers. SLICES
// groups of invocations share each panel's depths; their sums are added in order. Sums over k ascend within a slice. What
// lies outside the matrices is 0 where it is read, and is not written.
// src/kernels/products/tile.rs writes the sizes, the sums, the inner loop and the bindings. A kernel says A_BY_DEPTH and B_BY_DEPTH:
// whether a line in memory is a depth (a stored [k,m], b stored [k,n]) or a row of c (a stored [m,k]) or a column (b stored
// [n,k]); COLUMN_SUMS: whether b's columns are to be added up as well; start: what four sums of a row start from; and store: what
// becomes of them.
const THREADS = SLICE_THREADS * SLICES;
const SLICE_DEPTH = DEPTH / SLICES;
const A_QUADS = ROWS / 4u;
const B_QUADS = COLUMNS / 4u;
const A_PITCH = A_QUADS + 1u; // padded against bank conflicts
const B_PITCH = B_QUADS + 1u;

var<workgroup> a_panel: array<vec4<f32>, DEPTH * A_PITCH>;
var<workgroup> b_panel: array<vec4<f32>, DEPTH * B_PITCH>;
var<private> column_sum: vec4<f32>;

struct Matrix {
    base: u32,
    lines: u32,
    length: u32,
}

// Neighbours of a line, 0 outside, without a branch: what is outside reads the matrix's first.
fn four_of_a(a: Matrix, line: u32, place: u32) -> vec4<f32> {
    let inside = line < a.lines && place < a.length;
    let at = select(0u, line * a.length + place, inside);
    return select(vec4<f32>(), load_left(a.base + at, select(a.length, a.length - place, inside)), inside);
}

fn one_of_a(a: Matrix, line: u32, place: u32) -> f32 {
    let inside = line < a.lines && place < a.length;
    return select(0.0, one_left(a.base + select(0u, line * a.length + place, inside)), inside);
}

fn four_of_b(b: Matrix, line: u32, place: u32) -> vec4<f32> {
    let inside = line < b.lines && place < b.length;
    let at = select(0u, line * b.length + place, inside);
    return select(vec4<f32>(), load_right(b.base + at, select(b.length, b.length - place, inside)), inside);
}

fn one_of_b(b: Matrix, line: u32, place: u32) -> f32 {
    let inside = line < b.lines && place < b.length;
    return select(0.0, one_right(b.base + select(0u, line * b.length + place, inside)), inside);
}

// Neighbouring invocations read neighbouring words. Lines that are rows or columns of c are turned over on the way, in
// blocks where they are read four elements at a time.
fn load_panels(thread: u32, a: Matrix, b: Matrix, row: u32, column: u32, depth: u32) {
    if (A_BY_DEPTH || !WIDE) {
        for (var turn = 0u; turn < (DEPTH * A_QUADS + THREADS - 1u) / THREADS; turn++) {
            let i = turn * THREADS + thread;
            if (DEPTH * A_QUADS % THREADS != 0u && i >= DEPTH * A_QUADS) {
                break;
            }
            if (A_BY_DEPTH) {
                a_panel[i / A_QUADS * A_PITCH + i % A_QUADS] =
                    four_of_a(a, depth + i / A_QUADS, row + i % A_QUADS * 4u);
            } else {
                let line = row + i / DEPTH * 4u;
                let place = depth + i % DEPTH;
                a_panel[i % DEPTH * A_PITCH + i / DEPTH] = vec4<f32>(one_of_a(a, line, place),
                    one_of_a(a, line + 1u, place), one_of_a(a, line + 2u, place), one_of_a(a, line + 3u, place));
            }
        }
    } else {
        for (var i = thread; i < DEPTH / 4u * A_QUADS; i += THREADS) {
            let place = i % (DEPTH / 4u) * 4u;
            let line = row + i / (DEPTH / 4u) * 4u;
            let block = transpose(mat4x4<f32>(four_of_a(a, line, depth + place), four_of_a(a, line + 1u, depth + place),
                four_of_a(a, line + 2u, depth + place), four_of_a(a, line + 3u, depth + place)));
            let at = place * A_PITCH + i / (DEPTH / 4u);
            a_panel[at] = block[0];
            a_panel[at + A_PITCH] = block[1];
            a_panel[at + 2u * A_PITCH] = block[2];
            a_panel[at + 3u * A_PITCH] = block[3];
        }
    }
    if (B_BY_DEPTH || !WIDE) {
        for (var turn = 0u; turn < (DEPTH * B_QUADS + THREADS - 1u) / THREADS; turn++) {
            let i = turn * THREADS + thread;
            if (DEPTH * B_QUADS % THREADS != 0u && i >= DEPTH * B_QUADS) {
                break;
            }
            if (B_BY_DEPTH) {
                b_panel[i / B_QUADS * B_PITCH + i % B_QUADS] =
                    four_of_b(b, depth + i / B_QUADS, column + i % B_QUADS * 4u);
            } else {
                let line = column + i / DEPTH * 4u;
                let place = depth + i % DEPTH;
                b_panel[i % DEPTH * B_PITCH + i / DEPTH] = vec4<f32>(one_of_b(b, line, place),
                    one_of_b(b, line + 1u, place), one_of_b(b, line + 2u, place), one_of_b(b, line + 3u, place));
            }
        }
    } else {
        for (var i = thread; i < DEPTH / 4u * B_QUADS; i += THREADS) {
            let place = i % (DEPTH / 4u) * 4u;
            let line = column + i / (DEPTH / 4u) * 4u;
            let block = transpose(mat4x4<f32>(four_of_b(b, line, depth + place), four_of_b(b, line + 1u, depth + place),
                four_of_b(b, line + 2u, depth + place), four_of_b(b, line + 3u, depth + place)));
            let at = place * B_PITCH + i / (DEPTH / 4u);
            b_panel[at] = block[0];
            b_panel[at + B_PITCH] = block[1];
            b_panel[at + 2u * B_PITCH] = block[2];
            b_panel[at + 3u * B_PITCH] = block[3];
        }
    }
}

// Makes the tile of c at row and column from depths first .. end.
fn make_tile(thread: u32, replica: u32, a: Matrix, b: Matrix, row: u32, column: u32, first: u32, end: u32) {
    let slice = thread / SLICE_THREADS;
    let place = thread % SLICE_THREADS;
    let a_at = slice * SLICE_DEPTH * A_PITCH + place / COLUMN_THREADS;
    let b_at = slice * SLICE_DEPTH * B_PITCH + place % COLUMN_THREADS;
    let side = column + place % COLUMN_THREADS * 4u;
    if (slice == 0u) {
        begin(replica, side);
    }
    for (var depth = first; depth < end; depth += DEPTH) {
        load_panels(thread, a, b, row, column, depth);
        workgroupBarrier();
        for (var d = 0u; d < SLICE_DEPTH; d++) {
            accumulate(a_at, b_at, d);
        }
        if (COLUMN_SUMS && thread < B_QUADS) {
            for (var d = 0u; d < DEPTH; d++) {
                column_sum += b_panel[d * B_PITCH + thread];
            }
        }
        workgroupBarrier();
    }
    if (SLICES > 1u) {
        if (slice > 0u) {
            hand_over((slice - 1u) * (ROWS * COLUMNS / 4u) + place);
        }
        workgroupBarrier();
        if (slice == 0u) {
            for (var other = 0u; other < SLICES - 1u; other++) {
                take_over(other * (ROWS * COLUMNS / 4u) + place);
            }
        }
    }
    if (slice == 0u) {
        let top = row + place / COLUMN_THREADS * 4u;
        for (var i = 0u; i < 4u * BLOCKS * BLOCK_QUADS; i++) {
            let line = i / BLOCK_QUADS;
            store(replica, top + line / 4u * 4u * ROW_THREADS + line % 4u, side + i % BLOCK_QUADS * 4u * COLUMN_THREADS, sum_at(i));
        }
    }
}
