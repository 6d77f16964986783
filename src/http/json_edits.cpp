#include <sluice/json.hpp>

#include <algorithm>
#include <cassert>

namespace sluice {

void json_edits::set(const json_object& object, std::string_view key, std::string raw_json) {
    assert(!raw_json.empty());
    put(object, key, std::move(raw_json));
}

void json_edits::remove(const json_object& object, std::string_view key) {
    put(object, key, {});
}

void json_edits::put(const json_object& object, std::string_view key, std::string value) {
    const json_member* m = object.member(key);
    const auto& members = object.members();
    const auto index = m == nullptr ? added_member : static_cast<std::uint32_t>(m - members.data());
    auto at = std::find_if(edits_.begin(), edits_.end(),
                           [&](const edit& e) { return e.member == index && (m != nullptr || e.key == key); });
    const bool removing = value.empty();
    if (m == nullptr) {
        if (removing) {
            if (at == edits_.end()) return;
            edits_.erase(at);
        } else {
            std::string text = ",";
            append_json_string(text, key);
            text.append(":").append(value);
            if (at == edits_.end()) {
                edits_.push_back({0, 0, added_member, std::string{key}, std::move(text)});
            } else {
                at->value = std::move(text);
            }
        }
    } else {
        if (at == edits_.end()) {
            at = std::upper_bound(edits_.begin(), edits_.end(), index,
                                  [](std::uint32_t i, const edit& e) { return i < e.member; });
            at = edits_.insert(at, {0, 0, index, {}, {}});
        }
        at->value = std::move(value);
    }
    place(object);
}

// Decides which bytes each edit takes out. The members in front of the first one that stays go with the comma
// behind them, all others with the comma before them: so every way to remove leaves exactly the commas needed.
void json_edits::place(const json_object& object) {
    const auto& members = object.members();
    const auto count = static_cast<std::uint32_t>(members.size());
    std::uint32_t first_kept = 0;
    for (const edit& e : edits_) {
        if (e.member != first_kept || !e.value.empty()) break;
        ++first_kept;
    }
    const auto offset = [&](const char* p) { return static_cast<std::uint32_t>(p - object.text().data()); };
    const std::uint32_t behind_last =
        count > 0 ? members.back().end : static_cast<std::uint32_t>(object.text().find('{')) + 1;
    bool comma = first_kept < count;  // for the first member added
    for (edit& e : edits_) {
        e.skipped = 0;
        if (e.member == added_member) {
            e.at = behind_last;
            e.erased = 0;
            e.skipped = comma ? 0 : 1;
            comma = true;
        } else if (const json_member& m = members[e.member]; !e.value.empty()) {
            e.at = offset(m.value.raw.data());
            e.erased = static_cast<std::uint32_t>(m.value.raw.size());
        } else if (e.member > first_kept) {
            e.at = members[e.member - 1].end;
            e.erased = m.end - e.at;
        } else {
            e.at = m.begin;
            e.erased = (e.member + 1 < count ? members[e.member + 1].begin : m.end) - e.at;
        }
    }
}

void json_edits::pieces(std::string_view original, std::vector<std::string_view>& out) const {
    std::size_t at = 0;
    for (const edit& e : edits_) {
        if (e.at > at) out.push_back(original.substr(at, e.at - at));
        if (!e.value.empty()) out.push_back(std::string_view{e.value}.substr(e.skipped));
        at = e.at + e.erased;
    }
    if (at < original.size()) out.push_back(original.substr(at));
}

std::size_t json_edits::size(std::string_view original) const {
    std::size_t bytes = original.size();
    for (const edit& e : edits_) bytes = bytes - e.erased + e.value.size() - e.skipped;
    return bytes;
}

std::string json_edits::apply(std::string_view original) const {
    std::vector<std::string_view> parts;
    pieces(original, parts);
    std::string text;
    text.reserve(size(original));
    for (const std::string_view part : parts) text += part;
    return text;
}

}  // namespace sluice
