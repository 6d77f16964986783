#include "governance/catalogue/catalogue_config.hpp"

#include "governance/catalogue/decimal.hpp"

#include <map>

namespace sluice::catalogue {
namespace {

// A number is kept as it was written, since a double would not hold it: the reader gives it as JSON text.
std::string_view unquoted(std::string_view json) {
    if (json.size() >= 2 && json.front() == '"' && json.back() == '"') return json.substr(1, json.size() - 2);
    return json;
}

void report(config_reader& r, std::string_view key, decimal_problem problem, int decimals, std::string_view largest) {
    switch (problem) {
        case decimal_problem::none:
            return;
        case decimal_problem::malformed:
            r.problem(key, "expected a decimal number", "write 0.25 or \"0.25\": no sign, no exponent");
            return;
        case decimal_problem::too_many_decimals:
            r.problem(key, "has more than " + std::to_string(decimals) + " decimals, and is never rounded");
            return;
        case decimal_problem::out_of_range:
            r.problem(key, "is more than " + std::string{largest});
            return;
    }
}

void read_price(config_reader& r, std::string_view key, price& v, std::string_view doc) {
    std::string raw;
    r.json(key, raw, doc);
    if (raw.empty()) return;
    const decimal parsed = parse_decimal(unquoted(raw), 9, price_max);
    report(r, key, parsed.problem, 9, "1000000 dollars");
    if (parsed.problem == decimal_problem::none) v = parsed.value;
}

void read_token_prices(config_reader& r, token_prices& p) {
    read_price(r, "input", p.input, "Dollars per million prompt tokens.");
    read_price(r, "cached_input", p.cached_input, "... of prompt tokens read from the provider's cache.");
    read_price(r, "cache_write", p.cache_write, "... of prompt tokens written to the cache for its default time.");
    read_price(r, "cache_write_1h", p.cache_write_1h, "... of prompt tokens written to the cache for an hour.");
    read_price(r, "output", p.output, "Dollars per million tokens of the answer.");
    read_price(r, "reasoning", p.reasoning, "... of thinking, where it is not that of the answer.");
    read_price(r, "audio_input", p.audio_input, "... of speech in the prompt.");
    read_price(r, "audio_output", p.audio_output, "... of speech in the answer.");
}

// Which model of the list claims a name, and how to say so.
void check_names(config_reader& r, const std::vector<model_info>& models) {
    std::map<std::string_view, std::size_t> owners;
    for (std::size_t i = 0; i < models.size(); ++i) {
        if (models[i].name.empty()) continue;  // reported as missing
        if (!owners.emplace(models[i].name, i).second) {
            r.problem("models[" + std::to_string(i) + "].name",
                      "there is already a model or alias \"" + models[i].name + "\"");
        }
        for (std::size_t a = 0; a < models[i].aliases.size(); ++a) {
            const auto [owner, fresh] = owners.emplace(models[i].aliases[a], i);
            if (fresh) continue;
            r.problem("models[" + std::to_string(i) + "].aliases[" + std::to_string(a) + "]",
                      "is already a name of \"" + models[owner->second].name + "\"");
        }
    }
}

}  // namespace

void read(config_reader& r, price_tier& t) {
    r.field("above_tokens", t.above_tokens,
            "A prompt of more tokens than this, cached ones counted, pays these prices.",
            {.min = 1, .max = static_cast<double>(tokens_max), .need = presence::required});
    read_token_prices(r, t.prices);
}

void read(config_reader& r, model_prices& p) {
    read_token_prices(r, p.base);
    read_price(r, "per_request", p.per_request, "Dollars per request, besides tokens or instead of them.");
    read_price(r, "per_image", p.per_image, "Dollars per image that is not counted in tokens.");
    r.list("tiers", p.tiers, "Prices of long prompts, ascending; what a tier leaves out costs what it costs without.",
           {.max = static_cast<double>(tiers_max)});
    for (std::size_t i = 1; i < p.tiers.size(); ++i) {
        if (p.tiers[i].above_tokens > p.tiers[i - 1].above_tokens) continue;
        r.problem("tiers[" + std::to_string(i) + "].above_tokens", "must be more than in the tier before");
    }
    std::string batch;
    r.json("batch", batch, "Factor on prices of tokens where the answer may come later: 0.5 is half the price.");
    if (batch.empty()) return;
    const decimal factor = parse_decimal(unquoted(batch), 6, 1'000'000);
    report(r, "batch", factor.problem, 6, "1");
    if (factor.problem != decimal_problem::none) return;
    if (factor.value == 0) return r.problem("batch", "must be more than 0");
    p.batch_millionths = factor.value;
}

void read(config_reader& r, capabilities& c) {
    for (const capability_name& each : capability_names) {
        if (!r.has(each.name)) continue;
        bool has = false;
        r.field(each.name, has, each.doc);
        c.set(each.value, has);
    }
}

void read(config_reader& r, model_info& m) {
    r.field("name", m.name, "The model's name as its provider spells it.", required);
    r.field("provider", m.provider, "Who serves and bills it.");
    r.field("family", m.family, "What it is called regardless of who serves it.");
    r.field("aliases", m.aliases, "Further names; globs for dated snapshots: gpt-4o-2024-*.",
            {.max = static_cast<double>(aliases_max)});
    r.field("context_tokens", m.context_tokens, "Tokens of prompt and answer together; 0: not known.",
            {.min = 0, .max = static_cast<double>(tokens_max)});
    r.field("output_tokens_max", m.output_tokens_max, "Most tokens of an answer; 0: not known.",
            {.min = 0, .max = static_cast<double>(tokens_max)});
    r.one_of(
        "tokenizer", m.counts_with,
        {{"none", tokenizer::none}, {"o200k_base", tokenizer::o200k_base}, {"cl100k_base", tokenizer::cl100k_base}},
        "What counts its tokens before it is asked; none: nothing published does. Absent: not known.");
    r.section("capabilities", m.can, "What it can and cannot.");
    r.section("prices", m.prices, "In US dollars; tokens by the million. An absent price is not known.");
    for (std::size_t i = 0; i < m.aliases.size(); ++i) {
        if (m.aliases[i].empty()) r.problem("aliases[" + std::to_string(i) + "]", "must not be empty");
    }
}

void read(config_reader& r, catalogue_file& f) {
    r.list("models", f.models, "The models, each once.", {.max = static_cast<double>(models_max)});
    check_names(r, f.models);
}

void read(config_reader& r, catalogue_config& c) {
    r.field("file", c.file, "File with a list `models`; a relative path starts at the folder of the configuration.");
    r.field(
        "token_ranks", c.token_ranks,
        "Folder with o200k_base.tiktoken and cl100k_base.tiktoken, which count tokens exactly; a relative path starts "
        "at the folder of the configuration.");
    r.list("models", c.models, "Models the file does not have, and fields that are to differ from the file's.",
           {.max = static_cast<double>(models_max)});
    check_names(r, c.models);
}

}  // namespace sluice::catalogue
