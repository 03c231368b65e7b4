// p - rate sign(beta1 m + (1 - beta1) g); m = beta2 m + (1 - beta2) g
const STATE = 1u;
fn rule(p: f32, g: f32, s: vec2<f32>, rate: f32, h: Hyper) -> vec3<f32> {
    let direction = sign(h.beta_1 * s.x + h.one_minus_beta_1 * g);
    return vec3<f32>(p - rate * direction, h.beta_2 * s.x + h.one_minus_beta_2 * g, 0.0);
}
