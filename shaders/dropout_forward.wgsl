// y[count] = x[count] m, where m is 0 for a dropped unit and 1 / (1 - rate) for the others. One invocation a unit.
// The mask is a hash of the step's key, the layer, the replica and the unit: integers only, so every device draws the
// same one, and the backward pass draws it again. A unit is dropped where the high 24 bits of its hash are below
// threshold = rate 2^24.
struct Params {
    x: vec4<u32>,
    y: vec4<u32>,
    count: u32,
    layer: u32,     // counted from 1
    threshold: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> x: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(256)
fn dropout_forward(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let i = (group.y * groups.x + group.x) * 256u + thread;
    if (i >= params.count) {
        return;
    }
    let key = mix(step.mask_key ^ mix(params.layer)) ^ mix(group.z);
    let dropped = (mix(mix(i ^ key) + key) >> 8u) < params.threshold;
    let scale = 16777216.0 / f32(16777216u - params.threshold);
    y[params.y.x + group.z * params.y.y + i] = select(x[params.x.x + group.z * params.x.y + i] * scale, 0.0, dropped);
}
