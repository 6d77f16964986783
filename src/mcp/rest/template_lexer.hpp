// Cuts a template into text and actions, and actions into words.
#pragma once

#include <sluice/result.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::mcp::rest {

struct token {
    enum class kind : std::uint8_t {
        name,      // of a function or a keyword
        field,     // ".x": the text is x
        dot,       // "." alone
        variable,  // "$x": the text is x, or empty for "$"
        string,    // the text is what the quotes mean
        number,    // as written; of a character constant its code
        symbol,    // ( ) | , := =
    };
    kind what = kind::symbol;
    std::string text;
    bool glued = false;  // nothing stands between it and the token before
    std::size_t offset = 0;
};

struct piece {
    bool is_action = false;
    std::string text;  // of text
    std::vector<token> tokens;
    std::size_t offset = 0;
};

// "2:14" of a byte offset; columns in bytes.
std::string place_of(std::string_view source, std::size_t offset);
error template_error(std::string_view source, std::size_t offset, std::string_view message);

// Comments are gone and white space is trimmed. Error: bad_request with its place.
result<std::vector<piece>> cut_template(std::string_view source);

}  // namespace sluice::mcp::rest
