// Softmax cross entropy of rows of logits z: d[rows,outputs] = w l' / rows, 0 behind the step's rows, and sums[groups,2], each workgroup's sum of
// w l and its number of hits, at the step's ring slot, as shaders/shared/softmax_blocks.wgsl and loss_sums.wgsl have them. A workgroup takes
// a run of blocks.
struct Params {
    z: vec4<u32>,
    y: vec4<u32>,
    hyper: vec4<u32>,
    d: vec4<u32>,
    sums: vec4<u32>,
    rows: u32,
    outputs: u32,
    columns: u32,
    groups: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> z: array<f32>;
@group(0) @binding(3) var<storage, read> y: array<f32>;
@group(0) @binding(4) var<storage, read> hyper: array<f32>;
@group(0) @binding(5) var<storage, read_write> d: array<f32>;
@group(0) @binding(6) var<storage, read_write> sums: array<f32>;

fn begin_block(thread: u32, replica: u32, block: u32) {
}

fn logit(replica: u32, row: u32, j: u32) -> f32 {
    return z[params.z.x + replica * params.z.y + row * params.outputs + j];
}

@compute @workgroup_size(256)
fn softmax_loss(
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
