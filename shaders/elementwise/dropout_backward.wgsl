// d[count] *= m: the gradient by what dropout_forward took, from that by what it gave, with the same mask. One
// invocation a unit.
struct Params {
    d: vec4<u32>,
    count: u32,
    layer: u32,     // counted from 1
    threshold: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read_write> d: array<f32>;

@compute @workgroup_size(256)
fn dropout_backward(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    step = records[group.z];
    let i = (group.y * groups.x + group.x) * 256u + thread;
    if (i >= params.count) {
        return;
    }
    let at = params.d.x + group.z * params.d.y + i;
    d[at] = d[at] * mask(i, params.layer, params.threshold);
}
