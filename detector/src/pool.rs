//! Fixed threads that do one kind of work, behind a queue with a bound.
//!
//! A session runs one input at a time, so each thread owns its own and nothing is shared between them. The queue is
//! the standard library's bounded channel: a caller waits when it is full, which bounds memory, and a receiver behind a
//! lock costs nothing next to milliseconds of inference, so no queue crate is needed. Where that pays, a thread takes
//! several tasks together, whoever asked for them. This file knows nothing of models.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{Receiver, Sender, SyncSender, channel, sync_channel},
    },
    thread::{Builder, JoinHandle},
    time::{Duration, Instant},
};

use crate::{error::DetectorError, provider::Provider};

/// How many tasks a thread takes together, and how long it waits for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Batching {
    /// Most tasks in one run; 0 counts as 1.
    pub most: usize,
    /// How long the first task of a run waits for others, at most.
    pub wait: Duration,
}

impl Batching {
    /// Every task on its own.
    pub const NONE: Self = Self {
        most: 1,
        wait: Duration::ZERO,
    };

    /// None on a CPU, where several windows cost as much as one after the other. An accelerator is idle with one:
    /// 32 windows are two views of two or three pictures, and 2 ms are less than a picture costs to decode. Both are
    /// own choices, not measured on a device.
    pub const fn of(provider: Provider) -> Self {
        match provider {
            Provider::Cpu => Self::NONE,
            Provider::Cuda(_) | Provider::TensorRt(_) => Self {
                most: 32,
                wait: Duration::from_millis(2),
            },
        }
    }
}

/// What one thread owns and does.
pub(crate) trait Worker: Send + 'static {
    /// One piece of work.
    type Task: Send + 'static;

    /// What comes out of it.
    type Answer: Send + 'static;

    /// Does several, at least one: as many answers, in the order of the tasks.
    fn run(&mut self, tasks: Vec<Self::Task>) -> Vec<Result<Self::Answer, DetectorError>>;
}

/// Running threads. Dropping it finishes the queued work and joins them.
pub(crate) struct Pool<Task, Answer> {
    queue: Option<SyncSender<Job<Task, Answer>>>,
    threads: Vec<JoinHandle<()>>,
}

/// Work handed in; its results are waited for here.
pub(crate) struct Ticket<Answer> {
    results: Receiver<(usize, Result<Answer, DetectorError>)>,
    count: usize,
}

struct Job<Task, Answer> {
    task: Task,
    place: usize,
    reply: Sender<(usize, Result<Answer, DetectorError>)>,
}

impl<Task: Send + 'static, Answer: Send + 'static> Pool<Task, Answer> {
    /// Starts one thread per worker.
    ///
    /// # Errors
    ///
    /// [`DetectorError::Threads`] when the operating system gives no thread.
    pub(crate) fn start<W>(workers: Vec<W>, batching: Batching) -> Result<Self, DetectorError>
    where
        W: Worker<Task = Task, Answer = Answer>,
    {
        let places = QUEUE_PER_WORKER.max(batching.most);
        let (queue, jobs) = sync_channel(workers.len().saturating_mul(places));
        let jobs = Arc::new(Mutex::new(jobs));
        let mut pool = Self {
            queue: Some(queue),
            threads: Vec::with_capacity(workers.len()),
        };
        for (number, worker) in workers.into_iter().enumerate() {
            let jobs = Arc::clone(&jobs);
            let thread = Builder::new().name(format!("detector-{number}"));
            pool.threads.push(
                thread
                    .spawn(move || work(worker, &jobs, batching))
                    .map_err(DetectorError::Threads)?,
            );
        }
        Ok(pool)
    }

    /// Queues every task; waits while the queue is full.
    pub(crate) fn submit(&self, tasks: impl IntoIterator<Item = Task>) -> Ticket<Answer> {
        let (reply, results) = channel();
        let mut count = 0;
        for (place, task) in tasks.into_iter().enumerate() {
            count += 1;
            let job = Job {
                task,
                place,
                reply: reply.clone(),
            };
            // A send fails when every thread is gone; the job and its `reply` are dropped then, so the ticket tells.
            if self
                .queue
                .as_ref()
                .is_none_or(|queue| queue.send(job).is_err())
            {
                break;
            }
        }
        Ticket { results, count }
    }
}

impl<Task, Answer> Drop for Pool<Task, Answer> {
    fn drop(&mut self) {
        self.queue = None;
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                tracing::error!("an inference thread had panicked");
            }
        }
    }
}

impl<Answer> Ticket<Answer> {
    /// Waits for all results, in the order of the tasks.
    ///
    /// # Errors
    ///
    /// The first failed task's error, or [`DetectorError::Inference`] when the threads ended without an answer.
    pub(crate) fn wait(self) -> Result<Vec<Answer>, DetectorError> {
        let mut answers: Vec<Option<Answer>> = (0..self.count).map(|_| None).collect();
        for (place, result) in self.results {
            let answer = result?;
            if let Some(slot) = answers.get_mut(place) {
                *slot = Some(answer);
            }
        }
        let ended = || DetectorError::Inference("the inference threads have ended".to_owned());
        answers.into_iter().collect::<Option<_>>().ok_or_else(ended)
    }
}

fn work<W: Worker>(
    mut worker: W,
    jobs: &Mutex<Receiver<Job<W::Task, W::Answer>>>,
    batching: Batching,
) {
    loop {
        let batch = next(jobs, batching);
        if batch.is_empty() {
            return;
        }
        let (tasks, callers): (Vec<_>, Vec<_>) = batch
            .into_iter()
            .map(|job| (job.task, (job.place, job.reply)))
            .unzip();
        // A panic fails these pictures, not the thread: the callers get an answer and the next picture a worker.
        let panicked = |_| {
            let panicked = || DetectorError::Inference("an inference thread panicked".to_owned());
            callers.iter().map(|_| Err(panicked())).collect()
        };
        let results = catch_unwind(AssertUnwindSafe(|| worker.run(tasks))).unwrap_or_else(panicked);
        for ((place, reply), result) in callers.into_iter().zip(results) {
            // The caller may have left after an earlier error of the same picture.
            let _ = reply.send((place, result));
        }
    }
}

/// Waits for a job and a little for more; empty when no more will come.
///
/// The lock is given back before the work begins, so a panic in the work can never poison it.
fn next<J>(jobs: &Mutex<Receiver<J>>, batching: Batching) -> Vec<J> {
    let jobs = jobs.lock().unwrap_or_else(PoisonError::into_inner);
    let mut batch: Vec<J> = jobs.recv().into_iter().collect();
    let until = Instant::now() + batching.wait;
    while !batch.is_empty() && batch.len() < batching.most {
        let left = until.saturating_duration_since(Instant::now());
        match jobs.recv_timeout(left) {
            Ok(job) => batch.push(job),
            Err(_) => break,
        }
    }
    batch
}

/// Queue places per thread: one view of one picture, so that a thread never runs dry while crops are cut.
const QUEUE_PER_WORKER: usize = crate::crops::MAX_CROPS;

#[cfg(test)]
mod tests {
    use std::{
        sync::{
            Arc,
            atomic::{AtomicU32, AtomicUsize, Ordering},
        },
        thread,
        time::Duration,
    };

    use super::{Batching, Pool, Worker};
    use crate::error::DetectorError;

    /// Gives the number back; panics on 13 and fails on 14. Counts its drops, and the most tasks it got at once.
    struct Echo {
        ended: Arc<AtomicU32>,
        largest: Arc<AtomicUsize>,
    }

    impl Worker for Echo {
        type Task = u8;
        type Answer = f32;

        fn run(&mut self, tasks: Vec<u8>) -> Vec<Result<f32, DetectorError>> {
            let echo = |task: u8| {
                assert_ne!(task, 13, "this panic belongs to a test");
                match task {
                    14 => Err(DetectorError::NotFinite {
                        model: "echo".to_owned(),
                    }),
                    _ => Ok(f32::from(task)),
                }
            };
            self.largest.fetch_max(tasks.len(), Ordering::SeqCst);
            tasks.into_iter().map(echo).collect()
        }
    }

    impl Drop for Echo {
        fn drop(&mut self) {
            self.ended.fetch_add(1, Ordering::SeqCst);
        }
    }

    fn pool(workers: usize) -> (Pool<u8, f32>, Arc<AtomicU32>) {
        let (pool, ended, _) = batching(workers, Batching::NONE);
        (pool, ended)
    }

    fn batching(
        workers: usize,
        batching: Batching,
    ) -> (Pool<u8, f32>, Arc<AtomicU32>, Arc<AtomicUsize>) {
        let (ended, largest) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicUsize::new(0)));
        let echo = |_| Echo {
            ended: Arc::clone(&ended),
            largest: Arc::clone(&largest),
        };
        let pool = Pool::start((0..workers).map(echo).collect(), batching).unwrap();
        (pool, ended, largest)
    }

    #[test]
    fn tasks_of_several_callers_run_together_and_each_gets_its_own_answer() {
        let wait = Duration::from_secs(10);
        let (pool, _, largest) = batching(1, Batching { most: 4, wait });
        thread::scope(|scope| {
            for caller in 20..24 {
                let pool = &pool;
                scope.spawn(move || {
                    assert_eq!(
                        pool.submit([caller, caller + 100]).wait().unwrap(),
                        [f32::from(caller), f32::from(caller + 100)]
                    );
                });
            }
        });
        assert_eq!(largest.load(Ordering::SeqCst), 4);
        assert!(matches!(
            pool.submit([1, 14, 2, 3]).wait(),
            Err(DetectorError::NotFinite { .. })
        ));
    }

    #[test]
    fn nobody_waits_longer_than_the_bound_for_company() {
        let wait = Duration::from_millis(20);
        let (pool, _, largest) = batching(1, Batching { most: 32, wait });
        assert_eq!(pool.submit([7]).wait().unwrap(), [7.0]);
        assert_eq!(largest.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn results_come_in_the_order_of_the_tasks() {
        let (pool, _) = pool(3);
        let numbers = pool.submit(20..120).wait().unwrap();
        assert_eq!(numbers, (20..120_u8).map(f32::from).collect::<Vec<_>>());
        assert!(pool.submit([]).wait().unwrap().is_empty());
    }

    #[test]
    fn a_panic_fails_one_caller_and_the_thread_goes_on() {
        let (pool, _) = pool(1);
        let error = pool.submit([1, 13, 2]).wait().unwrap_err();
        assert!(matches!(error, DetectorError::Inference(detail) if detail.contains("panicked")));
        assert!(matches!(
            pool.submit([14]).wait(),
            Err(DetectorError::NotFinite { .. })
        ));
        assert_eq!(pool.submit([7]).wait().unwrap(), [7.0]);
    }

    #[test]
    fn many_callers_share_few_threads_and_a_short_queue() {
        let (pool, _) = pool(2);
        thread::scope(|scope| {
            for caller in 20..40 {
                let pool = &pool;
                scope.spawn(move || {
                    assert_eq!(
                        pool.submit([caller; 50]).wait().unwrap(),
                        [f32::from(caller); 50]
                    );
                });
            }
        });
    }

    #[test]
    fn dropping_joins_every_thread_and_finishes_what_was_queued() {
        let (pool, ended) = pool(2);
        let ticket = pool.submit(20..30);
        drop(pool);
        assert_eq!(ended.load(Ordering::SeqCst), 2);
        assert_eq!(ticket.wait().unwrap().len(), 10);
    }

    #[test]
    fn a_pool_without_threads_answers_that_it_has_none() {
        let (pool, _) = pool(0);
        assert!(matches!(
            pool.submit([1, 2]).wait(),
            Err(DetectorError::Inference(_))
        ));
    }
}
