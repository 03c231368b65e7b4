// Both products that a layer's d[rows,outputs] is in, of which neither needs the other: c[rows,inputs] = (d wᵀ) f'(z), as dense_backward.wgsl
// has it, and the shares g of x[rows,inputs]ᵀ d and of d's column sums, as dense_gradient.wgsl has them.
// A workgroup makes a tile of one of them, as shaders/shared/product.wgsl has it; those of c come first. What kernels of one product say by
// constants is a variable here, which every call of make_tile finds with a value that compilers know.
var<private> A_BY_DEPTH: bool;
var<private> B_BY_DEPTH: bool;
var<private> COLUMN_SUMS: bool;

struct Params {
    d: vec4<u32>,
    w: vec4<u32>,
    x: vec4<u32>,
    z: vec4<u32>,
    a: vec4<u32>,
    c: vec4<u32>,
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
    if (COLUMN_SUMS) {
        store_gradient(replica, row, column, values);
    } else {
        store_way_back(replica, row, column, values);
    }
}

fn store_gradient(replica: u32, row: u32, column: u32, values: vec4<f32>) {
    if (row < params.inputs && column < params.outputs) {
        let at = params.g.x + replica * params.g.y + share * params.stride + row * params.outputs + column;
        store_g(at, params.outputs - column, values);
    }
}

fn store_way_back(replica: u32, row: u32, column: u32, values: vec4<f32>) {
    if (row >= params.rows || column >= params.inputs) {
        return;
    }
    let count = params.inputs - column;
    let at = row * params.inputs + column;
    let z = load_z(params.z.x + replica * params.z.y + at, count);
    let a = load_a(params.a.x + replica * params.a.y + at, count);
    let slopes = vec4<f32>(activation_derivative(z.x, a.x), activation_derivative(z.y, a.y),
        activation_derivative(z.z, a.z), activation_derivative(z.w, a.w));
    store_c(params.c.x + replica * params.c.y + at, count, values * slopes);
}

@compute @workgroup_size(THREADS)
fn dense_way_back(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let back_columns = (params.inputs + COLUMNS - 1u) / COLUMNS;
    let back_tiles = (params.rows + ROWS - 1u) / ROWS * back_columns;
    let columns = (params.outputs + COLUMNS - 1u) / COLUMNS;
    let tiles = (params.inputs + ROWS - 1u) / ROWS * columns;
    let index = group.y * groups.x + group.x;
    // The last row of a folded grid may reach past the tiles; the whole workgroup leaves together.
    if (index >= back_tiles + tiles * params.groups) {
        return;
    }
    let d_at = params.d.x + group.z * params.d.y;
    if (index < back_tiles) {
        A_BY_DEPTH = false;
        B_BY_DEPTH = false;
        COLUMN_SUMS = false;
        let d = Matrix(d_at, params.rows, params.outputs);
        let w = Matrix(params.w.x + group.z * params.w.y, params.inputs, params.outputs);
        make_tile(thread, group.z, d, w, index / back_columns * ROWS, index % back_columns * COLUMNS, 0u, params.outputs);
        return;
    }
    A_BY_DEPTH = true;
    B_BY_DEPTH = true;
    COLUMN_SUMS = true;
    let number = (index - back_tiles) / tiles;
    share = number;
    let tile = (index - back_tiles) % tiles;
    let run = (params.rows + params.groups - 1u) / params.groups;
    let end = min((number + 1u) * run, params.rows);
    let x = Matrix(params.x.x + group.z * params.x.y, end, params.inputs);
    let d = Matrix(d_at, end, params.outputs);
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
