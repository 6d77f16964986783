// Objects that stages of all workers share and that survive a reload: limit tables, key sets, cooldowns.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <typeindex>
#include <unordered_map>

namespace sluice::app {

// Thread-safe; used while stages are built. An object lives as long as somebody uses it or, for a reload's sake,
// until the process ends: their number is bounded by the names in the configurations that were loaded.
class shared_objects {
public:
    std::shared_ptr<void> get(std::string_view key, const std::type_info& type,
                              const std::function<std::shared_ptr<void>()>& make);

private:
    struct entry {
        std::type_index type;
        std::shared_ptr<void> object;
    };
    std::recursive_mutex mutex_;  // making one object may ask for another
    std::unordered_map<std::string, entry> objects_;
};

}  // namespace sluice::app
