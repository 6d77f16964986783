// A compiled template: what the parser makes and the runner walks. Private to these two.
#pragma once

#include "mcp/rest/functions.hpp"
#include "mcp/rest/value.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace sluice::mcp::rest::ast {

struct pipeline;

struct operand {
    enum class kind : std::uint8_t { dot, variable, constant, call, nested };
    kind what = kind::dot;
    std::size_t slot = 0;                    // of a variable
    value constant;                          // trusted
    const function* callee = nullptr;        // of a call
    std::shared_ptr<const pipeline> nested;  // in parentheses
    std::vector<std::string> path;           // behind any of them: .a.b
};

// The first operand alone, or a call with the others as its arguments.
struct command {
    std::vector<operand> words;
};

struct pipeline {
    std::vector<command> commands;
    std::vector<std::size_t> slots;  // variables that take the result; two only of range
    std::string where;               // "2:14", for messages
};

struct node;
struct block {
    std::vector<node> nodes;
};

struct node {
    enum class kind : std::uint8_t { text, action, if_, range, with, break_, continue_ };
    kind what = kind::text;
    std::string text;
    pipeline value;
    block body, otherwise;
};

}  // namespace sluice::mcp::rest::ast
