// The gradient by a layer's weight and bias, x[rows,inputs]ᵀ d[rows,outputs] and d's column sums, in shares: share i takes
// the i-th of equal runs of rows and stands at g[i stride ..]: the weight's [inputs,outputs] and, behind it, the bias's.
// A workgroup makes a tile of a share, as shaders/shared/product.wgsl has it; those of the first row of tiles add up columns too.
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

var<private> share: u32;

fn start(replica: u32, column: u32) -> vec4<f32> {
    return vec4<f32>();
}

fn store(replica: u32, row: u32, column: u32, values: vec4<f32>) {
    if (row < params.inputs && column < params.outputs) {
        let at = params.g.x + replica * params.g.y + share * params.stride + row * params.outputs + column;
        store_g(at, params.outputs - column, values);
    }
}

@compute @workgroup_size(THREADS)
fn dense_gradient(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let columns = (params.outputs + COLUMNS - 1u) / COLUMNS;
    let tiles = (params.inputs + ROWS - 1u) / ROWS * columns;
    let index = group.y * groups.x + group.x;
    // The last row of a folded grid may reach past the tiles; the whole workgroup leaves together.
    if (index >= tiles * params.groups) {
        return;
    }
    let number = index / tiles;
    share = number;
    let tile = index % tiles;
    let run = (params.rows + params.groups - 1u) / params.groups;
    let end = min((number + 1u) * run, params.rows);
    let x = Matrix(params.x.x + group.z * params.x.y, end, params.inputs);
    let d = Matrix(params.d.x + group.z * params.d.y, end, params.outputs);
    let column = tile % columns * COLUMNS;
    make_tile(thread, group.z, x, d, tile / columns * ROWS, column, number * run, end);
    if (tile < columns && thread < B_QUADS) {
        // The bias's gradient as one row more.
        let place = column + thread * 4u;
        if (place < params.outputs) {
            let at = params.g.x + group.z * params.g.y + number * params.stride + params.inputs * params.outputs + place;
            store_g(at, params.outputs - place, column_sum);
        }
    }
}
