#include <actors/activity_actor.hpp>

#include <atomic>
#include <utility>

#include <caf/all.hpp>
#include <caf/detail/private_thread.hpp>

#include <actors/activity_slot.hpp>
#include <actors/thread_logger_guard.hpp>

namespace actorbus::actors {

namespace {

/// The message that says "wake". It is a part of its actor, so that sending it allocates nothing.
class wake_message final : public caf::mailbox_element {
 public:
  wake_message() : content_(caf::make_message(caf::tick_atom_v)) {}

  caf::type_erased_tuple& content() override { return content_; }
  const caf::type_erased_tuple& content() const override { return content_; }
  caf::message move_content_to_message() override { return content_; }
  caf::message copy_content_to_message() const override { return content_; }

  /// A mailbox is done with it.
  void request_deletion(bool) const noexcept override {}

 private:
  caf::message content_;
};

}  // namespace

class activity_actor final : public caf::event_based_actor {
 public:
  using super = caf::event_based_actor;

  activity_actor(caf::actor_config& config, std::shared_ptr<activity_slot> slot)
      : super(config), slot_(std::move(slot)) {}

  /// Acquire: the partner of hand_over in intrusive_ptr_release_impl, on whatever threads that ran.
  ~activity_actor() override { turn_.load(std::memory_order_acquire); }

  const char* name() const override { return "actorbus"; }

  caf::behavior make_behavior() override {
    return {[this](caf::tick_atom) { rung_ = true; }};
  }

  /// Takes the message, then runs one slice: only then is the message free to be sent again, by anybody.
  resume_result resume(caf::execution_unit* context, std::size_t) override {
    turn_.load(std::memory_order_acquire);  // the partner of hand_over in ring, on the thread that rang
    const auto result = super::resume(context, 1);
    if (std::exchange(rung_, false)) {
      if (slot_->run()) ring();
      activity_slot::run_next();
    }
    return result;
  }

  void launch(caf::execution_unit* context, bool lazy, bool hide) override {
    try {
      super::launch(context, lazy, hide);
    } catch (...) {
      forget_thread();
      throw;
    }
  }

  /// CAF's workers, and let_go, drop their reference by this.
  void intrusive_ptr_release_impl() override {
    hand_over();
    intrusive_ptr_release(ctrl());
  }

  void ring() {
    hand_over();
    // No context: CAF then puts the actor behind all others that are ready, under either of its scheduling policies.
    enqueue(caf::mailbox_element_ptr{&wake_}, nullptr);
  }

 private:
  /// Release: whoever resumes or destroys the actor next sees what this thread did with it. CAF orders this too, but
  /// inside its library, where a thread sanitizer cannot see it. A read-modify-write, so that earlier releases stay in
  /// force.
  void hand_over() noexcept { turn_.fetch_add(1, std::memory_order_release); }

  /// CAF counts and refers to a thread before it starts it, and does neither any less when that fails: its system would
  /// wait for that thread for ever.
  void forget_thread() {
    if (private_thread_ == nullptr) return;
    delete std::exchange(private_thread_, nullptr);
    unsetf(is_detached_flag);
    home_system().dec_detached_threads();
    intrusive_ptr_release(ctrl());
  }

  std::atomic<unsigned> turn_{0};
  bool rung_ = false;
  const std::shared_ptr<activity_slot> slot_;
  wake_message wake_;
};

void let_go::operator()(activity_actor* actor) const noexcept { actor->intrusive_ptr_release_impl(); }

activity_actor_ptr start_actor(caf::actor_system& system, std::shared_ptr<activity_slot> slot, placement where) {
  const thread_logger_guard guard;
  // Hidden: a system that waits for its actors before it ends does not wait for ours.
  auto handle = where == placement::own_thread
                    ? system.spawn<activity_actor, caf::hidden + caf::detached>(std::move(slot))
                    : system.spawn<activity_actor, caf::hidden + caf::lazy_init>(std::move(slot));
  auto* actor = static_cast<activity_actor*>(caf::actor_cast<caf::abstract_actor*>(handle));
  intrusive_ptr_add_ref(actor->ctrl());
  return activity_actor_ptr{actor};
}

void ring(activity_actor& actor) noexcept { actor.ring(); }

}  // namespace actorbus::actors
