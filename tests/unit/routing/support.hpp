// Providers and models from text, and what a plan needs around it.
#pragma once

#include "config/document.hpp"
#include "config/references.hpp"
#include "config/yaml_reader.hpp"
#include "routing/attempt_plan.hpp"
#include "routing/model_table.hpp"
#include "routing/routing_config.hpp"
#include "support/exchange_fixture.hpp"

#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::routing::testing {

// Reads a section with the free function read(); the problems come as printed lines.
template <class Config>
std::string problems_of(std::string_view yaml, Config& c) {
    config::references refs{
        {[](const std::string&) { return std::optional<std::string>{}; },
         [](const std::string&) -> result<std::string> { return error{error_kind::not_found, "no such file"}; }}};
    config::problem_list problems;
    const config::document d = config::document::parse(yaml, "g.yaml", problems);
    if (d.complete) {
        config::yaml_reader reader{d.root, refs, problems};
        read(reader, c);
        reader.finish();
    }
    std::string out;
    for (const config::problem& p : problems.take()) out += to_string(p) + "\n";
    return out;
}

inline std::string routing_problems(std::string_view yaml) {
    routing_config c;
    return problems_of(yaml, c);
}

inline std::shared_ptr<const model_table> table_of(std::string_view yaml) {
    routing_config c;
    const std::string problems = problems_of(yaml, c);
    if (!problems.empty()) throw std::logic_error(problems);
    auto table = model_table::build(c);
    if (!table) throw std::logic_error(table.error().message);
    return *table;
}

struct all_targets final : target_filter {
    bool allows(const model&, const target&) const override { return true; }
};

// A table with the worker's view of its providers.
struct world {
    explicit world(std::string_view yaml) : table(table_of(yaml)) {
        for (const auto& p : table->providers()) runtimes.push_back(std::make_unique<provider_runtime>(*p, s));
    }
    std::string name_of(const std::optional<candidate>& c) const { return c ? c->to->config.model : "none"; }

    boost::asio::io_context io{1};
    test::fake_services s{io};
    std::shared_ptr<const model_table> table;
    attempt_plan::runtimes runtimes;
    random_source random{7};
    test::exchange_fixture f;
};

}  // namespace sluice::routing::testing
