// v = beta2 v + (1 - beta2) g²; p - rate g / (sqrt(v) + epsilon)
const STATE = 1u;
fn rule(p: f32, g: f32, s: vec2<f32>, rate: f32, h: Hyper) -> vec3<f32> {
    let v = h.beta_2 * s.x + h.one_minus_beta_2 * g * g;
    return vec3<f32>(p - rate * g / (sqrt(v) + h.epsilon), v, 0.0);
}
