// c[m,n] = op(a) op(b), op(a) [m,k], op(b) [k,n]; op transposes what is stored the other way round:
// TRANSPOSE_A: a is stored [k,m]; TRANSPOSE_B: b is stored [n,k].
// A workgroup makes a tile of c, as shaders/shared/product.wgsl has it.
override TRANSPOSE_A: bool = false;
override TRANSPOSE_B: bool = false;
override A_BY_DEPTH: bool = TRANSPOSE_A;
override B_BY_DEPTH: bool = !TRANSPOSE_B;
const COLUMN_SUMS = false;

struct Params {
    a: vec4<u32>,
    b: vec4<u32>,
    c: vec4<u32>,
    m: u32,
    n: u32,
    k: u32,
    tile_rows: u32,
    tile_columns: u32,
}
@group(0) @binding(0) var<uniform> params: Params;

fn start(replica: u32, column: u32) -> vec4<f32> {
    return vec4<f32>();
}

fn store(replica: u32, row: u32, column: u32, values: vec4<f32>) {
    if (row < params.m && column < params.n) {
        store_c(params.c.x + replica * params.c.y + row * params.n + column, params.n - column, values);
    }
}

@compute @workgroup_size(THREADS)
fn matmul(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let columns = (params.n + COLUMNS - 1u) / COLUMNS;
    let tile = group.y * groups.x + group.x;
    // The last row of a folded grid may reach past the tiles; the whole workgroup leaves together.
    if (tile >= (params.m + ROWS - 1u) / ROWS * columns) {
        return;
    }
    let a = Matrix(params.a.x + group.z * params.a.y, select(params.m, params.k, A_BY_DEPTH),
        select(params.k, params.m, A_BY_DEPTH));
    let b = Matrix(params.b.x + group.z * params.b.y, select(params.n, params.k, B_BY_DEPTH),
        select(params.k, params.n, B_BY_DEPTH));
    make_tile(thread, group.z, a, b, tile / columns * ROWS, tile % columns * COLUMNS, 0u, params.k);
}
