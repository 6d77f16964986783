#include "stages/auth/credentials.hpp"

#include <algorithm>

namespace sluice::auth {
namespace {

constexpr std::string_view known_headers[] = {"authorization", "x-api-key", "api-key", "x-goog-api-key"};

std::string_view trimmed(std::string_view s) {
    while (!s.empty() && (s.front() == ' ' || s.front() == '\t')) s.remove_prefix(1);
    while (!s.empty() && (s.back() == ' ' || s.back() == '\t')) s.remove_suffix(1);
    return s;
}

std::string lower(std::string_view s) {
    std::string out{s};
    for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    return out;
}

// "Bearer" and a token (RFC 6750 2.1); empty for another scheme.
std::string_view bearer_of(std::string_view value) {
    constexpr std::string_view scheme = "bearer";
    value = trimmed(value);
    if (value.size() <= scheme.size() || !iequals(value.substr(0, scheme.size()), scheme)) return {};
    if (value[scheme.size()] != ' ') return {};
    return trimmed(value.substr(scheme.size()));
}

int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

// Percent escapes undone; broken ones stay, and then match no key.
std::string unescaped(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool whole = text[i] == '%' && i + 2 < text.size();
        const int high = whole ? hex_value(text[i + 1]) : -1, low = whole ? hex_value(text[i + 2]) : -1;
        if (high >= 0 && low >= 0) {
            out.push_back(static_cast<char>(high * 16 + low));
            i += 2;
        } else {
            out.push_back(text[i]);
        }
    }
    return out;
}

// Calls visit(name, value, whole) for each parameter of a query.
template <class Visit>
void each_parameter(std::string_view query, Visit visit) {
    while (!query.empty()) {
        const auto end = query.find('&');
        const std::string_view whole = query.substr(0, end);
        const auto equals = whole.find('=');
        visit(whole.substr(0, equals), equals == std::string_view::npos ? std::string_view{} : whole.substr(equals + 1),
              whole);
        if (end == std::string_view::npos) return;
        query.remove_prefix(end + 1);
    }
}

void note(credential& c, std::string_view text, bool bearer) {
    using enum credential::found;
    if (text.empty()) {
        c.what = c.what == several ? several : malformed;
    } else if (c.what == none) {
        c.what = one;
        c.view = text;
        c.bearer = bearer;
    } else if (c.what == one) {
        if (c.text() != text) c.what = several;
        c.bearer = c.bearer || bearer;
    }
}

void note_escaped(credential& c, std::string_view text) {
    const bool first = c.what == credential::found::none;
    std::string decoded = unescaped(text);
    note(c, decoded, false);
    if (first) c.decoded = std::move(decoded);  // the noted view does not outlive this call
}

}  // namespace

credential_places::credential_places(const auth_config& config) {
    for (const std::string_view name : known_headers) stripped_.emplace_back(name);
    authorization_ = !config.jwt.empty();
    if (config.api_key) read(*config.api_key);
    for (const std::string& name : stripped_) {
        if (name.size() < 64) sizes_ |= std::uint64_t{1} << name.size();
    }
}

void credential_places::read(const api_key_config& config) {
    query_ = config.query;
    for (const std::string& configured : config.headers) {
        std::string name = lower(configured);
        if (std::find(stripped_.begin(), stripped_.end(), name) == stripped_.end()) stripped_.push_back(name);
        if (name == "authorization") {
            authorization_ = true;
        } else {
            headers_.push_back(std::move(name));
        }
    }
}

credential credential_places::find(const request_head& head) const {
    credential out;
    for (const header_list::field field : head.headers) {
        if (!may_hold_one(field.name)) continue;
        if (authorization_ && iequals(field.name, "authorization")) {
            note(out, bearer_of(field.value), true);
        } else if (std::any_of(headers_.begin(), headers_.end(),
                               [&](const std::string& h) { return iequals(field.name, h); })) {
            note(out, trimmed(field.value), false);
        }
    }
    if (query_.empty()) return out;
    each_parameter(head.query(), [&](std::string_view name, std::string_view value, std::string_view) {
        if (unescaped(name) == query_) note_escaped(out, value);
    });
    return out;
}

void credential_places::strip(request_head& head) const {
    head.headers.remove_if([&](const header_list::field& field) {
        return may_hold_one(field.name) && std::any_of(stripped_.begin(), stripped_.end(),
                                                       [&](const std::string& s) { return iequals(field.name, s); });
    });
    if (query_.empty() || head.query().empty()) return;
    std::string target{head.path()};
    char before = '?';
    each_parameter(head.query(), [&](std::string_view name, std::string_view, std::string_view whole) {
        if (unescaped(name) == query_) return;
        target += before;
        target += whole;
        before = '&';
    });
    head.target = std::move(target);
}

bool looks_like_jwt(std::string_view text) {
    const auto first = text.find('.');
    if (first == std::string_view::npos) return false;
    const auto second = text.find('.', first + 1);
    return second != std::string_view::npos && text.find('.', second + 1) == std::string_view::npos &&
           text.starts_with("eyJ");  // {" in base64url
}

}  // namespace sluice::auth
