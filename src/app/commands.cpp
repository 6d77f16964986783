#include "app/commands.hpp"

#include "app/server.hpp"
#include "config/file_text.hpp"
#include "config/schema_writer.hpp"
#include "governance/key_hash.hpp"
#include "governance/tokens/bpe_counter.hpp"
#include "telemetry/log.hpp"

#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <iterator>
#include <utility>

namespace sluice::app {
namespace {

void print_problems(const config::load_report& report) {
    for (const auto& p : report.problems) std::cerr << config::to_string(p) << '\n';
}

int fail(const std::string& problem) {
    std::cerr << problem << '\n';
    return 1;
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

int count_tokens(const std::string& encoding, const std::string& ranks, const std::vector<std::string>& files) {
    constexpr std::size_t file_bytes_max = 1U << 30U;
    const auto known = tokens::encoding_named(encoding);
    if (!known) return fail("no encoding \"" + encoding + "\": there are o200k_base and cl100k_base");
    const std::string path = ranks + '/' + encoding + ".tiktoken";
    auto loaded = tokens::bpe_ranks::load(path);
    if (!loaded) return fail(path + ": " + loaded.error().message);
    const tokens::bpe_counter counter{*known, *std::move(loaded)};
    for (const auto& file : files) {
        const auto text = config::read_file(file, file_bytes_max);
        if (!text) return fail(file + ": " + text.error().message);
        std::cout << counter.count(*text) << ' ' << file << '\n';
    }
    if (files.empty()) {
        const std::string text{std::istreambuf_iterator<char>{std::cin}, {}};
        std::cout << counter.count(text) << '\n';
    }
    return 0;
}

}  // namespace sluice::app
