// g[columns] = sum over rows of d[rows,columns].
// A workgroup sums 16 columns; each of its 16 lanes a column takes every 16th row in ascending order,
// then the lanes are added pairwise: a fixed order.
struct Params {
    d: vec4<u32>,
    g: vec4<u32>,
    rows: u32,
    columns: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> d: array<f32>;
@group(0) @binding(3) var<storage, read_write> g: array<f32>;

var<workgroup> lanes: array<f32, 256>; // [lane, column]

@compute @workgroup_size(256)
fn bias_grad(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let lane = thread / 16u;
    let column = (group.y * groups.x + group.x) * 16u + thread % 16u;
    var sum = 0.0;
    if (column < params.columns) {
        let base = params.d.x + group.z * params.d.y + column;
        for (var row = lane; row < params.rows; row += 16u) {
            sum += d[base + row * params.columns];
        }
    }
    lanes[thread] = sum;
    for (var half = 8u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if (lane < half) {
            lanes[thread] += lanes[thread + half * 16u];
        }
    }
    if (lane == 0u && column < params.columns) {
        g[params.g.x + group.z * params.g.y + column] = lanes[thread];
    }
}
