// d[rows,outputs] = w loss'(z, y) / (rows outputs), the gradient of the mean loss over the step's rows, 0 in those behind them, and
// sums[groups,2]: each workgroup's sum of w loss(z, y) and its number of hits, at the step's ring slot.
// y[rows,columns] has the targets, and behind them the row's weights where there are more columns than outputs; w is the step's.
// A workgroup takes every groups-th run of 256 elements, then adds its invocations pairwise: a fixed order.
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

var<workgroup> partial: array<vec2<f32>, 256>;

@compute @workgroup_size(256)
fn loss(
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
    let count = params.rows * params.outputs;
    let counted = min(step.rows, params.rows) * params.outputs;
    let z_base = params.z.x + group.z * params.z.y;
    let y_base = params.y.x + group.z * params.y.y;
    let d_base = params.d.x + group.z * params.d.y;
    let c = hyper[params.hyper.x + group.z * params.hyper.y + HYPER_LOSS_PARAMETER];
    var sum = vec2<f32>();
    for (var i = index * 256u + thread; i < count; i += params.groups * 256u) {
        if (i >= counted) {
            d[d_base + i] = 0.0;
            continue;
        }
        let row = i / params.outputs;
        let y_row = y_base + row * params.columns;
        var weight = 1.0;
        if (params.columns > params.outputs) {
            // Whatever the number is, nothing outside the row is read.
            weight = y[y_row + params.outputs + min(step.weighting, params.columns - params.outputs - 1u)];
        }
        let zi = z[z_base + i];
        let yi = y[y_row + i % params.outputs];
        d[d_base + i] = weight * loss_gradient(zi, yi, c) / f32(counted);
        sum += vec2<f32>(finite_or_nan(zi, weight * loss_value(zi, yi, c)), f32(is_correct(zi, yi)));
    }
    partial[thread] = sum;
    for (var half = 128u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if (thread < half) {
            partial[thread] += partial[thread + half];
        }
    }
    if (thread == 0u && step.rows > 0u) {
        let at = params.sums.x + group.z * params.sums.y + step.slot * params.sums.z + index * 2u;
        sums[at] = partial[0].x;
        sums[at + 1u] = partial[0].y;
    }
}
