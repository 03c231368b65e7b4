// a = log(1 + e^z) = max(z, 0) + log(1 + e^-|z|); a' = sigmoid(z). The logarithm is binary_cross_entropy's series
// 2 artanh(e / (2 + e)); max is a comparison so that a NaN stays one.
fn activation(z: f32) -> f32 {
    let e = exp(-abs(z));
    let s = e / (2.0 + e);
    let q = s * s;
    let series = 1.0 + q * (1.0 / 3.0 + q * (1.0 / 5.0 + q * (1.0 / 7.0 + q * (1.0 / 9.0
        + q * (1.0 / 11.0 + q * (1.0 / 13.0 + q * (1.0 / 15.0)))))));
    return select(z, 0.0, z < 0.0) + 2.0 * s * series;
}
fn activation_derivative(z: f32, a: f32) -> f32 {
    let e = exp(-abs(z));
    return select(1.0, e, z < 0.0) / (1.0 + e);
}
