// What the picker knows about a request. A plain value, filled by whoever read the request; it reads nothing itself.
#pragma once

#include "routing/picker/prefix_hasher.hpp"

#include <cstdint>
#include <span>
#include <string_view>

namespace sluice::picker {

// What an endpoint must be able to do; a set of bits.
enum class capability : std::uint32_t {
    none = 0,
    vision = 1,
    audio = 2,
    embedding = 4,
    tools = 8,
};
constexpr capability operator|(capability a, capability b) {
    return static_cast<capability>(static_cast<std::uint32_t>(a) | static_cast<std::uint32_t>(b));
}
constexpr bool covers(capability has, capability wanted) {
    return (static_cast<std::uint32_t>(wanted) & ~static_cast<std::uint32_t>(has)) == 0;
}

// Names are compared by their hash: models, adapters, sessions. 0 stands for no name.
inline std::uint64_t name_hash(std::string_view name) {
    if (name.empty()) return 0;
    const std::uint64_t h = xxh64(name);
    return h == 0 ? 1 : h;
}

struct request_features {
    std::uint64_t model = 0;    // name_hash of the model: what is learned about tokens is kept per model
    std::uint64_t adapter = 0;  // name_hash of the LoRA adapter; 0: the base model
    std::uint64_t session = 0;  // name_hash of session header, prompt_cache_key or user; 0: none. Breaks ties only

    std::span<const prefix_block> blocks;  // from prefix_hasher; must outlive the calls that get the features
    std::uint64_t prompt_bytes = 0;        // all of the prompt, blocks or not
    std::int64_t prompt_tokens = 0;        // if somebody counted them; 0: estimated from the bytes
    std::int64_t output_tokens_max = 0;    // the client's max_tokens; 0: no limit known

    double ttft_slo_s = 0;   // seconds to the first token that are still good; 0: no such promise
    double tpot_slo_s = 0;   // seconds per further token; 0: no such promise
    bool sheddable = false;  // may be refused when no endpoint can keep the promise

    capability needs = capability::none;
    bool local_only = false;  // it comes from another gateway: not to be sent on to a cluster
};

}  // namespace sluice::picker
