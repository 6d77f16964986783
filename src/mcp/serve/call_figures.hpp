// What is counted of calls: by source and name, as the sources and the configuration have them. Of one worker.
#pragma once

#include <sluice/metrics.hpp>

#include <map>
#include <string>
#include <string_view>

namespace sluice::mcp {

struct call_figures {
    counter* ok = nullptr;
    counter* tool_error = nullptr;      // a result that says isError
    counter* input_required = nullptr;  // the client was asked to come back with answers
    counter* failed = nullptr;          // an error of the protocol
    counter* cancelled = nullptr;
    histogram* seconds = nullptr;
};

// Handles by source and name, resolved at a name's first call.
class call_figures_table {
public:
    // Beyond it calls count under the name "other": sources that come and go must not fill the memory.
    static constexpr std::size_t names_max = 5'000;
    call_figures_table(metrics& m, std::string endpoint) : metrics_(m), endpoint_(std::move(endpoint)) {}
    const call_figures& of(std::string_view method, std::string_view source, std::string_view name);

private:
    call_figures make(std::string_view method, std::string_view source, std::string_view name);
    metrics& metrics_;
    const std::string endpoint_;
    std::map<std::string, call_figures, std::less<>> known_;
};

}  // namespace sluice::mcp
