// m = beta1 m + (1 - beta1) g; v = beta2 v + (1 - beta2) g²; with c their bias corrections,
// p - rate c1 m / (sqrt(c2 v) + epsilon)
const STATE = 2u;
fn rule(p: f32, g: f32, s: vec2<f32>, rate: f32, h: Hyper) -> vec3<f32> {
    let m = h.beta_1 * s.x + h.one_minus_beta_1 * g;
    let v = h.beta_2 * s.y + h.one_minus_beta_2 * g * g;
    let direction = m * step.correction_1 / (sqrt(v * step.correction_2) + h.epsilon);
    return vec3<f32>(p - rate * direction, m, v);
}
