// c[m,n] = op(a) op(b), op(a) [m,k], op(b) [k,n]; op transposes what is stored the other way round:
// TRANSPOSE_A: a is stored [k,m]; TRANSPOSE_B: b is stored [n,k].
// A workgroup makes a 32 x 32 tile of c from 32 x 16 panels in workgroup memory, an invocation 4 x 4
// outputs in registers. Loads outside the matrices give 0, stores outside are dropped.
// The sum over k runs in ascending order.
override TRANSPOSE_A: bool = false;
override TRANSPOSE_B: bool = false;

struct Params {
    a: vec4<u32>,
    b: vec4<u32>,
    c: vec4<u32>,
    m: u32,
    n: u32,
    k: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> a: array<f32>;
@group(0) @binding(3) var<storage, read> b: array<f32>;
@group(0) @binding(4) var<storage, read_write> c: array<f32>;

const TILE = 32u;
const DEPTH = 16u;
const THREADS = 64u;
const QUADS = 8u; // a panel's row of 32, four words at a time

var<workgroup> a_panel: array<vec4<f32>, DEPTH * QUADS>; // [depth, rows of c]
var<workgroup> b_panel: array<vec4<f32>, DEPTH * QUADS>; // [depth, columns of c]

fn load_a(base: u32, row: u32, depth: u32) -> f32 {
    if (row >= params.m || depth >= params.k) {
        return 0.0;
    }
    return a[base + select(row * params.k + depth, depth * params.m + row, TRANSPOSE_A)];
}

fn load_b(base: u32, depth: u32, column: u32) -> f32 {
    if (depth >= params.k || column >= params.n) {
        return 0.0;
    }
    return b[base + select(depth * params.n + column, column * params.k + depth, TRANSPOSE_B)];
}

fn store_row(base: u32, row: u32, column: u32, values: vec4<f32>) {
    if (row >= params.m) {
        return;
    }
    let at = base + row * params.n + column;
    if (column < params.n) { c[at] = values.x; }
    if (column + 1u < params.n) { c[at + 1u] = values.y; }
    if (column + 2u < params.n) { c[at + 2u] = values.z; }
    if (column + 3u < params.n) { c[at + 3u] = values.w; }
}

@compute @workgroup_size(64)
fn matmul(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let columns = (params.n + TILE - 1u) / TILE;
    let rows = (params.m + TILE - 1u) / TILE;
    let tile = group.y * groups.x + group.x;
    // The last row of a folded grid may reach past the tiles; the whole workgroup leaves together.
    if (tile >= rows * columns) {
        return;
    }
    let first_row = (tile / columns) * TILE;
    let first_column = (tile % columns) * TILE;
    let a_base = params.a.x + group.z * params.a.y;
    let b_base = params.b.x + group.z * params.b.y;
    let c_base = params.c.x + group.z * params.c.y;
    let row = thread / QUADS; // in fours, like the panels
    let column = thread % QUADS;

    var sum0 = vec4<f32>();
    var sum1 = vec4<f32>();
    var sum2 = vec4<f32>();
    var sum3 = vec4<f32>();
    for (var depth = 0u; depth < params.k; depth += DEPTH) {
        // Neighbouring invocations read neighbouring words: along k where k is contiguous, else along the tile.
        for (var i = thread; i < DEPTH * QUADS; i += THREADS) {
            let ad = select(i % DEPTH, i / QUADS, TRANSPOSE_A);
            let aq = select(i / DEPTH, i % QUADS, TRANSPOSE_A);
            let ar = first_row + aq * 4u;
            a_panel[ad * QUADS + aq] = vec4<f32>(load_a(a_base, ar, depth + ad), load_a(a_base, ar + 1u, depth + ad),
                load_a(a_base, ar + 2u, depth + ad), load_a(a_base, ar + 3u, depth + ad));
            let bd = select(i / QUADS, i % DEPTH, TRANSPOSE_B);
            let bq = select(i % QUADS, i / DEPTH, TRANSPOSE_B);
            let bc = first_column + bq * 4u;
            b_panel[bd * QUADS + bq] = vec4<f32>(load_b(b_base, depth + bd, bc), load_b(b_base, depth + bd, bc + 1u),
                load_b(b_base, depth + bd, bc + 2u), load_b(b_base, depth + bd, bc + 3u));
        }
        workgroupBarrier();
        for (var d = 0u; d < DEPTH; d++) {
            let left = a_panel[d * QUADS + row];
            let right = b_panel[d * QUADS + column];
            sum0 = fma(vec4<f32>(left.x), right, sum0);
            sum1 = fma(vec4<f32>(left.y), right, sum1);
            sum2 = fma(vec4<f32>(left.z), right, sum2);
            sum3 = fma(vec4<f32>(left.w), right, sum3);
        }
        workgroupBarrier();
    }
    let top = first_row + row * 4u;
    let side = first_column + column * 4u;
    store_row(c_base, top, side, sum0);
    store_row(c_base, top + 1u, side, sum1);
    store_row(c_base, top + 2u, side, sum2);
    store_row(c_base, top + 3u, side, sum3);
}
