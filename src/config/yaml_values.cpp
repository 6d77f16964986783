// The scalars of yaml_reader: from text to values, and what to say when it is not one.

#include "base/nearest.hpp"
#include "config/json_text.hpp"
#include "config/yaml_reader.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <charconv>
#include <cmath>

namespace sluice::config {

// What a field expects, for its range check and the message.
struct quantity {
    std::string_view noun;  // "a number"
    const constraint& c;
    std::string (*spell)(double);

    // "a number from 1 to 5", "a positive number". Bounds that are only the width of an int are left out.
    std::string expected() const {
        const bool low = c.min && *c.min > -2147483648.0;
        const bool high = c.max && *c.max < 2147483647.0;
        if (low && high) return fmt::format("{} from {} to {}", noun, spell(*c.min), spell(*c.max));
        if (low && *c.min == positive_min && noun == "a number") return "a positive number";
        if (low) return fmt::format("{} of at least {}", noun, spell(*c.min));
        if (high) return fmt::format("{} of at most {}", noun, spell(*c.max));
        return std::string{noun};
    }
};

namespace {

std::string spell_number(double n) {
    return number_json(n);
}
std::string spell_seconds(double s) {
    return spell_duration(std::chrono::milliseconds{std::llround(s * 1000)});
}
std::string spell_bytes(double n) {
    return spell_size(static_cast<std::uint64_t>(std::llround(n)));
}

template <class T>
std::optional<T> parse_number(std::string_view text) {
    T n{};
    const auto end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data(), end, n);
    if (parsed.ec != std::errc{} || parsed.ptr != end) return std::nullopt;
    return n;
}

}  // namespace

std::optional<yaml_reader::value> yaml_reader::scalar(const node& n, const std::string& path,
                                                      std::string_view expected) {
    if (n.kind != node_kind::scalar) {
        problems_.add(n.at, path, fmt::format("expected {}, got {}", expected, noun(n)),
                      n.kind == node_kind::null ? "write a value, or remove the key" : "");
        return std::nullopt;
    }
    auto r = refs_.resolve(n, path, problems_);
    if (!r) return std::nullopt;
    plain_meaning meaning = classify(r->text);
    return value{std::move(r->text), n.quoted, r->referenced, std::move(meaning), n.at, path};
}

// expected a number, got "many"
void yaml_reader::refuse(const value& v, const std::string& expected, std::string hint) {
    std::string got = v.meaning.kind == plain_kind::text || v.quoted ? excerpt(v.text) : v.text.substr(0, 60);
    if (v.quoted && v.meaning.kind != plain_kind::text) got = "the text " + got;
    if (v.referenced) got = "something else from a reference";
    problems_.add(v.at, v.path, fmt::format("expected {}, got {}", expected, got), std::move(hint));
}

bool yaml_reader::in_range(const value& v, double amount, const quantity& q) {
    const bool low = q.c.min && amount < *q.c.min;
    const bool high = q.c.max && amount > *q.c.max;
    if (!low && !high) return true;
    std::string expected = q.expected();
    if (expected == q.noun) {  // a bound that usually goes without saying
        expected += low ? " of at least " + q.spell(*q.c.min) : " of at most " + q.spell(*q.c.max);
    }
    refuse(v, expected);
    return false;
}

// A plain number or boolean is no text: other YAML tools, and our schema, would not take it for one.
std::optional<std::string> yaml_reader::as_text(const node& n, const std::string& path, bool secret) {
    auto v = scalar(n, path, "a text");
    if (!v) return std::nullopt;
    if (v->quoted || v->referenced || v->meaning.kind == plain_kind::text) return std::move(v->text);
    const std::string hint = secret ? "put it in quotes" : fmt::format("quote it: \"{}\"", v->text);
    const bool truth = v->meaning.kind == plain_kind::boolean || v->meaning.kind == plain_kind::old_boolean;
    const bool old = v->meaning.kind == plain_kind::old_boolean || v->meaning.kind == plain_kind::old_number;
    problems_.add(v->at, path,
                  fmt::format("expected a text, got {}{}{}", truth ? "a boolean" : "a number",
                              secret ? "" : ": " + v->text, old ? " as YAML 1.1 reads it" : ""),
                  hint);
    return std::nullopt;
}

std::optional<std::int64_t> yaml_reader::as_integer(const node& n, const std::string& path, const constraint& c) {
    const quantity q{"a number", c, spell_number};
    const auto v = scalar(n, path, q.expected());
    if (!v) return std::nullopt;
    const plain_kind kind = v->meaning.kind;
    // A quoted number is a text, unless quotes were the only way to write the reference it came from.
    if (v->quoted && !v->referenced && kind != plain_kind::text) {
        refuse(*v, q.expected(), kind == plain_kind::integer ? "remove the quotes" : "");
        return std::nullopt;
    }
    if (kind == plain_kind::number) {
        refuse(*v, "a whole number");
        return std::nullopt;
    }
    if (kind != plain_kind::integer) {
        refuse(*v, q.expected(), kind == plain_kind::old_number ? v->meaning.hint : "");
        return std::nullopt;
    }
    const auto amount = parse_number<std::int64_t>(v->text);
    if (!amount) {
        refuse(*v, "a number within 64 bits");
        return std::nullopt;
    }
    if (!in_range(*v, static_cast<double>(*amount), q)) return std::nullopt;
    return amount;
}

void yaml_reader::text(std::string_view key, std::string& v, std::string_view, const constraint& c) {
    const member* m = find(key, c);
    if (m == nullptr) return;
    const std::string path = join(frames_.back().path, key);
    auto t = as_text(*m->value, path, false);
    if (t && t->empty() && c.need == presence::required) {
        problems_.add(m->value->at, path, "must not be empty");
    } else if (t) {
        v = std::move(*t);
    }
}

void yaml_reader::secret_text(std::string_view key, secret& v, std::string_view, const constraint& c) {
    const member* m = find(key, c);
    if (m == nullptr) return;
    const std::string path = join(frames_.back().path, key);
    auto t = as_text(*m->value, path, true);
    if (t && t->empty() && c.need == presence::required) {
        problems_.add(m->value->at, path, "must not be empty");
    } else if (t) {
        v = secret{std::move(*t)};
    }
}

void yaml_reader::boolean(std::string_view key, bool& v, std::string_view, const constraint& c) {
    const member* m = find(key, c);
    if (m == nullptr) return;
    const std::string path = join(frames_.back().path, key);
    const auto s = scalar(*m->value, path, "true or false");
    if (!s) return;
    const bool truth = s->meaning.kind == plain_kind::boolean;
    if (truth && (!s->quoted || s->referenced)) {
        v = s->text == "true";
    } else if (s->meaning.kind == plain_kind::old_boolean) {
        refuse(*s, "true or false", s->meaning.hint);
    } else {
        refuse(*s, "true or false", truth ? "remove the quotes" : "");
    }
}

void yaml_reader::integer(std::string_view key, std::int64_t& v, std::string_view, const constraint& c) {
    const member* m = find(key, c);
    if (m == nullptr) return;
    const auto n = as_integer(*m->value, join(frames_.back().path, key), c);
    if (n) v = *n;
}

void yaml_reader::number(std::string_view key, double& v, std::string_view, const constraint& c) {
    const member* m = find(key, c);
    if (m == nullptr) return;
    // One is no special bound here: 0.5 is positive too.
    const quantity q{"a decimal number", c, spell_number};
    const std::string path = join(frames_.back().path, key);
    const auto s = scalar(*m->value, path, q.expected());
    if (!s) return;
    const bool digits = s->meaning.kind == plain_kind::integer || s->meaning.kind == plain_kind::number;
    const auto n = digits && (!s->quoted || s->referenced) ? parse_number<double>(s->text) : std::nullopt;
    if (!n) {
        refuse(*s, q.expected(), digits && s->quoted ? "remove the quotes" : s->meaning.hint);
    } else if (in_range(*s, *n, q)) {
        v = *n;
    }
}

void yaml_reader::size(std::string_view key, byte_size& v, std::string_view, const constraint& c) {
    const member* m = find(key, c);
    if (m == nullptr) return;
    const quantity q{"a size", c, spell_bytes};
    const std::string path = join(frames_.back().path, key);
    const auto s = scalar(*m->value, path, q.expected());
    if (!s) return;
    const auto n = parse_size(s->text);
    if (!n) {
        refuse(*s, q.expected(), s->meaning.hint.empty() ? "like 8MiB, 64KiB or 500MB" : s->meaning.hint);
    } else if (in_range(*s, static_cast<double>(*n), q)) {
        v.value = *n;
    }
}

void yaml_reader::duration(std::string_view key, std::chrono::milliseconds& v, std::string_view, const constraint& c) {
    const member* m = find(key, c);
    if (m == nullptr) return;
    const quantity q{"a duration", c, spell_seconds};
    const std::string path = join(frames_.back().path, key);
    const auto s = scalar(*m->value, path, q.expected());
    if (!s) return;
    const auto d = parse_duration(s->text);
    const bool bare = s->meaning.kind == plain_kind::integer || s->meaning.kind == plain_kind::number;
    if (!d && bare && !s->referenced) {
        refuse(*s, q.expected(), fmt::format("write its unit: \"{0}ms\", \"{0}s\" or \"{0}m\"", s->text.substr(0, 20)));
    } else if (!d) {
        refuse(*s, q.expected(), bare ? "write its unit, like 30s" : "like 250ms, 30s, 5m, 2h or 1d");
    } else if (in_range(*s, static_cast<double>(d->count()) / 1000, q)) {
        v = *d;
    }
}

void yaml_reader::choice(std::string_view key, std::size_t& at, const std::vector<std::string_view>& names,
                         std::string_view, const constraint& c) {
    const member* m = find(key, c);
    if (m == nullptr) return;
    const std::string path = join(frames_.back().path, key);
    const auto n = as_text(*m->value, path, false);
    if (!n) return;
    for (std::size_t i = 0; i < names.size(); ++i) {
        if (names[i] == *n) {
            at = i;
            return;
        }
    }
    const auto r = refs_.resolve(*m->value, path, problems_);
    const bool hidden = r && r->referenced;
    problems_.add(
        m->value->at, path,
        fmt::format("expected {}\"{}\", got {}{}", names.size() == 1 ? "" : "one of ", fmt::join(names, "\", \""),
                    hidden ? "something else from a reference" : excerpt(*n), hidden ? "" : did_you_mean(*n, names)));
}

// One text may stand where a list of them is read: `path: /v1/*`.
void yaml_reader::texts(std::string_view key, std::vector<std::string>& v, std::string_view, const constraint& c) {
    const member* m = find(key, c);
    if (m == nullptr) return;
    const std::string path = join(frames_.back().path, key);
    if (m->value->kind == node_kind::scalar) {
        auto t = as_text(*m->value, path, false);
        if (t) v.assign(1, std::move(*t));
        return;
    }
    if (m->value->kind != node_kind::list) return wrong_kind(*m->value, path, "a list");
    const node& list = *m->value;
    check_length(list.items.size(), c, list.at, path);
    v.clear();
    for (std::size_t i = 0; i < list.items.size(); ++i) {
        auto t = as_text(*list.items[i], join(path, i), false);
        if (t) v.push_back(std::move(*t));
    }
}

void yaml_reader::integers(std::string_view key, std::vector<std::int64_t>& v, std::string_view, const constraint& c,
                           const constraint& each) {
    std::string path;
    const node_ptr list = find_of_kind(key, node_kind::list, c, path);
    if (!list) return;
    check_length(list->items.size(), c, list->at, path);
    v.clear();
    for (std::size_t i = 0; i < list->items.size(); ++i) {
        const auto n = as_integer(*list->items[i], join(path, i), each);
        if (n) v.push_back(*n);
    }
}

void yaml_reader::text_map(std::string_view key, std::map<std::string, std::string>& v, std::string_view,
                           const constraint& c) {
    std::string path;
    const node_ptr map = find_of_kind(key, node_kind::map, c, path);
    if (!map) return;
    check_length(map->members.size(), c, map->at, path);
    v.clear();
    for (const member& m : map->members) {
        auto t = as_text(*m.value, join(path, m.key), false);
        if (t) v.emplace(m.key, std::move(*t));
    }
}

void yaml_reader::any(std::string_view key, std::string& raw, std::string_view, const constraint& c) {
    const member* m = find(key, c);
    if (m == nullptr) return;
    std::string out;
    if (append_json(*m->value, join(frames_.back().path, key), out)) raw = std::move(out);
}

void yaml_reader::any_map(std::string_view key, std::map<std::string, std::string>& v, std::string_view,
                          const constraint& c) {
    std::string path;
    const node_ptr map = find_of_kind(key, node_kind::map, c, path);
    if (!map) return;
    check_length(map->members.size(), c, map->at, path);
    v.clear();
    for (const member& m : map->members) {
        std::string out;
        if (append_json(*m.value, join(path, m.key), out)) v.emplace(m.key, std::move(out));
    }
}

// False when something in it has a problem; the rest is looked at all the same.
bool yaml_reader::append_json(const node& n, const std::string& path, std::string& out) {
    bool good = true;
    switch (n.kind) {
        case node_kind::null:
            out += "null";
            break;
        case node_kind::scalar:
            return append_scalar_json(n, path, out);
        case node_kind::list:
            out += '[';
            for (std::size_t i = 0; i < n.items.size(); ++i) {
                if (i > 0) out += ',';
                good = append_json(*n.items[i], join(path, i), out) && good;
            }
            out += ']';
            break;
        case node_kind::map:
            out += '{';
            for (std::size_t i = 0; i < n.members.size(); ++i) {
                if (i > 0) out += ',';
                out += quote_json(n.members[i].key) + ':';
                good = append_json(*n.members[i].value, join(path, n.members[i].key), out) && good;
            }
            out += '}';
            break;
    }
    return good;
}

bool yaml_reader::append_scalar_json(const node& n, const std::string& path, std::string& out) {
    const auto v = scalar(n, path, "a value");
    if (!v) return false;
    if (v->quoted || v->referenced || v->meaning.kind == plain_kind::text) {
        out += quote_json(v->text);
        return true;
    }
    switch (v->meaning.kind) {
        case plain_kind::old_boolean:
        case plain_kind::old_number:
            problems_.add(v->at, path,
                          fmt::format("{} is a {} as YAML 1.1 reads it", v->text,
                                      v->meaning.kind == plain_kind::old_boolean ? "boolean" : "number"),
                          fmt::format("{}, or quote it: \"{}\"", v->meaning.hint, v->text));
            return false;
        case plain_kind::integer:
        case plain_kind::number:
            if (!parse_number<double>(v->text)) {
                refuse(*v, "a number in the range of a double");
                return false;
            }
            break;
        default:
            break;
    }
    out += v->text;
    return true;
}

}  // namespace sluice::config
