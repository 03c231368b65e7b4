// a = z (1 + tanh(y)) / 2 = z s(2 y), s the sigmoid, 2 y = sqrt(8/pi) (z + 0.044715 z³);
// a' = s(2 y) + z s(2 y) s(-2 y) (2 y)'. From |z| = 32 on s is 0 or 1: the bound keeps z³ finite.
fn activation(z: f32) -> f32 {
    let c = select(z, sign(z) * 32.0, abs(z) > 32.0);
    let e = exp(-1.5957691216057308 * (abs(c) * (1.0 + 0.044715 * (c * c))));
    return z * (select(1.0, e, z < 0.0) / (1.0 + e));
}
fn activation_derivative(z: f32, a: f32) -> f32 {
    let c = select(z, sign(z) * 32.0, abs(z) > 32.0);
    let e = exp(-1.5957691216057308 * (abs(c) * (1.0 + 0.044715 * (c * c))));
    let slope = 1.5957691216057308 * (1.0 + 0.134145 * (c * c));
    let s = select(1.0, e, z < 0.0) / (1.0 + e);
    return s + c * slope * (e / ((1.0 + e) * (1.0 + e)));
}
