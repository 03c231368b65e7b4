// What the kernels share that take a block of rows through a network and back, behind shaders/shared/block.wgsl.
// y[samples,columns] has the row's weights behind the targets where there are more columns than the loss takes; the step says which counts.
// On the way back, the gradient by a layer's z takes the place of what the layer has handed on. Sums over rows ascend; what invocations
// have summed is added pairwise: a fixed order.
// Rows are first_row .. first_row + rows of x[samples,inputs] in the epoch's sample order or, IN_ORDER, in their own. Where the slope of
// the activation needs z, or dropout hides what the activation made, z goes to scratch[units,block], where an invocation reads only what
// it has written.
// The part in front: KEEPS, whether any z is kept; DROPOUT, whether there is any; slope of four z and their activations by the activation's
// number, and loss_of_block. The kernel behind: the bindings y, hyper, scratch and g, and step.
var<workgroup> samples: array<u32, BLOCK>;
var<workgroup> partial: array<vec2<f32>, THREADS>;

// Adds the gradient of a block to the workgroup's own; the invocation's sum of w loss and number of hits.
fn through_network(work: Work) -> vec2<f32> {
    workgroupBarrier(); // the block before has been read
    forward(work);
    let sum = loss_of_block(work);
    workgroupBarrier();
    through_last(work);
    for (var l = LAYERS; l > 0u; l--) {
        let layer = layer_at(l - 1u);
        gradient(work, layer);
        if (l > 1u) {
            workgroupBarrier(); // what the layer was handed has been read
            back(work, layer, layer_at(l - 2u));
            workgroupBarrier();
        }
    }
    return sum;
}

// Takes the block from its rows to the outputs.
fn forward(work: Work) {
    load(work);
    for (var l = 0u; l < LAYERS; l++) {
        forward_layer(work, layer_at(l));
    }
}

// The block's samples and features, a feature of 4 rows an invocation; rows past the end repeat the last one.
fn load(work: Work) {
    if (work.thread < BLOCK) {
        samples[work.thread] = sample_of(min(work.row + work.thread, work.rows - 1u));
    }
    workgroupBarrier();
    for (var i = work.thread; i < QUADS * INPUTS; i += THREADS) {
        let quad = i / INPUTS;
        let at = params.x.x + work.replica * params.x.y + i % INPUTS;
        activations[place(i % INPUTS, quad)] = vec4<f32>(
            x[at + samples[4u * quad] * params.inputs], x[at + samples[4u * quad + 1u] * params.inputs],
            x[at + samples[4u * quad + 2u] * params.inputs], x[at + samples[4u * quad + 3u] * params.inputs]);
    }
    workgroupBarrier();
}

// Where a row of the step stands in the data.
fn sample_of(row: u32) -> u32 {
    return sample_at(step.first_row + row, params.samples, IN_ORDER);
}

// Hands on mask f(z).
fn store_output(work: Work, layer: Layer, quad: u32, unit: u32, z: vec4<f32>) {
    keep(work, layer, quad, unit, z);
    activations[place(layer.output + unit, quad)] = activation(layer.activation, z) * masks(work, layer, quad, unit);
}

// Keeps z of 4 rows of a unit, where the way back needs it.
fn keep(work: Work, layer: Layer, quad: u32, unit: u32, z: vec4<f32>) {
    if (KEEPS && layer.keeps) {
        scratch[kept_at(work, layer, quad, unit)] = z;
    }
}

fn kept_at(work: Work, layer: Layer, quad: u32, unit: u32) -> u32 {
    return work.scratch / 4u + (layer.unit + unit) * QUADS + quad;
}

// The factors of a unit's dropout in 4 rows.
fn masks(work: Work, layer: Layer, quad: u32, unit: u32) -> vec4<f32> {
    if (!DROPOUT || layer.threshold == 0u) {
        return vec4<f32>(1.0);
    }
    let index = (work.row + quad * 4u + NEXT) * layer.outputs + unit;
    return vec4<f32>(mask(index.x, layer.number, layer.threshold),
        mask(index.y, layer.number, layer.threshold),
        mask(index.z, layer.number, layer.threshold),
        mask(index.w, layer.number, layer.threshold));
}

// The sum of what all invocations have.
fn add_up(thread: u32, own: vec2<f32>) -> vec2<f32> {
    workgroupBarrier(); // the sum before has been read
    partial[thread] = own;
    for (var half = THREADS / 2u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if (thread < half) {
            partial[thread] += partial[thread + half];
        }
    }
    workgroupBarrier();
    return partial[0];
}

// Puts d f'(z), d being the gradient by what a layer hands on in 4 rows of a unit, in the place of that.
fn through_activation(work: Work, layer: Layer, quad: u32, unit: u32, d: vec4<f32>) {
    let at = place(layer.output + unit, quad);
    // Where z is not kept, the slope is told by what the activation made of it.
    var z = activations[at];
    var a = z;
    if (KEEPS && layer.keeps) {
        z = scratch[kept_at(work, layer, quad, unit)];
        a = activation(layer.activation, z);
    }
    activations[at] = d * (slope(layer.activation, z, a) * masks(work, layer, quad, unit));
}

// The last layer has its gradient in the place of its outputs already.
fn through_last(work: Work) {
    let layer = layer_at(LAYERS - 1u);
    if (layer.activation == 0u) {
        return;
    }
    let each = select(1u, 4u, FOURS);
    for (var i = work.thread; i < QUADS * select(layer.outputs, layer.groups, FOURS); i += THREADS) {
        for (var unit = i / QUADS * each; unit < min(i / QUADS * each + each, layer.outputs); unit++) {
            through_activation(work, layer, i % QUADS, unit, activations[place(layer.output + unit, i % QUADS)]);
        }
    }
    workgroupBarrier();
}

// From the gradient by a layer's z that by its parameters. An invocation makes 4 rows of 4 columns that lie apart, so that neighbours
// read and write neighbouring columns.
fn gradient(work: Work, layer: Layer) {
    for (var i = work.thread; i < (layer.inputs + 3u) / 4u * layer.groups; i += THREADS) {
        let first = i / layer.groups * 4u;
        let column = i % layer.groups;
        let row = layer.input + min(first + NEXT, vec4<u32>(layer.inputs - 1u));
        let unit = layer.output + min(column + NEXT * layer.groups, vec4<u32>(layer.outputs - 1u));
        var sum0 = vec4<f32>();
        var sum1 = vec4<f32>();
        var sum2 = vec4<f32>();
        var sum3 = vec4<f32>();
        for (var quad = 0u; quad < QUADS; quad++) {
            let d0 = activations[place(unit.x, quad)];
            let d1 = activations[place(unit.y, quad)];
            let d2 = activations[place(unit.z, quad)];
            let d3 = activations[place(unit.w, quad)];
            // One row on its way while another is used: some GPUs have no registers for all four beside the sums.
            let a0 = activations[place(row.x, quad)];
            let a1 = activations[place(row.y, quad)];
            sum0 += vec4<f32>(dot(a0, d0), dot(a0, d1), dot(a0, d2), dot(a0, d3));
            let a2 = activations[place(row.z, quad)];
            sum1 += vec4<f32>(dot(a1, d0), dot(a1, d1), dot(a1, d2), dot(a1, d3));
            let a3 = activations[place(row.w, quad)];
            sum2 += vec4<f32>(dot(a2, d0), dot(a2, d1), dot(a2, d2), dot(a2, d3));
            sum3 += vec4<f32>(dot(a3, d0), dot(a3, d1), dot(a3, d2), dot(a3, d3));
        }
        add_columns(work, layer, first, column, sum0);
        add_columns(work, layer, first + 1u, column, sum1);
        add_columns(work, layer, first + 2u, column, sum2);
        add_columns(work, layer, first + 3u, column, sum3);
    }
    for (var unit = work.thread; unit < layer.outputs; unit += THREADS) {
        var sum = 0.0;
        for (var quad = 0u; quad < QUADS; quad++) {
            sum += dot(activations[place(layer.output + unit, quad)], vec4<f32>(1.0));
        }
        add_gradient(work, layer.weight + layer.inputs * layer.outputs + unit, sum);
    }
}

// Adds to 4 elements of a row of a weight's gradient, where they exist.
fn add_columns(work: Work, layer: Layer, row: u32, column: u32, values: vec4<f32>) {
    // No early return: FXC takes no barrier behind one.
    if (row < layer.inputs) {
        let at = layer.weight + row * layer.outputs + column;
        add_gradient(work, at, values.x);
        if (column + layer.groups < layer.outputs) { add_gradient(work, at + layer.groups, values.y); }
        if (column + 2u * layer.groups < layer.outputs) { add_gradient(work, at + 2u * layer.groups, values.z); }
        if (column + 3u * layer.groups < layer.outputs) { add_gradient(work, at + 3u * layer.groups, values.w); }
    }
}

fn add_gradient(work: Work, at: u32, value: f32) {
    var sum = value;
    if (!work.first) {
        sum += g[work.g + at];
    }
    g[work.g + at] = sum;
}

// From the gradient by a layer's z that by the z of the layer before it.
fn back(work: Work, layer: Layer, before: Layer) {
    if (FOURS) {
        for (var i = work.thread; i < QUADS * before.groups; i += THREADS) {
            let quad = i % QUADS;
            let first = i / QUADS * 4u;
            let row = min(first + NEXT, vec4<u32>(layer.inputs - 1u));
            var d0 = vec4<f32>();
            var d1 = vec4<f32>();
            var d2 = vec4<f32>();
            var d3 = vec4<f32>();
            let whole = layer.outputs / 4u * 4u;
            for (var unit = 0u; unit < whole; unit += 4u) {
                let w0 = weights(work, layer, row.x, unit / 4u);
                let w1 = weights(work, layer, row.y, unit / 4u);
                let w2 = weights(work, layer, row.z, unit / 4u);
                let w3 = weights(work, layer, row.w, unit / 4u);
                let units = units_at(layer.output + unit, quad);
                d0 = add_four(units, w0, d0);
                d1 = add_four(units, w1, d1);
                d2 = add_four(units, w2, d2);
                d3 = add_four(units, w3, d3);
            }
            for (var unit = whole; unit < layer.outputs; unit++) {
                let d = activations[place(layer.output + unit, quad)];
                d0 = fma(d, vec4<f32>(weight(work, layer, row.x, unit)), d0);
                d1 = fma(d, vec4<f32>(weight(work, layer, row.y, unit)), d1);
                d2 = fma(d, vec4<f32>(weight(work, layer, row.z, unit)), d2);
                d3 = fma(d, vec4<f32>(weight(work, layer, row.w, unit)), d3);
            }
            through_activation(work, before, quad, first, d0);
            if (first + 1u < layer.inputs) { through_activation(work, before, quad, first + 1u, d1); }
            if (first + 2u < layer.inputs) { through_activation(work, before, quad, first + 2u, d2); }
            if (first + 3u < layer.inputs) { through_activation(work, before, quad, first + 3u, d3); }
        }
    } else {
        for (var i = work.thread; i < QUADS * layer.inputs; i += THREADS) {
            let quad = i % QUADS;
            let row = i / QUADS;
            var d = vec4<f32>();
            let whole = layer.outputs / 4u * 4u;
            for (var unit = 0u; unit < whole; unit += 4u) {
                let units = units_at(layer.output + unit, quad);
                d = add_four(units, weights(work, layer, row, unit / 4u), d);
            }
            for (var unit = whole; unit < layer.outputs; unit++) {
                d = fma(activations[place(layer.output + unit, quad)], vec4<f32>(weight(work, layer, row, unit)), d);
            }
            through_activation(work, before, quad, row, d);
        }
    }
}
