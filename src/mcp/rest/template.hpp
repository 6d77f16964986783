// Templates of tools: Go's text/template over JSON, as gjson_template and Sprig extend it.
//
//   text    {{- and -}} trim white space; {{/* comments */}}
//   actions {{pipeline}} {{if}} {{else if}} {{else}} {{range}} {{with}} {{break}} {{continue}} {{end}}
//   values  . .args.city .items.0.name $ $.x $v .. "text" `text` 'c' 42 1.5 true false nil (pipeline) (pipeline).x
//   names   {{$v := pipeline}} {{$v = pipeline}} {{range $v := ..}} {{range $i, $v := ..}}
//   calls   function a b, a | function b; the list is in functions.hpp
//
// A path that leads nowhere is missing, which prints nothing, is false and is no error, as with gjson. Objects are
// walked in the order of their text. define, template and block are refused: a tool's template is one text.
//
// Compiled once, executed often; immutable and cheap to copy, any thread may execute it.
#pragma once

#include "base/random.hpp"
#include "mcp/rest/placing.hpp"
#include "mcp/rest/value.hpp"

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

namespace sluice::mcp::rest {

inline constexpr std::size_t template_bytes_max = 256 * 1024;
inline constexpr unsigned template_depth_max = 64;  // actions and parentheses within each other

struct template_limits {
    std::size_t output_bytes_max = 1024 * 1024;  // also of any one value on the way
    std::size_t steps_max = 500'000;             // nodes, calls and 64 bytes of text made are a step each
};

// What the world looks like to a template while it runs.
struct template_context {
    std::chrono::system_clock::time_point now;
    random_source* random = nullptr;  // for uuidv4; the thread's own when null
    std::string remote_address;       // of the client: getRealIP, getSocketIP
    value beside;                     // an object: members of . at the top that the data lacks
    template_limits limits;
};

namespace ast {
struct block;
}

class text_template {
public:
    text_template() = default;  // makes no text
    // Error: bad_request; the message begins with line and column in the template ("2:14: ..."), and an unknown
    // function comes with the nearest name there is.
    static result<text_template> compile(std::string_view source);

    // Error: bad_request for what an operation cannot do, payload_too_large behind the limits.
    result<std::string> execute(const value& data, const template_context& context, placing where) const;

    bool empty() const { return program_ == nullptr; }

private:
    std::shared_ptr<const ast::block> program_;
    std::size_t slots_ = 1;  // variables; the first is $
};

}  // namespace sluice::mcp::rest
