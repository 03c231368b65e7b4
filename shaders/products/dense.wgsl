// a[rows,outputs] = f(x[rows,inputs] w[inputs,outputs] + bias[outputs]), the activation f being the part's: a layer.
// A workgroup makes a tile of a, as shaders/shared/product.wgsl has it.
const A_BY_DEPTH = false;
const B_BY_DEPTH = true;
const COLUMN_SUMS = false;

struct Params {
    x: vec4<u32>,
    w: vec4<u32>,
    bias: vec4<u32>,
    a: vec4<u32>,
    rows: u32,
    outputs: u32,
    inputs: u32,
    tile_rows: u32,
    tile_columns: u32,
}
@group(0) @binding(0) var<uniform> params: Params;

fn start(replica: u32, column: u32) -> vec4<f32> {
    if (column >= params.outputs) {
        return vec4<f32>();
    }
    return load_bias(params.bias.x + replica * params.bias.y + column, params.outputs - column);
}

fn store(replica: u32, row: u32, column: u32, z: vec4<f32>) {
    if (row >= params.rows || column >= params.outputs) {
        return;
    }
    let count = params.outputs - column;
    let a = vec4<f32>(activation(z.x), activation(z.y), activation(z.z), activation(z.w));
    store_a(params.a.x + replica * params.a.y + row * params.outputs + column, count, a);
}

@compute @workgroup_size(THREADS)
fn dense(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let columns = (params.outputs + COLUMNS - 1u) / COLUMNS;
    let tile = group.y * groups.x + group.x;
    // The last row of a folded grid may reach past the tiles; the whole workgroup leaves together.
    if (tile >= (params.rows + ROWS - 1u) / ROWS * columns) {
        return;
    }
    let x = Matrix(params.x.x + group.z * params.x.y, params.rows, params.inputs);
    let w = Matrix(params.w.x + group.z * params.w.y, params.inputs, params.outputs);
    make_tile(thread, group.z, x, w, tile / columns * ROWS, tile % columns * COLUMNS, 0u, params.inputs);
}
