// w[parameters]: p[trained], the rows of the first layer's weight [inputs,outputs] by the factors that stand behind the parameters. One
// invocation an element.
struct Params {
    p: vec4<u32>,
    w: vec4<u32>,
    parameters: u32,
    trained: u32,
    inputs: u32,
    outputs: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> p: array<f32>;
@group(0) @binding(3) var<storage, read_write> w: array<f32>;

@compute @workgroup_size(256)
fn scaled_weights(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let i = (group.y * groups.x + group.x) * 256u + thread;
    if (i >= params.parameters) {
        return;
    }
    let first = params.p.x + group.z * params.p.y;
    var value = p[first + i];
    if (i < params.inputs * params.outputs) {
        value *= p[first + params.parameters + i / params.outputs];
    }
    w[params.w.x + group.z * params.w.y + i] = value;
}
