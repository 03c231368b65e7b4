// d[count] *= activation'(z[count]), in place: on entry dA, on exit dZ. One invocation an element.
// The derivative is given both z and a = activation(z) and uses what is cheaper.
struct Params {
    z: vec4<u32>,
    a: vec4<u32>,
    d: vec4<u32>,
    count: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> z: array<f32>;
@group(0) @binding(3) var<storage, read> a: array<f32>;
@group(0) @binding(4) var<storage, read_write> d: array<f32>;

@compute @workgroup_size(256)
fn activation_backward(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let i = (group.y * groups.x + group.x) * 256u + thread;
    if (i >= params.count) {
        return;
    }
    let at = params.d.x + group.z * params.d.y + i;
    let zi = z[params.z.x + group.z * params.z.y + i];
    let ai = a[params.a.x + group.z * params.a.y + i];
    d[at] = d[at] * activation_derivative(zi, ai);
}
