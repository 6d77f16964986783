#include <sluice/message.hpp>

#include <algorithm>
#include <array>

namespace sluice {
namespace {

constexpr char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

// RFC 9110 5.6.2: tchar.
constexpr std::array<bool, 256> make_token_table() {
    std::array<bool, 256> table{};
    for (unsigned c = '0'; c <= '9'; ++c) table[c] = true;
    for (unsigned c = 'a'; c <= 'z'; ++c) table[c] = table[c - 32] = true;
    for (char c : std::string_view{"!#$%&'*+-.^_`|~"}) table[static_cast<unsigned char>(c)] = true;
    return table;
}
constexpr auto token_table = make_token_table();

}  // namespace

bool iequals(std::string_view a, std::string_view b) {
    if (a.size() != b.size()) return false;
    for (std::size_t i = 0; i < a.size(); ++i) {
        if (a[i] != b[i] && lower(a[i]) != lower(b[i])) return false;
    }
    return true;
}

bool valid_header_value(std::string_view value) {
    return std::all_of(value.begin(), value.end(), [](char c) {
        const auto u = static_cast<unsigned char>(c);
        return u == '\t' || (u >= 0x20 && u != 0x7f);
    });
}

bool valid_header_name(std::string_view name) {
    return !name.empty() &&
           std::all_of(name.begin(), name.end(), [](char c) { return token_table[static_cast<unsigned char>(c)]; });
}

header_list::field header_list::operator[](std::size_t i) const {
    const entry& e = entries_[i];
    const std::string_view text{text_};
    return {text.substr(e.name_at, e.name_size), text.substr(e.value_at, e.value_size)};
}

std::optional<std::string_view> header_list::find(std::string_view name) const {
    const std::string_view text{text_};
    for (const entry& e : entries_) {
        if (e.name_size == name.size() && iequals(text.substr(e.name_at, e.name_size), name)) {
            return text.substr(e.value_at, e.value_size);
        }
    }
    return std::nullopt;
}

std::size_t header_list::count(std::string_view name) const {
    std::size_t n = 0;
    for (const field f : *this) n += iequals(f.name, name) ? 1 : 0;
    return n;
}

void header_list::add(std::string_view name, std::string_view value) {
    const auto at = static_cast<std::uint32_t>(text_.size());
    text_.append(name).append(value);
    entries_.push_back({at, static_cast<std::uint32_t>(name.size()), at + static_cast<std::uint32_t>(name.size()),
                        static_cast<std::uint32_t>(value.size())});
}

void header_list::set(std::string_view name, std::string_view value) {
    remove(name);
    add(name, value);
}

void header_list::remove(std::string_view name) {
    // The text stays behind until clear(): a head is short-lived and its size bounded.
    std::erase_if(entries_, [&](const entry& e) {
        return iequals(std::string_view{text_}.substr(e.name_at, e.name_size), name);
    });
}

void header_list::clear() {
    text_.clear();
    entries_.clear();
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
    std::string_view bare = value->substr(0, value->find(';'));
    while (!bare.empty() && (bare.back() == ' ' || bare.back() == '\t')) bare.remove_suffix(1);
    return iequals(bare, type);
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
