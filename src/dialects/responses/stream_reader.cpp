#include "dialects/responses/item_reader.hpp"
#include "dialects/responses/response_frame.hpp"
#include "dialects/responses/responses.hpp"
#include "dialects/responses/stream_event.hpp"
#include "dialects/responses/stream_parts.hpp"
#include "dialects/responses/usage.hpp"

#include <algorithm>
#include <deque>
#include <memory>

namespace sluice::chat::responses {
namespace {

using kind = stream_step::kind;
using part_type = stream_step::part_type;

class event_reader final : public stream_reader {
public:
    result<void> read(std::string_view name, std::string_view data, std::vector<stream_step>& out) override {
        if (over_ || data == "[DONE]") return {};
        parts_.begin(out);
        held_.reset();
        if (!validate_json(data)) return broken("an event that is no JSON", data);
        const stream_event e = read_event(name, data);
        if (!e.in_range) return broken("an index out of range", data);
        std::string_view type = e.type;
        if (type == "error" || (!e.error.empty() && !type.starts_with("response."))) {
            fail(e.error, e);
            return {};
        }
        constexpr std::string_view prefix = "response.";
        if (type.starts_with(prefix)) type.remove_prefix(prefix.size());
        for (const handler& h : handlers) {
            if (h.type != type) continue;
            const auto done = (this->*h.read)(e);
            return done ? done : broken(done.error().message, data);
        }
        if (type == "keepalive" || type == "ping") parts_.step(kind::ping);
        return {};  // events of tools that the provider runs itself, and those that are newer than this list
    }

    result<void> finish(std::vector<stream_step>&) override {
        if (over_) return {};
        return error{error_kind::upstream_reset, "The upstream's stream ended before its response was complete."};
    }

private:
    // What steps have views of until the next event. Most events need none of it.
    struct held {
        text_arena arena;
        std::deque<part> wholes;
    };
    held& kept() {
        if (!held_) held_ = std::make_unique<held>();
        return *held_;
    }

    // An error here holds what completes "The upstream's stream has ___".
    using method = result<void> (event_reader::*)(const stream_event&);
    struct handler {
        std::string_view type;
        method read;
    };
    // Behind the prefix "response."; the frequent ones first.
    static const handler handlers[23];

    static error wrong(std::string_view what) { return error{error_kind::upstream_protocol, std::string(what)}; }
    static error broken(std::string_view what, std::string_view data) {
        return error{error_kind::upstream_protocol,
                     "The upstream's stream has " + std::string(what) + ": " + excerpt(data)};
    }

    // --- the beginning and the end ------------------------------------------------------------------------------

    result<void> created(const stream_event& e) {
        if (parts_.started()) return {};
        const response_outline r = read_outline(e.response);
        stream_step& s = parts_.step(kind::start);
        s.id = r.id;
        s.name = r.model;
        s.created = r.created;
        return {};
    }

    result<void> completed(const stream_event& e) {
        const response_outline r = read_outline(e.response);
        result<void> read;
        std::int64_t index = 0;
        each_element(r.output, [&](const json_value& v) {
            if (read && index < stream_parts_max && is_missing(v.raw, index)) read = whole_item(v.raw, index);
            ++index;
        });
        if (!read) return read;
        parts_.end_all();
        const json status = e.type.ends_with("incomplete") ? json{R"("incomplete")"} : json{};
        parts_.step(kind::finish).why = finish_of(status, r.reason, parts_.any_call());
        if (const token_usage usage = read_usage(r.usage); usage.reported()) parts_.step(kind::usage).usage = usage;
        parts_.step(kind::end);
        over_ = true;
        return {};
    }

    result<void> failed(const stream_event& e) {
        const json error = read_outline(e.response).error;
        fail(error.empty() ? e.error : error, e);
        return {};
    }

    void fail(json object, const stream_event& e) {
        json message = e.message, code = e.code;
        each_member(object, [&](std::string_view key, const json_value& v) {
            if (key == "message") message = v.raw;
            if (key == "code" || (key == "type" && code.empty())) code = v.type == json_type::null ? code : v.raw;
        });
        stream_step& s = parts_.step(kind::failure);
        s.text = is_string(message) ? message : json{R"("The upstream's response failed.")"};
        s.name = is_string(code) ? code : json{R"("server_error")"};
        over_ = true;
    }

    // --- items ----------------------------------------------------------------------------------------------------

    streamed_item& item(std::int64_t index) {
        const auto i = std::find_if(items_.rbegin(), items_.rend(), [&](const auto& x) { return x.index == index; });
        return i != items_.rend() ? *i : items_.emplace_back(streamed_item{index, {}, false});
    }

    // Of an item in the last event's list: did its own events never come, or not to their end? The list may be counted
    // in another way than the events.
    bool is_missing(json object, std::int64_t index) const {
        const json id = read_item_facts(object).id;
        for (const streamed_item& i : items_) {
            const bool same = id.empty() || i.id.empty() ? i.index == index : i.id == id;
            if (same) return !i.done && i.index == index;
            if (i.index == index) return false;
        }
        return true;
    }

    result<void> item_added(const stream_event& e) {
        const item_facts f = read_item_facts(e.item);
        item(e.output_index).id = f.id;
        if (says(f.type, "function_call") || says(f.type, "custom_tool_call")) return start_call(f, e.output_index);
        return {};
    }

    result<void> start_call(const item_facts& f, std::int64_t index) {
        const part_type type = says(f.type, "custom_tool_call") ? part_type::custom_call : part_type::tool_call;
        if (parts_.find(index, type, false, 0) != nullptr) return {};
        if (f.name.empty() || f.call_id.empty()) return wrong("a call without a name or an id");
        auto* const p = parts_.start(index, type, false, 0);
        if (p == nullptr) return wrong("too many parts");
        parts_.last().id = f.call_id;
        parts_.last().name = f.name;
        return {};
    }

    result<void> item_done(const stream_event& e) { return whole_item(e.item, e.output_index); }

    // Passes on of a whole item what has not been.
    result<void> whole_item(json object, std::int64_t index) {
        if (item(index).done) return {};
        const item_facts f = read_item_facts(object);
        item(index).done = true;
        item(index).id = f.id;
        if (says(f.type, "message")) return whole_message(f, index);
        if (says(f.type, "reasoning")) return whole_thoughts(f, index);
        if (says(f.type, "function_call") || says(f.type, "custom_tool_call")) return whole_call(f, index);
        return whole_part(object);
    }

    result<void> whole_message(const item_facts& f, std::int64_t index) {
        result<void> read;
        std::int64_t sub = 0;
        each_element(f.content, [&](const json_value& v) {
            if (read) read = whole_content(read_item_facts(v.raw), index, sub++);
        });
        return read;
    }

    result<void> whole_content(const item_facts& c, std::int64_t index, std::int64_t sub) {
        const auto type = says(c.type, "refusal") ? part_type::refusal : part_type::text;
        auto* p = parts_.find(index, type, false, sub);
        if (p != nullptr && p->ended) return {};
        if (p == nullptr) p = parts_.start(index, type, false, sub);
        if (p == nullptr) return wrong("too many parts");
        auto repaired = make_good(*p, c.whole);
        if (!repaired) return repaired;
        parts_.end_part(*p);
        put_citations(c.annotations);
        return {};
    }

    void put_citations(json annotations) {
        if (annotations.empty()) return;
        parts_.last().citations = annotations;
        parts_.last().from = "openai";
    }

    result<void> whole_call(const item_facts& f, std::int64_t index) {
        auto started = start_call(f, index);
        if (!started) return started;
        const auto type = says(f.type, "custom_tool_call") ? part_type::custom_call : part_type::tool_call;
        auto* const p = parts_.find(index, type, false, 0);
        if (p == nullptr || p->ended) return {};
        auto repaired = make_good(*p, f.whole);
        if (repaired) parts_.end_part(*p);
        return repaired;
    }

    // The secret stands in the whole item alone: the last part has been kept open for it.
    result<void> whole_thoughts(const item_facts& f, std::int64_t index) {
        result<void> read;
        const auto texts = [&](json list, bool summary) {
            std::int64_t sub = 0;
            each_element(list, [&](const json_value& v) {
                const std::int64_t at = sub++;
                if (!read) return;
                auto* p = parts_.find(index, part_type::reasoning, summary, at);
                if (p != nullptr && p->ended) return;
                if (p == nullptr) p = parts_.start_thought(index, summary, at);
                read = p == nullptr ? wrong("too many parts") : make_good(*p, read_item_facts(v.raw).whole);
            });
        };
        texts(f.summary, true);
        texts(f.content, false);
        if (!read) return read;
        auto* open = parts_.open_thought(index);
        if (open == nullptr && f.encrypted.empty()) return {};
        if (open == nullptr) open = parts_.start_thought(index, false, 0);
        if (open == nullptr) return wrong("too many parts");
        parts_.end_part(*open);
        parts_.last().encrypted = chars_of(f.encrypted);
        if (!f.encrypted.empty()) parts_.last().from = "openai";
        return {};
    }

    // What comes in one piece: pictures, and calls of tools that the provider runs itself.
    result<void> whole_part(json object) {
        checker check;
        std::vector<message> messages;
        item_reader items(check, kept().arena, messages);
        items.one_turn();
        const place where;
        items.read(value_of(object), where);
        if (!check.ok() || messages.empty() || messages.front().content.empty()) return wrong("an item without a type");
        const part& whole = kept().wholes.emplace_back(std::move(messages.front().content.front()));
        if (!parts_.put_whole(whole)) return wrong("too many parts");
        return {};
    }

    // --- parts ----------------------------------------------------------------------------------------------------

    result<void> make_good(streamed_part& p, json whole) {
        switch (parts_.repair(p, whole, kept().arena)) {
            case part_steps::repaired::differs:
                return wrong("arguments that differ from their pieces");
            case part_steps::repaired::yes:
                ++repairs_;
                return {};
            case part_steps::repaired::no:
                break;
        }
        return {};
    }

    result<void> more(const stream_event& e, part_type type, bool summary) {
        if (!is_string(e.delta)) return wrong("a piece without text");
        auto* p = parts_.find(e.output_index, type, summary, e.sub);
        if (p == nullptr)
            p = type == part_type::reasoning ? parts_.start_thought(e.output_index, summary, e.sub)
                                             : parts_.start(e.output_index, type, summary, e.sub);
        if (p == nullptr) return wrong("too many parts");
        if (p->ended) return wrong("a piece of what had ended");
        parts_.tell(*p, e.delta);
        if (type == part_type::text && e.logprobs.size() > 2 && !is_empty_string(e.delta))
            parts_.last().logprobs =
                kept().arena.keep(R"({"content":)" + std::string(e.logprobs) + R"(,"refusal":null})");
        return {};
    }

    result<void> whole(const stream_event& e, part_type type, bool summary) {
        auto* const p = parts_.find(e.output_index, type, summary, e.sub);
        return p == nullptr ? result<void>{} : make_good(*p, e.whole);
    }

    result<void> text_more(const stream_event& e) { return more(e, part_type::text, false); }
    result<void> text_whole(const stream_event& e) { return whole(e, part_type::text, false); }
    result<void> refusal_more(const stream_event& e) { return more(e, part_type::refusal, false); }
    result<void> refusal_whole(const stream_event& e) { return whole(e, part_type::refusal, false); }
    result<void> summary_more(const stream_event& e) { return more(e, part_type::reasoning, true); }
    result<void> summary_whole(const stream_event& e) { return whole(e, part_type::reasoning, true); }
    result<void> thought_more(const stream_event& e) { return more(e, part_type::reasoning, false); }
    result<void> thought_whole(const stream_event& e) { return whole(e, part_type::reasoning, false); }

    // Of a call that was not announced the name is not known yet: it comes with the whole item.
    result<void> call_more(const stream_event& e, part_type type) {
        return parts_.find(e.output_index, type, false, 0) == nullptr ? result<void>{} : more(e, type, false);
    }
    result<void> arguments_more(const stream_event& e) { return call_more(e, part_type::tool_call); }
    result<void> arguments_whole(const stream_event& e) { return whole(e, part_type::tool_call, false); }
    result<void> input_more(const stream_event& e) { return call_more(e, part_type::custom_call); }
    result<void> input_whole(const stream_event& e) { return whole(e, part_type::custom_call, false); }

    result<void> summary_added(const stream_event& e) {
        if (parts_.find(e.output_index, part_type::reasoning, true, e.sub) != nullptr) return {};
        return parts_.start_thought(e.output_index, true, e.sub) == nullptr ? wrong("too many parts") : result<void>{};
    }

    result<void> content_added(const stream_event& e) {
        const json type = read_item_facts(e.part).type;
        const auto what = says(type, "refusal")          ? part_type::refusal
                          : says(type, "reasoning_text") ? part_type::reasoning
                                                         : part_type::text;
        if (parts_.find(e.output_index, what, false, e.sub) != nullptr) return {};
        const auto* const p = what == part_type::reasoning ? parts_.start_thought(e.output_index, false, e.sub)
                                                           : parts_.start(e.output_index, what, false, e.sub);
        return p == nullptr ? wrong("too many parts") : result<void>{};
    }

    result<void> content_done(const stream_event& e) {
        const item_facts f = read_item_facts(e.part);
        if (says(f.type, "reasoning_text")) return {};
        return whole_content(f, e.output_index, e.sub);
    }

    std::vector<streamed_item> items_;
    part_steps parts_;
    bool over_ = false;
    std::unique_ptr<held> held_;
};

constexpr event_reader::handler event_reader::handlers[23] = {
    {"output_text.delta", &event_reader::text_more},
    {"function_call_arguments.delta", &event_reader::arguments_more},
    {"reasoning_summary_text.delta", &event_reader::summary_more},
    {"reasoning_text.delta", &event_reader::thought_more},
    {"custom_tool_call_input.delta", &event_reader::input_more},
    {"refusal.delta", &event_reader::refusal_more},
    {"output_text.done", &event_reader::text_whole},
    {"refusal.done", &event_reader::refusal_whole},
    {"function_call_arguments.done", &event_reader::arguments_whole},
    {"custom_tool_call_input.done", &event_reader::input_whole},
    {"reasoning_summary_text.done", &event_reader::summary_whole},
    {"reasoning_text.done", &event_reader::thought_whole},
    {"reasoning_summary_part.added", &event_reader::summary_added},
    {"content_part.added", &event_reader::content_added},
    {"content_part.done", &event_reader::content_done},
    {"output_item.added", &event_reader::item_added},
    {"output_item.done", &event_reader::item_done},
    {"created", &event_reader::created},
    {"completed", &event_reader::completed},
    {"incomplete", &event_reader::completed},
    {"failed", &event_reader::failed},
    {"cancelled", &event_reader::failed},
    {"error", &event_reader::failed},
};

}  // namespace

std::unique_ptr<stream_reader> make_stream_reader() {
    return std::make_unique<event_reader>();
}

}  // namespace sluice::chat::responses
