#include "mcp/rest/placing.hpp"

#include <sluice/json.hpp>

#include "base/ascii.hpp"
#include "http/path.hpp"

namespace sluice::mcp::rest {

namespace {

bool has_control(std::string_view s) {
    return ascii::find_control(s.data(), s.data() + s.size()) != s.data() + s.size();
}

std::string xml_escaped(std::string_view text) {
    std::string out;
    for (const char c : text) {
        switch (c) {
            case '&':
                out += "&amp;";
                break;
            case '<':
                out += "&lt;";
                break;
            case '>':
                out += "&gt;";
                break;
            case '"':
                out += "&quot;";
                break;
            case '\'':
                out += "&#39;";
                break;
            default:
                out += c;
        }
    }
    return out;
}

}  // namespace

result<void> placed_text::literal(std::string_view text) {
    follow(text);
    return append(text);
}

result<void> placed_text::insert(const value& v) {
    if (where_ == placing::json) return insert_json(v);
    if (where_ == placing::url) return insert_url(v);
    const std::string text = v.text(bytes_max_);
    if (where_ == placing::form) {
        if (v.trusted()) return append(text);
        std::string encoded;
        http::percent_encode(encoded, text);
        return append(encoded);
    }
    if (where_ == placing::header && has_control(text)) {
        return error{error_kind::bad_request, "a header cannot hold control characters"};
    }
    if (where_ == placing::xml) return append(xml_escaped(text));
    return append(text);
}

// A missing value inside a string is "", elsewhere null.
result<void> placed_text::insert_json(const value& v) {
    if (in_string_) {
        // Its first byte would be taken for an escape, and the escape of that byte for what it is not.
        if (escaped_) return error{error_kind::bad_request, "a value may not follow a backslash in a JSON string"};
        std::string quoted = to_json_string(v.text(bytes_max_));
        return append(std::string_view{quoted}.substr(1, quoted.size() - 2));
    }
    const bool string = v.is(value::kind::string);
    if (string && v.is_json()) return append(v.text_view());  // balanced: what follows is outside of strings again
    if (string && v.trusted()) return literal(v.text_view());
    return append(v.json(bytes_max_));
}

result<void> placed_text::insert_url(const value& v) {
    const std::string text = v.text(bytes_max_);
    if (v.trusted()) return literal(text);
    if (text.empty()) return {};
    if (!in_query_ && slashes_ < 3) {
        return error{error_kind::bad_request, "an argument may not choose the host of a request"};
    }
    std::string encoded;
    http::percent_encode(encoded, text);
    return append(encoded);
}

result<void> placed_text::append(std::string_view text) {
    if (text.size() > bytes_max_ || out_.size() > bytes_max_ - text.size()) {
        return error{error_kind::payload_too_large, "the output of a template is too long"};
    }
    out_ += text;
    return {};
}

void placed_text::follow(std::string_view text) {
    for (const char c : text) {
        if (where_ == placing::json) {
            if (in_string_ && escaped_) {
                escaped_ = false;
            } else if (in_string_ && c == '\\') {
                escaped_ = true;
            } else if (c == '"') {
                in_string_ = !in_string_;
            }
        } else if (where_ == placing::url) {
            if (c == '?') in_query_ = true;
            if (c == '/') slashes_ += slashes_ < 3 ? 1 : 0;
        }
    }
}

}  // namespace sluice::mcp::rest
