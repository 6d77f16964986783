// Lists, objects, JSON.
#include "mcp/rest/functions.hpp"
#include "mcp/rest/json_path.hpp"

#include <sluice/json.hpp>

#include <algorithm>

namespace sluice::mcp::rest {

namespace {

using kind = value::kind;

std::size_t text_max(const call& c) {
    return c.context.limits.output_bytes_max;
}

result<value> index(const call& c) {
    value v = c.args[0];
    for (std::size_t i = 1; i < c.args.size(); ++i) v = v.get(c.args[i].text(4096));
    return v;
}

result<value> has_key(const call& c) {
    return value::boolean(!c.args[0].get(c.args[1].text(4096)).is(kind::missing));
}

// dig "a" "b" default object
result<value> dig(const call& c) {
    value v = c.args.back();
    for (std::size_t i = 0; i + 2 < c.args.size(); ++i) v = v.get(c.args[i].text(4096));
    return v.is(kind::missing) ? c.args[c.args.size() - 2] : v;
}

result<value> keys(const call& c) {
    value::list out;
    for (const auto& [key, v] : c.args[0].fields()) out.push_back(value::string(key));
    return value::array(std::move(out));
}

result<value> values(const call& c) {
    value::list out;
    for (const auto& [key, v] : c.args[0].fields()) out.push_back(v);
    return value::array(std::move(out));
}

result<value> dict(const call& c) {
    value::members out;
    for (std::size_t i = 0; i < c.args.size(); i += 2) {
        out.emplace_back(c.args[i].text(text_max(c)), i + 1 < c.args.size() ? c.args[i + 1] : value::string({}));
    }
    return value::object(std::move(out));
}

result<value> list(const call& c) {
    return value::array({c.args.begin(), c.args.end()});
}

result<value> first(const call& c) {
    return c.args[0].at(0);
}

result<value> last(const call& c) {
    const std::size_t n = c.args[0].items().size();
    return n > 0 ? c.args[0].at(n - 1) : value{};
}

result<value> part(const value& v, std::size_t from, std::size_t to) {
    const auto& items = v.items();
    to = std::min(to, items.size());
    from = std::min(from, to);
    return value::array(
        {items.begin() + static_cast<std::ptrdiff_t>(from), items.begin() + static_cast<std::ptrdiff_t>(to)});
}

result<value> rest_(const call& c) {
    return part(c.args[0], 1, c.args[0].size());
}

result<value> initial(const call& c) {
    return part(c.args[0], 0, std::max<std::size_t>(c.args[0].size(), 1) - 1);
}

// slice list from to; of a string its bytes.
result<value> slice(const call& c) {
    const auto number = [&](std::size_t i, std::size_t otherwise) {
        if (i >= c.args.size()) return otherwise;
        return static_cast<std::size_t>(std::max<std::int64_t>(0, c.args[i].to_integer().value_or(0)));
    };
    const value& v = c.args[0];
    const std::size_t to = std::min(number(2, v.size()), v.size());
    const std::size_t from = std::min(number(1, 0), to);
    if (v.is(kind::string)) return value::string(std::string{v.text_view().substr(from, to - from)});
    return part(v, from, to);
}

result<value> append(const call& c) {
    value::list out = c.args[0].items();
    out.push_back(c.args[1]);
    return value::array(std::move(out));
}

result<value> prepend(const call& c) {
    value::list out = c.args[0].items();
    out.insert(out.begin(), c.args[1]);
    return value::array(std::move(out));
}

result<value> concat(const call& c) {
    value::list out;
    for (const value& v : c.args) out.insert(out.end(), v.items().begin(), v.items().end());
    if (out.size() > text_max(c) / 16) return error{error_kind::payload_too_large, "concat makes too long a list"};
    return value::array(std::move(out));
}

result<value> reverse(const call& c) {
    return value::array({c.args[0].items().rbegin(), c.args[0].items().rend()});
}

result<value> uniq(const call& c) {
    std::vector<std::string> seen;
    value::list out;
    for (const value& v : c.args[0].items()) {
        std::string spelled = v.json(text_max(c));
        const auto at = std::lower_bound(seen.begin(), seen.end(), spelled);
        if (at != seen.end() && *at == spelled) continue;
        seen.insert(at, std::move(spelled));
        out.push_back(v);
    }
    return value::array(std::move(out));
}

result<value> compact(const call& c) {
    value::list out;
    std::copy_if(c.args[0].items().begin(), c.args[0].items().end(), std::back_inserter(out),
                 [](const value& v) { return v.truth(); });
    return value::array(std::move(out));
}

// has needle list
result<value> has(const call& c) {
    const std::string wanted = c.args[0].json(text_max(c));
    const auto& items = c.args[1].items();
    return value::boolean(
        std::any_of(items.begin(), items.end(), [&](const value& v) { return v.json(text_max(c)) == wanted; }));
}

result<value> len(const call& c) {
    return value::integer(static_cast<std::int64_t>(c.args[0].size()));
}

result<value> gjson(const call& c) {
    auto found = find_path(c.root, c.args[0].text_view());
    if (!found || !found->is(kind::missing)) return found;
    return find_path(c.context.beside, c.args[0].text_view());
}

result<value> to_json(const call& c) {
    return value::string(c.args[0].json(text_max(c))).as_json();
}

void indent(const value& v, std::string& out, const std::string& margin, std::size_t bytes_max) {
    if (v.size() == 0 || out.size() > bytes_max || (!v.is(kind::array) && !v.is(kind::object))) {
        out += v.json(bytes_max);
        return;
    }
    const bool object = v.is(kind::object);
    const std::string inner = margin + "  ";
    out += object ? '{' : '[';
    for (std::size_t i = 0; i < v.size() && out.size() <= bytes_max; ++i) {
        out += (i > 0 ? ",\n" : "\n") + inner;
        if (object) out += to_json_string(v.fields()[i].first) + ": ";
        indent(object ? v.fields()[i].second : v.items()[i], out, inner, bytes_max);
    }
    out += '\n' + margin + (object ? '}' : ']');
}

result<value> to_pretty_json(const call& c) {
    std::string out;
    indent(c.args[0], out, {}, text_max(c));
    return value::string(std::move(out)).as_json();
}

result<value> from_json(const call& c) {
    auto parsed = value::parse(c.args[0].text_view());
    return parsed ? *parsed : value::null();
}

result<value> must_from_json(const call& c) {
    return value::parse(c.args[0].text_view());
}

constexpr function table[] = {
    {"index", 1, any_number, index, true},
    {"get", 2, 2, index, true},
    {"hasKey", 2, 2, has_key},
    {"dig", 3, any_number, dig, true},
    {"keys", 1, 1, keys},
    {"values", 1, 1, values},
    {"dict", 0, any_number, dict},
    {"list", 0, any_number, list},
    {"first", 1, 1, first, true},
    {"last", 1, 1, last, true},
    {"rest", 1, 1, rest_},
    {"initial", 1, 1, initial},
    {"slice", 1, 3, slice},
    {"append", 2, 2, append},
    {"prepend", 2, 2, prepend},
    {"concat", 0, any_number, concat},
    {"reverse", 1, 1, reverse},
    {"uniq", 1, 1, uniq},
    {"compact", 1, 1, compact},
    {"has", 2, 2, has},
    {"len", 1, 1, len},
    {"gjson", 1, 1, gjson, true},
    {"toJson", 1, 1, to_json},
    {"mustToJson", 1, 1, to_json},
    {"toRawJson", 1, 1, to_json},
    {"toPrettyJson", 1, 1, to_pretty_json},
    {"fromJson", 1, 1, from_json},
    {"mustFromJson", 1, 1, must_from_json},
};

}  // namespace

std::span<const function> data_functions() {
    return table;
}

}  // namespace sluice::mcp::rest
