//! Fixed threads for work that takes a core: examinations never run on the async runtime, whose own
//! blocking pool would start hundreds of threads and admit everything.

use std::{
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, PoisonError, mpsc},
    thread,
};

use tokio::sync::oneshot;

type Job = Box<dyn FnOnce() + Send>;

/// Threads behind a bounded queue. They end when the pool is dropped and the queue is empty.
pub(crate) struct Pool {
    jobs: mpsc::SyncSender<Job>,
}

/// The queue is full: nothing was started.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Full;

impl Pool {
    /// Starts `threads` threads that share a queue of `queue` waiting jobs.
    pub(crate) fn start(name: &str, threads: usize, queue: usize) -> io::Result<Self> {
        let (jobs, waiting) = mpsc::sync_channel::<Job>(queue);
        let waiting = Arc::new(Mutex::new(waiting));
        for number in 0..threads {
            let waiting = Arc::clone(&waiting);
            thread::Builder::new()
                .name(format!("{name}-{number}"))
                .spawn(move || {
                    stand_back();
                    work(&waiting);
                })?;
        }
        Ok(Self { jobs })
    }

    /// Queues `work`; its result arrives at the receiver. Work whose receiver is gone by the time its
    /// turn comes is skipped, and a panic closes the receiver without a result.
    pub(crate) fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<oneshot::Receiver<T>, Full> {
        let (reply, result) = oneshot::channel();
        let job = Box::new(move || {
            if !reply.is_closed() {
                // The receiver may go away at any moment; then nobody wants the result.
                let _ = reply.send(work());
            }
        });
        self.jobs.try_send(job).map_err(|_| Full)?;
        Ok(result)
    }
}

/// Lets other threads go before this one and those that it starts: work takes all cores for as long as there is any,
/// and an upload must be answered meanwhile.
///
/// On Linux the threads become `SCHED_IDLE`, whose core anyone may take at once (sched(7)); the least priority alone, a
/// `nice` of 19, is kept from that by the slice that the scheduler grants whoever runs. It can be given up and never
/// taken back. Elsewhere a priority belongs to the whole process, where giving it up would be of no use.
pub fn stand_back() {
    #[cfg(target_os = "linux")]
    {
        use thread_priority::{
            NormalThreadSchedulePolicy::Idle, ThreadPriority::Min, ThreadSchedulePolicy::Normal,
            set_thread_priority_and_policy, thread_native_id,
        };

        if set_thread_priority_and_policy(thread_native_id(), Min, Normal(Idle)).is_err() {
            // Refused only where less is allowed than any user may do; then nobody stands back.
            let _ = rustix::process::nice(WORK_NICENESS);
        }
    }
}

/// The least that Linux knows within its usual policy.
#[cfg(target_os = "linux")]
const WORK_NICENESS: i32 = 19;

fn work(waiting: &Mutex<mpsc::Receiver<Job>>) {
    loop {
        let job = waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .recv();
        let Ok(job) = job else { return };
        // A panic must cost one request, not one thread: the pool never grows back.
        if catch_unwind(AssertUnwindSafe(job)).is_err() {
            tracing::error!("a worker thread caught a panic");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::{Full, Pool};

    /// The kernel's own word: the 41st field of `stat` is the policy, 5 is `SCHED_IDLE` (proc(5)).
    #[cfg(target_os = "linux")]
    #[test]
    fn work_stands_back() {
        let pool = Pool::start("test", 1, 1).unwrap();
        let stat = pool.run(|| std::fs::read_to_string("/proc/thread-self/stat").unwrap());
        let stat = stat.unwrap().blocking_recv().unwrap();
        let policy = stat.rsplit(") ").next().unwrap().split(' ').nth(38);
        assert_eq!(policy, Some("5"), "{stat}");
    }

    #[test]
    fn a_full_queue_refuses_at_once_and_recovers() {
        let pool = Pool::start("test", 1, 1).unwrap();
        let (release, gate) = mpsc::channel::<()>();
        let (started, begun) = mpsc::channel();
        let first = pool.run(move || {
            started.send(()).unwrap();
            gate.recv().unwrap();
            1
        });
        begun.recv().unwrap();
        let second = pool.run(|| 2);
        assert_eq!(pool.run(|| 3).err(), Some(Full));
        release.send(()).unwrap();
        assert_eq!(first.unwrap().blocking_recv(), Ok(1));
        assert_eq!(second.unwrap().blocking_recv(), Ok(2));
    }

    #[test]
    fn a_panic_costs_one_job_and_no_thread() {
        let pool = Pool::start("test", 1, 2).unwrap();
        let lost = pool.run(|| -> u8 { panic!("on purpose") }).unwrap();
        assert!(lost.blocking_recv().is_err());
        assert_eq!(pool.run(|| 7).unwrap().blocking_recv(), Ok(7));
    }
}
