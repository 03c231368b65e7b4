// a = max(z, 0), at most 6, with a'(0) = a'(6) = 0. Written as comparisons so that a NaN stays one.
fn activation(z: f32) -> f32 {
    return select(select(z, 6.0, z > 6.0), 0.0, z < 0.0);
}
fn activation_derivative(z: f32, a: f32) -> f32 {
    return select(0.0, 1.0, a > 0.0 && a < 6.0);
}
