// What kernels that multiply matrices share: c[m,n] = a[m,k] b[k,n] in tiles. A workgroup makes ROWS x COLUMNS of c from
// panels of DEPTH in workgroup memory, an invocation 4 x 4 elements of c, or several such blocks, in registers. SLICES
// groups of invocations share each panel's depths; their sums are added in order. Sums over k ascend within a slice. What
// lies outside the matrices is 0 where it is read, and is not written.
// src/kernels/tile.rs writes the sizes, the sums, the inner loop and the bindings. A kernel says A_BY_DEPTH and B_BY_DEPTH:
// whether a line in memory is a depth (a stored [k,m], b stored [k,n]) or a row of c (a stored [m,k]) or a column (b stored
// [n,k]); COLUMN_SUMS: whether b's columns are to be added up as well; and store: what becomes of four sums.
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

fn four_of_a(a: Matrix, line: u32, place: u32) -> vec4<f32> {
    if (line >= a.lines || place >= a.length) {
        return vec4<f32>();
    }
    return load_left(a.base + line * a.length + place, a.length - place);
}

fn four_of_b(b: Matrix, line: u32, place: u32) -> vec4<f32> {
    if (line >= b.lines || place >= b.length) {
        return vec4<f32>();
    }
    return load_right(b.base + line * b.length + place, b.length - place);
}

// Neighbouring invocations read neighbouring words. Lines that are rows or columns of c are turned over on the way.
fn load_panels(thread: u32, a: Matrix, b: Matrix, row: u32, column: u32, depth: u32) {
    if (A_BY_DEPTH) {
        for (var i = thread; i < DEPTH * A_QUADS; i += THREADS) {
            a_panel[i / A_QUADS * A_PITCH + i % A_QUADS] = four_of_a(a, depth + i / A_QUADS, row + i % A_QUADS * 4u);
        }
    } else {
        for (var i = thread; i < DEPTH / 4u * A_QUADS; i += THREADS) {
            let d = i % (DEPTH / 4u) * 4u;
            let quad = i / (DEPTH / 4u);
            let line = row + quad * 4u;
            let block = transpose(mat4x4<f32>(four_of_a(a, line, depth + d), four_of_a(a, line + 1u, depth + d),
                four_of_a(a, line + 2u, depth + d), four_of_a(a, line + 3u, depth + d)));
            a_panel[d * A_PITCH + quad] = block[0];
            a_panel[(d + 1u) * A_PITCH + quad] = block[1];
            a_panel[(d + 2u) * A_PITCH + quad] = block[2];
            a_panel[(d + 3u) * A_PITCH + quad] = block[3];
        }
    }
    if (B_BY_DEPTH) {
        for (var i = thread; i < DEPTH * B_QUADS; i += THREADS) {
            b_panel[i / B_QUADS * B_PITCH + i % B_QUADS] = four_of_b(b, depth + i / B_QUADS, column + i % B_QUADS * 4u);
        }
    } else {
        for (var i = thread; i < DEPTH / 4u * B_QUADS; i += THREADS) {
            let d = i % (DEPTH / 4u) * 4u;
            let quad = i / (DEPTH / 4u);
            let line = column + quad * 4u;
            let block = transpose(mat4x4<f32>(four_of_b(b, line, depth + d), four_of_b(b, line + 1u, depth + d),
                four_of_b(b, line + 2u, depth + d), four_of_b(b, line + 3u, depth + d)));
            b_panel[d * B_PITCH + quad] = block[0];
            b_panel[(d + 1u) * B_PITCH + quad] = block[1];
            b_panel[(d + 2u) * B_PITCH + quad] = block[2];
            b_panel[(d + 3u) * B_PITCH + quad] = block[3];
        }
    }
}

// Makes the tile of c at row and column from depths first .. end.
fn make_tile(thread: u32, replica: u32, a: Matrix, b: Matrix, row: u32, column: u32, first: u32, end: u32) {
    let slice = thread / SLICE_THREADS;
    let place = thread % SLICE_THREADS;
    let a_at = slice * SLICE_DEPTH * A_PITCH + place / COLUMN_THREADS;
    let b_at = slice * SLICE_DEPTH * B_PITCH + place % COLUMN_THREADS;
    for (var depth = first; depth < end; depth += DEPTH) {
        load_panels(thread, a, b, row, column, depth);
        workgroupBarrier();
        for (var d = 0u; d < SLICE_DEPTH; d += 4u) {
            accumulate(a_at + d * A_PITCH, b_at + d * B_PITCH);
        }
        if (COLUMN_SUMS && thread < B_QUADS) {
            for (var d = 0u; d < DEPTH; d++) {
                column_sum += b_panel[d * B_PITCH + thread];
            }
        }
        workgroupBarrier();
    }
    for (var other = 1u; other < SLICES; other++) {
        if (slice == other) {
            hand_over(place);
        }
        workgroupBarrier();
        if (slice == 0u) {
            take_over(place);
        }
        workgroupBarrier();
    }
    if (slice == 0u) {
        store_sums(replica, row + place / COLUMN_THREADS * 4u, column + place % COLUMN_THREADS * 4u);
    }
}
