// Softmax cross entropy of a block, with the formulas of shaders/shared/losses.wgsl: an invocation takes 4 rows. Puts the
// gradient of the mean loss by the outputs in their place; returns the sum of w loss and the number of hits.
fn loss_of_block(work: Work) -> vec2<f32> {
    // Not an early return: a compiler may refuse the barriers behind one that depends on the invocation.
    var sum = vec2<f32>();
    if (work.thread < QUADS) {
        sum = loss_of_rows(work);
    }
    return sum;
}

fn loss_of_rows(work: Work) -> vec2<f32> {
    let first = INPUTS + UNITS - OUTPUTS;
    let quad = work.thread;
    var top = activations[place(first, quad)];
    var largest = vec4<u32>();
    var bits = bitcast<vec4<u32>>(top) & vec4<u32>(0x7fffffffu);
    for (var j = 1u; j < OUTPUTS; j++) {
        let z = activations[place(first + j, quad)];
        largest = select(largest, vec4<u32>(j), z > top);
        top = select(top, z, z > top);
        bits = max(bits, bitcast<vec4<u32>>(z) & vec4<u32>(0x7fffffffu));
    }
    var others = vec4<f32>();
    var gaps = vec4<f32>();
    for (var j = 0u; j < OUTPUTS; j++) {
        let gap = top - activations[place(first + j, quad)];
        others += select(exp(-gap), vec4<f32>(), vec4<u32>(j) == largest);
        gaps += select(gap, vec4<f32>(), vec4<u32>(j) == largest);
    }
    let row = work.thread * 4u;
    let classes = vec4<u32>(class_of(work, row), class_of(work, row + 1u), class_of(work, row + 2u),
        class_of(work, row + 3u));
    let weights = vec4<f32>(weight_of(work, row), weight_of(work, row + 1u), weight_of(work, row + 2u),
        weight_of(work, row + 3u));

    let c = hyper[params.hyper.x + work.replica * params.hyper.y + HYPER_LOSS_PARAMETER];
    let share = c / f32(OUTPUTS);
    var gap = vec4<f32>();
    for (var j = 0u; j < OUTPUTS; j++) {
        let z = activations[place(first + j, quad)];
        let is_top = vec4<u32>(j) == largest;
        let is_class = vec4<u32>(j) == classes;
        let below = top - z;
        gap = select(gap, below, is_class & !is_top);
        var slope = vec4<f32>();
        for (var i = 0u; i < 4u; i++) {
            slope[i] = softmax_slope(others[i], below[i], is_top[i], is_class[i], c, share) * weights[i] / f32(work.rows);
        }
        // A row past the end has no gradient, whatever its outputs are.
        activations[place(first + j, quad)] = select(slope, vec4<f32>(), weights == vec4<f32>());
    }
    var sum = vec2<f32>();
    for (var i = 0u; i < 4u; i++) {
        if (work.row + row + i < work.rows) {
            let value = softmax_value(others[i], gap[i], gaps[i], c, share);
            sum.x += finite_or_nan(bitcast<f32>(bits[i]), weights[i] * value);
            sum.y += f32(classes[i] == largest[i]);
        }
    }
    return sum;
}

// The host has checked the number; whatever it is, nothing outside the row is read.
fn class_of(work: Work, row: u32) -> u32 {
    let at = params.y.x + work.replica * params.y.y + samples[row] * params.columns;
    return min(u32(max(y[at], 0.0)), OUTPUTS - 1u);
}

fn weight_of(work: Work, row: u32) -> f32 {
    if (work.row + row >= work.rows) {
        return 0.0;
    }
    if (params.columns == 1u) {
        return 1.0;
    }
    let weighting = min(step.weighting, params.columns - 2u);
    return y[params.y.x + work.replica * params.y.y + samples[row] * params.columns + 1u + weighting];
}
