// a = z
fn activation(z: f32) -> f32 {
    return z;
}
fn activation_derivative(z: f32, a: f32) -> f32 {
    return 1.0;
}
