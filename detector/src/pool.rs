//! Fixed threads that do one kind of work, behind a queue with a bound.
//!
//! A session runs one input at a time, so each thread owns its own and nothing is shared between them. The queue is
//! the standard library's bounded channel: a caller waits when it is full, which bounds memory, and a receiver behind a
//! lock costs nothing next to milliseconds of inference, so no queue crate is needed. This file knows
//! nothing of models.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{Receiver, Sender, SyncSender, channel, sync_channel},
    },
    thread::{Builder, JoinHandle},
};

use crate::error::DetectorError;

/// What one thread owns and does.
pub(crate) trait Worker: Send + 'static {
    /// One piece of work.
    type Task: Send + 'static;

    /// What comes out of it.
    type Answer: Send + 'static;

    /// Does it.
    fn run(&mut self, task: Self::Task) -> Result<Self::Answer, DetectorError>;
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
    pub(crate) fn start<W>(workers: Vec<W>) -> Result<Self, DetectorError>
    where
        W: Worker<Task = Task, Answer = Answer>,
    {
        let (queue, jobs) = sync_channel(workers.len().saturating_mul(QUEUE_PER_WORKER));
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
                    .spawn(move || work(worker, &jobs))
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

fn work<W: Worker>(mut worker: W, jobs: &Mutex<Receiver<Job<W::Task, W::Answer>>>) {
    loop {
        // The lock is given back before the work begins, so a panic in the work can never poison it.
        let next = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(Job { task, place, reply }) = next else {
            return;
        };
        // A panic fails one picture, not the thread: the caller gets an answer and the next picture a worker.
        let result = catch_unwind(AssertUnwindSafe(|| worker.run(task))).unwrap_or_else(|_| {
            Err(DetectorError::Inference(
                "an inference thread panicked".to_owned(),
            ))
        });
        // The caller may have left after an earlier error of the same picture.
        let _ = reply.send((place, result));
    }
}

/// Queue places per thread: one view of one picture, so that a thread never runs dry while crops are cut.
const QUEUE_PER_WORKER: usize = crate::crops::MAX_CROPS;

#[cfg(test)]
mod tests {
    use std::{
        sync::{
            Arc,
            atomic::{AtomicU32, Ordering},
        },
        thread,
    };

    use super::{Pool, Worker};
    use crate::error::DetectorError;

    /// Gives the number back; panics on 13 and fails on 14. Counts its drops.
    struct Echo(Arc<AtomicU32>);

    impl Worker for Echo {
        type Task = u8;
        type Answer = f32;

        fn run(&mut self, task: u8) -> Result<f32, DetectorError> {
            assert_ne!(task, 13, "this panic belongs to a test");
            if task == 14 {
                return Err(DetectorError::NotFinite {
                    model: "echo".to_owned(),
                });
            }
            Ok(f32::from(task))
        }
    }

    impl Drop for Echo {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    fn pool(workers: usize) -> (Pool<u8, f32>, Arc<AtomicU32>) {
        let ended = Arc::new(AtomicU32::new(0));
        let workers = (0..workers).map(|_| Echo(Arc::clone(&ended))).collect();
        (Pool::start(workers).unwrap(), ended)
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
