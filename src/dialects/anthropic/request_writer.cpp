#include "dialects/anthropic/request_writer.hpp"

#include "dialects/anthropic/block_writer.hpp"
#include "dialects/anthropic/model_traits.hpp"
#include "dialects/anthropic/options.hpp"
#include "dialects/anthropic/turns.hpp"

#include <algorithm>

namespace sluice::chat::anthropic {
namespace {

std::string_view name_of(role who) {
    switch (who) {
        case role::assistant:
            return "\"assistant\"";
        case role::user:
            return "\"user\"";
        default:
            return "\"system\"";
    }
}

void write_turn(json_output& o, const turn& t, bool native) {
    o.w.begin_object();
    o.member("role", name_of(t.who));
    o.key("content");
    write_content(o, t.blocks, native);
    if (t.extras != nullptr) o.extras(*t.extras);
    o.w.end_object();
}

// Names of betas that go elsewhere in a header, as AWS documents for InvokeModel ("anthropic_beta").
void write_betas(json_output& o, std::string_view names, const variant& v, losses& lost) {
    if (names.empty()) return;
    if (!v.betas) return lost.hint("anthropic-beta");
    o.key("anthropic_beta").w.begin_array();
    for (std::size_t at = 0; at < names.size();) {
        const std::size_t end = std::min(names.find(',', at), names.size());
        std::string_view name = names.substr(at, end - at);
        while (!name.empty() && name.front() == ' ') name.remove_prefix(1);
        while (!name.empty() && name.back() == ' ') name.remove_suffix(1);
        if (!name.empty()) o.w.string(name);
        at = end + 1;
    }
    o.w.end_array();
}

}  // namespace

result<void> write_messages_request(const conversation& c, const target_facts& t, const variant& v, losses& lost,
                                    std::string& out) {
    text_arena arena;
    const auto said = make_turns(c, v, lost, arena);
    if (!said) return said.error();
    const model_traits traits = traits_of_model(t.model);
    request_options options(c, v, traits, lost);
    const auto decided = options.decide();
    if (!decided) return decided.error();
    if (!v.account_options && !c.cache_control.empty()) lost.hint("cache_control");

    const bool native = c.dialect == dialect_name;
    json_output o(out);
    o.w.begin_object();
    if (v.version.empty()) {
        o.key("model").w.string(t.model);
    } else {
        o.key("anthropic_version").w.string(v.version);
        write_betas(o, t.betas, v, lost);
    }
    options.write_tokens_max(o);
    if (!said->system.empty()) {
        o.key("system");
        write_content(o, said->system, native);
    }
    o.key("messages").w.begin_array();
    for (const turn& one : said->rest) write_turn(o, one, native);
    o.w.end_array();
    options.write(o);
    if (v.version.empty() && c.stream) o.member("stream", "true");
    o.w.end_object();
    return {};
}

}  // namespace sluice::chat::anthropic
