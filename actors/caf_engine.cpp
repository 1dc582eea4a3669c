#include <actors/caf_engine.hpp>

#include <algorithm>
#include <optional>
#include <thread>
#include <utility>

#include <caf/all.hpp>

#include <actors/hosted_engine.hpp>
#include <actors/spin_sharing.hpp>
#include <actors/thread_logger_guard.hpp>

namespace actorbus {

namespace {

class thread_start_hook final : public caf::thread_hook {
 public:
  explicit thread_start_hook(std::function<void()> call) : call_(std::move(call)) {}

  void init(caf::actor_system&) override {}
  void thread_started() override { call_(); }
  void thread_terminates() override {}

 private:
  const std::function<void()> call_;
};

/// CAF reads command line and configuration files only where a program asks it to: nothing does here.
class engine_config final : public caf::actor_system_config {
 public:
  explicit engine_config(const engine_options& options) {
    const std::size_t cores = std::max(1U, std::thread::hardware_concurrency());
    set("scheduler.max-threads", options.workers == 0 ? cores : options.workers);
    // One queue for all: with `stealing`, idle workers nap between looks, and a job behind a busy worker waits to be
    // stolen.
    set("scheduler.policy", caf::atom("sharing"));
    set("logger.verbosity", caf::atom("quiet"));
    if (options.idle == idle_strategy::spin) actors::use_spin_sharing(*this);
    if (options.on_thread_start) add_thread_hook<thread_start_hook>(options.on_thread_start);
  }
};

/// A base class, so that the system is there before the engine on it, and after it.
class own_system {
 protected:
  explicit own_system(const engine_options& options) : config_(options) {
    const actors::thread_logger_guard guard;
    system_.emplace(config_);
  }

  engine_config config_;
  std::optional<caf::actor_system> system_;
};

class caf_engine final : own_system, public actors::hosted_engine {
 public:
  explicit caf_engine(const engine_options& options)
      : own_system(options), hosted_engine(*system_, options.on_thread_start) {}

  void stop() override {
    hosted_engine::stop();
    system_.reset();  // joins the threads
  }
};

}  // namespace

std::shared_ptr<engine> make_caf_engine(const engine_options& options) { return std::make_shared<caf_engine>(options); }

}  // namespace actorbus
