// A pointwise loss of a block: an invocation takes an output of 4 rows. Puts the gradient of the mean loss by the output
// in the output's place; returns the invocation's sum of w loss and its number of hits.
fn loss_of_block(work: Work) -> vec2<f32> {
    var sum = vec2<f32>();
    for (var i = work.thread; i < QUADS * OUTPUTS; i += THREADS) {
        let unit = i / QUADS;
        let row = i % QUADS * 4u;
        let at = place(INPUTS + UNITS - OUTPUTS + unit, i % QUADS);
        var z = activations[at];
        var slopes = vec4<f32>();
        for (var j = 0u; j < 4u; j++) {
            let term = loss_term(work, row + j, unit, z[j]);
            sum += term.xy;
            slopes[j] = term.z;
        }
        activations[at] = slopes;
    }
    return sum;
}

// w l(z, y), whether it is a hit, and w l'(z, y) / (rows outputs); all 0 for a row past the end.
fn loss_term(work: Work, row: u32, unit: u32, z: f32) -> vec3<f32> {
    // No early return: FXC takes no barrier behind one.
    var term = vec3<f32>();
    if (work.row + row < work.rows) {
        let at = params.y.x + work.replica * params.y.y + samples[row] * params.columns;
        let c = hyper[params.hyper.x + work.replica * params.hyper.y + HYPER_LOSS_PARAMETER];
        var weight = 1.0;
        if (params.columns > OUTPUTS) {
            // Whatever the number is, nothing outside the row is read.
            weight = y[at + OUTPUTS + min(step.weighting, params.columns - OUTPUTS - 1u)];
        }
        let target_value = y[at + unit];
        let value = finite_or_nan(z, weight * loss_value(z, target_value, c));
        let slope = weight * loss_gradient(z, target_value, c) / f32(work.rows * OUTPUTS);
        term = vec3<f32>(value, f32(is_correct(z, target_value)), slope);
    }
    return term;
}
