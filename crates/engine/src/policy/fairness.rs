//! Whose turn it is: clients share the worker in proportion to the priority of their work, whatever its size.
//!
//! Stride scheduling: each client has a virtual time that advances by the records it was served, divided by its
//! priority; the client that is furthest behind goes next. One that was idle starts at the present of the others, so
//! that it can neither save up turns nor has to catch up.

use std::collections::HashMap;

/// The virtual times of clients.
#[derive(Debug, Default)]
pub struct Turns {
    served: HashMap<i64, f64>,
    present: f64,
}

impl Turns {
    /// The position of the candidate whose turn it is; `None` without candidates. Each is a client that has work now.
    pub fn next(&mut self, clients: &[i64]) -> Option<usize> {
        let present = self.present;
        let time = |client: &i64| self.served.get(client).copied().unwrap_or(present).max(present);
        let (index, first) = clients
            .iter()
            .enumerate()
            .map(|(index, client)| (index, time(client)))
            .min_by(|one, other| one.1.total_cmp(&other.1))?;
        self.present = self.present.max(first);
        Some(index)
    }

    /// Notes that a client was served so many records at a priority of at least 1.
    pub fn charge(&mut self, client: i64, records: usize, priority: i32) {
        let present = self.present;
        let time = self.served.entry(client).or_insert(present);
        *time = time.max(present) + records as f64 / f64::from(priority.max(1));
    }

    /// Forgets clients that have no work any more.
    pub fn retain(&mut self, has_work: impl Fn(i64) -> bool) {
        self.served.retain(|client, _| has_work(*client));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Turns;

    #[test]
    fn a_small_client_waits_for_one_batch_of_a_large_one_at_most() {
        let mut turns = Turns::default();
        for _ in 0..1_000 {
            assert_eq!(turns.next(&[1]), Some(0));
            turns.charge(1, 200, 5);
        }
        let mut waited = 0;
        loop {
            let clients = [1, 2];
            let index = turns.next(&clients).expect("there are candidates");
            if clients[index] == 2 {
                break;
            }
            turns.charge(clients[index], 200, 5);
            waited += 1;
        }
        assert!(waited <= 1, "waited for {waited} batches");
    }

    proptest! {
        #[test]
        fn shares_follow_priorities(priorities in proptest::collection::vec(1..=10_i32, 2..6)) {
            let mut turns = Turns::default();
            let clients: Vec<i64> = (0..priorities.len() as i64).collect();
            let mut served = vec![0_usize; clients.len()];
            for _ in 0..5_000 {
                let index = turns.next(&clients).expect("there are candidates");
                turns.charge(clients[index], 10, priorities[index]);
                served[index] += 1;
            }
            let total: i32 = priorities.iter().sum();
            for (count, priority) in served.iter().zip(&priorities) {
                let share = *count as f64 / 5_000.0;
                let fair = f64::from(*priority) / f64::from(total);
                prop_assert!((share - fair).abs() < 0.02, "share {share} instead of {fair}");
            }
        }

        #[test]
        fn nobody_with_work_is_left_out(order in proptest::collection::vec(0..4_i64, 1..200)) {
            let mut turns = Turns::default();
            let mut waits = [0_usize; 4];
            for busy in order {
                // All clients but one have work, in changing company.
                let clients: Vec<i64> = (0..4).filter(|client| *client != busy).collect();
                let index = turns.next(&clients).expect("there are candidates");
                turns.charge(clients[index], 100, 5);
                for client in clients.iter().copied() {
                    waits[client as usize] += 1;
                }
                waits[clients[index] as usize] = 0;
                // Whoever was idle waits from the beginning.
                waits[busy as usize] = 0;
                prop_assert!(waits.iter().all(|wait| *wait <= 6), "{waits:?}");
            }
        }
    }
}
