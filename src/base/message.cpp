#include <sluice/message.hpp>

#include "base/ascii.hpp"

#include <algorithm>
#include <cstring>
#include <functional>

namespace sluice {

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
    // A value that stands in this very list would be lost when the text grows under it.
    const char* const text = text_.data();
    const bool own = !std::less<>{}(value.data(), text) && std::less<>{}(value.data(), text + text_.size());
    const auto own_at = own ? static_cast<std::size_t>(value.data() - text) : 0;

    entry e{};
    e.name_at = append(name);
    e.name_size = static_cast<std::uint32_t>(name.size());
    append(": ");
    e.value_at = append(own ? std::string_view{text_}.substr(own_at, value.size()) : value);
    e.value_size = static_cast<std::uint32_t>(value.size());
    append("\r\n");
    entries_.push_back(e);

    char* const begin = text_.data() + e.name_at;
    std::replace_if(begin, begin + e.name_size, [](char c) { return !ascii::token(c); }, '_');
    char* const end = text_.data() + e.value_at + e.value_size;
    for (char* p = text_.data() + e.value_at; p = const_cast<char*>(ascii::find_control(p, end)), p != end; ++p) {
        *p = ' ';
    }
}

std::uint32_t header_list::append(std::string_view part) {
    const auto at = static_cast<std::uint32_t>(text_.size());
    text_.append(part);
    return at;
}

void header_list::set(std::string_view name, std::string_view value) {
    remove(name);
    add(name, value);
}

void header_list::remove(std::string_view name) {
    // The text stays behind until clear(): a head is short-lived and its size bounded.
    remove_if([&](const field& f) { return iequals(f.name, name); });
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
    const auto value = headers.find("content-type");
    if (!value) return false;
    return iequals(ascii::trim(value->substr(0, value->find(';'))), type);
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
