// The subcommands of the binary.
#pragma once

#include <string>
#include <vector>

namespace sluice::app {

// Each returns the exit code and prints to stdout and stderr.
int serve(const std::string& config_path);
int check(const std::string& config_path);  // 0: valid; 1: every problem printed with file:line:column
int print_schema();
int generate_key(const std::string& pepper_env);  // a new API key and its line for `keys:`
int hash_key(const std::string& pepper_env);      // reads a key from stdin, prints its hash
// Prints how many tokens the text on stdin has or, where files are named, each of them: "COUNT FILE". `ranks` is the
// folder of the rank files.
int count_tokens(const std::string& encoding, const std::string& ranks, const std::vector<std::string>& files);

}  // namespace sluice::app
