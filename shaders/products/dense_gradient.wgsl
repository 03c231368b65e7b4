// The gradient by a layer's weight and bias, x[rows,inputs]ᵀ d[rows,outputs] and d's column sums, in shares.
// A workgroup makes a tile of a share, as shaders/shared/product.wgsl and gradient_share.wgsl beside it have it.
const A_BY_DEPTH = true;
const B_BY_DEPTH = true;
const COLUMN_SUMS = true;

struct Params {
    x: vec4<u32>,
    d: vec4<u32>,
    g: vec4<u32>,
    inputs: u32,
    outputs: u32,
    rows: u32,
    groups: u32,
    stride: u32,
    span: u32,
    tile_rows: u32,
    tile_columns: u32,
}
@group(0) @binding(0) var<uniform> params: Params;

fn start(replica: u32, column: u32) -> vec4<f32> {
    return vec4<f32>();
}

fn store(replica: u32, row: u32, column: u32, values: vec4<f32>) {
    store_share(replica, row, column, values);
}

@compute @workgroup_size(THREADS)
fn dense_gradient(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let index = group.y * groups.x + group.x;
    // The last row of a folded grid may reach past the tiles; the whole workgroup leaves together.
    if (index >= tiles_of_a_share() * params.groups) {
        return;
    }
    make_share(thread, group.z, index);
}
