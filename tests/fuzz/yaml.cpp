// Any bytes at all as a configuration: never a crash, never an exception, and every problem has a place in the
// file. Good documents are also read as JSON text and must give valid JSON.
#include "../unit/config/sample.hpp"

#include "config/document.hpp"
#include "config/yaml_reader.hpp"

#include <simdjson.h>

#include <cstdlib>

namespace {

using namespace sluice;

void require(bool fact) {
    if (!fact) std::abort();
}

config::environment closed_environment() {
    return {[](const std::string& name) -> std::optional<std::string> {
                return name == "A" ? std::optional<std::string>{"5"} : std::nullopt;
            },
            [](const std::string& path) -> result<std::string> {
                if (path == "/a") return std::string{"text\n"};
                return error{error_kind::not_found, "No such file or directory"};
            }};
}

void read_sample(std::string_view text) {
    config::problem_list problems;
    config::references refs{closed_environment()};
    const auto d = config::document::parse(text, "f", problems);
    require(d.root != nullptr && d.root->kind == config::node_kind::map);
    config::yaml_reader reader{d.root, refs, problems};
    sample::root c;
    read(reader, c);
    reader.problem("targets[0].provider", "x");
    reader.problem(text.substr(0, 64), "x");
    reader.finish();
    for (const config::problem& p : problems.take()) {
        require(!to_string(p).empty());
        require(p.file.empty() || (p.file == "f" && p.line >= 0 && (p.line == 0 || p.column >= 1)));
    }
}

void read_as_json(std::string_view text) {
    config::problem_list problems;
    config::references refs{closed_environment()};
    const auto d = config::document::parse(text, "f", problems);
    for (const config::member& m : d.root->members) {
        config::yaml_reader reader{d.root, refs, problems};
        std::string raw;
        reader.json(m.key, raw, "");
        if (raw.empty()) continue;
        simdjson::dom::parser parser;
        require(parser.parse(raw).error() == simdjson::SUCCESS);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    read_sample(text);
    read_as_json(text);
    return 0;
}
