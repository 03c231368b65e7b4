// A layer in training, which keeps z for the way back, as shaders/shared/layer.wgsl and layer_keep_epilogue.wgsl beside it have it.
struct Params {
    x: vec4<u32>,
    w: vec4<u32>,
    bias: vec4<u32>,
    z: vec4<u32>,
    a: vec4<u32>,
    rows: u32,
    outputs: u32,
    inputs: u32,
    tile_rows: u32,
    tile_columns: u32,
}
@group(0) @binding(0) var<uniform> params: Params;

@compute @workgroup_size(THREADS)
fn dense_keep(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let tile = group.y * groups.x + group.x;
    // The last row of a folded grid may reach past the tiles; the whole workgroup leaves together.
    if (!is_tile(tile)) {
        return;
    }
    make_layer(thread, group.z, tile);
}
