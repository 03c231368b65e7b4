// z[rows,columns] += b[columns], in place. One invocation an element.
struct Params {
    b: vec4<u32>,
    z: vec4<u32>,
    rows: u32,
    columns: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(3) var<storage, read_write> z: array<f32>;

@compute @workgroup_size(256)
fn bias_add(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let i = (group.y * groups.x + group.x) * 256u + thread;
    if (i >= params.rows * params.columns) {
        return;
    }
    let at = params.z.x + group.z * params.z.y + i;
    z[at] = z[at] + b[params.b.x + group.z * params.b.y + i % params.columns];
}
