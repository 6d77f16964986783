// CallToolResult with one text, which every failure of a tool is: a model can read it and act.
#pragma once

#include "http/json_writer.hpp"

#include <string>
#include <string_view>

namespace sluice::mcp {

// `structured` is a JSON object; empty: none.
inline std::string text_result(std::string_view text, bool is_error, std::string_view structured = {}) {
    std::string out;
    http::json_writer w(out);
    w.begin_object().key("content").begin_array();
    w.begin_object().key("type").string("text").key("text").string(text).end_object().end_array();
    if (!structured.empty()) w.key("structuredContent").raw(structured);
    if (is_error) w.key("isError").boolean(true);
    w.end_object();
    return out;
}

}  // namespace sluice::mcp
