//! What ranks get from each other, and what becomes of them when one leaves.

use std::sync::{
    Mutex,
    atomic::{AtomicBool, Ordering},
};

use super::*;

/// What `of_rank` returns on each of so many threads.
fn on_threads<T: Send>(ranks: usize, of_rank: impl Fn(Threads) -> T + Sync) -> Vec<T> {
    thread::scope(|scope| {
        let threads: Vec<_> =
            Threads::new(ranks).into_iter().map(|exchange| scope.spawn(|| of_rank(exchange))).collect();
        threads.into_iter().map(|thread| thread.join().expect("no rank panics")).collect()
    })
}

#[test]
fn every_rank_has_what_all_have_in_the_order_of_ranks() {
    for ranks in 1..5 {
        let expected: Vec<Vec<u8>> = (0..ranks).map(|rank| vec![rank as u8; rank]).collect();
        for rounds in on_threads(ranks, |exchange| {
            let own = vec![exchange.rank() as u8; exchange.rank()];
            (0..50).map(|_| exchange.allgather(&own).expect("bytes")).collect::<Vec<_>>()
        }) {
            assert!(rounds.iter().all(|round| *round == expected), "{rounds:?}");
        }
    }
    let collected = on_threads(3, |exchange| exchange.gather(&[exchange.rank() as u8]).expect("bytes"));
    assert_eq!(collected, [vec![vec![0], vec![1], vec![2]], vec![], vec![]]);
}

#[test]
fn every_rank_gets_what_is_for_it() {
    for ranks in 1..5 {
        let dealt = on_threads(ranks, |exchange| {
            let pieces: Vec<Vec<u8>> = (0..ranks).map(|rank| vec![rank as u8; 3 + rank]).collect();
            let pieces: Vec<&[u8]> = pieces.iter().map(Vec::as_slice).collect();
            exchange.scatter(if exchange.rank() == 0 { &pieces } else { &[] }).expect("bytes")
        });
        assert_eq!(dealt, (0..ranks).map(|rank| vec![rank as u8; 3 + rank]).collect::<Vec<_>>());
    }
}

#[test]
fn bytes_of_one_rank_reach_all() {
    for received in on_threads(3, |exchange| {
        let mut bytes = [exchange.rank() as u8; 4];
        exchange.broadcast(2, &mut bytes).expect("bytes");
        bytes
    }) {
        assert_eq!(received, [2; 4]);
    }
    let unlike = on_threads(2, |exchange| exchange.broadcast(0, &mut vec![0; 1 + exchange.rank()]));
    assert_eq!(unlike, [Ok(()), Err(ExchangeError::Unlike)]);
}

/// 1e16 and its negative leave nothing of a number that is added between them: 1 here is what one order gives, and others do not.
#[test]
fn blocks_are_added_in_their_order() {
    let blocks = [1e16, -1e16, 1.0, 3.0, -4.0, 1.0];
    for (ranks, ends) in [(1, vec![6]), (2, vec![1, 6]), (2, vec![5, 6]), (3, vec![2, 3, 6]), (3, vec![0, 6, 6])] {
        let sums = on_threads(ranks, |exchange| {
            let first = if exchange.rank() == 0 { 0 } else { ends[exchange.rank() - 1] };
            let own = blocks[first..ends[exchange.rank()]].iter().map(|block| vec![*block, -block]).collect();
            sum_of_blocks(&exchange, own).expect("a sum")
        });
        assert!(sums.iter().all(|sum| *sum == [1.0, -1.0]), "{ranks} ranks: {sums:?}");
    }
}

#[test]
fn parts_go_round_in_one_order() {
    let parts: Vec<Part> =
        [2, 0, 1, 1, 0].iter().zip(1..).map(|(owner, bytes)| Part { owner: *owner, bytes }).collect();
    for seen in on_threads(3, |exchange| {
        let mut seen = Vec::new();
        let load = |index: usize, bytes: &mut [u8]| {
            assert_eq!(parts[index].owner, exchange.rank(), "only its owner has a part");
            bytes.fill(10 + index as u8);
        };
        let outcome =
            broadcast_parts(&exchange, &parts, load, || false, |index, bytes| seen.push((index, bytes.to_vec())));
        assert_eq!(outcome, Ok(ControlFlow::Continue(())));
        seen
    }) {
        assert_eq!(seen, (0..5).map(|index| (index, vec![10 + index as u8; index + 1])).collect::<Vec<_>>());
    }
}

/// One rank is asked to end when it has seen two parts; all end before the last.
#[test]
fn all_end_when_one_is_asked_to() {
    let parts = vec![Part { owner: 0, bytes: 1 }; 1000];
    for (seen, outcome) in on_threads(2, |exchange| {
        let (seen, asked) = (Mutex::new(0), AtomicBool::new(false));
        let visit = |index: usize, _: &[u8]| {
            *seen.lock().expect("a count") += 1;
            if exchange.rank() == 1 && index == 1 {
                asked.store(true, Ordering::SeqCst);
            }
        };
        let outcome = broadcast_parts(&exchange, &parts, |_, _| {}, || asked.load(Ordering::SeqCst), visit);
        (seen.into_inner().expect("a count"), outcome)
    }) {
        assert_eq!(outcome, Ok(ControlFlow::Break(())));
        assert!((2..20).contains(&seen), "{seen} parts were seen");
    }
}

#[test]
fn who_waits_for_a_rank_that_has_left_is_told() {
    let outcomes = on_threads(3, |exchange| match exchange.rank() {
        1 => Ok(Vec::new()),
        _ => exchange.allgather(&[1]),
    });
    assert_eq!(outcomes, [Err(ExchangeError::Left), Ok(vec![]), Err(ExchangeError::Left)]);
}
