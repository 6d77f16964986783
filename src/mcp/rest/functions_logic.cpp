// Truth, comparison and defaults.
#include "mcp/rest/functions.hpp"

#include <compare>

namespace sluice::mcp::rest {

namespace {

using kind = value::kind;

bool scalar(const value& v) {
    return !v.is(kind::array) && !v.is(kind::object);
}

// Numbers by what they are worth, whole ones without a double between; all else by kind and text. Missing is null.
bool same(const value& a, const value& b) {
    if (a.is(kind::number) && b.is(kind::number)) {
        const auto x = a.to_integer();
        const auto y = b.to_integer();
        return x && y ? *x == *y : a.to_number() == b.to_number();
    }
    const auto nothing = [](const value& v) { return v.is(kind::null) || v.is(kind::missing); };
    if (nothing(a) || nothing(b)) return nothing(a) && nothing(b);
    if (a.type() != b.type()) return false;
    return a.is(kind::boolean) ? a.truth() == b.truth() : a.text_view() == b.text_view();
}

error not_comparable() {
    return error{error_kind::bad_request, "lists and objects cannot be compared"};
}

result<value> eq(const call& c) {
    bool any = false;
    for (const value& v : c.args) {
        if (!scalar(v)) return not_comparable();
        any = any || (&v != c.args.data() && same(c.args[0], v));
    }
    return value::boolean(any);
}

result<value> ne(const call& c) {
    auto equal = eq(c);
    if (!equal) return equal;
    return value::boolean(!equal->truth());
}

result<std::partial_ordering> order(const call& c) {
    const value& a = c.args[0];
    const value& b = c.args[1];
    if (a.is(kind::string) && b.is(kind::string)) {
        return std::partial_ordering{a.text_view() <=> b.text_view()};
    }
    const auto x = a.to_number();
    const auto y = b.to_number();
    if (x && y && (a.is(kind::number) || b.is(kind::number))) return *x <=> *y;
    if (!scalar(a) || !scalar(b)) return not_comparable();
    return std::partial_ordering::unordered;  // something missing: no order holds
}

template <bool (*Holds)(std::partial_ordering)>
result<value> ordered(const call& c) {
    const auto found = order(c);
    if (!found) return found.error();
    return value::boolean(Holds(*found));
}

// The run-time half of and, or: the runner stops at the argument that decides.
result<value> last_of(const call& c) {
    return c.args.back();
}

result<value> not_(const call& c) {
    return value::boolean(!c.args[0].truth());
}

result<value> default_(const call& c) {
    return c.args.size() > 1 && c.args[1].truth() ? c.args[1] : c.args[0];
}

result<value> coalesce(const call& c) {
    for (const value& v : c.args) {
        if (v.truth()) return v;
    }
    return value::null();
}

result<value> ternary(const call& c) {
    return c.args[c.args[2].truth() ? 0 : 1];
}

result<value> and_(const call& c) {
    for (const value& v : c.args) {
        if (!v.truth()) return v;
    }
    return last_of(c);
}

result<value> or_(const call& c) {
    for (const value& v : c.args) {
        if (v.truth()) return v;
    }
    return last_of(c);
}

constexpr function table[] = {
    {"and", 1, any_number, and_, true},
    {"or", 1, any_number, or_, true},
    {"not", 1, 1, not_},
    {"empty", 1, 1, not_},
    {"eq", 2, any_number, eq},
    {"ne", 2, 2, ne},
    {"lt", 2, 2, ordered<std::is_lt>},
    {"le", 2, 2, ordered<std::is_lteq>},
    {"gt", 2, 2, ordered<std::is_gt>},
    {"ge", 2, 2, ordered<std::is_gteq>},
    {"default", 1, 2, default_, true},
    {"coalesce", 1, any_number, coalesce, true},
    {"ternary", 3, 3, ternary, true},
};

}  // namespace

std::span<const function> logic_functions() {
    return table;
}

}  // namespace sluice::mcp::rest
