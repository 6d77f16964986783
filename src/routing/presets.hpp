// Providers that many people use: where they are, what they speak, and where they differ from OpenAI's own
// chat/completions. `preset: deepseek` in a provider stands for all of it; what the operator writes himself wins.
#pragma once

#include "dialects/openai/quirks.hpp"

#include <sluice/config.hpp>

#include <cstdint>
#include <span>
#include <string_view>

namespace sluice::routing {

enum class dialect : std::uint8_t;  // routing_config.hpp

using chat::openai::chat_quirks;

struct preset {
    std::string_view name;
    std::string_view base_url;
    dialect speaks;
    chat_quirks quirks;
};

// All of them, in the order of the manual. Lives as long as the process.
std::span<const preset> presets();

// Reads the key `preset` of the provider at hand. nullptr: there is none, or an unknown one, which is then a problem
// that names the nearest.
const preset* read_preset(config_reader& r);

}  // namespace sluice::routing
