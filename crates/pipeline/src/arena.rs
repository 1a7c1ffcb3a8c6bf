//! The fixed slab of arenas that captured bytes are copied into.
//!
//! A record takes a chain of arenas, newest first. The event loop owns the free arenas, last used first, so that only as
//! much of the slab becomes resident as is in use at once. Scan threads give chains back through a ring each; the loop
//! takes a chain from a ring only while two are there, since a receiver may have to wait for a preempted sender in
//! the last place of a ring.

use crossbeam_channel::{bounded, Receiver, Sender};

/// One piece of the slab.
pub(crate) struct Arena {
    bytes: &'static mut [u8],
    len: usize,
    next: Option<Box<Arena>>,
}

impl Arena {
    /// Appends what fits and returns the rest.
    pub(crate) fn fill<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let free = self.bytes.get_mut(self.len..).unwrap_or_default();
        let n = free.len().min(bytes.len());
        if let (Some(to), Some((from, rest))) = (free.get_mut(..n), bytes.split_at_checked(n)) {
            to.copy_from_slice(from);
            self.len += n;
            return rest;
        }
        bytes
    }

    /// The next `n` bytes, to be written by the caller; None if fewer are free.
    pub(crate) fn reserve(&mut self, n: usize) -> Option<&mut [u8]> {
        let end = self.len.checked_add(n)?;
        let place = self.bytes.get_mut(self.len..end)?;
        self.len = end;
        Some(place)
    }

    fn used(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}

impl Drop for Arena {
    /// Unlinks the chain one by one: nested drops would take stack by its length.
    fn drop(&mut self) {
        let mut next = self.next.take();
        while let Some(mut arena) = next {
            next = arena.next.take();
        }
    }
}

/// At least one arena; the newest is the one being filled.
pub(crate) struct Chain {
    newest: Box<Arena>,
    count: usize,
}

impl Chain {
    fn one(arena: Box<Arena>) -> Self {
        Chain { newest: arena, count: 1 }
    }

    pub(crate) fn newest(&mut self) -> &mut Arena {
        &mut self.newest
    }

    fn push(&mut self, mut arena: Box<Arena>) {
        std::mem::swap(&mut self.newest, &mut arena);
        self.newest.next = Some(arena);
        self.count += 1;
    }

    /// Takes the newest arena off; the rest remains a chain, if there is one.
    fn split(mut self) -> (Box<Arena>, Option<Chain>) {
        let count = self.count - 1;
        let rest = self.newest.next.take().map(|newest| Chain { newest, count });
        (self.newest, rest)
    }

    /// The bytes of the whole chain if a single arena holds them.
    pub(crate) fn single(&self) -> Option<&[u8]> {
        self.newest.next.is_none().then(|| self.newest.used())
    }

    /// Bytes in the chain.
    pub(crate) fn len(&self) -> usize {
        self.arenas().map(|arena| arena.len).sum()
    }

    /// Copies the bytes of the chain, oldest first, into `to`, which is as long as [`Chain::len`].
    pub(crate) fn copy_to(&self, to: &mut [u8]) {
        let mut left = to;
        for arena in self.arenas() {
            let at = left.len().saturating_sub(arena.len);
            let (before, place) = left.split_at_mut(at);
            if place.len() == arena.len {
                place.copy_from_slice(arena.used());
            }
            left = before;
        }
    }

    /// Newest first.
    fn arenas(&self) -> impl Iterator<Item = &Arena> {
        std::iter::successors(Some(&*self.newest), |arena| arena.next.as_deref())
    }
}

/// The loop's end of the slab.
pub(crate) struct Slab {
    /// Free chains; never more than there are arenas, so it never grows.
    free: Vec<Chain>,
    free_arenas: usize,
    /// Free arenas that bodies must leave for heads.
    reserve: usize,
    rings: Vec<Receiver<Chain>>,
}

/// A scan thread's end of the slab.
pub(crate) struct Return(Sender<Chain>);

impl Slab {
    /// `arenas` of `size` bytes, and an end for each of `lanes` scan threads. The memory lives as long as the process,
    /// as do threads that are left behind at exit; it becomes resident as it is written to.
    pub(crate) fn new(arenas: usize, size: usize, lanes: usize) -> (Self, Vec<Return>) {
        // One arena may stay in each ring.
        let total = arenas.saturating_add(lanes);
        let memory = Box::leak(vec![0_u8; total.saturating_mul(size)].into_boxed_slice());
        let free: Vec<Chain> = memory
            .chunks_exact_mut(size)
            .map(|bytes| Chain::one(Box::new(Arena { bytes, len: 0, next: None })))
            .collect();
        let (senders, rings) = (0..lanes).map(|_| bounded(total + 2)).unzip::<_, _, Vec<_>, _>();
        let slab = Slab { free_arenas: free.len(), free, reserve: arenas / 8, rings };
        (slab, senders.into_iter().map(Return).collect())
    }

    /// An arena for a new record.
    pub(crate) fn begin(&mut self) -> Option<Chain> {
        const SOME: usize = 4;
        self.collect(SOME);
        self.take().map(Chain::one)
    }

    /// Adds an arena to a record's head.
    pub(crate) fn extend(&mut self, chain: &mut Chain) -> bool {
        self.take().map(|arena| chain.push(arena)).is_some()
    }

    /// Adds an arena to a record's body, unless only those for heads are left: else a few long bodies would leave
    /// all other requests unseen.
    pub(crate) fn extend_body(&mut self, chain: &mut Chain) -> bool {
        self.free_arenas > self.reserve && self.extend(chain)
    }

    pub(crate) fn give_back(&mut self, chain: Chain) {
        self.free_arenas += chain.count;
        self.free.push(chain);
    }

    fn take(&mut self) -> Option<Box<Arena>> {
        const MANY: usize = 64;
        if self.free.is_empty() {
            self.collect(MANY);
        }
        let (mut arena, rest) = self.free.pop()?.split();
        self.free.extend(rest);
        self.free_arenas -= 1;
        arena.len = 0;
        Some(arena)
    }

    /// Takes up to `most` chains from each ring.
    fn collect(&mut self, most: usize) {
        for ring in &self.rings {
            for _ in 0..most {
                if ring.len() < 2 {
                    break;
                }
                let Ok(chain) = ring.try_recv() else { break };
                self.free_arenas += chain.count;
                self.free.push(chain);
            }
        }
    }
}

impl Return {
    /// Gives a record's arenas back. The last item of a ring stays there, so it is a single arena.
    pub(crate) fn give_back(&self, chain: Chain) {
        let (arena, rest) = chain.split();
        // The rings have room for every arena; at exit nobody is there to take them, and they are dropped.
        for chain in rest.into_iter().chain([Chain::one(arena)]) {
            let _ = self.0.try_send(chain);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(slab: &mut Slab, mut bytes: &[u8]) -> Chain {
        let mut chain = slab.begin().unwrap();
        loop {
            bytes = chain.newest().fill(bytes);
            if bytes.is_empty() {
                return chain;
            }
            assert!(slab.extend(&mut chain));
        }
    }

    #[test]
    fn a_chain_holds_the_bytes_in_order() {
        let (mut slab, _returns) = Slab::new(40, 7, 1);
        for len in [0, 1, 6, 7, 8, 13, 14, 15, 200] {
            let bytes: Vec<u8> = (0..len).map(|n| n as u8).collect();
            let chain = write(&mut slab, &bytes);
            let mut copy = vec![0; chain.len()];
            chain.copy_to(&mut copy);
            assert_eq!(copy, bytes);
            assert_eq!(chain.single(), (len <= 7).then_some(&bytes[..]));
            slab.give_back(chain);
        }
        assert_eq!(slab.free_arenas, 41);
    }

    #[test]
    fn every_arena_but_one_a_lane_comes_back() {
        let (mut slab, returns) = Slab::new(10, 8, 2);
        for round in 0..50 {
            let long = write(&mut slab, &[1; 72]);
            let short = write(&mut slab, &[2; 3]);
            let (first, second) = if round % 2 == 0 { (long, short) } else { (short, long) };
            returns[0].give_back(first);
            returns[1].give_back(second);
        }
        slab.collect(usize::MAX);
        assert_eq!(slab.free_arenas, 10);
        assert!(slab.free.len() <= slab.free.capacity());
    }

    #[test]
    fn bodies_leave_arenas_for_heads() {
        let (mut slab, _returns) = Slab::new(15, 8, 1);
        let mut chain = slab.begin().unwrap();
        let mut taken = 1;
        while slab.extend_body(&mut chain) {
            taken += 1;
        }
        assert_eq!(taken, 15);
        assert!(slab.begin().is_some());
        assert!(slab.begin().is_none());
    }

    #[test]
    fn arenas_are_used_last_in_first_out() {
        let (mut slab, returns) = Slab::new(1000, 8, 1);
        let mut places = std::collections::HashSet::new();
        for _ in 0..5000 {
            let chain = slab.begin().unwrap();
            places.insert(chain.newest.bytes.as_ptr());
            returns[0].give_back(chain);
        }
        assert!(places.len() < 8, "{} arenas were touched", places.len());
    }

    #[test]
    fn dropping_a_long_chain_takes_no_stack() {
        let (mut slab, _returns) = Slab::new(200_000, 1, 1);
        let mut chain = slab.begin().unwrap();
        while slab.extend(&mut chain) {}
        std::thread::Builder::new()
            .stack_size(64 << 10)
            .spawn(move || drop(chain))
            .unwrap()
            .join()
            .unwrap();
    }
}
