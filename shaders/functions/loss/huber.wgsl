// l = m (|z - y| - m / 2) for m = min(|z - y|, c): half the square up to c, a line beyond; dl/dz = m sign(z - y).
fn loss_value(z: f32, y: f32, c: f32) -> f32 {
    let inner = min(abs(z - y), c);
    return inner * (abs(z - y) - 0.5 * inner);
}
fn loss_gradient(z: f32, y: f32, c: f32) -> f32 {
    return clamp(z - y, -c, c);
}
fn is_correct(z: f32, y: f32) -> bool {
    return false;
}
