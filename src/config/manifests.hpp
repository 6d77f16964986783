// Files of Kubernetes objects: any number of YAML documents (or one of JSON), each an object or a List of them, as
// `kubectl get -o yaml` writes them.
//
//   const auto report = load_manifests(path, [&](const manifest& m) -> manifest_reader {
//       if (m.kind != "EndpointSlice") return nullptr;
//       return [&](config_reader& r) { r.list("endpoints", ...); };
//   });
//
// What is not wanted is not looked at, so that an operator may name the file that holds everything. What is wanted is
// read as strictly as a configuration: unknown keys and wrong types are problems with their place.
#pragma once

#include "config/load.hpp"

#include <functional>
#include <string>

namespace sluice::config {

// What every object says of itself. Empty: it does not say. A mapping that is no object has nothing of it.
struct manifest {
    std::string api_version, kind, name, space;  // space: metadata.namespace
};
// Reads the fields of one object besides apiVersion, kind, metadata, status and those that are null, none of which it
// sees.
using manifest_reader = std::function<void(config_reader&)>;

// Hands each object to the reader that `choose` returns for it, in the order of the file; null skips it. When the file
// cannot be understood, `choose` is not called. Blocks on the file system.
load_report load_manifests(const std::string& path, const std::function<manifest_reader(const manifest&)>& choose,
                           environment env = environment::process());

}  // namespace sluice::config
