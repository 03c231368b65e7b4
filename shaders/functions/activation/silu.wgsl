// a = z s(z), s the sigmoid; a' = s(z) (1 + z s(-z)). Both from e^-|z|, so that nothing overflows.
fn activation(z: f32) -> f32 {
    let e = exp(-abs(z));
    return z * (select(1.0, e, z < 0.0) / (1.0 + e));
}
fn activation_derivative(z: f32, a: f32) -> f32 {
    let e = exp(-abs(z));
    let s = select(1.0, e, z < 0.0) / (1.0 + e);
    let other = select(e, 1.0, z < 0.0) / (1.0 + e);
    return s * (1.0 + z * other);
}
