// Tools, prompts and resources that the gateway has itself, written in its configuration.
#pragma once

#include "mcp/builtin/script.hpp"

#include <map>
#include <string>
#include <vector>

namespace sluice::mcp {

// What all of them show in lists.
struct shown_config {
    std::string title, description;
    std::string annotations, icons, meta;  // JSON; may be empty
};

struct builtin_tool {
    std::string name;
    shown_config shown;
    std::string input_schema = R"({"type":"object"})", output_schema;  // JSON
    script_config does;
};
void read(config_reader& r, builtin_tool& c);

struct builtin_prompt {
    std::string name;
    shown_config shown;
    std::string arguments;                               // JSON: a list of PromptArgument; may be empty
    std::map<std::string, std::string> raw_completions;  // JSON lists: values that an argument may have
    script_config does;
};
void read(config_reader& r, builtin_prompt& c);

struct builtin_resource {
    std::string uri;  // or a template, with {name} for one segment
    std::string name;
    std::string mime_type;
    shown_config shown;
    std::map<std::string, std::string> raw_completions;
    script_config does;
};
void read(config_reader& r, builtin_resource& c);

struct builtin_config {
    std::string instructions;
    std::vector<builtin_tool> tools;
    std::vector<builtin_prompt> prompts;
    std::vector<builtin_resource> resources;
};
void read(config_reader& r, builtin_config& c);

class builtin_source final : public feature_source {
public:
    builtin_source(std::string name, const builtin_config& c, services& s);
    std::string_view name() const override { return name_; }
    std::shared_ptr<const feature_set> features() override { return features_; }
    awaitable<outcome> perform(const call& c, call_channel& channel) override;

private:
    struct own_resource {
        builtin_resource config;
        script does;
    };
    outcome complete(const call& c) const;

    const std::string name_;
    services& services_;
    std::shared_ptr<const feature_set> features_;
    std::map<std::string, script, std::less<>> tools_, prompts_;
    std::vector<own_resource> resources_;
    std::map<std::string, std::map<std::string, std::vector<std::string>>, std::less<>> completions_;
};

}  // namespace sluice::mcp
