#include "routing/upstream_path.hpp"

#include <algorithm>
#include <array>

namespace sluice::routing {
namespace {

// What stands below a deployment; everything else is the resource's own, with the model in its body if it has one.
constexpr std::array<std::string_view, 9> of_deployments = {
    "/chat/completions", "/completions",  "/embeddings",         "/audio/transcriptions", "/audio/translations",
    "/audio/speech",     "/images/edits", "/images/generations", "/images/variations",
};

}  // namespace

std::string azure_target(std::string_view path, std::string_view query, std::string_view deployment,
                         std::string_view api_version) {
    const bool below = std::find(of_deployments.begin(), of_deployments.end(), path) != of_deployments.end();
    std::string out = "/openai";
    if (below && !deployment.empty()) {
        out += "/deployments/";
        http::percent_encode(out, deployment);
    }
    out.append(path).append("?");
    std::string parameters(query);
    if (path == "/realtime" && !deployment.empty()) parameters = http::query_with(parameters, "deployment", deployment);
    return out += http::query_with(parameters, "api-version", api_version);
}

}  // namespace sluice::routing
