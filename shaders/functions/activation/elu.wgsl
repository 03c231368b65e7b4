// a = z for z > 0, else e^z - 1; a' = 1 or e^z. Near 0 the difference is a series in x = -|z|, cut where its
// remainder is below 2^-26 of the sum; e^-|z| cannot overflow.
fn activation(z: f32) -> f32 {
    let x = -abs(z);
    let series = 1.0 + x * (1.0 / 2.0 + x * (1.0 / 6.0 + x * (1.0 / 24.0 + x * (1.0 / 120.0
        + x * (1.0 / 720.0 + x * (1.0 / 5040.0 + x * (1.0 / 40320.0)))))));
    let negative = select(exp(x) - 1.0, x * series, x > -0.5);
    return select(negative, z, z > 0.0);
}
fn activation_derivative(z: f32, a: f32) -> f32 {
    return select(exp(-abs(z)), 1.0, z > 0.0);
}
