// Both products that a layer's d[rows,outputs] is in, of which neither needs the other: c[rows,inputs] = (d wᵀ) f'(z), as dense_backward.wgsl
// makes it alone, and the shares g of x[rows,inputs]ᵀ d and of d's column sums, as dense_gradient.wgsl does.
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

fn start(replica: u32, column: u32) -> vec4<f32> {
    return vec4<f32>();
}

fn store(replica: u32, row: u32, column: u32, values: vec4<f32>) {
    if (COLUMN_SUMS) {
        store_share(replica, row, column, values);
    } else {
        store_sloped(replica, row, column, values);
    }
}

@compute @workgroup_size(THREADS)
fn dense_way_back(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let back_columns = (params.inputs + COLUMNS - 1u) / COLUMNS;
    let back_tiles = (params.rows + ROWS - 1u) / ROWS * back_columns;
    let index = group.y * groups.x + group.x;
    // The last row of a folded grid may reach past the tiles; the whole workgroup leaves together.
    if (index >= back_tiles + tiles_of_a_share() * params.groups) {
        return;
    }
    if (index < back_tiles) {
        A_BY_DEPTH = false;
        B_BY_DEPTH = false;
        COLUMN_SUMS = false;
        let d = Matrix(params.d.x + group.z * params.d.y, params.rows, params.outputs);
        let w = Matrix(params.w.x + group.z * params.w.y, params.inputs, params.outputs);
        make_tile(thread, group.z, d, w, index / back_columns * ROWS, index % back_columns * COLUMNS, 0u, params.outputs);
        return;
    }
    A_BY_DEPTH = true;
    B_BY_DEPTH = true;
    COLUMN_SUMS = true;
    make_share(thread, group.z, index - back_tiles);
}
