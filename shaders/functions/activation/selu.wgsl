// a = l z for z > 0, else l k (e^z - 1); a' = l or l k e^z, at 0 l k. The constants are those of Klambauer et al.,
// Self-Normalizing Neural Networks (2017): l = 1.0507009873554805, k = 1.6732632423543772. The series is elu's.
const L: f32 = 1.0507009873554805;
const LK: f32 = 1.7580993408473766;
fn activation(z: f32) -> f32 {
    let x = -abs(z);
    let series = 1.0 + x * (1.0 / 2.0 + x * (1.0 / 6.0 + x * (1.0 / 24.0 + x * (1.0 / 120.0
        + x * (1.0 / 720.0 + x * (1.0 / 5040.0 + x * (1.0 / 40320.0)))))));
    let negative = select(exp(x) - 1.0, x * series, x > -0.5);
    return select(LK * negative, L * z, z > 0.0);
}
fn activation_derivative(z: f32, a: f32) -> f32 {
    return select(LK * exp(-abs(z)), L, z > 0.0);
}
