// A narrow last layer and softmax cross entropy of it: a[rows,outputs] = x[rows,inputs] w[inputs,outputs] + bias[outputs], as
// shaders/shared/narrow_layer.wgsl has it, and d and sums as softmax_loss.wgsl has them for these logits.
struct Params {
    x: vec4<u32>,
    w: vec4<u32>,
    bias: vec4<u32>,
    y: vec4<u32>,
    hyper: vec4<u32>,
    a: vec4<u32>,
    d: vec4<u32>,
    sums: vec4<u32>,
    rows: u32,
    outputs: u32,
    inputs: u32,
    columns: u32,
    groups: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> x: array<f32>;
@group(0) @binding(3) var<storage, read> w: array<f32>;
@group(0) @binding(4) var<storage, read> bias: array<f32>;
@group(0) @binding(5) var<storage, read> y: array<f32>;
@group(0) @binding(6) var<storage, read> hyper: array<f32>;
@group(0) @binding(7) var<storage, read_write> a: array<f32>;
@group(0) @binding(8) var<storage, read_write> d: array<f32>;
@group(0) @binding(9) var<storage, read_write> sums: array<f32>;

// [row, output] of the block. Each is the first one that its invocation asks for; a barrier stands before those of others.
var<workgroup> logits: array<f32, 256>;

fn begin_block(thread: u32, replica: u32, block: u32) {
    logits[thread] = layer_output(thread, replica, block);
}

fn logit(replica: u32, row: u32, j: u32) -> f32 {
    return logits[row % 16u * 16u + j];
}

@compute @workgroup_size(256)
fn dense_softmax_loss(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let index = group.y * groups.x + group.x;
    // The last row of a folded grid may reach past the groups; the whole workgroup leaves together.
    if (index >= params.groups) {
        return;
    }
    step = records[group.z];
    record_sums(thread, group.z, index, softmax_of_blocks(thread, group.z, index));
}
