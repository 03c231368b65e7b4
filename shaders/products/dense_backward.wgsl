// c[rows,inputs] = (d[rows,outputs] wᵀ) f'(z), w[inputs,outputs]: from the gradient by a layer's z that by the z of the
// layer before it, z[rows,inputs] and a = f(z) being that layer's and f, the part's, its activation.
// A workgroup makes a tile of c, as shaders/shared/product.wgsl has it.
const A_BY_DEPTH = false;
const B_BY_DEPTH = false;
const COLUMN_SUMS = false;

struct Params {
    d: vec4<u32>,
    w: vec4<u32>,
    z: vec4<u32>,
    a: vec4<u32>,
    c: vec4<u32>,
    rows: u32,
    inputs: u32,
    outputs: u32,
    tile_rows: u32,
    tile_columns: u32,
}
@group(0) @binding(0) var<uniform> params: Params;

fn start(replica: u32, column: u32) -> vec4<f32> {
    return vec4<f32>();
}

fn store(replica: u32, row: u32, column: u32, values: vec4<f32>) {
    store_sloped(replica, row, column, values);
}

@compute @workgroup_size(THREADS)
fn dense_backward(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let columns = (params.inputs + COLUMNS - 1u) / COLUMNS;
    let tile = group.y * groups.x + group.x;
    // The last row of a folded grid may reach past the tiles; the whole workgroup leaves together.
    if (tile >= (params.rows + ROWS - 1u) / ROWS * columns) {
        return;
    }
    let d = Matrix(params.d.x + group.z * params.d.y, params.rows, params.outputs);
    let w = Matrix(params.w.x + group.z * params.w.y, params.inputs, params.outputs);
    make_tile(thread, group.z, d, w, tile / columns * ROWS, tile % columns * COLUMNS, 0u, params.outputs);
}
