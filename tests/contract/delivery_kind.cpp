#include "tests/contract/delivery_kind.hpp"

namespace actorbus::contract {

const std::vector<named_feature>& every_feature() {
  static const std::vector<named_feature> all{
      {"history", &features::history},   {"groups", &features::groups},       {"retry", &features::retry},
      {"blocking", &features::blocking}, {"isolation", &features::isolation}, {"total order", &features::total_order},
      {"drains", &features::drains},     {"reconnect", &features::reconnect},
  };
  return all;
}

}  // namespace actorbus::contract
