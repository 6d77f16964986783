#include "dialects/responses/response_frame.hpp"
#include "dialects/responses/responses.hpp"
#include "dialects/responses/stream_output.hpp"
#include "dialects/values.hpp"

#include <algorithm>

namespace sluice::chat::responses {

namespace {

using kind = stream_step::kind;
using part_type = stream_step::part_type;
using item_kind = written_item::kind;
using http::json_writer;

constexpr std::size_t no_item = static_cast<std::size_t>(-1);

class event_writer final : public stream_writer {
public:
    explicit event_writer(const client_call& call) : model_(call.model), now_(call.now), ids_(call.request_id) {}

    void write(const stream_step& s, std::string& out) override {
        if (over_ || s.choice != 0) return;
        if (s.what == kind::ping) {
            out += ": ping\n\n";
            return;
        }
        if (s.what == kind::failure) return fail(s.text, s.name, out);
        if (s.usage.reported()) facts_.usage = s.usage;
        if (!begun_) begin(s, out);
        switch (s.what) {
            case kind::part_start:
                start_part(s, out);
                break;
            case kind::delta:
                more(s, out);
                break;
            case kind::part_end:
                if (auto* const p = find(s.part); p != nullptr && !p->ended) end_part(*p, s, out);
                break;
            case kind::finish:
                ending_ = ending_of(s.why);
                break;
            case kind::end:
                end(out);
                break;
            default:
                break;
        }
        if (bytes_ > stream_bytes_max)
            fail(R"("The answer is larger than what the gateway keeps of a stream.")", R"("server_error")", out);
    }

private:
    void response_event(std::string_view type, std::string_view status, std::string& out) {
        facts_.status = status;
        events_.open(type, out);
        std::string response;
        write_response(facts_, response);
        append_flat("response", response, out);
        events_.close(out);
    }

    // --- the beginning and the end ----------------------------------------------------------------------------

    void begin(const stream_step& s, std::string& out) {
        begun_ = true;
        const bool told = s.what == kind::start;
        id_ = told && !s.id.empty() ? std::string(s.id) : ids_.response();
        model_ = told && !s.name.empty() ? std::string(s.name) : to_json_string(model_);
        facts_.id = id_;
        facts_.model = model_;
        facts_.created = told && s.created != 0 ? s.created : now_;
        const token_usage usage = facts_.usage;
        facts_.usage = {};
        response_event("created", "in_progress", out);
        response_event("in_progress", "in_progress", out);
        facts_.usage = usage;
    }

    void end(std::string& out) {
        for (std::size_t i = 0; i < items_.size(); ++i) {
            if (!items_[i].rendered.empty()) continue;
            for (const std::size_t p : items_[i].parts) {
                if (!parts_[p].ended) finish_part(parts_[p], out);
            }
            close_item(i, ending_.status, out);
        }
        const std::string output = done_items();
        facts_.output = output;
        facts_.reason = ending_.reason;
        response_event(ending_.status, ending_.status, out);
        over_ = true;
    }

    // What was whole by then is told; no usage, for it was not reported for this.
    void fail(json message, json code, std::string& out) {
        over_ = true;
        const json text = is_string(message) ? message : json{R"("The answer broke off.")"};
        const json name = is_string(code) ? code : json{R"("server_error")"};
        if (!begun_) {
            events_.open_error(out);
            append_member("code", name, out);
            append_member("message", text, out);
            append_member("param", "null", out);
            return events_.close(out);
        }
        const std::string output = done_items();
        facts_.output = output;
        facts_.usage = {};
        facts_.error_code = name;
        facts_.error_message = text;
        response_event("failed", "failed", out);
    }

    std::string done_items() const {
        std::string all;
        for (const written_item& i : items_) {
            if (i.rendered.empty()) continue;
            if (!all.empty()) all += ',';
            all += i.rendered;
        }
        return all;
    }

    // --- items ----------------------------------------------------------------------------------------------------

    std::size_t add_item(item_kind what, std::string_view prefix) {
        const std::size_t index = items_.size();
        written_item& i = items_.emplace_back();
        i.what = what;
        i.id = ids_.make(prefix, index);
        return index;
    }

    // A message takes the texts that follow each other.
    std::size_t message_item(std::string& out) {
        if (!items_.empty() && items_.back().what == item_kind::message && items_.back().accepts)
            return items_.size() - 1;
        const std::size_t index = add_item(item_kind::message, "msg_");
        events_.item("output_item.added", index,
                     R"({"type":"message","id":)" + items_[index].id +
                         R"(,"status":"in_progress","role":"assistant","content":[]})",
                     out);
        return index;
    }

    std::size_t reasoning_item(std::string& out) {
        const std::size_t index = add_item(item_kind::reasoning, "rs_");
        events_.item("output_item.added", index,
                     R"({"type":"reasoning","id":)" + items_[index].id + R"(,"summary":[]})", out);
        return index;
    }

    std::size_t call_item(const stream_step& s, std::string& out) {
        const bool custom = s.type == part_type::custom_call;
        const std::size_t index = add_item(custom ? item_kind::custom : item_kind::function, custom ? "ctc_" : "fc_");
        written_item& i = items_[index];
        i.call_id = s.id.empty() ? i.id : std::string(s.id);
        i.name = s.name.empty() ? R"("")" : std::string(s.name);
        std::string object;
        text_arena arena;
        json_writer w(object);
        w.begin_object().key("type").string(custom ? "custom_tool_call" : "function_call").key("id").raw(i.id);
        w.key("status").string("in_progress").key("call_id").raw(i.call_id).key("name").raw(i.name);
        w.key(custom ? "input" : "arguments").string("").end_object();
        events_.item("output_item.added", index, object, out);
        return index;
    }

    void whole_item(const part& p, std::string& out) {
        std::string object;
        text_arena arena;
        json_writer w(object);
        const std::size_t index = add_item(item_kind::whole, "ig_");
        if (const auto* media = std::get_if<media_part>(&p.value);
            media != nullptr && media->what == media_kind::image && !media->base64.empty()) {
            write_picture_item(*media, items_[index].id, arena, w);
        } else if (const auto* native = std::get_if<native_part>(&p.value);
                   native != nullptr && native->dialect == dialect_name) {
            w.raw(native->value);
        } else {
            items_.pop_back();
            return;
        }
        bytes_ += object.size();
        events_.item("output_item.added", index, object, out);
        events_.item("output_item.done", index, object, out);
        items_[index].rendered = std::move(object);
    }

    // Before an item of another kind: a message whose texts have all ended is done.
    void close_message(std::string& out) {
        if (items_.empty() || items_.back().what != item_kind::message || !items_.back().accepts) return;
        items_.back().accepts = false;
        close_if_ended(items_.size() - 1, out);
    }

    void close_if_ended(std::size_t index, std::string& out) {
        const written_item& i = items_[index];
        if (i.accepts || !i.rendered.empty()) return;
        const bool ended = std::all_of(i.parts.begin(), i.parts.end(), [&](std::size_t p) { return parts_[p].ended; });
        if (ended) close_item(index, "completed", out);
    }

    void close_item(std::size_t index, std::string_view status, std::string& out, const stream_step& end = {}) {
        written_item& item = items_[index];
        std::vector<part> parts;
        for (const std::size_t p : item.parts) parts.push_back(said_part(parts_[p], item, end));
        text_arena arena;
        json_writer w(item.rendered);
        if (item.what == item_kind::message) {
            std::string logprobs;
            for (const std::size_t p : item.parts) {
                if (!logprobs.empty() && !parts_[p].logprobs.empty()) logprobs += ',';
                logprobs += parts_[p].logprobs;
            }
            logprobs = R"({"content":[)" + logprobs + "]}";
            write_message_item(parts.data(), parts.data() + parts.size(), item.id, status, logprobs, w);
        } else if (item.what == item_kind::reasoning) {
            write_thoughts_item(parts.data(), parts.data() + parts.size(), item.id, arena, w);
        } else if (!parts.empty()) {
            write_call_item(std::get<tool_call>(parts.front().value), item.id, status, arena, w);
        }
        bytes_ += item.rendered.size();
        events_.item("output_item.done", index, item.rendered, out);
        for (const std::size_t p : item.parts) {
            bytes_ -= std::min(bytes_, parts_[p].text.size() + parts_[p].logprobs.size());
            parts_[p].text = parts_[p].logprobs = parts_[p].citations = {};
        }
    }

    // --- parts ----------------------------------------------------------------------------------------------------

    written_part* find(std::int32_t number) {
        const auto n = static_cast<std::size_t>(number);
        return number < 0 || n >= by_number_.size() || by_number_[n] == no_item ? nullptr : &parts_[by_number_[n]];
    }

    void start_part(const stream_step& s, std::string& out) {
        constexpr std::int32_t parts_max = 65'536;
        if (s.part < 0 || s.part >= parts_max) return;
        if (!is_said(s.type)) close_message(out);
        if (s.type == part_type::whole) {
            if (s.whole != nullptr) whole_item(*s.whole, out);
            return;
        }
        written_part p;
        p.type = s.type;
        p.summary = s.type == part_type::reasoning;  // as in write_thoughts_item()
        p.item = is_said(s.type)                  ? message_item(out)
                 : s.type == part_type::reasoning ? reasoning_item(out)
                                                  : call_item(s, out);
        written_item& item = items_[p.item];
        p.sub = item.parts.size();
        p.text = "\"";
        p.where = place_of_part(p, item);
        if (by_number_.size() <= static_cast<std::size_t>(s.part))
            by_number_.resize(static_cast<std::size_t>(s.part) + 1, no_item);
        by_number_[static_cast<std::size_t>(s.part)] = parts_.size();
        item.parts.push_back(parts_.size());
        parts_.push_back(std::move(p));
        // Reasoning that stays hidden has no part.
        if (is_said(s.type)) announce(parts_.back(), out);
    }

    static std::string_view added_event(const written_part& p) {
        return p.summary ? "reasoning_summary_part.added" : "content_part.added";
    }

    void announce(written_part& p, std::string& out) {
        if (p.announced) return;
        p.announced = true;
        if (is_call(p.type)) return;
        events_.open(added_event(p), out);
        out += p.where;
        append_member("part", part_object(p, R"("")", {}), out);
        events_.close(out);
    }

    void more(const stream_step& s, std::string& out) {
        written_part* const p = find(s.part);
        if (p == nullptr || p->ended || !is_string(s.text)) return;
        announce(*p, out);
        const json_chars chars = chars_of(s.text);
        p->text += chars;
        bytes_ += chars.size();
        events_.open(terms_of(*p).delta, out);
        out += p->where;
        append_member("delta", s.text, out);
        if (p->type == part_type::text) {
            const json logprobs = logprobs_array(s.logprobs);
            append_flat("logprobs", logprobs, out);
            if (logprobs.size() > 2) {
                p->logprobs.append(p->logprobs.empty() ? "" : ",").append(logprobs.substr(1, logprobs.size() - 2));
                bytes_ += logprobs.size();
            }
        }
        events_.close(out);
    }

    // The events that repeat a part's text.
    void finish_part(written_part& p, std::string& out) {
        const bool call = is_call(p.type);
        if (p.type == part_type::tool_call && p.text.size() == 1) no_arguments(p, out);
        p.text += '"';
        p.ended = true;
        if (!p.announced && !call) return;
        const std::string logprobs = R"({"content":[)" + p.logprobs + "]}";
        const part_terms& t = terms_of(p);
        events_.open(t.done, out);
        out += p.where;
        append_member(t.field, p.text, out);
        if (p.type == part_type::tool_call) append_member("name", items_[p.item].name, out);
        if (p.type == part_type::text) {
            append_flat("logprobs", logprobs_array(logprobs), out);
        }
        events_.close(out);
        if (call) return;
        events_.open(p.summary ? "reasoning_summary_part.done" : "content_part.done", out);
        out += p.where;
        append_flat("part", part_object(p, p.text, logprobs), out);
        events_.close(out);
    }

    // A call without arguments has an empty object of them.
    void no_arguments(written_part& p, std::string& out) {
        events_.open(terms_of(p).delta, out);
        out += p.where;
        append_member("delta", R"("{}")", out);
        events_.close(out);
        p.text += "{}";
    }

    void end_part(written_part& p, const stream_step& s, std::string& out) {
        const std::size_t item = p.item;
        if (p.type == part_type::text && s.from == "openai") cite(p, s.citations, out);
        // A signature belongs to a text, and one that is empty must come back as one.
        if (p.type == part_type::reasoning && !s.signature.empty()) announce(p, out);
        finish_part(p, out);
        if (is_said(p.type)) return close_if_ended(item, out);
        const bool marked = p.type == part_type::tool_call && !s.signature.empty();
        close_item(item, "completed", out, s);
        if (marked) mark_call(item, s, out);
    }

    void cite(written_part& p, json citations, std::string& out) {
        std::size_t index = 0;
        each_element(citations, [&](const json_value& v) {
            events_.open("output_text.annotation.added", out);
            out += p.where;
            append_member("annotation_index", std::to_string(index++), out);
            append_flat("annotation", v.raw, out);
            events_.close(out);
        });
        if (index > 0) p.citations = citations;
        bytes_ += p.citations.size();
    }

    // The signature of a call stands in an item of its own behind it.
    void mark_call(std::size_t item, const stream_step& s, std::string& out) {
        tool_call call;
        const std::string call_id = items_[item].call_id;
        call.id = call_id;
        call.signature = s.signature;
        call.signed_by = s.from;
        const std::size_t index = add_item(item_kind::whole, "rs_");
        std::string object;
        text_arena arena;
        json_writer w(object);
        write_call_mark(call, items_[index].id, arena, w);
        bytes_ += object.size();
        events_.item("output_item.added", index, object, out);
        events_.item("output_item.done", index, object, out);
        items_[index].rendered = std::move(object);
    }

    std::string model_;  // plain until the beginning, a JSON string from then on
    const std::int64_t now_;
    const id_maker ids_;
    std::string id_;
    response_facts facts_;
    ending ending_;
    std::vector<written_item> items_;
    std::vector<written_part> parts_;
    std::vector<std::size_t> by_number_;  // of a step's part: where it stands in parts_
    event_numbers events_;
    std::size_t bytes_ = 0;  // kept of texts and items
    bool begun_ = false, over_ = false;
};

}  // namespace

std::unique_ptr<stream_writer> make_stream_writer(const client_call& call) {
    return std::make_unique<event_writer>(call);
}

}  // namespace sluice::chat::responses
