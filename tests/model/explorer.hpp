// Runs a model of some threads through every interleaving of their steps and of their store buffers' draining.
//
// A model is a plain value of bytes: `threads`, a `memory`, where each thread is, what it knows. It has
//   const char* step(std::size_t thread);   one atomic step; its name, or null if the thread waits or has ended
//   const char* wrong() const;              null, or what must not be, whatever happened so far
//   const char* wrong_at_end() const;       the same where nothing can happen any more
// A thread that spins must repeat one step that changes nothing: then it waits. One whose store buffer is full waits
// too. Threads: one at a time.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_set>
#include <vector>

namespace actorbus::model {

struct finding {
  std::string wrong;               ///< empty: every interleaving is right
  std::vector<std::string> story;  ///< the steps that lead there
  std::size_t states = 0;          ///< different ones seen
  std::size_t ends = 0;            ///< of these, those where nothing can happen any more

  std::string told() const {
    std::string text = wrong + " after";
    for (const auto& each : story) text += "\n  " + each;
    return wrong.empty() ? "" : text;
  }
};

template <class Model>
class explorer {
  static_assert(std::has_unique_object_representations_v<Model>, "states are compared byte by byte");

 public:
  static finding explore(const Model& start) {
    explorer self;
    self.visit(start);
    self.found_.states = self.visited_.size();
    return self.found_;
  }

 private:
  /// False: something is wrong, the story is told.
  bool visit(const Model& here) {
    if (!visited_.emplace(reinterpret_cast<const char*>(&here), sizeof here).second) return true;
    if (const char* wrong = here.wrong()) return fail(wrong);
    bool moves = false;
    for (std::size_t thread = 0; thread < Model::threads; ++thread) {
      Model stepped = here;
      const char* const name = here.memory.can_store(thread) ? stepped.step(thread) : nullptr;
      if (name != nullptr && !same(stepped, here)) {
        moves = true;
        if (!go(stepped, thread, name)) return false;
      }
      Model drained = here;
      if (drained.memory.drain_one(thread)) {
        moves = true;
        if (!go(drained, thread, "(a store becomes visible)")) return false;
      }
    }
    if (moves) return true;
    ++found_.ends;
    if (const char* wrong = here.wrong_at_end()) return fail(wrong);
    return true;
  }

  bool go(const Model& to, std::size_t thread, const char* name) {
    path_.push_back("thread " + std::to_string(thread) + ": " + name);
    const bool fine = visit(to);
    path_.pop_back();
    return fine;
  }

  bool fail(const char* what) {
    found_.wrong = what;
    found_.story = path_;
    return false;
  }

  static bool same(const Model& a, const Model& b) {
    return std::string_view(reinterpret_cast<const char*>(&a), sizeof a) ==
           std::string_view(reinterpret_cast<const char*>(&b), sizeof b);
  }

  std::unordered_set<std::string> visited_;
  std::vector<std::string> path_;
  finding found_;
};

template <class Model>
finding explore(const Model& start) {
  return explorer<Model>::explore(start);
}

}  // namespace actorbus::model
