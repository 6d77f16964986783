#include "app/shared_objects.hpp"

#include <stdexcept>

namespace sluice::app {

std::shared_ptr<void> shared_objects::get(std::string_view key, const std::type_info& type,
                                          const std::function<std::shared_ptr<void>()>& make) {
    const std::lock_guard lock(mutex_);
    const std::string name(key);
    if (const auto found = objects_.find(name); found != objects_.end()) {
        if (found->second.type != std::type_index(type))
            throw std::logic_error("two kinds of shared object are called " + name);
        return found->second.object;
    }
    auto object = make();
    objects_.emplace(name, entry{std::type_index(type), object});
    return object;
}

}  // namespace sluice::app
