// A configuration with a field of every kind.
#pragma once

#include <sluice/config.hpp>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace sample {

using namespace sluice;

enum class mode { fast, careful, off };

struct target {
    std::string provider;
    int weight = 1;
};
inline void read(config_reader& r, target& c) {
    r.field("provider", c.provider, "Name of the provider.", required);
    r.field("weight", c.weight, "Share of the traffic.", {.min = 1, .max = 100});
}

// Holds itself.
struct condition {
    std::string path;
    std::vector<condition> all;
};
inline void read(config_reader& r, condition& c) {
    r.field("path", c.path, "Path to match.");
    r.list("all", c.all, "Conditions that must hold as well.");
}

struct quota {
    std::int64_t tokens_per_minute = 60'000;
};
inline void read(config_reader& r, quota& c) {
    r.field("tokens_per_minute", c.tokens_per_minute, "Tokens per minute.", {.min = positive_min});
}

struct guard {
    std::string word;
};
inline void read(config_reader& r, guard& c) {
    r.field("word", c.word, "What to look for.", required);
}

struct root {
    std::string name = "sluice";
    secret key;
    bool trace = false;
    int port = 8080;
    std::uint8_t small = 1;
    double ratio = 0.5;
    byte_size body{1 << 20};
    std::chrono::milliseconds timeout{30'000};
    mode how = mode::fast;
    std::vector<std::string> words;
    std::vector<int> statuses{429, 503};
    std::map<std::string, std::string> headers;
    std::string schema;
    std::map<std::string, std::string> defaults;
    std::optional<quota> limit;
    std::vector<target> targets;
    std::map<std::string, target> named;
    condition match;
    std::vector<std::string> stages;  // what was read, in order
};
inline void read(config_reader& r, root& c) {
    r.field("name", c.name, "Name of the \"gateway\".");
    r.field("key", c.key, "A key.");
    r.field("trace", c.trace, "Trace.");
    r.field("port", c.port, "Port.", {.min = 1, .max = 65535});
    r.field("small", c.small, "A small number.");
    r.field("ratio", c.ratio, "Ratio.", {.min = 0, .max = 1});
    r.field("body", c.body, "Largest body.", {.max = 64.0 * 1024 * 1024});
    r.field("timeout", c.timeout, "Timeout.", {.min = 1, .max = 3600});
    r.one_of("mode", c.how, {{"fast", mode::fast}, {"careful", mode::careful}, {"off", mode::off}}, "How.");
    r.field("words", c.words, "Words.", {.max = 3});
    r.field("statuses", c.statuses, "Statuses to retry.");
    r.field("headers", c.headers, "Headers to add.");
    r.json("schema", c.schema, "A schema.");
    r.json_map("defaults", c.defaults, "Body parameters.");
    r.section("limit", c.limit, "Limit.");
    r.list("targets", c.targets, "Targets.");
    r.map("named", c.named, "Targets by name.");
    r.section("match", c.match, "Match.");
    r.variants("stages",
               {{"quota", "Limits.",
                 [&c](config_reader& s) {
                     quota q;
                     read(s, q);
                     c.stages.push_back("quota " + std::to_string(q.tokens_per_minute));
                 }},
                {"guard", "Words that stop a request.",
                 [&c](config_reader& s) {
                     guard g;
                     read(s, g);
                     c.stages.push_back("guard " + g.word);
                 }},
                {"relay", "Sends it on.", [&c](config_reader&) { c.stages.emplace_back("relay"); }}},
               "Stages in order.");
}

}  // namespace sample
