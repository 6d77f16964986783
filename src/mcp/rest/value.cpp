#include "mcp/rest/value.hpp"

#include <sluice/json.hpp>

#include "http/json_number.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numeric>

namespace sluice::mcp::rest {

struct value::list_node {
    list items;
    unsigned depth = 1;
};

struct value::object_node {
    members fields;
    std::vector<std::uint32_t> by_key;  // indices, ordered by key, then by place
    unsigned depth = 1;
};

namespace {

// Reads what validate_json() has passed, which also bounds the nesting: nothing is checked twice.
class reader {
public:
    explicit reader(std::string_view text) : p_(text.data()), end_(text.data() + text.size()) {}

    result<value> read() {
        if (++values_ > value::parsed_max)
            return error{error_kind::payload_too_large, "the JSON holds too many values"};
        skip();
        switch (*p_) {
            case '{':
                return read_object();
            case '[':
                return read_array();
            case '"':
                return value::string(read_string());
            case 't':
                p_ += 4;
                return value::boolean(true);
            case 'f':
                p_ += 5;
                return value::boolean(false);
            case 'n':
                p_ += 4;
                return value::null();
            default:
                return read_number();
        }
    }

private:
    void skip() {
        while (p_ != end_ && (*p_ == ' ' || *p_ == '\t' || *p_ == '\n' || *p_ == '\r')) ++p_;
    }
    // At a separator or the closing bracket: steps over it. True: another element follows.
    bool another() {
        skip();
        return *p_++ == ',';
    }
    bool empty_before(char close) {
        ++p_;
        skip();
        if (*p_ != close) return false;
        ++p_;
        return true;
    }
    result<value> read_object() {
        value::members fields;
        if (empty_before('}')) return value::object(std::move(fields));
        do {
            skip();
            std::string key = read_string();
            skip();
            ++p_;  // the colon
            auto item = read();
            if (!item) return item;
            fields.emplace_back(std::move(key), std::move(*item));
        } while (another());
        return value::object(std::move(fields));
    }
    result<value> read_array() {
        value::list items;
        if (empty_before(']')) return value::array(std::move(items));
        do {
            auto item = read();
            if (!item) return item;
            items.push_back(std::move(*item));
        } while (another());
        return value::array(std::move(items));
    }
    std::string read_string() {
        const char* const begin = p_++;
        while (*p_ != '"') p_ += *p_ == '\\' ? 2 : 1;
        ++p_;
        const json_value raw{json_type::string, {begin, static_cast<std::size_t>(p_ - begin)}};
        return raw.string().value_or(std::string{});
    }
    value read_number() {
        const char* const begin = p_;
        p_ = http::scan_json_number(p_, end_).stop;
        return value::number_text({begin, p_});
    }

    const char* p_;
    const char* end_;
    std::size_t values_ = 0;
};

std::string_view trimmed(std::string_view s) {
    while (!s.empty() && s.front() == ' ') s.remove_prefix(1);
    while (!s.empty() && s.back() == ' ') s.remove_suffix(1);
    return s;
}

}  // namespace

value value::boolean(bool b) {
    value v{kind::boolean};
    v.bool_ = b;
    return v;
}

value value::integer(std::int64_t n) {
    return number_text(std::to_string(n));
}

value value::number(double n) {
    if (!std::isfinite(n)) return null();
    if (std::abs(n) < 1e15 && n == std::trunc(n)) return integer(static_cast<std::int64_t>(n));
    char digits[32];
    const auto end = std::to_chars(digits, digits + sizeof digits, n).ptr;
    return number_text({digits, end});
}

value value::number_text(std::string text) {
    value v{kind::number};
    v.text_ = std::make_shared<const std::string>(std::move(text));
    return v;
}

value value::string(std::string text) {
    value v{kind::string};
    v.text_ = std::make_shared<const std::string>(std::move(text));
    return v;
}

result<value> value::array(list items) {
    auto node = std::make_shared<list_node>();
    for (const value& item : items) node->depth = std::max(node->depth, item.depth() + 1);
    if (node->depth > depth_max) return error{error_kind::bad_request, "a value is nested too deeply"};
    node->items = std::move(items);
    value v{kind::array};
    v.list_ = std::move(node);
    return v;
}

result<value> value::object(members in_order) {
    auto node = std::make_shared<object_node>();
    for (const member& m : in_order) node->depth = std::max(node->depth, m.second.depth() + 1);
    if (node->depth > depth_max) return error{error_kind::bad_request, "a value is nested too deeply"};
    node->fields = std::move(in_order);
    node->by_key.resize(node->fields.size());
    std::iota(node->by_key.begin(), node->by_key.end(), 0U);
    std::sort(node->by_key.begin(), node->by_key.end(), [&](std::uint32_t a, std::uint32_t b) {
        const int order = node->fields[a].first.compare(node->fields[b].first);
        return order != 0 ? order < 0 : a < b;
    });
    value v{kind::object};
    v.object_ = std::move(node);
    return v;
}

result<value> value::parse(std::string_view json) {
    if (auto valid = validate_json(json); !valid) return valid.error();
    return reader{json}.read();
}

value value::as_trusted(bool trusted) const {
    value v = *this;
    v.trusted_ = trusted;
    return v;
}

value value::as_json() const {
    value v = *this;
    v.json_ = true;
    return v;
}

bool value::truth() const {
    switch (kind_) {
        case kind::missing:
        case kind::null:
            return false;
        case kind::boolean:
            return bool_;
        case kind::number:
            return to_number().value_or(0) != 0;
        default:
            return size() != 0;
    }
}

std::optional<std::int64_t> value::to_integer() const {
    const std::string_view s = trimmed(text_view());
    std::int64_t n = 0;
    const auto [stop, failure] = std::from_chars(s.data(), s.data() + s.size(), n);
    if (!s.empty() && failure == std::errc{} && stop == s.data() + s.size()) return n;
    const auto wide = to_number();  // 5.0 and 1e3 are whole numbers too
    if (!wide || *wide != std::trunc(*wide) || std::abs(*wide) > 9e15) return std::nullopt;
    return static_cast<std::int64_t>(*wide);
}

std::optional<double> value::to_number() const {
    const std::string_view s = trimmed(text_view());
    double n = 0;
    const auto [stop, failure] = std::from_chars(s.data(), s.data() + s.size(), n);
    if (s.empty() || failure != std::errc{} || stop != s.data() + s.size() || !std::isfinite(n)) return std::nullopt;
    return n;
}

std::string_view value::text_view() const {
    return text_ ? std::string_view{*text_} : std::string_view{};
}

const value::list& value::items() const {
    static const list none;
    return list_ ? list_->items : none;
}

const value::members& value::fields() const {
    static const members none;
    return object_ ? object_->fields : none;
}

std::size_t value::size() const {
    if (list_) return list_->items.size();
    if (object_) return object_->fields.size();
    return kind_ == kind::string ? text_->size() : 0;
}

value value::get(std::string_view key) const {
    if (list_) {
        std::size_t index = 0;
        const auto [stop, failure] = std::from_chars(key.data(), key.data() + key.size(), index);
        const bool digits = !key.empty() && failure == std::errc{} && stop == key.data() + key.size();
        return digits ? at(index) : value{};
    }
    if (!object_) return {};
    const members& fields = object_->fields;
    const auto found = std::lower_bound(object_->by_key.begin(), object_->by_key.end(), key,
                                        [&](std::uint32_t i, std::string_view k) { return fields[i].first < k; });
    if (found == object_->by_key.end() || fields[*found].first != key) return {};
    const value& v = fields[*found].second;
    return v.as_trusted(trusted_ || v.trusted_);
}

value value::at(std::size_t index) const {
    if (!list_ || index >= list_->items.size()) return {};
    const value& v = list_->items[index];
    return v.as_trusted(trusted_ || v.trusted_);
}

std::string value::text(std::size_t bytes_max) const {
    switch (kind_) {
        case kind::missing:
        case kind::null:
            return {};
        case kind::string:
        case kind::number:
            return std::string{text_view().substr(0, bytes_max + 1)};
        default:
            return json(bytes_max);
    }
}

std::string value::json(std::size_t bytes_max) const {
    std::string out;
    append_json(out, bytes_max);
    return out;
}

unsigned value::depth() const {
    if (list_) return list_->depth;
    return object_ ? object_->depth : 0;
}

void value::append_json(std::string& out, std::size_t bytes_max) const {
    if (out.size() > bytes_max) return;
    switch (kind_) {
        case kind::missing:
        case kind::null:
            out += "null";
            return;
        case kind::boolean:
            out += bool_ ? "true" : "false";
            return;
        case kind::number:
            out += *text_;
            return;
        case kind::string:
            append_json_string(out, std::string_view{*text_}.substr(0, bytes_max + 1));
            return;
        case kind::array:
            out += '[';
            for (std::size_t i = 0; i < list_->items.size() && out.size() <= bytes_max; ++i) {
                if (i > 0) out += ',';
                list_->items[i].append_json(out, bytes_max);
            }
            out += ']';
            return;
        case kind::object:
            out += '{';
            for (std::size_t i = 0; i < object_->fields.size() && out.size() <= bytes_max; ++i) {
                if (i > 0) out += ',';
                append_json_string(out, object_->fields[i].first);
                out += ':';
                object_->fields[i].second.append_json(out, bytes_max);
            }
            out += '}';
            return;
    }
}

}  // namespace sluice::mcp::rest
