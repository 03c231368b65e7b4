// What the kernels share that take rows through a whole network: a workgroup takes BLOCK rows through forward pass, loss and
// backward pass. Rows first_row .. first_row + rows of x[samples,inputs] and y[samples,columns] in the epoch's sample order or,
// IN_ORDER, in their own; y has the row's weight behind the targets where there are more columns than the loss takes.
// The tape in workgroup memory, [unit, row], holds the block's features and what each layer hands on; on the way back, the
// gradient by it takes its place. z goes to scratch[units,block], where an invocation reads only what it has written. The
// parameters are held in workgroup memory too where HOLDS says that they fit, else they are read through the cache. An
// invocation makes 4 rows of 4 units, or 4 by 4 elements of a weight's gradient. Sums over units and rows ascend, rows of one
// block four at a time; what invocations have summed is added pairwise: a fixed order.
// The part in front: the sizes BLOCK, INPUTS, OUTPUTS, LAYERS, UNITS (the layers' outputs), PARAMETERS and HELD
// (PARAMETERS where they are held); HOLDS; DROPOUT, whether there is any; layer_at; activation and slope of four z by the activation's number; loss_of_block. The kernel
// behind: params, the bindings x, y, hyper, p, scratch and g, and step.
const THREADS = 128u;
const QUADS = BLOCK / 4u; // rows, four at a time
const NEXT = vec4<u32>(0u, 1u, 2u, 3u);

var<workgroup> tape: array<vec4<f32>, (INPUTS + UNITS) * QUADS>;
var<workgroup> samples: array<u32, BLOCK>;
var<workgroup> partial: array<vec2<f32>, THREADS>;
var<workgroup> held: array<f32, HELD>;

struct Layer {
    inputs: u32,
    outputs: u32,
    weight: u32,     // place of its weight among the parameters; the bias is behind it
    unit: u32,       // units of the layers before it
    activation: u32,
    number: u32,     // counted from 1
    threshold: u32,  // of its dropout, or 0
}

// What an invocation works on.
struct Work {
    thread: u32,
    replica: u32,
    rows: u32,    // of the step
    row: u32,     // first of the block
    first: bool,  // whether the gradient starts with this block
    p: u32,       // where the parameters, the scratch and the gradient start
    scratch: u32,
    g: u32,
}

// Brings the parameters in, where they are held.
fn hold(work: Work) {
    if (!HOLDS) {
        return;
    }
    for (var i = work.thread; i < PARAMETERS; i += THREADS) {
        held[i] = p[work.p + i];
    }
    workgroupBarrier();
}

// The parameter at a place.
fn parameter(work: Work, place: u32) -> f32 {
    if (HOLDS) {
        return held[place];
    }
    return p[work.p + place];
}

// Adds the gradient of a block to the workgroup's own; the invocation's sum of w loss and number of hits.
fn through_network(work: Work) -> vec2<f32> {
    workgroupBarrier(); // the block before has been read
    load(work);
    for (var l = 0u; l < LAYERS; l++) {
        forward_layer(work, layer_at(l));
    }
    let sum = loss_of_block(work);
    workgroupBarrier();
    for (var l = LAYERS; l > 0u; l--) {
        backward_layer(work, layer_at(l - 1u));
    }
    return sum;
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

// The block's samples and features, a feature of 4 rows an invocation; rows past the end repeat the last one, and have no
// loss.
fn load(work: Work) {
    if (work.thread < BLOCK) {
        let position = (step.first_row + min(work.row + work.thread, work.rows - 1u)) % params.samples;
        if (IN_ORDER) {
            samples[work.thread] = position;
        } else {
            samples[work.thread] = permute(position, step.key ^ mix(work.replica), params.samples);
        }
    }
    workgroupBarrier();
    for (var i = work.thread; i < QUADS * INPUTS; i += THREADS) {
        let quad = i / INPUTS;
        let at = params.x.x + work.replica * params.x.y + i % INPUTS;
        tape[i % INPUTS * QUADS + quad] = vec4<f32>(
            x[at + samples[4u * quad] * params.inputs], x[at + samples[4u * quad + 1u] * params.inputs],
            x[at + samples[4u * quad + 2u] * params.inputs], x[at + samples[4u * quad + 3u] * params.inputs]);
    }
    workgroupBarrier();
}

// z = x W + b, and what the layer hands on.
fn forward_layer(work: Work, layer: Layer) {
    let input = (INPUTS + layer.unit - layer.inputs) * QUADS;
    let bias = layer.weight + layer.inputs * layer.outputs;
    for (var i = work.thread; i < QUADS * ((layer.outputs + 3u) / 4u); i += THREADS) {
        let quad = i % QUADS;
        let first = i / QUADS * 4u;
        let unit = min(first + NEXT, vec4<u32>(layer.outputs - 1u)); // past the end, the last one again
        var z0 = vec4<f32>(parameter(work, bias + unit.x));
        var z1 = vec4<f32>(parameter(work, bias + unit.y));
        var z2 = vec4<f32>(parameter(work, bias + unit.z));
        var z3 = vec4<f32>(parameter(work, bias + unit.w));
        var place = layer.weight;
        for (var k = 0u; k < layer.inputs; k++) {
            let value = tape[input + k * QUADS + quad];
            z0 = fma(value, vec4<f32>(parameter(work, place + unit.x)), z0);
            z1 = fma(value, vec4<f32>(parameter(work, place + unit.y)), z1);
            z2 = fma(value, vec4<f32>(parameter(work, place + unit.z)), z2);
            z3 = fma(value, vec4<f32>(parameter(work, place + unit.w)), z3);
            place += layer.outputs;
        }
        var z = array<vec4<f32>, 4>(z0, z1, z2, z3);
        for (var j = 0u; j < min(4u, layer.outputs - first); j++) {
            hand_on(work, layer, quad, first + j, z[j]);
        }
    }
    workgroupBarrier();
}

// Keeps z of a unit and hands on mask f(z).
fn hand_on(work: Work, layer: Layer, quad: u32, unit: u32, z: vec4<f32>) {
    let at = work.scratch + ((layer.unit + unit) * QUADS + quad) * 4u;
    scratch[at] = z.x;
    scratch[at + 1u] = z.y;
    scratch[at + 2u] = z.z;
    scratch[at + 3u] = z.w;
    tape[(INPUTS + layer.unit + unit) * QUADS + quad] = activation(layer.activation, z) * masks(work, layer, quad, unit);
}

// The factors of a unit's dropout in 4 rows.
fn masks(work: Work, layer: Layer, quad: u32, unit: u32) -> vec4<f32> {
    if (!DROPOUT || layer.threshold == 0u) {
        return vec4<f32>(1.0);
    }
    let index = (work.row + quad * 4u + NEXT) * layer.outputs + unit;
    return vec4<f32>(mask(index.x, layer.number, work.replica, layer.threshold),
        mask(index.y, layer.number, work.replica, layer.threshold),
        mask(index.z, layer.number, work.replica, layer.threshold),
        mask(index.w, layer.number, work.replica, layer.threshold));
}

// From the gradient by what the layer hands on: that by its parameters, and by what it was handed.
fn backward_layer(work: Work, layer: Layer) {
    let input = (INPUTS + layer.unit - layer.inputs) * QUADS;
    let output = (INPUTS + layer.unit) * QUADS;
    if (layer.activation > 0u || layer.threshold > 0u) {
        for (var i = work.thread; i < QUADS * ((layer.outputs + 3u) / 4u); i += THREADS) {
            for (var unit = i / QUADS * 4u; unit < min(i / QUADS * 4u + 4u, layer.outputs); unit++) {
                through_activation(work, layer, i % QUADS, unit);
            }
        }
        workgroupBarrier();
    }

    let columns = (layer.outputs + 3u) / 4u;
    for (var i = work.thread; i < (layer.inputs + 3u) / 4u * columns; i += THREADS) {
        let first_row = i / columns * 4u;
        let first_column = i % columns * 4u;
        let row = input + min(first_row + NEXT, vec4<u32>(layer.inputs - 1u)) * QUADS;
        let column = output + min(first_column + NEXT, vec4<u32>(layer.outputs - 1u)) * QUADS;
        var sum0 = vec4<f32>();
        var sum1 = vec4<f32>();
        var sum2 = vec4<f32>();
        var sum3 = vec4<f32>();
        for (var quad = 0u; quad < QUADS; quad++) {
            let d0 = tape[column.x + quad];
            let d1 = tape[column.y + quad];
            let d2 = tape[column.z + quad];
            let d3 = tape[column.w + quad];
            let a0 = tape[row.x + quad];
            let a1 = tape[row.y + quad];
            let a2 = tape[row.z + quad];
            let a3 = tape[row.w + quad];
            sum0 += vec4<f32>(dot(a0, d0), dot(a0, d1), dot(a0, d2), dot(a0, d3));
            sum1 += vec4<f32>(dot(a1, d0), dot(a1, d1), dot(a1, d2), dot(a1, d3));
            sum2 += vec4<f32>(dot(a2, d0), dot(a2, d1), dot(a2, d2), dot(a2, d3));
            sum3 += vec4<f32>(dot(a3, d0), dot(a3, d1), dot(a3, d2), dot(a3, d3));
        }
        add_row(work, layer, first_row, first_column, sum0);
        add_row(work, layer, first_row + 1u, first_column, sum1);
        add_row(work, layer, first_row + 2u, first_column, sum2);
        add_row(work, layer, first_row + 3u, first_column, sum3);
    }
    for (var unit = work.thread; unit < layer.outputs; unit += THREADS) {
        var sum = 0.0;
        for (var quad = 0u; quad < QUADS; quad++) {
            sum += dot(tape[output + unit * QUADS + quad], vec4<f32>(1.0));
        }
        add_gradient(work, layer.weight + layer.inputs * layer.outputs + unit, sum);
    }
    if (layer.unit == 0u) {
        return;
    }

    workgroupBarrier(); // what the layer was handed has been read
    for (var i = work.thread; i < QUADS * ((layer.inputs + 3u) / 4u); i += THREADS) {
        let quad = i % QUADS;
        let first = i / QUADS * 4u;
        let place = layer.weight + min(first + NEXT, vec4<u32>(layer.inputs - 1u)) * layer.outputs;
        var d0 = vec4<f32>();
        var d1 = vec4<f32>();
        var d2 = vec4<f32>();
        var d3 = vec4<f32>();
        for (var unit = 0u; unit < layer.outputs; unit++) {
            let d = tape[output + unit * QUADS + quad];
            d0 = fma(d, vec4<f32>(parameter(work, place.x + unit)), d0);
            d1 = fma(d, vec4<f32>(parameter(work, place.y + unit)), d1);
            d2 = fma(d, vec4<f32>(parameter(work, place.z + unit)), d2);
            d3 = fma(d, vec4<f32>(parameter(work, place.w + unit)), d3);
        }
        let at = input + first * QUADS + quad;
        tape[at] = d0;
        if (first + 1u < layer.inputs) { tape[at + QUADS] = d1; }
        if (first + 2u < layer.inputs) { tape[at + 2u * QUADS] = d2; }
        if (first + 3u < layer.inputs) { tape[at + 3u * QUADS] = d3; }
    }
    workgroupBarrier();
}

// d *= mask f'(z), for 4 rows of a unit.
fn through_activation(work: Work, layer: Layer, quad: u32, unit: u32) {
    let at = work.scratch + ((layer.unit + unit) * QUADS + quad) * 4u;
    let z = vec4<f32>(scratch[at], scratch[at + 1u], scratch[at + 2u], scratch[at + 3u]);
    tape[(INPUTS + layer.unit + unit) * QUADS + quad] *= slope(layer.activation, z) * masks(work, layer, quad, unit);
}

// Adds to 4 elements of a row of a weight's gradient, where they exist.
fn add_row(work: Work, layer: Layer, row: u32, column: u32, values: vec4<f32>) {
    if (row >= layer.inputs) {
        return;
    }
    let at = layer.weight + row * layer.outputs + column;
    add_gradient(work, at, values.x);
    if (column + 1u < layer.outputs) { add_gradient(work, at + 1u, values.y); }
    if (column + 2u < layer.outputs) { add_gradient(work, at + 2u, values.z); }
    if (column + 3u < layer.outputs) { add_gradient(work, at + 3u, values.w); }
}

fn add_gradient(work: Work, place: u32, value: f32) {
    var sum = value;
    if (!work.first) {
        sum += g[work.g + place];
    }
    g[work.g + place] = sum;
}
