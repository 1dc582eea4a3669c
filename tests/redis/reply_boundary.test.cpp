#include "tests/redis/reply_boundary.hpp"

#include <set>

#include "tests/catch.hpp"

using namespace actorbus::testing;

TEST_CASE("replies end where they end, wherever the bytes were cut", "[proxy]") {
  const std::vector<std::string> replies{"+PONG\r\n",
                                         ":7\r\n",
                                         "$0\r\n\r\n",
                                         "$-1\r\n",
                                         "$6\r\n*1\r\n+x\r\n",
                                         "*0\r\n",
                                         "*-1\r\n",
                                         "*3\r\n$7\r\nmessage\r\n$1\r\nx\r\n$4\r\n\r\n$9\r\n",
                                         "*2\r\n*1\r\n:1\r\n*2\r\n$1\r\na\r\n*0\r\n",
                                         "-ERR no\r\n"};
  std::string all;
  std::set<std::size_t> begins;
  for (const auto& each : replies) {
    begins.insert(all.size());
    all += each;
  }
  for (std::size_t cut = 0; cut <= all.size(); ++cut) {
    CAPTURE(cut);
    reply_boundary seen;
    CHECK(seen.take(all.substr(0, cut)) == (cut == 0 ? std::string::npos : 0));
    const auto next = begins.lower_bound(cut);
    CHECK(seen.take(all.substr(cut)) == (next == begins.end() ? std::string::npos : *next - cut));
  }
}
