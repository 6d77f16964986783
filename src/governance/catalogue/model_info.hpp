// What is known of a model: how it is called, what it can, how much it holds, and what it costs.
//
// Everything but the name may be unknown, and unknown is never zero: a price that is not there is an empty
// optional, a window that is not there is 0 (no window is), a capability is yes, no or not known.
//
// The unit of money is the nano-dollar (1e-9 US dollars) in std::int64_t. A price of tokens is nano-dollars per
// million tokens, so that $1.25 per million is 1'250'000'000; nine decimals of a dollar are exact and a tenth is
// refused by the reader, never rounded. A price may reach price_max, $1,000,000 per million tokens, which leaves
// 13 bits of the type unused.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::catalogue {

using price = std::optional<std::int64_t>;

inline constexpr std::int64_t nano_per_dollar = 1'000'000'000;
inline constexpr std::int64_t price_max = 1'000'000 * nano_per_dollar;

// Prices of tokens, in nano-dollars per million tokens.
struct token_prices {
    price input;           // prompt tokens that came from no cache and went to none
    price cached_input;    // prompt tokens read from the provider's cache
    price cache_write;     // prompt tokens written to it, kept for the provider's default time
    price cache_write_1h;  // ... kept for an hour
    price output;
    price reasoning;  // only where it differs from output
    price audio_input;
    price audio_output;

    bool operator==(const token_prices&) const = default;
    bool any() const {
        return input || cached_input || cache_write || cache_write_1h || output || reasoning || audio_input ||
               audio_output;
    }
};

// Prices of a whole request whose prompt is longer than `above_tokens`. A price it leaves out is that of shorter
// prompts.
struct price_tier {
    std::int64_t above_tokens = 0;
    token_prices prices;
    bool operator==(const price_tier&) const = default;
};

struct model_prices {
    token_prices base;
    std::vector<price_tier> tiers;  // ascending by above_tokens
    price per_request;              // nano-dollars, on top of tokens or instead of them
    price per_image;                // nano-dollars for an image that is not counted in tokens
    // Of the prices of tokens where the provider answers later; in millionths, 1 to 1'000'000.
    std::optional<std::int64_t> batch_millionths;
    bool operator==(const model_prices&) const = default;
};

enum class capability : std::uint8_t {
    chat,
    vision,
    audio_in,
    audio_out,
    files,
    tools,
    parallel_tools,
    json_schema,
    reasoning,
    streaming,
    embeddings,
    rerank,
    system_prompt,
    prompt_cache,
};

struct capability_name {
    capability value;
    std::string_view name;
    std::string_view doc;
};
inline constexpr std::array<capability_name, 14> capability_names{{
    {capability::chat, "chat", "Answers conversations. Absent: not known."},
    {capability::vision, "vision", "Takes images. Absent: not known."},
    {capability::audio_in, "audio_in", "Takes speech. Absent: not known."},
    {capability::audio_out, "audio_out", "Answers with speech. Absent: not known."},
    {capability::files, "files", "Takes documents such as PDF. Absent: not known."},
    {capability::tools, "tools", "Calls tools. Absent: not known."},
    {capability::parallel_tools, "parallel_tools", "Calls several tools in one answer. Absent: not known."},
    {capability::json_schema, "json_schema", "Holds its answer to a JSON Schema. Absent: not known."},
    {capability::reasoning, "reasoning", "Thinks before it answers. Absent: not known."},
    {capability::streaming, "streaming", "Streams its answer. Absent: not known."},
    {capability::embeddings, "embeddings", "Makes vectors of texts. Absent: not known."},
    {capability::rerank, "rerank", "Orders documents by a query. Absent: not known."},
    {capability::system_prompt, "system_prompt", "Takes a system prompt. Absent: not known."},
    {capability::prompt_cache, "prompt_cache", "Its provider caches prompts. Absent: not known."},
}};

class capabilities {
public:
    // Nothing: not known.
    std::optional<bool> get(capability c) const {
        if ((known_ & bit(c)) == 0) return std::nullopt;
        return (has_ & bit(c)) != 0;
    }
    void set(capability c, bool has) {
        known_ |= bit(c);
        has_ = has ? has_ | bit(c) : has_ & ~bit(c);
    }
    // What `over` knows replaces what is known here.
    void overlay(const capabilities& over) {
        has_ = (has_ & ~over.known_) | over.has_;
        known_ |= over.known_;
    }
    bool operator==(const capabilities&) const = default;

private:
    static std::uint32_t bit(capability c) { return std::uint32_t{1} << static_cast<unsigned>(c); }
    std::uint32_t known_ = 0;
    std::uint32_t has_ = 0;  // never a bit that known_ lacks
};

enum class tokenizer : std::uint8_t {
    unknown,
    none,  // no published one: count by other means
    o200k_base,
    cl100k_base,
};

struct model_info {
    std::string name;                  // as its provider spells it
    std::string provider;              // who serves and bills it
    std::string family;                // the same for one model at several providers
    std::vector<std::string> aliases;  // further names; with * or ? they are globs, for dated snapshots
    std::int64_t context_tokens = 0;   // prompt and answer together; 0: not known
    std::int64_t output_tokens_max = 0;
    tokenizer counts_with = tokenizer::unknown;
    capabilities can;
    model_prices prices;
    bool operator==(const model_info&) const = default;
};

}  // namespace sluice::catalogue
