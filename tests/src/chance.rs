//! Chance that can be repeated.

use rand::SeedableRng;
use rand::rngs::StdRng;

/// A source of random numbers whose seed is printed when the test fails. `VB_TEST_SEED` repeats a run.
pub fn seeded() -> StdRng {
    let seed = match std::env::var("VB_TEST_SEED") {
        Ok(seed) => seed
            .parse()
            .unwrap_or_else(|_| panic!("VB_TEST_SEED is no number: {seed}")),
        Err(_) => rand::random(),
    };
    println!("VB_TEST_SEED={seed}");
    StdRng::seed_from_u64(seed)
}
