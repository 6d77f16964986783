#pragma once
#include "routing/routing_config.hpp"
#include <sluice/exchange.hpp>
#include <map>
#include <memory>
namespace sluice::routing {
struct target { upstream_endpoint endpoint; std::string model; header_list headers; };
struct model_table {
    static result<std::shared_ptr<const model_table>> build(const routing_config& c);
    std::map<std::string, std::shared_ptr<target>> models;
};
}
