// What /proc says of this machine: processor, memory, disk, network. Empty where it does not say it.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>
#include <system_error>
#include <utility>

namespace proc {

struct processor_time {
  std::uint64_t busy, total;
};

inline std::optional<processor_time> read_processor_time() {
  std::ifstream file("/proc/stat");
  std::string name;
  std::uint64_t user = 0, nice = 0, system = 0, idle = 0, iowait = 0, irq = 0, softirq = 0, steal = 0;
  if (!(file >> name >> user >> nice >> system >> idle >> iowait >> irq >> softirq >> steal)) return std::nullopt;
  const std::uint64_t busy = user + nice + system + irq + softirq + steal;
  return processor_time{busy, busy + idle + iowait};
}

inline std::optional<double> read_memory_in_use() {
  std::ifstream file("/proc/meminfo");
  double total = 0, available = 0;
  std::string name, rest;
  for (double kib = 0; file >> name >> kib && std::getline(file, rest);) {
    if (name == "MemTotal:") total = kib;
    if (name == "MemAvailable:") available = kib;
  }
  if (total <= 0 || available <= 0) return std::nullopt;
  return 100 * (1 - available / total);
}

// Whole disks only: partitions and mapped devices would count the same bytes again.
inline std::optional<std::uint64_t> read_disk_bytes() {
  std::ifstream file("/proc/diskstats");
  if (!file) return std::nullopt;
  std::uint64_t sectors = 0;
  for (std::string line; std::getline(file, line);) {
    std::istringstream fields(line);
    std::string major, minor, name;
    std::uint64_t ios = 0, merged = 0, read = 0, milliseconds = 0, written = 0;
    fields >> major >> minor >> name >> ios >> merged >> read >> milliseconds >> ios >> merged >> written;
    std::error_code unreadable;
    if (fields && std::filesystem::exists("/sys/block/" + name + "/device", unreadable)) sectors += read + written;
  }
  return sectors * 512;
}

inline std::optional<std::uint64_t> read_network_bytes() {
  std::ifstream file("/proc/net/dev");
  if (!file) return std::nullopt;
  std::uint64_t bytes = 0;
  for (std::string line; std::getline(file, line);) {
    const auto colon = line.find(':');
    if (colon == std::string::npos) continue;  // a heading
    line[colon] = ' ';
    std::istringstream fields(line);
    std::string name;
    std::uint64_t received = 0, skipped = 0, sent = 0;
    fields >> name >> received;
    for (int i = 0; i < 7; ++i) fields >> skipped;
    if (fields >> sent && name != "lo") bytes += received + sent;
  }
  return bytes;
}

// Between two looks at a counter of bytes: KiB a second.
class byte_rate {
 public:
  std::optional<double> operator()(std::optional<std::uint64_t> bytes) {
    const auto now = std::chrono::steady_clock::now();
    const double seconds = std::chrono::duration<double>(now - std::exchange(then_, now)).count();
    const auto before = std::exchange(bytes_, bytes);
    if (!bytes || !before || *bytes < *before) return std::nullopt;
    return static_cast<double>(*bytes - *before) / 1024 / seconds;
  }

 private:
  std::chrono::steady_clock::time_point then_{};
  std::optional<std::uint64_t> bytes_;
};

// The share of processor time that was not idle, per cent.
class busy_share {
 public:
  std::optional<double> operator()(std::optional<processor_time> now) {
    const auto before = std::exchange(before_, now);
    if (!now || !before) return std::nullopt;
    if (now->total > before->total && now->busy >= before->busy) {
      share_ = 100 * static_cast<double>(now->busy - before->busy) / static_cast<double>(now->total - before->total);
    }
    return share_;  // the kernel's clock may not have ticked in between
  }

 private:
  std::optional<processor_time> before_;
  double share_ = 0;
};

}  // namespace proc
