#include "app/commands.hpp"

#include "app/server.hpp"
#include "config/schema_writer.hpp"
#include "governance/key_hash.hpp"
#include "governance/tokens/bpe_counter.hpp"
#include "telemetry/log.hpp"

#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <iterator>

namespace sluice::app {
namespace {

void print_problems(const config::load_report& report) {
    for (const auto& p : report.problems) std::cerr << config::to_string(p) << '\n';
}

std::string pepper_from(const std::string& env) {
    const char* value = env.empty() ? nullptr : std::getenv(env.c_str());
    return value != nullptr ? value : "";
}

}  // namespace

int serve(const std::string& config_path) {
    loaded first = load_generation(config_path);
    if (!first.made) {
        print_problems(first.report);
        return 1;
    }
    const telemetry::operational_log log_owner{first.made->config.log};
    int code = 1;
    try {
        server s(config_path, std::move(first));
        code = s.run();
    } catch (const std::exception& e) {
        log::error("cannot start: {}", e.what());
    }
    return code;
}

int check(const std::string& config_path) {
    const loaded l = load_generation(config_path);
    print_problems(l.report);
    if (!l.made) return 1;
    std::cout << config_path << ": ok (" << l.made->config.routes.size() << " routes, "
              << l.made->config.routing.models.size() << " models, " << l.made->config.governance.keys.size()
              << " keys, " << l.made->catalogue->models().size() << " catalogued)\n";
    return 0;
}

int print_schema() {
    gateway_config defaults;
    std::cout << config::write_schema([&](config_reader& r) { read(r, defaults); }) << '\n';
    return 0;
}

int generate_key(const std::string& pepper_env) {
    const std::string key = sluice::generate_key();
    std::cout << "key:  " << key << "\nhash: " << sluice::hash_key(key, pepper_from(pepper_env)) << '\n';
    return 0;
}

int hash_key(const std::string& pepper_env) {
    std::string key;
    if (!std::getline(std::cin, key) || key.empty()) {
        std::cerr << "no key on the standard input\n";
        return 1;
    }
    std::cout << sluice::hash_key(key, pepper_from(pepper_env)) << '\n';
    return 0;
}

int count_tokens(const std::string& encoding, const std::string& ranks) {
    const auto known = tokens::encoding_named(encoding);
    if (!known) {
        std::cerr << "no encoding \"" << encoding << "\": there are o200k_base and cl100k_base\n";
        return 1;
    }
    const std::string path = ranks + '/' + encoding + ".tiktoken";
    const auto loaded = tokens::bpe_ranks::load(path);
    if (!loaded) {
        std::cerr << path << ": " << loaded.error().message << '\n';
        return 1;
    }
    const std::string text{std::istreambuf_iterator<char>{std::cin}, {}};
    std::cout << tokens::bpe_counter{*known, *loaded}.count(text) << '\n';
    return 0;
}

}  // namespace sluice::app
