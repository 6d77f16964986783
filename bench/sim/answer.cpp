#include "sim/answer.hpp"

#include <algorithm>

#include "sim/schema_value.hpp"

namespace sluice::sim {
namespace {

// Arguments and JSON texts stream in fragments of this many bytes.
constexpr std::size_t fragment_bytes = 6;

token_text fragments(const std::string& text) {
    token_text t;
    for (std::size_t at = 0; at < text.size(); at += fragment_bytes)
        t.add(std::string_view(text).substr(at, fragment_bytes));
    return t;
}

// "call 3 tools" asks for three calls; "call" alone for one.
std::size_t calls_wanted(const ask& a) {
    const auto at = a.last_user.find("call");
    const bool asked = at != std::string::npos;
    if (a.tools.empty() || a.choice == tool_choice::none) return 0;
    if (!asked) return a.choice == tool_choice::automatic ? 0 : 1;
    auto digit = a.last_user.find_first_not_of(' ', at + 4);
    std::size_t n = 0;
    while (digit < a.last_user.size() && a.last_user[digit] >= '0' && a.last_user[digit] <= '9' && n < 100) {
        n = n * 10 + static_cast<std::size_t>(a.last_user[digit++] - '0');
    }
    return a.parallel_calls ? std::clamp<std::size_t>(n, 1, 32) : 1;
}

const tool& tool_for(const ask& a, std::size_t i) {
    if (a.choice == tool_choice::named) {
        const auto named =
            std::find_if(a.tools.begin(), a.tools.end(), [&](const tool& t) { return t.name == a.chosen_tool; });
        if (named != a.tools.end()) return *named;
    }
    return a.tools[i % a.tools.size()];
}

void cut_at_stop(spoken_choice& c, const std::vector<std::string>& stops) {
    std::size_t first = std::string::npos;
    for (const std::string& stop : stops) {
        const auto at = stop.empty() ? std::string::npos : c.text.text.find(stop);
        if (at >= first) continue;
        first = at;
        c.stopped_by = stop;
    }
    if (first == std::string::npos) return;
    std::size_t keep = 0;
    while (keep < c.text.ends.size() && c.text.ends[keep] <= first) ++keep;
    const std::string rest =
        c.text.text.substr(keep == 0 ? 0 : c.text.ends[keep - 1], first - (keep == 0 ? 0 : c.text.ends[keep - 1]));
    c.text.truncate(keep);
    if (!rest.empty()) c.text.add(rest);
    c.cut = false;
}

token_text say(const ask& a, const script& s, std::uint64_t seed) {
    if (!s.text.empty()) return split_words(s.text);
    if (a.format == reply_format::json_schema) return fragments(value_for_schema(a.schema, seed));
    if (a.format == reply_format::json_object)
        return fragments(R"({"result":"ok","n":)" + std::to_string(seed % 100) + "}");
    const std::size_t natural = 12 + seed % 40;
    return speak(seed, s.tokens ? *s.tokens : a.ignore_eos ? a.tokens_max.value_or(natural) : natural);
}

spoken_choice speak_choice(const ask& a, const script& s, std::uint64_t seed, std::uint64_t serial) {
    spoken_choice c;
    const std::size_t calls = calls_wanted(a);
    for (std::size_t i = 0; i < calls; ++i) {
        const tool& t = tool_for(a, i);
        const char* prefix = a.as == shape::messages ? "toolu_" : "call_";
        c.calls.push_back({make_id(prefix, serial * 64 + i), t.name, fragments(value_for_schema(t.schema, seed + i))});
    }
    if (calls > 0) return c;
    c.text = say(a, s, seed);
    // A scripted length is meant as it is; otherwise the client's limit holds.
    if (a.tokens_max && c.text.tokens() > *a.tokens_max && !s.tokens) {
        c.text.truncate(*a.tokens_max);
        c.cut = true;
    }
    c.cut = c.cut || (a.ignore_eos && a.tokens_max == c.text.tokens());
    if (!a.stop.empty()) cut_at_stop(c, a.stop);
    return c;
}

}  // namespace

std::size_t spoken_choice::tokens() const {
    std::size_t n = text.tokens();
    for (const tool_call& c : calls) n += c.arguments.tokens();
    return n;
}

std::size_t answer::completion_tokens() const {
    std::size_t n = 0;
    for (const spoken_choice& c : choices) n += c.tokens();
    return n;
}

std::size_t answer::longest() const {
    std::size_t n = 0;
    for (const spoken_choice& c : choices) n = std::max(n, c.tokens());
    return n;
}

answer compose(const ask& a, const script& s, std::uint64_t serial, std::int64_t created) {
    answer out;
    out.id = make_id("", serial);
    out.created = created;
    out.model = a.model;
    out.as = a.as;
    out.include_usage = a.include_usage;
    out.logprobs = a.logprobs;
    out.prompt_tokens = count_tokens(a.prompt) + a.images * image_tokens;
    const std::uint64_t seed = hash_bytes(a.prompt, hash_bytes(a.model, a.seed));
    for (std::size_t i = 0; i < a.n; ++i) {
        if (s.events > 0) {
            spoken_choice c;
            const std::string word(std::max<std::size_t>(1, s.event_bytes), 'x');
            for (std::size_t k = 0; k < s.events; ++k) c.text.add(word);
            out.choices.push_back(std::move(c));
        } else {
            out.choices.push_back(speak_choice(a, s, seed + i, serial));
        }
        if (a.echo && a.as == shape::completions) {
            token_text with = split_words(a.last_user);
            for (std::size_t k = 0; k < out.choices[i].text.tokens(); ++k) with.add(out.choices[i].text.piece(k));
            out.choices[i].text = std::move(with);
        }
    }
    return out;
}

sequence_spec sequence_for(const ask& a, const answer& reply, const engine_profile& profile, std::string lora) {
    sequence_spec s;
    s.prompt_tokens = reply.prompt_tokens;
    s.output_tokens = std::max<std::size_t>(1, reply.longest());
    // Adapters have keys and values of their own, so the name is part of the chain.
    const std::uint64_t seed = hash_bytes(lora, hash_bytes(a.as == shape::completions ? "raw" : "chat"));
    const std::size_t block = profile.block_tokens * bytes_per_token;
    // The answer continues the prompt, so that the next turn, which repeats both, finds both.
    const std::string_view said = reply.choices.front().text.text;
    s.hashes = chain_hashes(a.prompt, block, seed);
    std::string tail = a.prompt.substr(s.hashes.size() * block);
    tail += said;
    const auto more = chain_hashes(tail, block, s.hashes.empty() ? seed : s.hashes.back());
    s.hashes.insert(s.hashes.end(), more.begin(), more.end());
    s.lora = std::move(lora);
    return s;
}

}  // namespace sluice::sim
