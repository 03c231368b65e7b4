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
// One word of padding a row keeps the strided stores of a panel off a single bank.
const PITCH = 33u;

var<workgroup> a_panel: array<f32, DEPTH * PITCH>; // [depth, row of c]
var<workgroup> b_panel: array<f32, DEPTH * PITCH>; // [depth, column of c]

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
    let row = (thread / 8u) * 4u;
    let column = (thread % 8u) * 4u;

    var sum0 = vec4<f32>();
    var sum1 = vec4<f32>();
    var sum2 = vec4<f32>();
    var sum3 = vec4<f32>();
    for (var depth = 0u; depth < params.k; depth += DEPTH) {
        // Neighbouring invocations read neighbouring words: along k where k is contiguous, else along the tile.
        for (var i = thread; i < TILE * DEPTH; i += THREADS) {
            let ad = select(i % DEPTH, i / TILE, TRANSPOSE_A);
            let ar = select(i / DEPTH, i % TILE, TRANSPOSE_A);
            a_panel[ad * PITCH + ar] = load_a(a_base, first_row + ar, depth + ad);
            let bd = select(i / TILE, i % DEPTH, TRANSPOSE_B);
            let bc = select(i % TILE, i / DEPTH, TRANSPOSE_B);
            b_panel[bd * PITCH + bc] = load_b(b_base, depth + bd, first_column + bc);
        }
        workgroupBarrier();
        for (var d = 0u; d < DEPTH; d++) {
            let at = d * PITCH;
            let right = vec4<f32>(b_panel[at + column], b_panel[at + column + 1u],
                b_panel[at + column + 2u], b_panel[at + column + 3u]);
            sum0 = fma(vec4<f32>(a_panel[at + row]), right, sum0);
            sum1 = fma(vec4<f32>(a_panel[at + row + 1u]), right, sum1);
            sum2 = fma(vec4<f32>(a_panel[at + row + 2u]), right, sum2);
            sum3 = fma(vec4<f32>(a_panel[at + row + 3u]), right, sum3);
        }
        workgroupBarrier();
    }
    let top = first_row + row;
    let left = first_column + column;
    store_row(c_base, top, left, sum0);
    store_row(c_base, top + 1u, left, sum1);
    store_row(c_base, top + 2u, left, sum2);
    store_row(c_base, top + 3u, left, sum3);
}
