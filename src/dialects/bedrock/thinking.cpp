// Reasoning, which each maker's models are asked for in words of their own.
#include "dialects/bedrock/options.hpp"
#include "dialects/values.hpp"

#include <algorithm>

namespace sluice::chat::bedrock {

namespace {

constexpr std::int64_t budget_min = 1024;  // Claude's own

// The table of docs/dialects.md.
struct effort_budget {
    std::string_view effort;
    std::int64_t budget;
};
constexpr effort_budget efforts[] = {{"minimal", 1024}, {"low", 1024},    {"medium", 8192},
                                     {"high", 24576},   {"xhigh", 32768}, {"max", 32768}};

std::int64_t budget_of(std::string_view effort) {
    for (const effort_budget& e : efforts) {
        if (e.effort == effort) return e.budget;
    }
    return 8192;
}

std::string_view effort_of(const reasoning_options& r) {
    if (!r.effort.empty()) return r.effort;
    if (!r.budget || *r.budget < 0) return {};
    for (const effort_budget& e : efforts) {
        if (e.effort != "minimal" && e.budget >= *r.budget) return e.effort;
    }
    return "xhigh";
}

bool is_off(const reasoning_options& r) {
    return r.how == reasoning_options::mode::off || r.effort == "none" || r.budget == 0;
}

// {"effort":"high"}
json effort_object(std::string_view effort, text_arena& arena) {
    return arena.keep("{\"effort\":" + to_json_string(effort) + "}");
}

// Makers that know three efforts.
std::string_view of_three(std::string_view effort) {
    if (effort.empty() || effort == "medium") return "medium";
    return effort == "low" || effort == "minimal" ? "low" : "high";
}

}  // namespace

void options_writer::think(field_list& more) {
    const reasoning_options& r = c_.reasoning;
    const bool asked = r.how == reasoning_options::mode::on || !r.effort.empty() || r.budget.has_value();
    if (!asked || is_off(r)) {
        // Claude and Nova do not think unless they are told to; the open models cannot be told not to.
        if (is_off(r) && facts_.by == model_maker::gpt_oss) lost_.hint("reasoning_effort");
        if (is_off(r) && facts_.by == model_maker::openai) more.emplace_back("reasoning", R"({"effort":"none"})");
        return;
    }
    const std::string_view effort = effort_of(r);
    switch (facts_.by) {
        case model_maker::claude:
            think_as_claude(more);
            return;
        case model_maker::nova:
            more.emplace_back("reasoningConfig", arena_.keep(R"({"type":"enabled","maxReasoningEffort":")" +
                                                             std::string(of_three(effort)) + "\"}"));
            return;
        case model_maker::gpt_oss:
            more.emplace_back("reasoning_effort", quote(of_three(effort), arena_));
            return;
        case model_maker::openai:
            more.emplace_back("reasoning", effort_object(effort.empty() ? "medium" : effort, arena_));
            return;
        case model_maker::other:
            lost_.hint("reasoning_effort");
            return;
    }
}

void options_writer::think_as_claude(field_list& more) {
    const reasoning_options& r = c_.reasoning;
    const bool counted = r.budget && *r.budget > 0;
    if (forced() && !facts_.thinks_when_forced) {
        lost_.hint("reasoning_effort");  // the forced call is what the client relies on
        return;
    }
    if (facts_.adaptive && !(facts_.budgets && counted)) {
        thinks_ = true;
        const bool summary = r.show == true || !r.summary.empty();
        more.emplace_back("thinking", summary && !facts_.budgets ? json{R"({"type":"adaptive","display":"summarized"})"}
                                                                 : json{R"({"type":"adaptive"})"});
        std::string_view effort = effort_of(r);
        if (effort == "minimal") effort = "low";
        if (effort == "xhigh" && facts_.budgets) effort = "max";  // 4.6 knows no xhigh
        if (!effort.empty()) more.emplace_back("output_config", effort_object(effort, arena_));
        return;
    }
    if (!facts_.budgets) {
        lost_.hint("reasoning_effort");  // before 3.7
        return;
    }
    // The budget is part of maxTokens and has to leave room for the answer.
    std::int64_t budget = std::max(counted ? *r.budget : budget_of(r.effort), budget_min);
    if (c_.sampling.tokens_max && budget >= *c_.sampling.tokens_max) {
        budget = *c_.sampling.tokens_max - 1;
        lost_.hint("reasoning_effort");
        if (budget < budget_min) return;
    }
    thinks_ = true;
    more.emplace_back("thinking", arena_.keep(R"({"type":"enabled","budget_tokens":)" + std::to_string(budget) + "}"));
}

}  // namespace sluice::chat::bedrock
