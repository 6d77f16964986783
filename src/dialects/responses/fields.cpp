#include "dialects/responses/fields.hpp"

#include <algorithm>

namespace sluice::chat::responses {

std::string place::text() const {
    std::string text = outer_ == nullptr ? std::string{} : outer_->text();
    if (index_ != no_index) return text.append("[").append(std::to_string(index_)).append("]");
    if (!text.empty() && !key_.empty()) text += '.';
    return text.append(key_);
}

void checker::refuse(const place& where, std::string_view what) {
    if (wrong_) return;
    std::string param = where.text();
    std::string text = param.empty() ? std::string("The request ") : "`" + param + "` ";
    wrong_ = error{error_kind::bad_request, text.append(what), std::move(param)};
}

fields::fields(checker& check, const json_value& object, const place& where) : check_(check), where_(where) {
    if (!check.ok()) return;
    if (object.type != json_type::object) {
        check.refuse(where, "must be an object.");
        return;
    }
    auto read = json_object::inside(object);
    if (!read) {
        check.refuse(read.error());
        return;
    }
    own_ = std::move(*read);
    object_ = &own_;
    taken_.resize(own_.members().size());
}

fields::fields(checker& check, const json_object& object, const place& where)
    : check_(check), object_(&object), where_(where), taken_(object.members().size()) {}

std::optional<json_value> fields::any(std::string_view key, need n) {
    if (object_ == nullptr || !check_.ok()) return std::nullopt;
    const auto& members = object_->members();
    const auto m = std::find_if(members.begin(), members.end(), [&](const json_member& x) { return x.key == key; });
    if (m != members.end()) taken_[static_cast<std::size_t>(m - members.begin())] = true;
    if (m != members.end() && m->value.type != json_type::null) return m->value;
    if (n == need::required) check_.refuse(where_.in(key), "is missing.");
    return std::nullopt;
}

json fields::take(std::string_view key, json_type type, std::string_view what) {
    const auto v = any(key);
    if (!v) return {};
    if (v->type == type) return v->raw;
    check_.refuse(where_.in(key), what);
    return {};
}

json fields::string(std::string_view key, need n) {
    const json s = take(key, json_type::string, "must be a string.");
    if (s.empty() && n == need::required) check_.refuse(where_.in(key), "must be a string.");
    return s;
}

std::optional<std::int64_t> fields::integer(std::string_view key) {
    const auto v = any(key);
    if (!v) return std::nullopt;
    const auto n = v->integer();
    if (!n) check_.refuse(where_.in(key), "must be an integer.");
    return n;
}

std::string_view fields::word(std::string_view key, std::initializer_list<std::string_view> words) {
    const json s = string(key);
    if (s.empty()) return {};
    for (const std::string_view w : words) {
        if (says(s, w)) return w;
    }
    std::string what = "must be one of ";
    for (const std::string_view w : words) what.append(w).append(w == *(words.end() - 1) ? "." : ", ");
    check_.refuse(where_.in(key), what);
    return {};
}

void fields::leave(std::string_view key) {
    if (object_ == nullptr) return;
    for (std::size_t i = 0; i < taken_.size(); ++i) {
        if (object_->members()[i].key == key) taken_[i] = false;
    }
}

void fields::rest(extra_fields& out) const {
    if (object_ == nullptr || !check_.ok()) return;
    for (std::size_t i = 0; i < taken_.size(); ++i) {
        const json_member& m = object_->members()[i];
        if (!taken_[i] && m.value.type != json_type::null) out.push_back({m.key, m.value.raw});
    }
}

}  // namespace sluice::chat::responses
