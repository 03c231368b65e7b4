// a = z P(z), P the normal distribution function; a' = P(z) + z p(z), p its density.
fn activation(z: f32) -> f32 {
    return z * normal_cdf(z);
}
fn activation_derivative(z: f32, a: f32) -> f32 {
    let c = select(z, sign(z) * 16.0, abs(z) > 16.0);
    return normal_cdf(z) + c * (0.3989422804014327 * exp(-0.5 * (c * c)));
}
// P(-t) = m(t) e^(-t²/2), t >= 0, so that the left tail keeps its relative accuracy. m is a rational function whose
// coefficients are all positive, so nothing cancels: within 2^-25 of e^(t²/2) erfc(t/sqrt(2))/2 on [0, 16]
// (found by tests/fixtures/normal_tail.py). From t = 16 on the tail is 0 in f32; the bound keeps t² finite.
fn normal_cdf(z: f32) -> f32 {
    let t = select(abs(z), 16.0, abs(z) > 16.0);
    let above = 0.5 + t * (0.44039324 + t * (0.18476765 + t * (0.041143212 + t * 0.0041899202)));
    let below = 1.0 + t * (1.6786714 + t * (1.2089167 + t * (0.47350988 + t * (0.1031364 + t * 0.010502472))));
    let tail = exp(-0.5 * (t * t)) * (above / below);
    return select(1.0 - tail, tail, z < 0.0);
}
