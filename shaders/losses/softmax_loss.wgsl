// Softmax cross entropy l of rows of logits z, as shaders/shared/losses.wgsl has it: d[rows,outputs] = w l' / rows, 0 behind the step's rows, and
// sums[groups,2], each workgroup's sum of w l and its number of hits, at the step's ring slot. y[rows,columns] is the
// number of the row's class and its weights, if columns > 1, of which w is the step's; the loss's parameter is the label smoothing.
// A workgroup takes a run of blocks of 16 rows, 16 lanes a row. A lane takes every 16th output in ascending order, then
// the lanes are added pairwise, at last the rows: a fixed order. Lanes of rows past the end idle along.
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

// [row, lane]: the largest logit; its place and the bits of the largest |z|; others and the sum of z_max - z.
var<workgroup> tops: array<f32, 256>;
var<workgroup> places: array<vec2<u32>, 256>;
var<workgroup> partial: array<vec2<f32>, 256>;

@compute @workgroup_size(256)
fn softmax_loss(
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
    let rows = min(step.rows, params.rows);
    let lane = thread % 16u;
    let first = thread - lane;
    let c = hyper[params.hyper.x + group.z * params.hyper.y + HYPER_LOSS_PARAMETER];
    let share = c / f32(params.outputs);
    let blocks = (params.rows + 15u) / 16u;
    let run = (blocks + params.groups - 1u) / params.groups;
    var sum = vec2<f32>();
    for (var block = index * run; block < min((index + 1u) * run, blocks); block++) {
        let row = block * 16u + thread / 16u;
        let end = select(0u, params.outputs, row < rows);
        let z_row = params.z.x + group.z * params.z.y + row * params.outputs;

        var top = -3.4028234e38;
        var place = vec2<u32>(0xffffffffu, 0u);
        for (var j = lane; j < end; j += 16u) {
            let zj = z[z_row + j];
            if (zj > top || place.x == 0xffffffffu) {
                top = zj;
                place.x = j;
            }
            place.y = max(place.y, bitcast<u32>(zj) & 0x7fffffffu);
        }
        tops[thread] = top;
        places[thread] = place;
        for (var half = 8u; half > 0u; half /= 2u) {
            workgroupBarrier();
            if (lane < half) {
                let mine = places[thread];
                let other = places[thread + half];
                let rival = tops[thread + half];
                let larger = rival > tops[thread] || (rival == tops[thread] && other.x < mine.x);
                tops[thread] = select(tops[thread], rival, larger);
                places[thread] = vec2<u32>(select(mine.x, other.x, larger), max(mine.y, other.y));
            }
        }
        workgroupBarrier();
        top = tops[first];
        place = places[first];

        var others = vec2<f32>();
        for (var j = lane; j < end; j += 16u) {
            if (j != place.x) {
                let gap = top - z[z_row + j];
                others += vec2<f32>(exp(-gap), gap);
            }
        }
        partial[thread] = others;
        for (var half = 8u; half > 0u; half /= 2u) {
            workgroupBarrier();
            if (lane < half) {
                partial[thread] += partial[thread + half];
            }
        }
        workgroupBarrier();
        others = partial[first];

        if (row < rows) {
            let y_row = params.y.x + group.z * params.y.y + row * params.columns;
            // The host has checked the number; whatever it is, nothing outside the row is read.
            let label = min(u32(max(y[y_row], 0.0)), params.outputs - 1u);
            var weight = 1.0;
            if (params.columns > 1u) {
                weight = y[y_row + 1u + min(step.weighting, params.columns - 2u)];
            }
            let d_row = params.d.x + group.z * params.d.y + row * params.outputs;
            for (var j = lane; j < end; j += 16u) {
                let slope = softmax_slope(others.x, top - z[z_row + j], j == place.x, j == label, c, share);
                d[d_row + j] = weight * slope / f32(rows);
            }
            if (lane == 0u) {
                let gap = select(top - z[z_row + label], 0.0, label == place.x);
                let value = softmax_value(others.x, gap, others.y, c, share);
                sum += vec2<f32>(finite_or_nan(bitcast<f32>(place.y), weight * value), f32(label == place.x));
            }
        } else if (row < params.rows) {
            for (var j = lane; j < params.outputs; j += 16u) {
                d[params.d.x + group.z * params.d.y + row * params.outputs + j] = 0.0;
            }
        }
    }
    workgroupBarrier();
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
