//! Random words from counters: the same on every device, and nothing to store. The shaders' `mix` is in step.wgsl.

/// The key of an epoch's sample order.
pub fn order_key(seed: u64, epoch: u64) -> u32 {
    key(0x9e37_79b9, [seed, epoch])
}

/// The key of the dropout masks of a step, counted from 0.
pub fn mask_key(seed: u64, step: u64) -> u32 {
    key(0x7f4a_7c15, [seed, step])
}

/// The key of one shard's order or masks where a step takes a part of its batch from each shard; that of shard 0 is the step's own.
pub fn shard_key(key: u32, shard: u32) -> u32 {
    if shard == 0 { key } else { mix(key ^ mix(shard ^ 0xc2b2_ae3d)) }
}

fn key(purpose: u32, words: [u64; 2]) -> u32 {
    let halves = words.into_iter().flat_map(|word| [word, word >> 32]);
    halves.fold(0, |key, word| mix(key ^ mix(word as u32 ^ purpose)))
}

/// The finaliser of MurmurHash3.
pub(in crate::kernels) fn mix(word: u32) -> u32 {
    let h = (word ^ (word >> 16)).wrapping_mul(0x85eb_ca6b);
    let h = (h ^ (h >> 13)).wrapping_mul(0xc2b2_ae35);
    h ^ (h >> 16)
}
