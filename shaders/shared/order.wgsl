// The sample order of an epoch: a keyed permutation of 0 .. samples. A position has two digits, high of tall values and low of
// a power of two; each in turn has a hash of the other added (Luby and Rackoff 1988). The digits hold few more numbers than
// there are samples, and one that lands beyond them goes through once more (Black and Rogaway 2002). Integers only, so every
// device draws the same order.
fn permute(position: u32, key: u32, samples: u32) -> u32 {
    let low_bits = (33u - countLeadingZeros(samples - 1u)) / 2u;
    let tall = ((samples - 1u) >> low_bits) + 1u;
    let mask = (1u << low_bits) - 1u;
    var value = position;
    loop {
        var high = value >> low_bits;
        var low = value & mask;
        for (var round = 0u; round < 8u; round += 2u) {
            high += ((mix(low ^ mix(key + round)) >> 16u) * tall) >> 16u;
            high -= select(tall, 0u, high < tall);
            low ^= mix(high ^ mix(key + round + 1u)) & mask;
        }
        value = (high << low_bits) | low;
        if (value < samples) {
            break;
        }
    }
    return value;
}

// The sample at a position of the replica's epoch, which has all samples but those of its fold and begins again where they end.
fn sample_at(position: u32, all: u32, in_order: bool) -> u32 {
    let samples = all - min(step.fold_rows, all - 1u);
    var sample = position % samples;
    if (!in_order) {
        sample = permute(sample, step.key, samples);
    }
    return sample + select(0u, step.fold_rows, sample >= step.fold_first);
}
