#include "dialects/bedrock/models.hpp"

#include "base/ascii.hpp"

namespace sluice::chat::bedrock {
namespace {

constexpr int unnumbered = 408;  // Mythos Preview: later than 4.7
constexpr int pair_base = 100;

bool holds(std::string_view id, std::string_view part) {
    return id.find(part) != std::string_view::npos;
}

// The number of one or two digits that stands between two hyphens; -1 for anything else (words, dates).
int number_in(std::string_view piece) {
    if (piece.empty() || piece.size() > 2) return -1;
    int value = 0;
    for (const char c : piece) {
        if (!ascii::is_digit(c)) return -1;
        value = value * 10 + (c - '0');
    }
    return value;
}

// "claude-3-7-sonnet-20250219-v1:0" is 307, "claude-opus-4-20250514-v1:0" 400, "claude-opus-4-6-v1" 406.
int claude_version(std::string_view id) {
    std::string_view rest = id.substr(id.find("claude-") + 7);
    int major = -1;
    while (!rest.empty()) {
        const auto hyphen = rest.find_first_of("-:");
        const int number = number_in(rest.substr(0, hyphen));
        if (major >= 0) return major * pair_base + (number < 0 ? 0 : number);
        major = number;
        if (hyphen == std::string_view::npos) break;
        rest.remove_prefix(hyphen + 1);
    }
    return major < 0 ? unnumbered : major * pair_base;
}

void claude(std::string_view id, model_facts& f) {
    f.by = model_maker::claude;
    f.version = claude_version(id);
    f.cache_points = f.cache_ttl = f.reasoning_back = f.one_sampling = true;
    f.strict_tools = f.version >= 405;
    f.sampling = f.version < 407;
    const bool always_thinks = holds(id, "claude-fable") || holds(id, "claude-mythos");
    f.forced_tools = !(f.version >= 505 && !holds(id, "claude-haiku")) && !(always_thinks && f.version >= 501);
    f.thinks_when_forced = f.version >= 500;
    f.adaptive = f.version >= 406;
    f.budgets = f.version >= 307 && f.version < 407;
}

}  // namespace

model_facts facts_of_model(std::string_view id) {
    model_facts f;
    if (holds(id, "anthropic.claude-")) {
        claude(id, f);
    } else if (holds(id, "amazon.nova-")) {
        f.by = model_maker::nova;
        f.cache_points = true;
    } else if (holds(id, "openai.")) {
        f.by = holds(id, "openai.gpt-oss") ? model_maker::gpt_oss : model_maker::openai;
        f.strict_tools = true;
    } else {
        // The open models that structured output is documented for.
        for (const std::string_view maker :
             {"qwen.", "deepseek.v3", "mistral.", "google.", "moonshot", "minimax.", "nvidia.", "zai."}) {
            f.strict_tools = f.strict_tools || holds(id, maker);
        }
    }
    return f;
}

}  // namespace sluice::chat::bedrock
