#include "dialects/cohere/message_writer.hpp"

#include "dialects/cohere/cohere.hpp"
#include "dialects/values.hpp"

#include <algorithm>

namespace sluice::chat::cohere {

namespace {

constexpr std::size_t calls_at_once_max = 128;  // among which a result without an id is matched by name

std::string_view role_name(role who) {
    switch (who) {
        case role::assistant:
            return "assistant";
        case role::user:
            return "user";
        default:
            return "system";
    }
}

bool is_plain_text(const media_part& m) {
    return m.what == media_kind::document && !m.text.empty();
}

}  // namespace

result<void> message_writer::write() {
    w_.key("messages").begin_array();
    for (std::size_t i = 0; i < c_.messages.size(); ++i) {
        auto written = write_message(i);
        if (!written) return written;
    }
    w_.end_array();
    return {};
}

// Results of tools become messages of their own, where they stand among the other parts.
result<void> message_writer::write_message(std::size_t i) {
    const message& m = c_.messages[i];
    if (!m.name.empty()) lost_.hint(place_of(i) + ".name");
    lost_.hints(m.extras, place_of(i) + ".");
    gathered g;
    for (std::size_t j = 0; j < m.content.size(); ++j) {
        const part& p = m.content[j];
        const std::string at = place_of(i, j);
        lost_.hints(p.extras, at + ".");
        if (!p.cache_control.empty()) lost_.hint(at + ".cache_control");
        if (const auto* answered = std::get_if<tool_result>(&p.value)) {
            flush(m, g);
            g = {};
            auto written = write_result(*answered, at);
            if (!written) return written;
            continue;
        }
        if (const auto* call = std::get_if<tool_call>(&p.value); call != nullptr && call->id.empty()) {
            g.call_ids.push_back("call_" + std::to_string(i) + "_" + std::to_string(j));
            nameless_.push_back({call->name, g.call_ids.back()});
        } else if (call != nullptr) {
            g.call_ids.emplace_back();
        }
        auto taken = gather(p, at, g);
        if (!taken) return taken;
    }
    flush(m, g);
    return {};
}

result<void> message_writer::gather(const part& p, const std::string& at, gathered& out) {
    if (const auto* text = std::get_if<text_part>(&p.value)) {
        if (!text->citations.empty()) lost_.hint(at + ".citations");
        add_text(text->text, out);
        return {};
    }
    if (const auto* refusal = std::get_if<refusal_part>(&p.value)) {
        add_text(refusal->text, out);
        return {};
    }
    if (const auto* media = std::get_if<media_part>(&p.value)) return gather_media(*media, at, out);
    if (const auto* call = std::get_if<tool_call>(&p.value)) {
        if (call->what == tool_call::kind::function) {
            out.calls.push_back(call);
            return {};
        }
        out.call_ids.pop_back();
        return lost_.feature(at, "a call of a tool that takes free text");
    }
    if (const auto* thought = std::get_if<reasoning_part>(&p.value)) {
        // Cohere signs nothing: text that nobody signed may be its own, and is taken.
        const bool bare = thought->from.empty() && thought->signature.empty() && thought->encrypted.empty();
        if ((bare || thought->from == maker_name) && !thought->text.empty()) {
            out.thoughts.push_back(thought->text);
        } else {
            lost_.hint(at);
        }
        return {};
    }
    return lost_.feature(at, "what only another provider has a form for");
}

void message_writer::add_text(json text, gathered& out) {
    if (text.empty() || is_empty_string(text)) return;
    out.parts.push_back(R"({"type":"text","text":)" + std::string(text) + "}");
}

result<void> message_writer::gather_media(const media_part& m, const std::string& at, gathered& out) {
    if (is_plain_text(m)) {
        add_document(m.name, m.text);
        return {};
    }
    if (m.what != media_kind::image) return lost_.feature(at, "any media but images and plain text");
    if (!m.file_id.empty()) return lost_.feature(at, "a file that was uploaded to a provider");
    const json url = m.url.empty() ? data_url_of(m.mime, m.base64, arena_) : m.url;
    std::string image = R"({"type":"image_url","image_url":{"url":)" + std::string(url);
    if (!m.detail.empty()) image.append(R"(,"detail":)").append(m.detail);
    out.parts.push_back(image + "}}");
    out.only_texts = false;
    return {};
}

void message_writer::add_document(json name, json text) {
    std::string document = R"({"data":{)";
    if (!name.empty()) document.append(R"("title":)").append(name).append(1, ',');
    documents_.push_back(arena_.keep(document.append(R"("text":)").append(text).append("}}")));
}

void message_writer::flush(const message& m, const gathered& g) {
    if (g.parts.empty() && g.calls.empty() && g.thoughts.empty()) return;
    w_.begin_object().key("role").string(role_name(m.who));
    write_content(m, g);
    if (!g.calls.empty()) {
        w_.key("tool_calls").begin_array();
        for (std::size_t i = 0; i < g.calls.size(); ++i) {
            const tool_call& call = *g.calls[i];
            w_.begin_object().key("id");
            if (g.call_ids[i].empty()) {
                w_.raw(call.id);
            } else {
                w_.string(g.call_ids[i]);
            }
            w_.key("type").string("function").key("function").begin_object().key("name").raw(call.name);
            w_.key("arguments").raw(arguments_string(call, arena_)).end_object().end_object();
        }
        w_.end_array();
    }
    w_.end_object();
}

// Thoughts before calls are the plan of them; else they are content.
void message_writer::write_content(const message& m, const gathered& g) {
    const bool plan = !g.thoughts.empty() && !g.calls.empty();
    if (plan) {
        std::vector<part> thoughts;
        thoughts.reserve(g.thoughts.size());
        for (const json t : g.thoughts) thoughts.push_back({text_part{t, {}, {}}});
        w_.key("tool_plan").raw(text_of(thoughts, arena_));
    }
    const bool thinking = !g.thoughts.empty() && !plan && m.who == role::assistant;
    if (g.parts.empty() && !thinking) return;
    w_.key("content");
    if (g.parts.size() == 1 && g.only_texts && !thinking) {
        constexpr std::size_t head = std::string_view(R"({"type":"text","text":)").size();
        w_.raw(std::string_view(g.parts[0]).substr(head, g.parts[0].size() - head - 1));
        return;
    }
    w_.begin_array();
    for (const json t : g.thoughts) {
        if (thinking) w_.begin_object().key("type").string("thinking").key("thinking").raw(t).end_object();
    }
    for (const std::string& p : g.parts) w_.raw(p);
    w_.end_array();
}

// A result without an id answers the oldest call of its name that none was given to yet, else the oldest at all.
json message_writer::result_id(const tool_result& r) {
    if (!r.call_id.empty()) return r.call_id;
    if (nameless_.empty()) return R"("call_0")";
    const auto end = nameless_.begin() + static_cast<std::ptrdiff_t>(std::min(nameless_.size(), calls_at_once_max));
    auto call = std::find_if(nameless_.begin(), end, [&](const auto& n) { return n.name == r.name; });
    if (call == end) call = nameless_.begin();
    const json id = quote(call->id, arena_);
    nameless_.erase(call);
    return id;
}

result<void> message_writer::write_result(const tool_result& r, const std::string& at) {
    if (r.what == tool_call::kind::custom) return lost_.feature(at, "the result of a tool that takes free text");
    for (const part& p : r.content) {
        if (std::holds_alternative<text_part>(p.value)) continue;
        auto refused = lost_.feature(at, "anything but text in the result of a tool");
        if (!refused) return refused;
    }
    if (r.is_error) lost_.hint(at + ".is_error");
    w_.begin_object().key("role").string("tool").key("tool_call_id").raw(result_id(r));
    w_.key("content").raw(text_of(r, arena_)).end_object();
    return {};
}

}  // namespace sluice::chat::cohere
