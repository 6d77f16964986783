#include "app/commands.hpp"

#include <CLI/CLI.hpp>

int main(int argc, char** argv) {
    CLI::App cli{"Sluice: the gateway between agents and every model, tool and service they call.", "sluice"};
    std::string config;
    std::string pepper_env;
    int code = 0;
    cli.add_option("-c,--config", config, "The configuration file");
    cli.require_subcommand(0, 1);

    auto* check = cli.add_subcommand("check", "Validate the configuration; exit 0 or 1");
    check->add_option("-c,--config", config, "The configuration file")->required();
    check->callback([&] { code = sluice::app::check(config); });

    cli.add_subcommand("schema", "Print the JSON Schema of the configuration")->callback([&] {
        code = sluice::app::print_schema();
    });

    auto* keys = cli.add_subcommand("keys", "Make API keys");
    keys->require_subcommand(1);
    auto* generate = keys->add_subcommand("generate", "Print a new key and the hash for the configuration");
    auto* hash = keys->add_subcommand("hash", "Hash a key read from the standard input");
    for (auto* sub : {generate, hash})
        sub->add_option("--pepper-env", pepper_env, "Environment variable that holds key_pepper");
    generate->callback([&] { code = sluice::app::generate_key(pepper_env); });
    hash->callback([&] { code = sluice::app::hash_key(pepper_env); });

    std::string encoding{"o200k_base"};
    std::string ranks;
    std::vector<std::string> files;
    auto* count = cli.add_subcommand("count-tokens", "Count the tokens of a text");
    count->add_option("--encoding", encoding, "o200k_base (the default) or cl100k_base");
    count->add_option("--ranks", ranks, "The folder that holds ENCODING.tiktoken")->required();
    count->add_option("FILE", files, "Texts; without any, the standard input");
    count->callback([&] { code = sluice::app::count_tokens(encoding, ranks, files); });

    CLI11_PARSE(cli, argc, argv);
    if (!cli.get_subcommands().empty()) return code;
    if (config.empty()) {
        std::cerr << cli.help();
        return 2;
    }
    return sluice::app::serve(config);
}
