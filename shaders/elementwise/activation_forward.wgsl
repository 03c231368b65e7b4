// a[count] = activation(z[count]). One invocation an element; the activation is the part in front.
struct Params {
    z: vec4<u32>,
    a: vec4<u32>,
    count: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> z: array<f32>;
@group(0) @binding(3) var<storage, read_write> a: array<f32>;

@compute @workgroup_size(256)
fn activation_forward(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let i = (group.y * groups.x + group.x) * 256u + thread;
    if (i >= params.count) {
        return;
    }
    a[params.a.x + group.z * params.a.y + i] = activation(z[params.z.x + group.z * params.z.y + i]);
}
