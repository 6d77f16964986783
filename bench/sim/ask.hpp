#pragma once
// What a client asks a model for, read from any of the four generation endpoints into one struct.

#include <simdjson.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace sluice::sim {

enum class shape { chat, completions, responses, messages };

struct tool {
    std::string name;
    std::string schema;  // JSON Schema of the arguments, as text
};

enum class tool_choice { automatic, none, required, named };
enum class reply_format { text, json_object, json_schema };

struct ask {
    shape as = shape::chat;
    std::string model;
    std::string prompt;     // canonical text of all messages: what the prefix cache hashes
    std::string last_user;  // text of the last message of the user
    std::uint64_t seed = 0;
    std::optional<std::size_t> tokens_max;
    bool ignore_eos = false;  // speak until tokens_max
    std::size_t n = 1;
    bool stream = false;
    bool include_usage = false;
    bool logprobs = false;
    bool echo = false;  // completions: repeat the prompt
    std::vector<std::string> stop;
    std::vector<tool> tools;
    tool_choice choice = tool_choice::automatic;
    std::string chosen_tool;
    bool parallel_calls = true;
    reply_format format = reply_format::text;
    std::string schema;
    std::size_t images = 0;
};

// A refusal in words of the API; the wire shape decides how it looks.
struct refusal {
    int status = 400;
    std::string message;
    std::string type = "invalid_request_error";
    std::string code;
    std::string param;
};

// Reads a request body. `root` need not outlive the call.
std::variant<ask, refusal> read_ask(shape as, const simdjson::dom::element& root);

// How many tokens an image is worth.
inline constexpr std::size_t image_tokens = 256;

}  // namespace sluice::sim
