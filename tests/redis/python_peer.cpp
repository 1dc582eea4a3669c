#include "tests/redis/python_peer.hpp"

#include <algorithm>
#include <stdexcept>

#include "tests/redis/redis_server.hpp"

namespace actorbus::testing {

namespace {

/// As redis-py takes it: the path of a unix socket, or a host and a port.
std::string url_of(const redis_server& to) {
  const std::string secret = to.password().empty() ? "" : ":" + to.password() + "@";
  return "unix://" + secret + to.unix_socket();
}

}  // namespace

const std::string& python_peer::entry::operator[](const std::string& field) const {
  const auto found = std::find_if(values.begin(), values.end(), [&](const auto& each) { return each.first == field; });
  if (found == values.end()) throw std::out_of_range("the entry " + id + " has no field " + field);
  return found->second;
}

python_peer::python_peer(const redis_server& to) : python_({ACTORBUS_PYTHON3, ACTORBUS_PYTHON_PEER, url_of(to)}) {
  call("ping");
}

python_peer::json python_peer::call(const std::string& method, json arguments, json options) {
  return ask({{"call", method}, {"args", std::move(arguments)}, {"kwargs", std::move(options)}});
}

std::int64_t python_peer::publish(const std::string& channel, const std::string& data) {
  return call("publish", {bytes(channel), bytes(data)}).get<std::int64_t>();
}

void python_peer::publish_all(const std::string& channel, const std::vector<std::string>& data) {
  json all = json::array();
  for (const auto& each : data) all.push_back({{"call", "publish"}, {"args", {bytes(channel), bytes(each)}}});
  ask({{"pipeline", std::move(all)}});
}

std::string python_peer::xadd(const std::string& stream, const fields& values, json options) {
  json object = json::object();
  for (const auto& [name, value] : values) object[bytes(name).get<std::string>()] = bytes(value);
  return bytes_of(call("xadd", {bytes(stream), std::move(object)}, std::move(options)));
}

std::vector<python_peer::entry> python_peer::xread(const std::string& stream, const std::string& after,
                                                   std::size_t count, std::chrono::milliseconds block) {
  return entries_of(call("xread", json::array({json{{bytes(stream).get<std::string>(), after}}}),
                         {{"count", count}, {"block", block.count()}}));
}

std::vector<python_peer::entry> python_peer::xreadgroup(const std::string& stream, const std::string& group,
                                                        const std::string& consumer, std::size_t count,
                                                        std::chrono::milliseconds block) {
  return entries_of(call("xreadgroup", {bytes(group), bytes(consumer), json{{bytes(stream).get<std::string>(), ">"}}},
                         {{"count", count}, {"block", block.count()}}));
}

std::int64_t python_peer::xack(const std::string& stream, const std::string& group, const std::string& id) {
  return call("xack", {bytes(stream), bytes(group), id}).get<std::int64_t>();
}

void python_peer::subscribe(const std::vector<std::string>& channels, const std::vector<std::string>& patterns) {
  json request{{"subscribe", json::array()}, {"psubscribe", json::array()}};
  for (const auto& each : channels) request["subscribe"].push_back(bytes(each));
  for (const auto& each : patterns) request["psubscribe"].push_back(bytes(each));
  ask(request);
}

std::vector<python_peer::message> python_peer::messages(std::size_t count, std::chrono::milliseconds patience) {
  const std::chrono::duration<double> seconds = patience;
  std::vector<message> result;
  for (const auto& each : ask({{"messages", count}, {"timeout", seconds.count()}})) {
    const auto& pattern = each["pattern"];
    result.push_back({pattern.is_null() ? "" : bytes_of(pattern), bytes_of(each["channel"]), bytes_of(each["data"])});
  }
  return result;
}

python_peer::json python_peer::bytes(const std::string& from) {
  std::string text;  // UTF-8
  for (const char each : from) {
    const auto byte = static_cast<unsigned char>(each);
    if (byte < 0x80) {
      text += each;
    } else {
      text += static_cast<char>(0xC0 | byte >> 6);
      text += static_cast<char>(0x80 | (byte & 0x3F));
    }
  }
  return text;
}

std::string python_peer::bytes_of(const json& from) {
  const auto& text = from.get_ref<const std::string&>();
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    auto byte = static_cast<unsigned char>(text[i]);
    if (byte >= 0x80) byte = static_cast<unsigned char>(byte << 6 | (static_cast<unsigned char>(text[++i]) & 0x3F));
    result += static_cast<char>(byte);
  }
  return result;
}

python_peer::json python_peer::ask(const json& request) {
  python_.say(request.dump());
  const auto line = python_.hear(std::chrono::seconds{30});
  if (!line) throw std::runtime_error("the Python process does not answer: " + request.dump());
  json answer = json::parse(*line);
  if (answer.contains("error")) throw python_error(answer["error"].get<std::string>());
  return answer["result"];
}

/// [[stream, [[id, {field: value}], ...]]], empty if nothing came.
std::vector<python_peer::entry> python_peer::entries_of(const json& reply) {
  std::vector<entry> result;
  if (reply.empty()) return result;
  for (const auto& each : reply.at(0).at(1)) {
    entry& fresh = result.emplace_back(entry{bytes_of(each.at(0)), {}});
    for (const auto& [name, value] : each.at(1).items()) fresh.values.emplace_back(bytes_of(name), bytes_of(value));
  }
  return result;
}

}  // namespace actorbus::testing
