// l = (z - y)^2; dl/dz = 2 (z - y).
fn loss_value(z: f32, y: f32, c: f32) -> f32 {
    return (z - y) * (z - y);
}
fn loss_gradient(z: f32, y: f32, c: f32) -> f32 {
    return 2.0 * (z - y);
}
fn is_correct(z: f32, y: f32) -> bool {
    return false;
}
