// Softmax cross entropy l of rows of logits z, as shaders/shared/losses.wgsl has it, in blocks of 16 rows, 16 lanes a row. A lane takes every
// 16th output in ascending order, then the lanes are added pairwise, at last the rows: a fixed order. Lanes of rows past the end idle along.
// y[rows,columns] is the number of the row's class and its weights, if columns > 1, of which w is the step's; the loss's parameter is the
// label smoothing.
// The kernel behind: begin_block, which every invocation calls before logit, and logit, an element of z in that block.
// [row, lane]: the largest logit; its place and the bits of the largest |z|; others and the sum of z_max - z.
var<workgroup> tops: array<f32, 256>;
var<workgroup> places: array<vec2<u32>, 256>;

// Puts the gradient of the mean loss, w l' / rows, into d[rows,outputs], 0 behind the step's rows, for the run of blocks of a workgroup; the
// invocation's sum of w l and number of hits.
fn softmax_of_blocks(thread: u32, replica: u32, index: u32) -> vec2<f32> {
    let rows = min(step.rows, params.rows);
    let lane = thread % 16u;
    let first = thread - lane;
    let c = hyper[params.hyper.x + replica * params.hyper.y + HYPER_LOSS_PARAMETER];
    let share = c / f32(params.outputs);
    let blocks = (params.rows + 15u) / 16u;
    let run = (blocks + params.groups - 1u) / params.groups;
    var sum = vec2<f32>();
    for (var block = index * run; block < min((index + 1u) * run, blocks); block++) {
        let row = block * 16u + thread / 16u;
        let end = select(0u, params.outputs, row < rows);
        begin_block(thread, replica, block);

        var top = -3.4028234e38;
        var place = vec2<u32>(0xffffffffu, 0u);
        for (var j = lane; j < end; j += 16u) {
            let zj = logit(replica, row, j);
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
                let gap = top - logit(replica, row, j);
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
            let y_row = params.y.x + replica * params.y.y + row * params.columns;
            // The host has checked the number; whatever it is, nothing outside the row is read.
            let label = min(u32(max(y[y_row], 0.0)), params.outputs - 1u);
            var weight = 1.0;
            if (params.columns > 1u) {
                weight = y[y_row + 1u + min(step.weighting, params.columns - 2u)];
            }
            let d_row = params.d.x + replica * params.d.y + row * params.outputs;
            for (var j = lane; j < end; j += 16u) {
                let slope = softmax_slope(others.x, top - logit(replica, row, j), j == place.x, j == label, c, share);
                d[d_row + j] = weight * slope / f32(rows);
            }
            if (lane == 0u) {
                let gap = select(top - logit(replica, row, label), 0.0, label == place.x);
                let value = softmax_value(others.x, gap, others.y, c, share);
                sum += vec2<f32>(finite_or_nan(bitcast<f32>(place.y), weight * value), f32(label == place.x));
            }
        } else if (row < params.rows) {
            for (var j = lane; j < params.outputs; j += 16u) {
                d[params.d.x + replica * params.d.y + row * params.outputs + j] = 0.0;
            }
        }
    }
    workgroupBarrier(); // the lanes have been read
    return sum;
}
