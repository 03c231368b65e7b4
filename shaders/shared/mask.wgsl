// The factor of a unit behind a layer's dropout: 0 for one that is dropped, 1 / (1 - rate) for the others. The mask is a hash of
// the step's key, the layer (counted from 1) and the unit: integers only, so every device draws the same one, and the backward pass
// draws it again. A unit is dropped where the high 24 bits of its hash are below the layer's threshold, rate 2^24, times the step's factor.
fn mask(unit: u32, layer: u32, layer_threshold: u32) -> f32 {
    let threshold = u32(f32(layer_threshold) * step.dropout);
    let key = mix(step.mask_key ^ mix(layer));
    let dropped = (mix(mix(unit ^ key) + key) >> 8u) < threshold;
    return select(16777216.0 / f32(16777216u - threshold), 0.0, dropped);
}
