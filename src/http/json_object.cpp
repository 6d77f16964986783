#include "http/json_validator.hpp"

#include <sluice/json.hpp>

#include <algorithm>
#include <string>

namespace sluice {
namespace {

using http::json_validator;

error bad_json(std::string_view text, std::size_t offset, std::string_view reason) {
    std::string message = "invalid JSON at byte " + std::to_string(offset) + ": ";
    message += reason;
    return error{error_kind::bad_request, std::move(message), http::json_pointer_at(text, offset)};
}

std::string_view type_name(json_type type) {
    switch (type) {
        case json_type::null:
            return "null";
        case json_type::boolean:
            return "a boolean";
        case json_type::number:
            return "a number";
        case json_type::string:
            return "a string";
        case json_type::array:
            return "an array";
        case json_type::object:
            break;
    }
    return "an object";
}

result<void> validate(std::string_view text, json_validator& v) {
    if (text.size() > http::json_text_bytes_max) {
        return error{error_kind::payload_too_large, "a JSON text may have at most 1 GiB"};
    }
    if (!v.finish(text)) return bad_json(text, v.offset(), v.reason());
    return {};
}

// The index of a member whose key stood before, or -1. Escaped keys count by what they mean.
class duplicate_search {
public:
    explicit duplicate_search(const std::vector<json_member>& members) : members_(members) {
        for (const json_member& m : members) {
            if (m.key_escaped) unescaped_.push_back(http::unescape_json(m.key));
        }
    }

    std::ptrdiff_t find() const {
        if (members_.size() > few_members) return find_sorted();
        // One bit per (size, first, last byte): usually no two members share one, and nothing is compared.
        std::uint64_t seen = 0;
        std::size_t escaped = 0;
        std::string_view keys[few_members];
        for (std::size_t i = 0; i < members_.size(); ++i) {
            const std::string_view k = keys[i] = key(i, escaped);
            const unsigned mix = k.empty() ? 0U
                                           : static_cast<unsigned>(k.size()) * 7 +
                                                 static_cast<unsigned char>(k.front()) * 3U +
                                                 static_cast<unsigned char>(k.back()) * 5U;
            const std::uint64_t bit = std::uint64_t{1} << (mix & 63);
            if ((seen & bit) != 0 && std::find(keys, keys + i, k) != keys + i) return static_cast<std::ptrdiff_t>(i);
            seen |= bit;
        }
        return -1;
    }

private:
    static constexpr std::size_t few_members = 32;

    std::string_view key(std::size_t i, std::size_t& escaped) const {
        return members_[i].key_escaped ? std::string_view{unescaped_[escaped++]} : members_[i].key;
    }

    // Sorting does not depend on luck with hashes, which a client could take away.
    std::ptrdiff_t find_sorted() const {
        std::vector<std::pair<std::string_view, std::size_t>> keys;
        keys.reserve(members_.size());
        std::size_t escaped = 0;
        for (std::size_t i = 0; i < members_.size(); ++i) keys.emplace_back(key(i, escaped), i);
        std::sort(keys.begin(), keys.end());
        const auto twin = std::adjacent_find(keys.begin(), keys.end(),
                                             [](const auto& a, const auto& b) { return a.first == b.first; });
        return twin == keys.end() ? -1 : static_cast<std::ptrdiff_t>(std::next(twin)->second);
    }

    const std::vector<json_member>& members_;
    std::vector<std::string> unescaped_;  // of escaped keys, in order
};

result<void> refuse_duplicates(std::string_view text, const std::vector<json_member>& members) {
    const std::ptrdiff_t at = duplicate_search(members).find();
    if (at < 0) return {};
    const json_member& m = members[static_cast<std::size_t>(at)];
    return bad_json(text, m.begin, "a key that the object already has");
}

}  // namespace

result<void> validate_json(std::string_view text) {
    json_validator v(nullptr);
    return validate(text, v);
}

result<json_object> json_object::parse(std::string_view text) {
    json_object o;
    o.members_.reserve(16);
    json_validator v(&o.members_);
    if (auto valid = o.read(text, v); !valid) return valid.error();
    return o;
}

result<void> json_object::read(std::string_view text, json_validator& v) {
    text_ = text;
    if (auto valid = validate(text, v); !valid) return valid;
    const char first = *http::skip_json_space(text.data(), text.data() + text.size());
    if (first != '{') {
        std::string message = "expected a JSON object, not ";
        message += type_name(http::json_type_of(first));
        return error{error_kind::bad_request, std::move(message)};
    }
    return refuse_duplicates(text, members_);
}

struct json_reader::state {
    json_object object;
    json_validator validator{&object.members_};
};

json_reader::json_reader() : state_(std::make_unique<state>()) {}
json_reader::~json_reader() = default;

void json_reader::advance(std::string_view so_far) {
    if (so_far.size() <= http::json_text_bytes_max) state_->validator.advance(so_far);
}

result<json_object> json_reader::finish(std::string_view text) {
    if (auto valid = state_->object.read(text, state_->validator); !valid) return valid.error();
    return std::move(state_->object);
}

result<json_object> json_object::inside(const json_value& object) {
    if (object.type != json_type::object || object.raw.empty()) {
        return error{error_kind::bad_request, "expected a JSON object, not " + std::string{type_name(object.type)}};
    }
    json_object o;
    o.text_ = object.raw;
    const char* const begin = object.raw.data();
    const char* const end = begin + object.raw.size();
    const char* p = http::skip_json_space(begin + 1, end);
    while (p != end && *p == '"') {
        if (o.members_.size() == http::json_members_max) {
            return error{error_kind::bad_request, "a JSON object with more than 65536 members"};
        }
        json_member m;
        m.begin = static_cast<std::uint32_t>(p - begin);
        const char* const key = p + 1;
        p = http::skip_valid_string(p, end, m.key_escaped);
        m.key = {key, static_cast<std::size_t>(p - key - 1)};
        p = http::skip_json_space(p, end);
        p = http::skip_json_space(p == end ? end : p + 1, end);  // the colon
        if (p == end) break;
        const char* const value = p;
        p = http::skip_valid_json(p, end);
        m.value = {http::json_type_of(*value), {value, static_cast<std::size_t>(p - value)}};
        m.end = static_cast<std::uint32_t>(p - begin);
        o.members_.push_back(m);
        p = http::skip_json_space(p, end);
        p = http::skip_json_space(p == end ? end : p + 1, end);  // the comma or the closing brace
    }
    if (auto unique = refuse_duplicates(o.text_, o.members_); !unique) return unique.error();
    return o;
}

const json_member* json_object::member(std::string_view key) const {
    for (const json_member& m : members_) {
        if (m.key_escaped ? http::unescape_json(m.key) == key : m.key == key) return &m;
    }
    return nullptr;
}

std::optional<json_value> json_object::find(std::string_view key) const {
    const json_member* m = member(key);
    if (m == nullptr) return std::nullopt;
    return m->value;
}

std::vector<json_value> json_elements(const json_value& array) {
    std::vector<json_value> elements;
    if (array.type != json_type::array || array.raw.empty()) return elements;
    const char* const end = array.raw.data() + array.raw.size();
    const char* p = http::skip_json_space(array.raw.data() + 1, end);
    while (p != end && *p != ']') {
        const char* const value = p;
        p = http::skip_valid_json(p, end);
        elements.push_back({http::json_type_of(*value), {value, static_cast<std::size_t>(p - value)}});
        p = http::skip_json_space(p, end);
        if (p != end && *p == ',') p = http::skip_json_space(p + 1, end);
        if (p == value) break;  // not a validated text: do not stand still
    }
    return elements;
}

}  // namespace sluice
