// What kernels of a pointwise loss share.
// y[rows,columns] has the targets, and behind them the row's weights where there are more columns than outputs; w is the step's.

// Puts the gradient of the mean loss by an element z of the outputs into its place, 0 behind the step's rows, which have `counted` elements;
// w loss(z, y), and 1 for a hit.
fn loss_of(replica: u32, i: u32, z: f32, counted: u32) -> vec2<f32> {
    let d_at = params.d.x + replica * params.d.y + i;
    if (i >= counted) {
        d[d_at] = 0.0;
        return vec2<f32>();
    }
    let y_row = params.y.x + replica * params.y.y + i / params.outputs * params.columns;
    var weight = 1.0;
    if (params.columns > params.outputs) {
        // Whatever the number is, nothing outside the row is read.
        weight = y[y_row + params.outputs + min(step.weighting, params.columns - params.outputs - 1u)];
    }
    let yi = y[y_row + i % params.outputs];
    let c = hyper[params.hyper.x + replica * params.hyper.y + HYPER_LOSS_PARAMETER];
    d[d_at] = weight * loss_gradient(z, yi, c) / f32(counted);
    return vec2<f32>(finite_or_nan(z, weight * loss_value(z, yi, c)), f32(is_correct(z, yi)));
}
