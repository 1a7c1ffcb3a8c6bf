//! The event loop's side: requests are copied into arenas and pushed into a lane.
//!
//! Nothing here allocates, locks, enters the kernel or wakes a thread. Whatever does not fit is counted and forgotten.

use std::fs::File;
use std::sync::Arc;

use crate::arena::{Chain, Slab};
use crate::budget::{FileBudget, FilePermit};
use crate::counters::{add, Front, Slot};
use crate::job::{BodyFile, CaptureId, Job, Kind, Line, Meta};
use crate::lane::Lanes;
use crate::record::{length, LENGTH};

/// No arena is left: drop the draft.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoArena;

/// Where the event loop hands requests in. Owned by the event loop alone.
pub struct Intake {
    pub(crate) slab: Slab,
    pub(crate) lanes: Lanes,
    pub(crate) files: Arc<FileBudget>,
    pub(crate) body_limit: usize,
    pub(crate) slot: &'static Slot,
    pub(crate) seq: u64,
    /// Jobs pushed into a lane: those that are requests, and completions.
    pub(crate) submitted: u64,
    pub(crate) completions: u64,
}

impl Intake {
    /// Begins the capture of a request, which is counted as seen, or of the body of one seen before. None: dropped
    /// and counted, because no arena is free or every lane is full.
    pub fn begin(&mut self, kind: Kind) -> Option<Draft<'_>> {
        let seq = match kind {
            Kind::Body(id) => id.seq,
            Kind::Head | Kind::Whole => {
                add(&self.front().seen, 1);
                let seq = self.seq;
                self.seq += 1;
                seq
            }
        };
        if self.lanes.full() {
            self.count_queue_full(kind);
            return None;
        }
        let Some(chain) = self.slab.begin() else {
            self.count_no_arena(kind);
            return None;
        };
        Some(Draft {
            intake: self,
            kind,
            seq,
            chain: Some(chain),
            head_len: 0,
            body_len: 0,
            body_cut: false,
            file: None,
        })
    }

    fn front(&self) -> &'static Front {
        &self.slot.front
    }

    fn count_queue_full(&self, kind: Kind) {
        let front = self.front();
        add(if kind.is_request() { &front.queue_full } else { &front.body_dropped }, 1);
    }

    fn count_no_arena(&self, kind: Kind) {
        let front = self.front();
        add(if kind.is_request() { &front.no_arena } else { &front.body_dropped }, 1);
    }
}

/// A request being captured: first the line, then the headers, then the body. Dropped without [`Draft::submit`] it
/// gives its arenas back and counts as dropped for want of an arena.
pub struct Draft<'a> {
    intake: &'a mut Intake,
    kind: Kind,
    seq: u64,
    /// None once submitted.
    chain: Option<Chain>,
    head_len: usize,
    body_len: usize,
    body_cut: bool,
    file: Option<BodyFile>,
}

impl Draft<'_> {
    /// Copies the request line and what names the request. To be called once, before everything else.
    pub fn line(&mut self, line: Line<'_>) -> Result<(), NoArena> {
        for part in [line.method, line.uri, line.protocol, line.host, line.request_id] {
            self.head(&length(part))?;
            self.head(part)?;
        }
        Ok(())
    }

    /// Copies one header. To be called before the body.
    pub fn header(&mut self, name: &[u8], value: &[u8]) -> Result<(), NoArena> {
        if self.head_len == 0 {
            self.line(Line::default())?;
        }
        if self.header_in_place(name, value).is_some() {
            return Ok(());
        }
        for part in [name, value] {
            self.head(&length(part))?;
            self.head(part)?;
        }
        Ok(())
    }

    /// Copies a piece of the body. False: it was cut, because the limit is reached or few arenas are left; the request is
    /// scanned as far as it was copied, and counted once as truncated.
    pub fn body(&mut self, chunk: &[u8]) -> bool {
        if self.body_cut {
            return false;
        }
        let room = self.intake.body_limit.saturating_sub(self.body_len);
        let fits = chunk.get(..room).unwrap_or(chunk);
        let mut rest = fits;
        if let Some(chain) = &mut self.chain {
            loop {
                rest = chain.newest().fill(rest);
                if rest.is_empty() || !self.intake.slab.extend_body(chain) {
                    break;
                }
            }
        }
        self.body_len += fits.len() - rest.len();
        if !rest.is_empty() || fits.len() < chunk.len() {
            self.cut();
        }
        !self.body_cut
    }

    /// The right to keep a temp file of `len` bytes open until it is scanned. None: too many files or bytes are in
    /// flight; the body is lost then.
    pub fn file_permit(&self, len: u64) -> Option<FilePermit> {
        self.intake.files.take(len)
    }

    /// Takes the part of the body that is in a temp file, which the scan thread reads and closes. It follows what
    /// [`Draft::body`] copied.
    pub fn body_file(&mut self, file: File, len: u64, permit: FilePermit) {
        let room = self.intake.body_limit.saturating_sub(self.body_len) as u64;
        if len > room && !self.body_cut {
            self.cut();
        }
        self.file = Some(BodyFile { file, len, _permit: permit });
    }

    /// The body cannot be captured: counts it as `body_dropped`, and the event says so.
    pub fn body_lost(&mut self) {
        add(&self.intake.front().body_dropped, 1);
        self.body_cut = true;
    }

    /// Pushes the request to a scan thread: into the lane of `key`, or the least loaded one. None: the lane is full; the
    /// request is counted as dropped.
    pub fn submit(mut self, meta: Meta, key: Option<u64>) -> Option<CaptureId> {
        if self.head_len == 0 && self.line(Line::default()).is_err() {
            return None;
        }
        let chain = self.chain.take()?;
        let Some(lane) = self.intake.lanes.choose(key) else {
            self.refused(chain);
            return None;
        };
        let job = Job {
            kind: self.kind,
            seq: self.seq,
            chain,
            head_len: self.head_len,
            body_cut: self.body_cut,
            file: self.file.take(),
            meta,
        };
        if let Err(refused) = lane.try_send(job) {
            self.refused(refused.into_inner().chain);
            return None;
        }
        let submitted = match self.kind {
            Kind::Body(_) => &mut self.intake.completions,
            Kind::Head | Kind::Whole => &mut self.intake.submitted,
        };
        *submitted += 1;
        Some(CaptureId { seq: self.seq })
    }

    fn refused(&mut self, chain: Chain) {
        self.intake.slab.give_back(chain);
        self.intake.count_queue_full(self.kind);
    }

    fn cut(&mut self) {
        self.body_cut = true;
        add(&self.intake.front().truncated, 1);
    }

    /// The common case: the arena has room for the whole header.
    fn header_in_place(&mut self, name: &[u8], value: &[u8]) -> Option<()> {
        let need = 2 * LENGTH + name.len() + value.len();
        let place = self.chain.as_mut()?.newest().reserve(need)?;
        let mut rest = place;
        for part in [&length(name)[..], name, &length(value)[..], value] {
            let (to, after) = rest.split_at_mut_checked(part.len())?;
            to.copy_from_slice(part);
            rest = after;
        }
        self.head_len += need;
        Some(())
    }

    fn head(&mut self, bytes: &[u8]) -> Result<(), NoArena> {
        let chain = self.chain.as_mut().ok_or(NoArena)?;
        let mut rest = bytes;
        loop {
            rest = chain.newest().fill(rest);
            if rest.is_empty() {
                break;
            }
            if !self.intake.slab.extend(chain) {
                return Err(NoArena);
            }
        }
        self.head_len += bytes.len();
        Ok(())
    }
}

impl Drop for Draft<'_> {
    fn drop(&mut self) {
        if let Some(chain) = self.chain.take() {
            self.intake.slab.give_back(chain);
            self.intake.count_no_arena(self.kind);
        }
    }
}
