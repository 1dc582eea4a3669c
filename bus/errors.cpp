#include <bus/errors.hpp>

namespace actorbus {

namespace {

// Neither switch has a default, so that the compiler reports an error added to `errc` and forgotten here.
class category final : public std::error_category {
 public:
  const char* name() const noexcept override { return "actorbus"; }

  std::string message(int value) const override {
    switch (static_cast<errc>(value)) {
      case errc::closed:
        return "closed";
      case errc::finished:
        return "the topic is finished and takes no further events";
      case errc::would_block:
        return "the call would have to wait";
      case errc::timeout:
        return "timed out";
      case errc::invalid_topic:
        return "not a valid topic name";
      case errc::invalid_pattern:
        return "not a valid pattern";
      case errc::invalid_argument:
        return "invalid argument";
      case errc::type_mismatch:
        return "the topic has another type";
      case errc::options_mismatch:
        return "other options were given explicitly before";
      case errc::in_handler:
        return "not allowed inside a handler";
      case errc::no_responders:
        return "nobody responds to requests of this name";
      case errc::handler_failed:
        return "the responder's handler failed";
      case errc::disconnected:
        return "disconnected for lagging too far behind";
      case errc::decode_failed:
        return "the bytes received could not be decoded";
      case errc::not_connected:
        return "not connected to the server";
      case errc::refused_by_server:
        return "refused by the server";
      case errc::unsupported:
        return "not supported";
    }
    return "unknown error " + std::to_string(value);
  }

  std::error_condition default_error_condition(int value) const noexcept override {
    switch (static_cast<errc>(value)) {
      case errc::would_block:
        return std::errc::operation_would_block;
      case errc::timeout:
        return std::errc::timed_out;
      case errc::invalid_topic:
      case errc::invalid_pattern:
      case errc::invalid_argument:
        return std::errc::invalid_argument;
      case errc::in_handler:
        return std::errc::resource_deadlock_would_occur;
      case errc::decode_failed:
        return std::errc::bad_message;
      case errc::not_connected:
        return std::errc::not_connected;
      case errc::unsupported:
        return std::errc::not_supported;
      case errc::closed:
      case errc::finished:
      case errc::type_mismatch:
      case errc::options_mismatch:
      case errc::no_responders:
      case errc::handler_failed:
      case errc::disconnected:
      case errc::refused_by_server:
        break;
    }
    return {value, *this};
  }
};

}  // namespace

const std::error_category& error_category() noexcept {
  static const category instance;
  return instance;
}

std::error_code make_error_code(errc code) noexcept { return {static_cast<int>(code), error_category()}; }

bus_error::bus_error(std::error_code code, const std::string& what) : std::system_error(code, what) {}

bus_error::bus_error(errc code, const std::string& what) : std::system_error(make_error_code(code), what) {}

}  // namespace actorbus
