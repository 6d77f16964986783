#include <sluice/message.hpp>

#include "base/ascii.hpp"
#include "base/content_type.hpp"

#include <algorithm>
#include <cstring>
#include <functional>

namespace sluice {
namespace {

constexpr std::size_t usual_fields = 16;

// Fast answers for the text that nearly always comes; false means that it must be looked at by bytes.
#if defined(__SSE2__)
bool surely_name(std::string_view s) {
    return ascii::detail::none(s, [](const char* p) { return ascii::detail::plain_name(p) ^ 0xffffU; });
}
bool surely_value(std::string_view s) {
    return ascii::detail::none(s, ascii::detail::controls);
}
#else
bool surely_name(std::string_view) {
    return false;
}
bool surely_value(std::string_view) {
    return false;
}
#endif

// What would split a head, made harmless.
void clean_name(char* p, char* end) {
    for (; p = const_cast<char*>(ascii::find_token_end(p, end)), p != end; ++p) *p = '_';
}
void clean_value(char* p, char* end) {
    for (; p = const_cast<char*>(ascii::find_control(p, end)), p != end; ++p) *p = ' ';
}

}  // namespace

bool iequals(std::string_view a, std::string_view b) {
    if (a.size() != b.size()) return false;
    std::size_t i = 0;
    // Words that differ in more than the bit of case settle it; those that differ in that bit only are
    // looked at by bytes, since it makes letters of letters alone.
    for (; i + 8 <= a.size(); i += 8) {
        std::uint64_t x = 0;
        std::uint64_t y = 0;
        std::memcpy(&x, a.data() + i, 8);
        std::memcpy(&y, b.data() + i, 8);
        if (((x ^ y) & ~0x2020202020202020U) != 0) return false;
        if (x != y) break;
    }
    for (; i < a.size(); ++i) {
        if (a[i] != b[i] && ascii::lower(a[i]) != ascii::lower(b[i])) return false;
    }
    return true;
}

bool valid_header_value(std::string_view value) {
    const char* end = value.data() + value.size();
    return ascii::find_control(value.data(), end) == end;
}

bool valid_header_name(std::string_view name) {
    return !name.empty() && ascii::token.span(name) == name.size();
}

std::optional<std::string_view> header_list::find(std::string_view name) const {
    for (const entry& e : entries_) {
        if (e.name_size == name.size() && iequals(at(e).name, name)) return at(e).value;
    }
    return std::nullopt;
}

std::size_t header_list::count(std::string_view name) const {
    std::size_t n = 0;
    for (const field f : *this) n += iequals(f.name, name) ? 1 : 0;
    return n;
}

void header_list::add(std::string_view name, std::string_view value) {
    if (name.empty()) return;
    // What stands in this very list moves when the text grows: it is found again by its offset.
    const std::size_t at = text_.size();
    const auto offset_of = [&](std::string_view part) {
        const char* const text = text_.data();
        const bool own = !std::less<>{}(part.data(), text) && std::less<>{}(part.data(), text + at);
        return own ? part.data() - text : std::ptrdiff_t{-1};
    };
    const std::ptrdiff_t own_name = offset_of(name), own_value = offset_of(value);
    text_.resize(at + name.size() + value.size() + 4);
    char* const p = text_.data() + at;
    char* const colon = p + name.size();
    char* const end = colon + 2 + value.size();
    std::memcpy(p, own_name < 0 ? name.data() : text_.data() + own_name, name.size());
    std::memcpy(colon, ": ", 2);
    if (!value.empty()) std::memcpy(colon + 2, own_value < 0 ? value.data() : text_.data() + own_value, value.size());
    std::memcpy(end, "\r\n", 2);
    if (!surely_name({p, colon})) clean_name(p, colon);
    if (!surely_value({colon + 2, end})) clean_value(colon + 2, end);
    place(static_cast<std::uint32_t>(at), static_cast<std::uint32_t>(name.size()),
          static_cast<std::uint32_t>(at + name.size() + 2), static_cast<std::uint32_t>(value.size()));
}

void header_list::add_as_it_is(const header_list& other, std::size_t i) {
    const std::string_view whole = other.line(i);
    const field f = other[i];
    if (whole.empty()) return add(f.name, f.value);
    const auto at = static_cast<std::uint32_t>(text_.size());
    const auto name_size = static_cast<std::uint32_t>(f.name.size());
    text_.append(whole);
    place(at, name_size, at + name_size + 2, static_cast<std::uint32_t>(f.value.size()));
}

void header_list::set(std::string_view name, std::string_view value) {
    remove(name);
    add(name, value);
}

void header_list::remove(std::string_view name) {
    // Mostly there is none, and nothing to move. The text stays behind until clear(): a head is short-lived and
    // its size bounded.
    const auto named = [&](const entry& e) { return e.name_size == name.size() && iequals(at(e).name, name); };
    const auto found = std::find_if(entries_.begin(), entries_.end(), named);
    if (found != entries_.end()) entries_.erase(std::remove_if(found, entries_.end(), named), entries_.end());
}

void header_list::clear() {
    text_.clear();
    entries_.clear();
}

void header_list::reserve(std::size_t fields, std::size_t bytes) {
    text_.reserve(bytes);
    entries_.reserve(fields);
}

void header_list::adopt(std::string_view block) {
    entries_.clear();
    entries_.reserve(usual_fields);
    text_.assign(block);
}

std::string_view request_head::path() const {
    const std::string_view t{target};
    return t.substr(0, t.find('?'));
}

std::string_view request_head::query() const {
    const std::string_view t{target};
    const auto mark = t.find('?');
    return mark == std::string_view::npos ? std::string_view{} : t.substr(mark + 1);
}

void request_head::clear() {
    method.clear();
    target.clear();
    host.clear();
    minor_version = 1;
    headers.clear();
    body = framing::none;
    content_length = 0;
    keep_alive = true;
    expect_continue = upgrade = false;
}

bool response_head::has_content_type(std::string_view type) const {
    return iequals(media_type(headers), type);
}

void response_head::clear() {
    status = 200;
    minor_version = 1;
    headers.clear();
    body = framing::none;
    content_length = 0;
    keep_alive = true;
    upgrade = false;
}

}  // namespace sluice
