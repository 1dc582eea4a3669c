// Where messages of a sender are missing, with no server.
#include <bridges/redis/sender_sequences.hpp>

#include "tests/catch.hpp"

using actorbus::redis::sender_sequences;

TEST_CASE("a message follows the one that its step leads back to", "[sender_sequences]") {
  sender_sequences senders;
  CHECK(senders.follows(7, 1042, 0));
  CHECK(senders.follows(7, 1043, 1));
  CHECK(senders.follows(7, 1050, 7));
  CHECK_FALSE(senders.follows(7, 1052, 1));
  CHECK(senders.follows(7, 1053, 1));
  CHECK_FALSE(senders.follows(7, 1053, 1));
}

TEST_CASE("of a sender that is heard first, or does not tell a step, nothing is known to be missing",
          "[sender_sequences]") {
  sender_sequences senders;
  CHECK(senders.follows(7, 1042, 1));
  CHECK(senders.follows(8, 5, 2));
  CHECK(senders.follows(7, 2000, 0));
  CHECK(senders.follows(7, 2001, 1));
  CHECK(senders.follows(7, 0, 0));  // publish_all's have no place
  CHECK(senders.follows(7, 2002, 1));
  CHECK(senders.follows(0, 3, 1));
  CHECK(senders.follows(0, 9, 1));
}

TEST_CASE("senders are told apart, however their messages mingle", "[sender_sequences]") {
  sender_sequences senders;
  for (std::uint64_t sequence = 1; sequence <= 3; ++sequence) {
    for (std::uint64_t origin = 1; origin <= sender_sequences::most; ++origin) {
      CHECK(senders.follows(origin, sequence, sequence - 1 == 0 ? 0 : 1));
    }
  }
  CHECK_FALSE(senders.follows(1, 5, 1));
  CHECK(senders.follows(2, 4, 1));
}

TEST_CASE("the sender that was silent longest is forgotten for one too many", "[sender_sequences]") {
  sender_sequences senders;
  for (std::uint64_t origin = 1; origin <= sender_sequences::most; ++origin) senders.follows(origin, 1, 0);
  senders.follows(1, 2, 1);
  senders.follows(sender_sequences::most + 1, 1, 0);
  CHECK_FALSE(senders.follows(1, 4, 1));
  CHECK(senders.follows(2, 4, 1));
}

TEST_CASE("what is missing around what was told is not told again", "[sender_sequences]") {
  sender_sequences senders;
  senders.follows(7, 1, 0);
  senders.forget();
  CHECK(senders.follows(7, 5, 1));
  CHECK_FALSE(senders.follows(7, 7, 1));
}
