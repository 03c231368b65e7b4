// y[count] = x[count] m, with the mask m of shaders/shared/mask.wgsl. One invocation a unit.
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
    step = records[group.z];
    let i = (group.y * groups.x + group.x) * 256u + thread;
    if (i >= params.count) {
        return;
    }
    let factor = mask(i, params.layer, params.threshold);
    y[params.y.x + group.z * params.y.y + i] = x[params.x.x + group.z * params.x.y + i] * factor;
}
