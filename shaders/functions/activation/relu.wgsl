// a = max(z, 0), with a'(0) = 0. Written as a comparison so that a NaN stays one.
fn activation(z: f32) -> f32 {
    return select(z, 0.0, z < 0.0);
}
fn activation_derivative(z: f32, a: f32) -> f32 {
    return select(0.0, 1.0, a > 0.0);
}
