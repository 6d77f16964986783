#include "mcp/rest/template_lexer.hpp"

#include "base/ascii.hpp"
#include "http/json_number.hpp"

#include <sluice/json.hpp>

#include <algorithm>

namespace sluice::mcp::rest {

namespace {

constexpr std::string_view spaces = " \t\r\n";

bool is_space(char c) {
    return spaces.find(c) != std::string_view::npos;
}

bool is_word(char c) {
    return ascii::is_alpha(c) || ascii::is_digit(c) || c == '_' || static_cast<unsigned char>(c) >= 0x80;
}

class cutter {
public:
    explicit cutter(std::string_view source) : source_(source) {}

    result<std::vector<piece>> run() {
        bool trim_next = false;
        while (at_ < source_.size()) {
            const std::size_t open = std::min(source_.find("{{", at_), source_.size());
            std::string_view text = source_.substr(at_, open - at_);
            if (trim_next) text.remove_prefix(std::min(text.find_first_not_of(spaces), text.size()));
            at_ = open;
            const bool trims = open + 3 < source_.size() && source_[open + 2] == '-' && is_space(source_[open + 3]);
            if (trims) text = text.substr(0, text.find_last_not_of(spaces) + 1);
            if (!text.empty()) pieces_.push_back({false, std::string{text}, {}, open});
            if (open == source_.size()) break;
            at_ += trims ? 3 : 2;
            auto closed = action(open);
            if (!closed) return closed.error();
            trim_next = *closed;
        }
        return std::move(pieces_);
    }

private:
    error fail(std::size_t offset, std::string_view message) const { return template_error(source_, offset, message); }
    // Reads behind the opening braces up to the closing ones. True: white space behind it goes.
    result<bool> action(std::size_t open) {
        skip_spaces();
        if (source_.substr(at_).starts_with("/*")) return comment(open);
        piece p{true, {}, {}, open};
        for (bool glued = false;; glued = true) {
            if (skip_spaces()) glued = false;
            if (at_ >= source_.size()) return fail(open, "an action is not closed by }}");
            const std::string_view rest = source_.substr(at_);
            const bool spaced = at_ > 0 && is_space(source_[at_ - 1]);
            const bool trims = spaced && rest.starts_with("-}}");
            if (trims || rest.starts_with("}}")) {
                at_ += trims ? 3 : 2;
                pieces_.push_back(std::move(p));
                return trims;
            }
            auto t = next();
            if (!t) return t.error();
            t->glued = glued;
            p.tokens.push_back(std::move(*t));
        }
    }
    result<bool> comment(std::size_t open) {
        const std::size_t end = source_.find("*/", at_ + 2);
        if (end == std::string_view::npos) return fail(open, "a comment is not closed by */");
        at_ = end + 2;
        skip_spaces();
        const bool trims = source_.substr(at_).starts_with("-}}");
        if (!trims && !source_.substr(at_).starts_with("}}")) return fail(open, "}} must follow a comment");
        at_ += trims ? 3 : 2;
        return trims;
    }
    bool skip_spaces() {
        const std::size_t before = at_;
        while (at_ < source_.size() && is_space(source_[at_])) ++at_;
        return at_ != before;
    }
    std::string word() {
        const std::size_t begin = at_;
        while (at_ < source_.size() && is_word(source_[at_])) ++at_;
        return std::string{source_.substr(begin, at_ - begin)};
    }
    result<token> next() {
        const std::size_t begin = at_;
        const char c = source_[at_];
        const char after = at_ + 1 < source_.size() ? source_[at_ + 1] : '\0';
        if (c == '"' || c == '`' || c == '\'') return quoted(c);
        if (ascii::is_digit(c) || ((c == '-' || c == '+') && ascii::is_digit(after))) return number();
        if (c == '.') {
            ++at_;
            if (!is_word(after)) return token{token::kind::dot, {}, false, begin};
            return token{token::kind::field, word(), false, begin};
        }
        if (c == '$') {
            ++at_;
            return token{token::kind::variable, word(), false, begin};
        }
        if (is_word(c)) return token{token::kind::name, word(), false, begin};
        const std::size_t size = c == ':' && after == '=' ? 2 : 1;
        if (size == 1 && std::string_view{"()|,="}.find(c) == std::string_view::npos) {
            return fail(begin, std::string{"unexpected character '"} + c + "'");
        }
        at_ += size;
        return token{token::kind::symbol, std::string{source_.substr(begin, size)}, false, begin};
    }
    result<token> number() {
        const std::size_t begin = at_;
        if (source_[at_] == '+') ++at_;
        const char* const from = source_.data() + at_;
        const auto scan = http::scan_json_number(from, source_.data() + source_.size());
        if (scan.problem != nullptr) return fail(begin, "this is not a number");
        at_ += static_cast<std::size_t>(scan.stop - from);
        if (at_ < source_.size() && is_word(source_[at_])) return fail(begin, "this is not a number");
        return token{token::kind::number, {from, scan.stop}, false, begin};
    }
    result<token> quoted(char quote) {
        const std::size_t begin = at_++;
        while (at_ < source_.size() && source_[at_] != quote) {
            if (source_[at_] == '\n' && quote != '`') break;
            at_ += source_[at_] == '\\' && quote != '`' ? 2 : 1;
        }
        if (at_ >= source_.size() || source_[at_] != quote) return fail(begin, "a string is not closed");
        const std::string_view inside = source_.substr(begin + 1, at_ - begin - 1);
        ++at_;
        if (quote == '`') return token{token::kind::string, std::string{inside}, false, begin};
        auto text = unescaped(inside);
        if (!text) return fail(begin, "a string holds an escape that is not known");
        if (quote == '"') return token{token::kind::string, std::move(*text), false, begin};
        if (text->size() != 1) return fail(begin, "a character constant is one ASCII character");
        const auto code = static_cast<unsigned char>(text->front());
        return token{token::kind::number, std::to_string(code), false, begin};
    }
    // Go's escapes: those of JSON, and \' \a \v \xHH.
    static std::optional<std::string> unescaped(std::string_view text) {
        std::string json = "\"";
        for (std::size_t i = 0; i < text.size(); ++i) {
            const char c = text[i];
            if (c == '"') {
                json += "\\\"";
            } else if (c == '\t') {
                json += "\\t";
            } else if (c != '\\' || i + 1 >= text.size()) {
                json += c;
            } else if (const char e = text[++i]; e == '\'') {
                json += '\'';
            } else if (e == 'a' || e == 'v') {
                json += e == 'a' ? "\\u0007" : "\\u000b";
            } else if (e == 'x') {
                // Bytes of 0x80 and up would be parts of characters: \u says them.
                if (i + 2 >= text.size() || text[i + 1] > '7') return std::nullopt;
                json += "\\u00";
                json += text.substr(i + 1, 2);
                i += 2;
            } else {
                json += '\\';
                json += e;
            }
        }
        json += '"';
        if (!validate_json(json)) return std::nullopt;
        return json_value{json_type::string, json}.string();
    }

    std::string_view source_;
    std::size_t at_ = 0;
    std::vector<piece> pieces_;
};

}  // namespace

std::string place_of(std::string_view source, std::size_t offset) {
    const std::string_view before = source.substr(0, std::min(offset, source.size()));
    const auto line = 1 + std::count(before.begin(), before.end(), '\n');
    const std::size_t line_begin = before.rfind('\n') + 1;  // npos + 1 is 0
    return std::to_string(line) + ':' + std::to_string(before.size() - line_begin + 1);
}

error template_error(std::string_view source, std::size_t offset, std::string_view message) {
    return error{error_kind::bad_request, place_of(source, offset) + ": " + std::string{message}};
}

result<std::vector<piece>> cut_template(std::string_view source) {
    return cutter{source}.run();
}

}  // namespace sluice::mcp::rest
