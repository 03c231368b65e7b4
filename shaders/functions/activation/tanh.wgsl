// |a| = -p / (2 + p), p = e^(-2|z|) - 1 = m (m + 2), m = e^-|z| - 1: no cancellation near 0, where m is elu's series
// (WGSL's own tanh may be off by 1e-5). a' = 4 e² / (1 + e²)², e = e^-|z|, keeps the tails, which 1 - a² loses.
fn activation(z: f32) -> f32 {
    let x = -abs(z);
    let series = 1.0 + x * (1.0 / 2.0 + x * (1.0 / 6.0 + x * (1.0 / 24.0 + x * (1.0 / 120.0
        + x * (1.0 / 720.0 + x * (1.0 / 5040.0 + x * (1.0 / 40320.0)))))));
    let m = select(exp(x) - 1.0, x * series, x > -0.5);
    let p = m * (m + 2.0);
    let size = -p / (2.0 + p);
    return select(size, -size, z < 0.0);
}
fn activation_derivative(z: f32, a: f32) -> f32 {
    let e = exp(-abs(z));
    let square = e * e;
    return 4.0 * square / ((1.0 + square) * (1.0 + square));
}
