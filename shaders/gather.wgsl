// x[rows,columns] = the rows first_row .. first_row + rows of data[samples,columns], in the epoch's
// sample order or, IN_ORDER, in their own. One invocation an element.
override IN_ORDER: bool = false;

struct Params {
    data: vec4<u32>,
    x: vec4<u32>,
    rows: u32,
    columns: u32,
    samples: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> data: array<f32>;
@group(0) @binding(3) var<storage, read_write> x: array<f32>;

@compute @workgroup_size(256)
fn gather(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let i = (group.y * groups.x + group.x) * 256u + thread;
    if (i >= params.rows * params.columns) {
        return;
    }
    var sample = (step.first_row + i / params.columns) % params.samples;
    if (!IN_ORDER) {
        sample = permute(sample, step.key ^ mix(group.z), params.samples);
    }
    let source = params.data.x + group.z * params.data.y + sample * params.columns + i % params.columns;
    x[params.x.x + group.z * params.x.y + i] = data[source];
}
