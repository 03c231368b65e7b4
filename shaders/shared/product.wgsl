// What kernels that multiply matrices share: c[m,n] = a[m,k] b[k,n] in tiles. A workgroup makes ROWS x COLUMNS of c from
// panels of DEPTH in workgroup memory, an invocation 4 x 4 elements of c, or several such blocks, in registers. SLICES
// groups of invocations share each panel's depths; their sums are added in order. Sums over k ascend within a slice. Where k
// ends within a panel, the rest of it is 0. What lies outside c is not written.
// src/kernels/products/tile.rs writes the sizes, the sums and the inner loop, tiling.rs beside it the bindings, and panels.rs the panels' way in.
// A kernel says A_BY_DEPTH and B_BY_DEPTH: whether a line in memory is a depth (a stored [k,m], b stored [k,n]) or a row of c (a stored
// [m,k]) or a column (b stored [n,k]); COLUMN_SUMS: whether b's columns are to be added up as well; start: what four sums of a row start
// from; store: what becomes of them. The part's bindings say line_of_left and line_of_right, where a line is in memory, and copy_a, whether
// a panel of a is copied to memory as well. AHEAD: whether the next panel is on its way while the sums of this one are made.
const THREADS = SLICE_THREADS * SLICES;
const SLICE_DEPTH = DEPTH / SLICES;
const A_QUADS = ROWS / 4u;
const B_QUADS = COLUMNS / 4u;
const DEPTH_QUADS = DEPTH / 4u;
// Fours of a panel from four lines to the next four where lines are c's rows or columns: one more than they have, against bank conflicts.
const LINES_PITCH = DEPTH + 1u;
const A_SIZE = A_QUADS * LINES_PITCH;
const B_SIZE = B_QUADS * LINES_PITCH;
// Invocations side by side, 32 where a tile has as many, make a patch: they read few different fours of a and b.
const PATCH_ROWS = min(8u, ROW_THREADS);
const PATCH_COLUMNS = 4u;
const PATCHES = COLUMN_THREADS / PATCH_COLUMNS;

var<workgroup> a_panel: array<vec4<f32>, PANELS * A_SIZE>;
var<workgroup> b_panel: array<vec4<f32>, PANELS * B_SIZE>;
var<private> column_sum: vec4<f32>;

struct Matrix {
    base: u32,
    lines: u32,
    length: u32,
}

// Makes the tile of c at row and column from depths first .. end.
fn make_tile(thread: u32, replica: u32, a: Matrix, b: Matrix, row: u32, column: u32, first: u32, end: u32) {
    let slice = thread / SLICE_THREADS;
    let place = thread % SLICE_THREADS;
    let part = place / (PATCH_ROWS * PATCH_COLUMNS);
    let lane = place % (PATCH_ROWS * PATCH_COLUMNS);
    let row_quad = part / PATCHES * PATCH_ROWS * BLOCKS + lane / PATCH_COLUMNS;
    let column_quad = part % PATCHES * PATCH_COLUMNS * BLOCK_QUADS + lane % PATCH_COLUMNS;
    let side = column + column_quad * 4u;
    if (slice == 0u) {
        begin(replica, side);
    }
    if (AHEAD) {
        fetch_a(thread, a, row, first);
        fetch_b(thread, b, column, first);
    }
    var panel = 0u;
    for (var depth = first; depth < end; depth += DEPTH) {
        let a_from = panel * A_SIZE;
        let b_from = panel * B_SIZE;
        if (!AHEAD) {
            fetch_a(thread, a, row, depth);
            fetch_b(thread, b, column, depth);
        }
        put_a(thread, a_from, depth, end);
        copy_a(thread, row, depth);
        put_b(thread, b_from, depth, end);
        workgroupBarrier();
        if (AHEAD) {
            // Behind the last panel too, where nobody waits for it: compilers copy registers that a branch may fill, and wait for them there.
            fetch_a(thread, a, row, depth + DEPTH);
            fetch_b(thread, b, column, depth + DEPTH);
        }
        let a_at = a_from + select(slice * (SLICE_DEPTH / 4u) + row_quad * LINES_PITCH, slice * SLICE_DEPTH * A_QUADS + row_quad, A_BY_DEPTH);
        let b_at = b_from + select(slice * (SLICE_DEPTH / 4u) + column_quad * LINES_PITCH, slice * SLICE_DEPTH * B_QUADS + column_quad, B_BY_DEPTH);
        for (var four = 0u; four < SLICE_DEPTH / 4u; four++) {
            accumulate(a_at, b_at, four);
        }
        if (COLUMN_SUMS && thread < B_QUADS) {
            for (var d = 0u; d < DEPTH; d++) {
                column_sum += b_panel[b_from + d * B_QUADS + thread];
            }
        }
        // Of two panels one is read while the other is written: the barrier above keeps everybody within one of them.
        if (PANELS == 1u) {
            workgroupBarrier();
        }
        panel = (panel + 1u) % PANELS;
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
        let top = row + row_quad * 4u;
        for (var i = 0u; i < 4u * BLOCKS * BLOCK_QUADS; i++) {
            let line = i / BLOCK_QUADS;
            store(replica, top + line / 4u * 4u * PATCH_ROWS + line % 4u, side + i % BLOCK_QUADS * 4u * PATCH_COLUMNS, sum_at(i));
        }
    }
}
