// The rows of a mini-batch and the first layer of them, a[rows,outputs] = f(x w + bias), as shaders/shared/gathered.wgsl, layer.wgsl and
// layer_epilogue.wgsl beside it have them.
struct Params {
    x: vec4<u32>,
    w: vec4<u32>,
    bias: vec4<u32>,
    y: vec4<u32>,
    batch_x: vec4<u32>,
    batch_y: vec4<u32>,
    a: vec4<u32>,
    rows: u32,
    outputs: u32,
    inputs: u32,
    samples: u32,
    columns: u32,
    tile_rows: u32,
    tile_columns: u32,
}
@group(0) @binding(0) var<uniform> params: Params;

@compute @workgroup_size(THREADS)
fn gather_dense(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let tile = group.y * groups.x + group.x;
    // The last row of a folded grid may reach past the tiles; the whole workgroup leaves together.
    if (!is_tile(tile)) {
        return;
    }
    step = records[group.z];
    find_samples(thread, group.z, tile);
    make_layer(thread, group.z, tile);
    copy_targets(thread, group.z);
}
