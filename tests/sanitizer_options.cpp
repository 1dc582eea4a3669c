// What every test program tells ThreadSanitizer, so that it says the same however it is started.
//
// CAF is a library built without the sanitizer: the order that its atomics give is invisible, so that what it passes
// from thread to thread would be reported. Left out is therefore what CAF itself reads and writes, in the library or by
// its headers. The project's own code is fully checked; where CAF runs it, it brings its own order (see
// actors/activity_actor.cpp).
extern "C" const char* __tsan_default_options();       // NOLINT(bugprone-reserved-identifier): the sanitizer's names
extern "C" const char* __tsan_default_suppressions();  // NOLINT(bugprone-reserved-identifier)

extern "C" const char* __tsan_default_options() { return "ignore_noninstrumented_modules=1"; }  // NOLINT
extern "C" const char* __tsan_default_suppressions() { return "race_top:/include/caf/\n"; }     // NOLINT
