// p - rate g
fn rule(p: f32, g: f32, rate: f32) -> f32 {
    return p - rate * g;
}
