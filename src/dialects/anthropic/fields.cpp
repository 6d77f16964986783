#include "dialects/anthropic/fields.hpp"

namespace sluice::chat::anthropic {

std::string place::text() const {
    if (outer_ == nullptr) return {};
    std::string text = outer_->text();
    if (index_ != no_index) return text.append(1, '[').append(std::to_string(index_)).append(1, ']');
    if (!text.empty()) text += '.';
    return text.append(key_);
}

result<void> request_check::outcome() const {
    if (wrong_) return *wrong_;
    return {};
}

void request_check::refuse(const place& where, std::string_view what) {
    if (wrong_) return;
    std::string name = where.text();
    std::string message = (name.empty() ? "The body" : name) + " " + std::string(what) + ".";
    wrong_ = error{error_kind::bad_request, std::move(message), std::move(name)};
}

void request_check::refuse(error e) {
    if (!wrong_) wrong_ = std::move(e);
}

fields::fields(request_check& check, const json_value& object, const place& where) : check_(check), where_(&where) {
    if (!check_.ok()) return;
    if (object.type != json_type::object) {
        check_.refuse(where, "must be an object");
        return;
    }
    auto inside = json_object::inside(object);
    if (!inside) {
        error e = inside.error();
        e.param = where.text();
        e.message = e.param + ": " + e.message;
        check_.refuse(std::move(e));
        return;
    }
    own_ = std::move(*inside);
    object_ = &own_;
    taken_.resize(own_.members().size());
}

fields::fields(request_check& check, const json_object& object, const place& where)
    : check_(check), object_(&object), where_(&where), taken_(object.members().size()) {}

std::optional<json_value> fields::any(std::string_view key) {
    if (!check_.ok() || object_ == nullptr) return std::nullopt;
    const json_member* m = object_->member(key);
    if (m == nullptr) return std::nullopt;
    taken_[static_cast<std::size_t>(m - object_->members().data())] = true;
    if (m->value.type == json_type::null) return std::nullopt;
    return m->value;
}

std::optional<json_value> fields::take(std::string_view key, json_type type, need n, std::string_view what) {
    auto value = any(key);
    if (!value) {
        if (n == need::required && check_.ok()) check_.refuse(where_->in(key), "is required");
        return std::nullopt;
    }
    if (value->type == type) return value;
    check_.refuse(where_->in(key), what);
    return std::nullopt;
}

json fields::string(std::string_view key, need n) {
    const auto v = take(key, json_type::string, n, "must be a string");
    return v ? v->raw : json{};
}

json fields::object(std::string_view key, need n) {
    const auto v = take(key, json_type::object, n, "must be an object");
    return v ? v->raw : json{};
}

json fields::array(std::string_view key, need n) {
    const auto v = take(key, json_type::array, n, "must be an array");
    return v ? v->raw : json{};
}

json fields::number(std::string_view key) {
    const auto v = take(key, json_type::number, need::optional, "must be a number");
    return v ? v->raw : json{};
}

json fields::boolean(std::string_view key) {
    const auto v = take(key, json_type::boolean, need::optional, "must be true or false");
    return v ? v->raw : json{};
}

std::optional<std::int64_t> fields::integer(std::string_view key) {
    const auto v = take(key, json_type::number, need::optional, "must be an integer");
    if (!v) return std::nullopt;
    const auto value = v->integer();
    if (!value) check_.refuse(where_->in(key), "must be an integer");
    return value;
}

void fields::rest(extra_fields& out) const {
    if (!check_.ok() || object_ == nullptr) return;
    for (std::size_t i = 0; i < taken_.size(); ++i) {
        const json_member& m = object_->members()[i];
        if (!taken_[i]) out.push_back({m.key, m.value.raw});
    }
}

void fields::rest(extra_fields& out, std::string_view prefix, text_arena& arena) const {
    const std::size_t first = out.size();
    rest(out);
    for (std::size_t i = first; i < out.size(); ++i) out[i].key = arena.keep(std::string(prefix).append(out[i].key));
}

std::vector<json_value> elements(request_check& check, json array, const place& where) {
    std::vector<json_value> all;
    if (!check.ok() || array.empty()) return all;
    all = json_elements(value_of(array));
    if (all.size() <= elements_max) return all;
    check.refuse(where, "has more than 65536 elements");
    return {};
}

}  // namespace sluice::chat::anthropic
