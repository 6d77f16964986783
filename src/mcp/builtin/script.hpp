// What a tool, prompt or resource of the gateway's own does: steps in their order, then a result.
//
//   steps:
//     - log: {level: info, data: "working"}
//     - progress: {progress: 50, total: 100}
//     - wait: {time: 50ms}
//     - ask: {user: {method: elicitation/create, params: {message: "Who?", requestedSchema: {...}}}}
//   result: {content: [{type: text, text: "Hello, {{.answers.user.content.name}}"}]}
//
// Strings of params and of the result are templates over .args, .uri, .params (of a resource's template) and .answers.
// A call that needs answers ends at the `ask` and begins again with them: steps before it are not done twice.
#pragma once

#include "mcp/builtin/json_template.hpp"
#include "mcp/serve/feature_source.hpp"

#include <sluice/config.hpp>
#include <sluice/services.hpp>

#include <chrono>
#include <map>
#include <string>
#include <vector>

namespace sluice::mcp {

struct question_config {
    std::string method;         // elicitation/create, sampling/createMessage, roots/list
    std::string params = "{}";  // JSON
    bool optional = false;      // left out where the client cannot be asked so
};
void read(config_reader& r, question_config& c);

struct step_config {
    enum class kind : std::uint8_t { log, progress, wait, ask, disconnect };
    kind what = kind::wait;
    std::string level = "info", logger, data;  // log; data is JSON
    double progress = 0, total = 0;            // progress; total 0: not known
    std::string message;
    std::chrono::milliseconds time{0};                 // wait
    std::map<std::string, question_config> questions;  // ask
};

struct script_config {
    std::vector<step_config> steps;
    std::string result;  // JSON
};
// Adds the fields `steps` and `result` to a section.
void read_script(config_reader& r, script_config& c, std::string_view result_doc);

class script {
public:
    // Throws std::runtime_error for a template that cannot be compiled; read_script() has told before.
    explicit script(const script_config& c);
    // `data` is an object, the members of which templates see beside .answers.
    awaitable<outcome> run(const call& c, rest::value::members data, call_channel& channel, services& s) const;

private:
    struct question_plan {
        std::string key, method;
        json_template params;
        bool optional = false;
    };
    struct step {
        step_config what;
        std::vector<question_plan> questions;
    };
    awaitable<void> tell(const step_config& s, call_channel& channel, services& services) const;

    std::vector<step> steps_;
    json_template result_;
};

}  // namespace sluice::mcp
