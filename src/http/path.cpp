#include "http/path.hpp"

#include "base/ascii.hpp"

#include <algorithm>

namespace sluice::http {
namespace {

constexpr std::string_view hex_digits = "0123456789ABCDEF";

void append_escape(std::string& out, char c) {
    const auto byte = static_cast<unsigned char>(c);
    out.append({'%', hex_digits[byte >> 4], hex_digits[byte & 0xf]});
}

// The byte that text[at], a '%', begins; -1 for an invalid escape.
int escaped_byte(std::string_view text, std::size_t at) {
    if (text.size() - at < 3) return -1;
    const int high = ascii::hex_value(text[at + 1]);
    const int low = ascii::hex_value(text[at + 2]);
    return high < 0 || low < 0 ? -1 : high * 16 + low;
}

enum class plus : bool { stays, is_space };

bool decode(std::string_view text, plus p, std::string& out) {
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '%') {
            const int byte = escaped_byte(text, i);
            if (byte < 0) return false;
            out.push_back(static_cast<char>(byte));
            i += 2;
        } else {
            out.push_back(text[i] == '+' && p == plus::is_space ? ' ' : text[i]);
        }
    }
    return true;
}

// Decodes what needs no escape and spells the other escapes alike.
bool decode_unreserved(std::string_view path, std::string& out) {
    for (std::size_t i = 0; i < path.size(); ++i) {
        if (path[i] != '%') {
            out.push_back(path[i]);
            continue;
        }
        const int byte = escaped_byte(path, i);
        if (byte <= 0) return false;  // %00 is in no honest path, and ends strings of C
        i += 2;
        const auto c = static_cast<char>(byte);
        if (ascii::unreserved(c)) {
            out.push_back(c);
        } else {
            append_escape(out, c);
        }
    }
    return true;
}

// In place: what is written never overtakes what is read.
void remove_dot_segments(std::string& path) {
    std::size_t written = 0;
    std::size_t at = 0;
    while (at < path.size()) {
        const std::size_t next = std::min(path.find('/', at + 1), path.size());
        const std::string_view segment = std::string_view{path}.substr(at + 1, next - at - 1);
        const bool dot = segment == ".";
        const bool dots = segment == "..";
        if (dots && written > 0) written = path.rfind('/', written - 1);
        if (!dot && !dots) {
            std::copy(path.begin() + static_cast<std::ptrdiff_t>(at), path.begin() + static_cast<std::ptrdiff_t>(next),
                      path.begin() + static_cast<std::ptrdiff_t>(written));
            written += next - at;
        } else if (next == path.size()) {
            path[written++] = '/';
        }
        at = next;
    }
    path.resize(written);
}

}  // namespace

result<std::string> percent_decode(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    if (!decode(text, plus::stays, out)) return error{error_kind::bad_request, "invalid percent-escape"};
    return out;
}

void percent_encode(std::string& out, std::string_view text) {
    for (const char c : text) {
        if (ascii::unreserved(c)) {
            out.push_back(c);
        } else {
            append_escape(out, c);
        }
    }
}

result<std::string_view> normalise_path(std::string_view path, std::string& scratch) {
    if (path == "*") return path;
    if (!path.starts_with('/')) return error{error_kind::bad_request, "a path must begin with a slash", "path"};
    // Most paths have neither: two fast searches before a slow one.
    const bool dots = path.find('.') != std::string_view::npos && path.find("/.") != std::string_view::npos;
    if (!dots && path.find('%') == std::string_view::npos) return path;
    scratch.clear();
    if (!decode_unreserved(path, scratch)) {
        return error{error_kind::bad_request, "invalid percent-escape in the path", "path"};
    }
    remove_dot_segments(scratch);
    return std::string_view{scratch};
}

result<std::string> normalise_path(std::string_view path) {
    std::string scratch;
    const auto normal = normalise_path(path, scratch);
    if (!normal) return normal.error();
    return std::string{*normal};
}

std::optional<std::string> query_parameter(std::string_view query, std::string_view name) {
    std::string decoded;
    while (!query.empty()) {
        const auto end = std::min(query.find('&'), query.size());
        const std::string_view pair = query.substr(0, end);
        query.remove_prefix(std::min(end + 1, query.size()));
        const auto equals = std::min(pair.find('='), pair.size());
        decoded.clear();
        if (!decode(pair.substr(0, equals), plus::is_space, decoded) || decoded != name) continue;
        decoded.clear();
        const std::string_view value = equals == pair.size() ? std::string_view{} : pair.substr(equals + 1);
        if (!decode(value, plus::is_space, decoded)) return std::nullopt;
        return decoded;
    }
    return std::nullopt;
}

std::string query_with(std::string_view query, std::string_view name, std::string_view value) {
    std::string out;
    std::string decoded;
    while (!query.empty()) {
        const std::string_view pair = query.substr(0, query.find('&'));
        query.remove_prefix(std::min(query.size(), pair.size() + 1));
        decoded.clear();
        if (pair.empty() || !decode(pair.substr(0, pair.find('=')), plus::is_space, decoded) || decoded == name)
            continue;
        out.append(pair).append("&");
    }
    percent_encode(out, name);
    out.push_back('=');
    percent_encode(out, value);
    return out;
}

void append_query(std::string& target, std::string_view name, std::string_view value) {
    const auto mark = target.find('?');
    const bool open = mark != std::string::npos && (mark + 1 == target.size() || target.back() == '&');
    if (!open) target.push_back(mark == std::string::npos ? '?' : '&');
    percent_encode(target, name);
    target.push_back('=');
    percent_encode(target, value);
}

}  // namespace sluice::http
