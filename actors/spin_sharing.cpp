#include <actors/spin_sharing.hpp>

#include <set>
#include <thread>

#include <caf/all.hpp>
#include <caf/policy/unprofiled.hpp>
#include <caf/scheduler/coordinator.hpp>

#include <actors/run_queue.hpp>

namespace actorbus::actors {

namespace {

/// Tells the core that this is a wait, which saves power and leaves more to its other hardware thread.
void pause_briefly() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

class spin_sharing : public caf::policy::unprofiled {
 public:
  struct coordinator_data {
    explicit coordinator_data(caf::scheduler::abstract_coordinator*) {}
    run_queue<caf::resumable, 1024> jobs;
  };

  struct worker_data {
    explicit worker_data(caf::scheduler::abstract_coordinator*) {}
  };

  template <class Coordinator>
  void central_enqueue(Coordinator* self, caf::resumable* job) {
    d(self).jobs.push(job);
  }

  template <class Worker>
  void external_enqueue(Worker* self, caf::resumable* job) {
    d(self->parent()).jobs.push(job);
  }

  template <class Worker>
  void internal_enqueue(Worker* self, caf::resumable* job) {
    external_enqueue(self, job);
  }

  template <class Worker>
  void resume_job_later(Worker* self, caf::resumable* job) {
    external_enqueue(self, job);
  }

  template <class Worker>
  caf::resumable* dequeue(Worker* self) {
    // Yielding now and then costs an otherwise idle core next to nothing, and saves a crowded machine from waiting for
    // the end of this worker's time slice.
    constexpr unsigned looks_per_yield = 1024;
    auto& jobs = d(self->parent()).jobs;
    for (unsigned looks = 1;; ++looks) {
      if (auto* job = jobs.pop()) return job;
      if (looks % looks_per_yield == 0) {
        std::this_thread::yield();
      } else {
        pause_briefly();
      }
    }
  }

  template <class Worker, class Function>
  void foreach_resumable(Worker*, Function) {}

  template <class Coordinator, class Function>
  void foreach_central_resumable(Coordinator* self, Function visit) {
    while (auto* job = d(self).jobs.pop()) visit(job);
  }
};

}  // namespace

void use_spin_sharing(caf::actor_system_config& config) { config.load<caf::scheduler::coordinator<spin_sharing>>(); }

}  // namespace actorbus::actors
