// A host monitor: five seconds of this machine, read from /proc twenty times a second, each reading an event.
//
// host.cpu, host.memory, host.disk, host.network   the readings
// host.*.average                                   what a handler makes of them
// screen                                           lines to print: one thread prints, everybody publishes
//
// A sudden load sets off an alert, a late joiner is given the latest readings first, a slow reader is told what it
// missed.
#include <algorithm>
#include <chrono>
#include <deque>
#include <functional>
#include <future>
#include <iomanip>
#include <iostream>
#include <map>
#include <memory>
#include <numeric>
#include <optional>
#include <sstream>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include <bus/bus.hpp>

#include "proc.hpp"

using namespace std::chrono_literals;

struct reading {
  double value;  // its unit is in the event's headers
};

std::string fixed(std::optional<double> value, int width) {
  std::ostringstream out;
  out << std::fixed << std::setprecision(1) << std::setw(width);
  value ? out << *value : out << "-";
  return out.str();
}

// A handler with a memory of its own, which publishes: the mean of each topic's last half second, on host.*.average.
class moving_average {
 public:
  explicit moving_average(actorbus::bus& bus) : bus_(bus) {}

  void operator()(const actorbus::event<reading>& e) {
    const std::string name(e.topic());
    auto& last = last_[name];
    last.push_back(e->value);
    if (last.size() > 10) last.pop_front();
    const double mean = std::accumulate(last.begin(), last.end(), 0.0) / static_cast<double>(last.size());
    bus_.topic<reading>(name + ".average").publish({mean}, e.headers());
  }

 private:
  actorbus::bus& bus_;
  std::map<std::string, std::deque<double>> last_;
};

// Tells when a share rises above a limit, and when it is back.
bool is_share(const actorbus::metadata& m) { return m.headers.get("unit") == "%"; }

class alert {
 public:
  explicit alert(actorbus::topic<std::string> to) : to_(std::move(to)) {}

  void operator()(const actorbus::event<reading>& e) {
    constexpr double limit = 80;
    bool& raised = raised_[std::string(e.topic())];
    if (std::exchange(raised, e->value > limit) == raised) return;
    to_.publish("  alert        " + std::string(e.topic()) + (raised ? " rose above 80 %" : " is back below 80 %"));
  }

 private:
  actorbus::topic<std::string> to_;
  std::map<std::string, bool> raised_;
};

// Given the latest readings first. `caught_up` says, for each topic, that what follows is live.
actorbus::subscription join_late(actorbus::bus& bus, actorbus::topic<std::string> screen) {
  auto readings = std::make_shared<std::map<std::string, int, std::less<>>>();
  return bus.subscribe<reading>(
      "host.*",
      actorbus::overloaded{[readings](const actorbus::event<reading>& e) { ++(*readings)[std::string(e.topic())]; },
                           [readings, screen](const actorbus::caught_up& c) mutable {
                             const std::string name(c.topic);
                             screen.publish("  late joiner  has the last " + std::to_string((*readings)[name]) +
                                            " readings of " + name + ", up to #" + std::to_string(c.sequence));
                           }},
      {.from = actorbus::replay::last(20), .name = "late joiner"});
}

// Takes most of a second for each event, on a thread of its own, and may lag by ten.
actorbus::subscription read_slowly(actorbus::bus& bus, actorbus::topic<std::string> screen,
                                   std::shared_future<void> end) {
  return bus.subscribe<reading>(
      "host.cpu",
      actorbus::overloaded{[end](const actorbus::event<reading>&) { end.wait_for(900ms); },
                           [screen](const actorbus::lagged& l) mutable {
                             screen.publish("  slow reader  missed " + std::to_string(l.count) + " readings of " +
                                            std::string(l.topic) + ", #" + std::to_string(l.first) + " to #" +
                                            std::to_string(l.last));
                           }},
      {.overflow = actorbus::overflow::drop_oldest,
       .capacity = 10,
       .run_on = actorbus::run_on::own_thread,
       .name = "slow reader"});
}

// Something to see: every processor is busy while this exists.
class load {
 public:
  load() {
    for (unsigned i = 0; i < std::max(1u, std::thread::hardware_concurrency()); ++i) {
      threads_.emplace_back([](std::stop_token end) {
        while (!end.stop_requested()) {
        }
      });
    }
  }

 private:
  std::vector<std::jthread> threads_;
};

// The readings of this moment, each on its topic. What this machine does not tell has no topic.
class host {
 public:
  explicit host(actorbus::bus& bus) : bus_(bus) {}

  void publish() {
    publish("host.cpu", "%", busy_(proc::read_processor_time()));
    publish("host.memory", "%", proc::read_memory_in_use());
    publish("host.disk", "KiB/s", disk_(proc::read_disk_bytes()));
    publish("host.network", "KiB/s", network_(proc::read_network_bytes()));
  }

 private:
  void publish(const char* topic, const char* unit, std::optional<double> value) {
    if (value) bus_.topic<reading>(topic, {.history = 50}).publish({*value}, {{"unit", unit}});
  }

  actorbus::bus& bus_;
  proc::busy_share busy_;
  proc::byte_rate disk_, network_;
};

// The newest reading of each topic, or its average, as one row.
class table {
 public:
  explicit table(actorbus::bus& bus)
      : newest_(bus.inbox<reading>("host.>", {.overflow = actorbus::overflow::latest, .name = "table"})) {
    std::cout << "  time, s   cpu %  average   memory %   disk KiB/s   network KiB/s\n";
  }

  void print_row(double seconds) {
    newest_.poll([this](const actorbus::event<reading>& e) { values_[std::string(e.topic())] = e->value; });
    std::cout << fixed(seconds, 9) << fixed(of("host.cpu"), 8) << fixed(of("host.cpu.average"), 9)
              << fixed(of("host.memory"), 11) << fixed(of("host.disk.average"), 13)
              << fixed(of("host.network.average"), 16) << std::endl;
  }

 private:
  std::optional<double> of(const char* topic) const {
    const auto found = values_.find(topic);
    return found == values_.end() ? std::nullopt : std::optional(found->second);
  }

  actorbus::inbox<reading> newest_;
  std::map<std::string, double> values_;
};

void print(actorbus::bus_snapshot all) {
  const auto by_name = [](const auto& a, const auto& b) { return a.name < b.name; };
  std::sort(all.topics.begin(), all.topics.end(), by_name);
  std::sort(all.subscriptions.begin(), all.subscriptions.end(), by_name);
  std::cout << "\n  topic                   published  kept  readers  deepest\n";
  for (const auto& t : all.topics) {
    std::cout << "  " << std::left << std::setw(22) << t.name << std::right << std::setw(11) << t.accepted
              << std::setw(6) << t.history << std::setw(9) << t.subscribers << std::setw(9) << t.high_water << '\n';
  }
  std::cout << "\n  subscription    of               offered  handled  filtered  dropped  unread\n";
  for (const auto& s : all.subscriptions) {
    std::cout << "  " << std::left << std::setw(16) << s.name << std::setw(15) << s.pattern << std::right
              << std::setw(9) << s.offered << std::setw(9) << s.delivered << std::setw(10) << s.filtered << std::setw(9)
              << s.dropped << std::setw(8) << s.lag << '\n';
  }
}

int main() {
  constexpr int a_second = 20;
  constexpr int seconds = 5;
  actorbus::bus bus;
  auto screen = bus.topic<std::string>("screen");
  auto lines = screen.inbox({.name = "printer"});
  const auto print_line = [](const std::string& line) { std::cout << line << std::endl; };

  auto averages = bus.subscribe<reading>("host.*", moving_average(bus), {.name = "moving average"});
  auto alerts = bus.subscribe<reading>("host.*.average", alert(screen), {.where = is_share, .name = "alert"});
  std::promise<void> end;
  auto slow = read_slowly(bus, screen, end.get_future().share());
  actorbus::subscription late;
  std::optional<load> busy;
  host readings(bus);
  table rows(bus);

  auto next = std::chrono::steady_clock::now();
  for (int tick = 0; tick <= seconds * a_second; ++tick) {
    readings.publish();
    if (tick == 2 * a_second) busy.emplace();
    if (tick == 3 * a_second) busy.reset();
    if (tick == 4 * a_second) late = join_late(bus, screen);
    if (tick % (a_second / 2) == 0 && tick > 0) rows.print_row(static_cast<double>(tick) / a_second);
    lines.poll(print_line);
    std::this_thread::sleep_until(next += 1000ms / a_second);
  }

  end.set_value();
  bus.flush(2s);
  lines.poll(print_line);
  print(bus.snapshot());
  const auto report = bus.close();
  std::cout << (report.totals.adds_up() ? "\nEvery event is accounted for.\n" : "\nThe accounts do not add up.\n");
}
