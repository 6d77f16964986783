// Tools of REST services by a definition file (definition.hpp): each call is one HTTP request.
#pragma once

#include "mcp/rest/definition.hpp"
#include "mcp/serve/feature_source.hpp"

#include <sluice/config.hpp>
#include <sluice/services.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace sluice::mcp::rest {

// A member that lies over the file's server.config: where keys are kept.
struct setting {
    std::string name;
    secret value;
};
void read(config_reader& r, setting& c);

struct rest_source_config {
    std::string file;  // relative ones start at the configuration's folder
    std::vector<setting> config;
    std::chrono::milliseconds timeout{30'000};
    byte_size reply_bytes{4 << 20};
    bool allow_private = false;  // may names of its services lead to private addresses?
    std::shared_ptr<const definition> loaded;
};
void read(config_reader& r, rest_source_config& c);

class rest_source final : public feature_source {
public:
    rest_source(std::string name, const rest_source_config& c, services& s);
    std::string_view name() const override { return name_; }
    std::shared_ptr<const feature_set> features() override { return features_; }
    awaitable<outcome> perform(const call& c, call_channel& channel) override;

private:
    awaitable<std::string> call_service(const tool& t, const call& c, call_channel& channel);

    const std::string name_;
    const rest_source_config config_;
    services& services_;
    std::shared_ptr<const feature_set> features_;
};

}  // namespace sluice::mcp::rest
