#include "dialects/steps.hpp"

#include "dialects/values.hpp"

#include <variant>

namespace sluice::chat {
namespace {

using kind = stream_step::kind;
using part_type = stream_step::part_type;

class unfolding {
public:
    unfolding(answer& a, std::vector<stream_step>& out) : a_(a), out_(out) {}

    void choice(const chat::choice& c) {
        choice_ = static_cast<std::int32_t>(c.index);
        part_ = 0;
        for (const part& p : c.content) {
            std::visit([&](const auto& value) { unfold(p, value); }, p.value);
            ++part_;
        }
        stream_step& s = step(kind::finish, part_type::text);
        s.part = 0;
        s.why = c.finish;
        s.stop_sequence = c.stop_sequence;
    }

private:
    stream_step& step(kind what, part_type type) {
        stream_step& s = out_.emplace_back();
        s.what = what;
        s.type = type;
        s.choice = choice_;
        s.part = part_;
        return s;
    }

    void text(part_type type, json value) {
        step(kind::part_start, type);
        if (!value.empty() && !is_empty_string(value)) step(kind::delta, type).text = value;
    }

    void unfold(const part&, const text_part& t) {
        text(part_type::text, t.text);
        step(kind::part_end, part_type::text);
    }
    void unfold(const part&, const refusal_part& r) {
        text(part_type::refusal, r.text);
        step(kind::part_end, part_type::refusal);
    }
    void unfold(const part&, const reasoning_part& r) {
        step(kind::part_start, part_type::reasoning).summary = r.summary;
        if (!r.text.empty() && !is_empty_string(r.text)) {
            stream_step& s = step(kind::delta, part_type::reasoning);
            s.text = r.text;
            s.summary = r.summary;
        }
        stream_step& s = step(kind::part_end, part_type::reasoning);
        s.summary = r.summary;
        s.id = r.id;
        s.signature = r.signature;
        s.encrypted = r.encrypted;
        s.from = r.from;
    }
    void unfold(const part&, const tool_call& call) {
        const auto type = call.what == tool_call::kind::custom ? part_type::custom_call : part_type::tool_call;
        stream_step& begin = step(kind::part_start, type);
        begin.id = call.id;
        begin.name = call.name;
        step(kind::delta, type).text =
            call.what == tool_call::kind::custom ? call.arguments : arguments_string(call, a_.arena);
        stream_step& end = step(kind::part_end, type);
        end.signature = call.signature;
        end.from = call.signed_by;
    }
    template <class Other>
    void unfold(const part& p, const Other&) {
        step(kind::part_start, part_type::whole).whole = &p;
        step(kind::part_end, part_type::whole);
    }

    answer& a_;
    std::vector<stream_step>& out_;
    std::int32_t choice_ = 0, part_ = 0;
};

}  // namespace

void steps_of(answer& a, std::vector<stream_step>& out) {
    stream_step& start = out.emplace_back();
    start.what = kind::start;
    start.id = a.id;
    start.name = a.model;
    start.created = a.created;
    unfolding unfold(a, out);
    for (const choice& c : a.choices) unfold.choice(c);
    if (a.usage.reported()) {
        stream_step& s = out.emplace_back();
        s.what = kind::usage;
        s.usage = a.usage;
    }
    out.emplace_back().what = kind::end;
}

}  // namespace sluice::chat
