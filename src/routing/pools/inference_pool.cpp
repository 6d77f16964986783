// From what manifests say to a pool's configuration. How they are read is in inference_pool_reader.cpp.
#include "routing/pools/inference_pool.hpp"

#include "base/nearest.hpp"
#include "http/authority.hpp"
#include "net/address_guard.hpp"

#include <algorithm>

namespace sluice::routing {
namespace {

constexpr std::size_t addresses_max = 4096;

class import {
public:
    import(pool_config& pool, const std::filesystem::path& folder) :pool_(pool), from_(*pool.from), folder_(folder) {}

    imported_pool run() {
        auto manifests = load_inference_pools((folder_ / from_.file).string());
        const bool readable = manifests.report.ok();
        out_.reports.push_back(std::move(manifests.report));
        const inference_pool* const found = readable ? choose(manifests.pools) : nullptr;
        if (found != nullptr) {
            out_.h2c = found->protocol == server_protocol::h2c;
            take_picker(*found);
            take_addresses(*found);
        }
        // Why it has no address has been said.
        if (pool_.service && pool_.service->address.empty()) pool_.service.reset();
        return std::move(out_);
    }

private:
    void misfit(std::string_view key, std::string message, std::string hint = {}) {
        out_.misfits.push_back({std::string(key), std::move(message), std::move(hint)});
    }

    const inference_pool* choose(const std::vector<inference_pool>& all) {
        std::vector<const inference_pool*> fit;
        std::vector<std::string> names;
        for (const inference_pool& p : all) {
            names.push_back(p.name);
            const bool named = from_.name.empty() || p.name == from_.name;
            const bool here = from_.space.empty() || p.space.empty() || p.space == from_.space;
            if (named && here) fit.push_back(&p);
        }
        if (fit.size() == 1) return fit.front();
        if (all.empty()) {
            misfit("inference_pool.file", "holds no InferencePool",
                   "of inference.networking.k8s.io/v1 or inference.networking.x-k8s.io/v1alpha2");
        } else if (fit.empty()) {
            misfit(from_.name.empty() ? "inference_pool.namespace" : "inference_pool.name",
                   "the file has no such InferencePool" + did_you_mean(from_.name, names));
        } else {
            misfit("inference_pool", "the file has several InferencePools that fit", "say its name and namespace");
        }
        return nullptr;
    }

    // What picker_service says itself comes before the manifest.
    void take_picker(const inference_pool& found) {
        if (from_.ask_picker && found.chosen_by) {
            if (pool_.callout) return misfit("picker_callout", "a pool has one outside picker: the manifest names one");
            if (!pool_.service) pool_.service.emplace();
            const std::string space = !found.space.empty()  ? found.space
                                      : from_.space.empty() ? "default"
                                                            : from_.space;
            if (pool_.service->address.empty()) {
                pool_.service->address =
                    found.chosen_by->service + '.' + space + ".svc:" + std::to_string(found.chosen_by->port);
            }
            if (pool_.service->destination_ports.empty()) pool_.service->destination_ports = found.ports;
            if (!pool_.service->says_on_failure) pool_.service->session.on_failure = found.chosen_by->on_failure;
        } else if (from_.ask_picker && pool_.service && pool_.service->address.empty()) {
            misfit("picker_service", "neither this nor the manifest has the picker's address");
        }
    }

    void take_addresses(const inference_pool& found) {
        std::vector<std::string> addresses = from_.addresses;
        if (!from_.addresses_file.empty()) {
            auto more = load_addresses((folder_ / from_.addresses_file).string());
            addresses.insert(addresses.end(), more.addresses.begin(), more.addresses.end());
            out_.reports.push_back(std::move(more.report));
        }
        if (addresses.size() > addresses_max) return misfit("inference_pool", "more than 4096 addresses");
        for (const std::string& address : addresses) {
            if (net::classify_host(address).form == net::host_form::invalid) {
                misfit("inference_pool.addresses", "\"" + address + "\" is no address",
                       "write it without a port: ports are the manifest's");
                continue;
            }
            for (const std::uint16_t port : found.ports) {
                out_.endpoints.emplace_back().url = "http://" + http::write_authority(address, port);
            }
        }
        if (from_.dns.empty()) return;
        pool_.dns.emplace();
        pool_.dns->name = from_.dns;
        pool_.dns->ports = found.ports;
    }

    pool_config& pool_;
    const inference_pool_config& from_;
    const std::filesystem::path& folder_;
    imported_pool out_;
};

}  // namespace

imported_pool import_inference_pool(pool_config& pool, const std::filesystem::path& folder) {
    return import(pool, folder).run();
}

}  // namespace sluice::routing
