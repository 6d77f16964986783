#include "mcp/rest/json_path.hpp"

#include <sluice/json.hpp>

#include <algorithm>

namespace sluice::mcp::rest {

namespace {

using kind = value::kind;
constexpr unsigned steps_max = 64;

error bad(std::string_view what) {
    return error{error_kind::bad_request, "gjson path: " + std::string{what}};
}

value inherit(const value& v, const value& from) {
    return v.as_trusted(v.trusted() || from.trusted());
}

// '*' any bytes, '?' one byte, '\' takes the next as it is. Linear but for backing up to the last star.
bool matches(std::string_view pattern, std::string_view text) {
    std::size_t p = 0;
    std::size_t t = 0;
    std::size_t star = std::string_view::npos;
    std::size_t resume = 0;
    while (t < text.size()) {
        const bool escaped = p + 1 < pattern.size() && pattern[p] == '\\';
        const char want = p < pattern.size() ? pattern[p + (escaped ? 1 : 0)] : '\0';
        if (p < pattern.size() && !escaped && want == '*') {
            star = p++;
            resume = t;
        } else if (p < pattern.size() && ((!escaped && want == '?') || want == text[t])) {
            p += escaped ? 2 : 1;
            ++t;
        } else if (star != std::string_view::npos) {
            p = star + 1;
            t = ++resume;
        } else {
            return false;
        }
    }
    while (p < pattern.size() && pattern[p] == '*') ++p;
    return p == pattern.size();
}

// One part of a path and what follows it.
struct part {
    std::string_view text;
    char separator = '\0';  // '.', '|' or none
    std::string_view rest;
};

result<part> cut(std::string_view path) {
    int parentheses = 0;
    bool quoted = false;
    for (std::size_t i = 0; i < path.size(); ++i) {
        const char c = path[i];
        if (c == '\\') {
            ++i;
        } else if (c == '"' && parentheses > 0) {
            quoted = !quoted;
        } else if (quoted) {
            continue;
        } else if (c == '(') {
            ++parentheses;
        } else if (c == ')') {
            if (--parentheses < 0) return bad("a parenthesis too many");
        } else if ((c == '.' || c == '|') && parentheses == 0) {
            return part{path.substr(0, i), c, path.substr(i + 1)};
        }
    }
    if (parentheses != 0 || quoted) return bad("a parenthesis or quote is not closed");
    return part{path, '\0', {}};
}

value member(const value& from, std::string_view name) {
    if (name.find_first_of("*?\\") == std::string_view::npos) return from.get(name);
    for (const auto& [key, v] : from.fields()) {
        if (matches(name, key)) return inherit(v, from);
    }
    if (!from.is(kind::array)) return {};
    for (std::size_t i = 0; i < from.size(); ++i) {
        if (matches(name, std::to_string(i))) return from.at(i);
    }
    return {};
}

result<value> modified(const value& v, std::string_view name) {
    if (name == "this" || name == "ugly") return v;
    value::list out;
    if (name == "reverse") {
        if (v.is(kind::array)) {
            out.assign(v.items().rbegin(), v.items().rend());
        } else if (v.is(kind::object)) {
            return value::object({v.fields().rbegin(), v.fields().rend()});
        } else {
            return v;
        }
    } else if (name == "keys" || name == "values") {
        for (const auto& [key, item] : v.fields()) out.push_back(name == "keys" ? value::string(key) : item);
        if (name == "values" && v.is(kind::array)) return v;
    } else if (name == "flatten") {
        if (!v.is(kind::array)) return v;
        for (const value& item : v.items()) {
            if (item.is(kind::array)) {
                out.insert(out.end(), item.items().begin(), item.items().end());
            } else {
                out.push_back(item);
            }
        }
    } else {
        return bad("the modifier @" + std::string{name} + " is not supported");
    }
    return value::array(std::move(out));
}

struct condition {
    std::string_view path;
    std::string_view op;  // empty: the path must be there
    value operand;
};

result<condition> read_condition(std::string_view text) {
    constexpr std::string_view ops[] = {"==", "!=", "<=", ">=", "!%", "=", "<", ">", "%"};
    condition c;
    int parentheses = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\\')
            ++i;
        else if (text[i] == '(')
            ++parentheses;
        else if (text[i] == ')')
            --parentheses;
        if (parentheses > 0 || i >= text.size()) continue;
        for (const std::string_view op : ops) {
            if (!text.substr(i).starts_with(op)) continue;
            const auto trim = [](std::string_view s) {
                while (!s.empty() && s.front() == ' ') s.remove_prefix(1);
                while (!s.empty() && s.back() == ' ') s.remove_suffix(1);
                return s;
            };
            c.path = trim(text.substr(0, i));
            c.op = op;
            const std::string_view right = trim(text.substr(i + op.size()));
            auto parsed = value::parse(right);
            c.operand = parsed ? *parsed : value::string(std::string{right});
            return c;
        }
    }
    c.path = text;
    return c;
}

bool holds(const condition& c, const value& v) {
    if (v.is(kind::missing)) return false;
    if (c.op.empty()) return true;
    const std::string pattern = c.operand.text(4096);
    if (c.op == "%") return v.is(kind::string) && matches(pattern, v.text_view());
    if (c.op == "!%") return v.is(kind::string) && !matches(pattern, v.text_view());
    int order = 2;  // of another kind
    if (v.is(kind::number) && c.operand.is(kind::number)) {
        const double a = v.to_number().value_or(0);
        const double b = c.operand.to_number().value_or(0);
        order = a < b ? -1 : (a > b ? 1 : 0);
    } else if (v.type() == c.operand.type()) {
        order =
            v.is(kind::boolean) ? int{v.truth()} - int{c.operand.truth()} : v.text(4096).compare(c.operand.text(4096));
    }
    if (c.op == "==" || c.op == "=") return order == 0;
    if (c.op == "!=") return order != 0;
    if (order == 2) return false;
    if (c.op == "<") return order < 0;
    if (c.op == "<=") return order <= 0;
    return c.op == ">" ? order > 0 : order >= 0;
}

result<value> follow(const value& v, std::string_view path, unsigned& budget);

result<value> of_each(const value& v, std::string_view path, unsigned& budget) {
    value::list out;
    for (std::size_t i = 0; i < v.size(); ++i) {
        unsigned own = budget;
        auto found = follow(v.at(i), path, own);
        if (!found) return found;
        if (!found->is(kind::missing)) out.push_back(std::move(*found));
    }
    auto made = value::array(std::move(out));
    return made ? made->as_trusted(v.trusted()) : made;
}

// "#", "#(..)" or "#(..)#" and what is behind.
result<value> of_list(const value& v, const part& p, unsigned& budget) {
    if (!v.is(kind::array)) return value{};
    if (p.text == "#") {
        if (p.separator == '.') return of_each(v, p.rest, budget);
        return value::integer(static_cast<std::int64_t>(v.size()));
    }
    const bool all = p.text.ends_with(")#");
    if (!p.text.starts_with("#(") || (!all && !p.text.ends_with(')'))) return bad("# must stand alone or before (");
    const auto c = read_condition(p.text.substr(2, p.text.size() - (all ? 4 : 3)));
    if (!c) return c.error();
    value::list found;
    for (std::size_t i = 0; i < v.size(); ++i) {
        unsigned own = budget;
        auto side = c->path.empty() ? result<value>{v.at(i)} : follow(v.at(i), c->path, own);
        if (!side) return side;
        if (!holds(*c, *side)) continue;
        if (!all) return p.separator == '\0' ? result<value>{v.at(i)} : follow(v.at(i), p.rest, budget);
        found.push_back(v.at(i));
    }
    if (!all) return value{};
    auto list = value::array(std::move(found));
    if (!list || p.separator == '\0') return list;
    // "#(..)#.x" is x of each; "#(..)#|x" goes on with the list.
    return p.separator == '.' && !p.rest.starts_with('@') ? of_each(*list, p.rest, budget)
                                                          : follow(*list, p.rest, budget);
}

result<value> follow(const value& v, std::string_view path, unsigned& budget) {
    if (budget == 0) return bad("too many steps");
    --budget;
    const auto p = cut(path);
    if (!p) return p.error();
    if (p->text.starts_with('{') || p->text.starts_with('[')) return bad("multipaths are not supported");
    if (p->text.starts_with('#')) return of_list(v, *p, budget);
    auto next = p->text.starts_with('@') ? modified(v, p->text.substr(1)) : result<value>{member(v, p->text)};
    if (!next || p->separator == '\0') return next;
    return follow(*next, p->rest, budget);
}

}  // namespace

result<value> find_path(const value& root, std::string_view path) {
    if (path.size() > 4096) return bad("longer than 4096 bytes");
    unsigned budget = steps_max;
    return follow(root, path, budget);
}

}  // namespace sluice::mcp::rest
