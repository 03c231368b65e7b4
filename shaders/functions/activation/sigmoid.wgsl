// a = 1 / (1 + e^-z), from e^-|z| so that nothing overflows; a' = a (1 - a).
fn activation(z: f32) -> f32 {
    let e = exp(-abs(z));
    return select(1.0, e, z < 0.0) / (1.0 + e);
}
fn activation_derivative(z: f32, a: f32) -> f32 {
    return a * (1.0 - a);
}
