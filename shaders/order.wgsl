// The sample order of an epoch: a keyed permutation of 0 .. samples, a Feistel network on the smallest even number of
// bits that holds them, walked until it lands inside (Luby and Rackoff 1988; Black and Rogaway 2002). Integers only, so
// every device draws the same order.
fn permute(position: u32, key: u32, samples: u32) -> u32 {
    let half = (33u - countLeadingZeros(samples - 1u)) / 2u;
    let mask = (1u << half) - 1u;
    var value = position;
    loop {
        var left = value >> half;
        var right = value & mask;
        for (var round = 0u; round < 6u; round++) {
            let next = left ^ (mix(right ^ mix(key + round)) & mask);
            left = right;
            right = next;
        }
        value = (left << half) | right;
        if (value < samples) {
            break;
        }
    }
    return value;
}
