// What of a client's path goes to the upstream, and in which form.
#pragma once

#include "http/path.hpp"

#include <string>
#include <string_view>

namespace sluice::routing {

// The path as routes compare it, without the prefix that the upstream's URL stands for. Normalised, so that no ".."
// leads out of that URL and no escape hides from us what the upstream will read. The prefix goes only where it ends
// with a segment: "/api" is not part of "/apiary". Begins with '/', or is empty when nothing is left.
inline std::string upstream_path(std::string_view path, std::string_view prefix) {
    std::string scratch;
    const auto normal = http::normalise_path(path, scratch);
    if (normal) path = *normal;  // else the session has refused it already
    while (prefix.ends_with('/')) prefix.remove_suffix(1);
    if (path.starts_with(prefix) && (path.size() == prefix.size() || path[prefix.size()] == '/'))
        path.remove_prefix(prefix.size());
    return std::string(path);
}

// The same as Azure's classic data plane wants it, `query` with it:
//   /chat/completions, gpt-4o   ->  /openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21
//   /files?limit=2              ->  /openai/files?limit=2&api-version=2024-10-21
// `path` is one that upstream_path() gave, `deployment` the model's name there; empty for requests that name none.
std::string azure_target(std::string_view path, std::string_view query, std::string_view deployment,
                         std::string_view api_version);

// Uploads of files name no model and may be huge: their forms stream past. `path` is a normalised one.
inline bool is_upload_path(std::string_view path) {
    return path.ends_with("/files") || path.ends_with("/uploads") || path.find("/uploads/") != std::string_view::npos;
}

}  // namespace sluice::routing
