#include "dialects/losses.hpp"

#include <algorithm>

namespace sluice::chat {
namespace {

constexpr std::size_t dropped_max = 64;

}  // namespace

void losses::hint(std::string field) {
    if (dropped_.size() == dropped_max || std::find(dropped_.begin(), dropped_.end(), field) != dropped_.end()) return;
    dropped_.push_back(std::move(field));
}

result<void> losses::feature(std::string field, std::string_view what) {
    if (drop_) {
        hint(std::move(field));
        return {};
    }
    std::string text = "The target " + target_ + " cannot take " + std::string(what) + " (`" + field +
                       "`). Leave it out, or let the route drop what a target cannot take (on_unsupported: drop).";
    return error{error_kind::bad_request, std::move(text), std::move(field)};
}

void losses::hints(const extra_fields& fields, std::string_view where) {
    for (const extra_field& f : fields) hint(std::string(where).append(f.key));
}

std::string place_of(std::size_t message) {
    return "messages[" + std::to_string(message) + "]";
}

std::string place_of(std::size_t message, std::size_t part) {
    return place_of(message) + ".content[" + std::to_string(part) + "]";
}

}  // namespace sluice::chat
