#include "dialects/responses/item_writer.hpp"
#include "dialects/responses/output_items.hpp"
#include "dialects/responses/response_frame.hpp"
#include "dialects/responses/responses.hpp"
#include "dialects/values.hpp"

namespace sluice::chat::responses {
namespace {

using http::json_writer;

class output_writer {
public:
    output_writer(const choice& c, const client_call& call, std::string_view status, std::string& out)
        : c_(c), ids_(call.request_id), status_(status), logprobs_(c.logprobs), w_(out) {}

    void write() {
        const part* const end = c_.content.data() + c_.content.size();
        for (const part* p = c_.content.data(); p != end;) p = write_item(p, end);
    }

private:
    json next_id(std::string_view prefix) { return arena_.keep(ids_.make(prefix, index_++)); }

    static bool said(const part& p) {
        return std::holds_alternative<text_part>(p.value) || std::holds_alternative<refusal_part>(p.value);
    }

    // Returns what follows.
    const part* write_item(const part* p, const part* end) {
        if (said(*p)) {
            const part* last = p + 1;
            while (last != end && said(*last) && last->item.empty()) ++last;
            const std::string_view status = last == end ? status_ : "completed";
            write_message_item(p, last, next_id("msg_"), status, logprobs_, w_);
            logprobs_ = {};
            return last;
        }
        if (std::holds_alternative<reasoning_part>(p->value)) {
            const part* const last = reasoning_end(p, end);
            write_thoughts_item(p, last, next_id("rs_"), arena_, w_);
            return last;
        }
        if (const auto* call = std::get_if<tool_call>(&p->value)) {
            write_call(*call);
        } else if (const auto* media = std::get_if<media_part>(&p->value)) {
            if (media->what == media_kind::image && !media->base64.empty())
                write_picture_item(*media, next_id("ig_"), arena_, w_);
        } else if (const auto* native = std::get_if<native_part>(&p->value)) {
            if (native->dialect == dialect_name) w_.raw(native->value);
        }
        return p + 1;
    }

    void write_call(const tool_call& call) {
        tool_call named = call;
        const json id = next_id(call.what == tool_call::kind::custom ? "ctc_" : "fc_");
        if (named.id.empty()) named.id = id;
        write_call_item(named, id, "completed", arena_, w_);
        if (!named.signature.empty()) write_call_mark(named, next_id("rs_"), arena_, w_);
    }

    const choice& c_;
    const id_maker ids_;
    const std::string_view status_;
    json logprobs_;
    text_arena arena_;
    std::size_t index_ = 0;
    json_writer w_;
};

}  // namespace

void write_answer(const answer& a, const client_call& call, std::string& out) {
    text_arena arena;
    response_facts r;
    r.id = a.id.empty() ? arena.keep(id_maker(call.request_id).response()) : a.id;
    r.model = a.model.empty() ? quote(call.model, arena) : a.model;
    r.created = a.created != 0 ? a.created : call.now;
    r.usage = a.usage;
    r.service_tier = a.service_tier;
    const ending end = ending_of(a.choices.empty() ? finish_reason::stop : a.choices.front().finish);
    r.status = end.status;
    r.reason = end.reason;
    std::string output;
    // Of several answers the first: a request has no way to ask for more.
    if (!a.choices.empty()) output_writer(a.choices.front(), call, end.status, output).write();
    r.output = output;
    write_response(r, out);
}

}  // namespace sluice::chat::responses
