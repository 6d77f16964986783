// The events of a streamed chat, as steps.
//
//   message-start tool-plan-delta* (content-start content-delta* content-end)*
//   (tool-call-start tool-call-delta* tool-call-end)* message-end
//
// Contents and calls are counted each on their own. Citations come between the deltas; there is no step for them.
#include "dialects/cohere/parts.hpp"
#include "dialects/dialect.hpp"
#include "dialects/values.hpp"

#include <algorithm>

namespace sluice::chat::cohere {

namespace {

constexpr std::size_t open_parts_max = 256;
constexpr std::int32_t parts_max = 65536;

// What the events say; each fills some of it.
struct chat_event {
    json type, id;
    std::int64_t index = 0;
    json content_type, text, thinking, plan, logprobs;
    json call_id, call_name, arguments;
    json finish, usage, error;
};

void read_call(json calls, chat_event& e) {
    const auto read = [&](json call) {
        each_member(call, [&](std::string_view key, const json_value& v) {
            if (key == "id") e.call_id = v.raw;
            if (key != "function") return;
            each_member(v.raw, [&](std::string_view name, const json_value& inner) {
                if (name == "name") e.call_name = inner.raw;
                if (name == "arguments") e.arguments = inner.raw;
            });
        });
    };
    read(calls);
    each_element(calls, [&](const json_value& v) { read(v.raw); });  // a list of one, in an older form
}

void read_message(json message, chat_event& e) {
    each_member(message, [&](std::string_view key, const json_value& v) {
        if (key == "tool_plan") e.plan = v.raw;
        if (key == "tool_calls") read_call(v.raw, e);
        if (key != "content") return;
        each_member(v.raw, [&](std::string_view name, const json_value& inner) {
            if (name == "type") e.content_type = inner.raw;
            if (name == "text") e.text = inner.raw;
            if (name == "thinking") e.thinking = inner.raw;
        });
    });
}

chat_event read_event(json data) {
    chat_event e;
    each_member(data, [&](std::string_view key, const json_value& v) {
        if (key == "type") e.type = v.raw;
        if (key == "id") e.id = v.raw;
        if (key == "index") e.index = v.integer().value_or(-1);
        if (key == "logprobs") e.logprobs = v.raw;
        if (key == "message") e.error = v.raw;  // {"message":"..."}: an error in the place of an event
        if (key != "delta") return;
        each_member(v.raw, [&](std::string_view name, const json_value& inner) {
            if (name == "message") read_message(inner.raw, e);
            if (name == "finish_reason") e.finish = inner.raw;
            if (name == "usage") e.usage = inner.raw;
            if (name == "error") e.error = inner.raw;
        });
    });
    return e;
}

class chat_reader final : public stream_reader {
public:
    result<void> read(std::string_view name, std::string_view data, std::vector<stream_step>& out) override;
    result<void> finish(std::vector<stream_step>& out) override;

private:
    using step = stream_step;
    enum class counted : std::uint8_t { plan, content, call };
    struct open_part {
        counted as = counted::content;
        std::int64_t index = 0;
        std::int32_t part = 0;
        step::part_type type = step::part_type::text;
        bool any_arguments = false;
    };

    result<void> read_content(const chat_event& e, std::vector<step>& out);
    result<void> read_plan(const chat_event& e, std::vector<step>& out);
    result<void> read_call_event(const chat_event& e, std::vector<step>& out);
    void read_end(const chat_event& e, std::vector<step>& out);
    void begin(std::vector<step>& out);
    result<open_part*> open(counted as, std::int64_t index, step::part_type type, std::vector<step>& out);
    open_part* find(counted as, std::int64_t index);
    void close(counted as, std::int64_t index, std::vector<step>& out);
    void close_at(std::size_t i, std::vector<step>& out);

    static step& add(step::kind what, std::vector<step>& out) {
        step& s = out.emplace_back();
        s.what = what;
        return s;
    }
    static step& add(step::kind what, const open_part& p, std::vector<step>& out) {
        step& s = add(what, out);
        s.part = p.part;
        s.type = p.type;
        return s;
    }
    static error broken(std::string_view data) {
        return error{error_kind::upstream_protocol,
                     "The upstream's event is not one of Cohere's chat: " + excerpt(data)};
    }

    std::vector<open_part> parts_;
    std::int32_t begun_ = 0;
    bool started_ = false, over_ = false;
    std::optional<text_arena> made_;  // logprobs, made anew from event to event
};

result<void> chat_reader::read(std::string_view, std::string_view data, std::vector<step>& out) {
    if (over_ || data == "[DONE]") return {};
    if (!validate_json(data)) return broken(data);
    const auto front = data.find_first_not_of(" \t\r\n");
    const json object = front == std::string_view::npos ? data : data.substr(front);
    if (type_of(object) != json_type::object) return broken(data);
    const chat_event e = read_event(object);
    if (says(e.type, "content-delta") || says(e.type, "content-start")) return read_content(e, out);
    if (says(e.type, "content-end")) {
        close(counted::content, e.index, out);
    } else if (says(e.type, "tool-call-end")) {
        close(counted::call, e.index, out);
    } else if (says(e.type, "tool-call-delta") || says(e.type, "tool-call-start")) {
        return read_call_event(e, out);
    } else if (says(e.type, "tool-plan-delta")) {
        return read_plan(e, out);
    } else if (says(e.type, "message-start")) {
        if (started_) ++repairs_;
        if (!started_) add(step::kind::start, out).id = is_string(e.id) ? e.id : json{};
        started_ = true;
    } else if (says(e.type, "message-end")) {
        read_end(e, out);
    } else if (e.type.empty() && is_string(e.error)) {
        add(step::kind::failure, out).text = e.error;
        over_ = true;
    }
    return {};
}

result<void> chat_reader::finish(std::vector<step>&) {
    if (over_) return {};
    return error{error_kind::upstream_reset, "The upstream's stream ended before its message-end."};
}

void chat_reader::begin(std::vector<step>& out) {
    if (started_) return;
    started_ = true;
    ++repairs_;
    add(step::kind::start, out);
}

chat_reader::open_part* chat_reader::find(counted as, std::int64_t index) {
    const auto found =
        std::find_if(parts_.begin(), parts_.end(), [&](const auto& p) { return p.as == as && p.index == index; });
    return found == parts_.end() ? nullptr : &*found;
}

result<chat_reader::open_part*> chat_reader::open(counted as, std::int64_t index, step::part_type type,
                                                  std::vector<step>& out) {
    begin(out);
    if (as != counted::plan) close(counted::plan, 0, out);
    if (parts_.size() == open_parts_max || begun_ == parts_max) {
        return error{error_kind::upstream_protocol, "The upstream's answer has too many parts."};
    }
    open_part& p = parts_.emplace_back();
    p.as = as;
    p.index = index;
    p.part = begun_++;
    p.type = type;
    add(step::kind::part_start, p, out);
    return &p;
}

void chat_reader::close(counted as, std::int64_t index, std::vector<step>& out) {
    for (std::size_t i = 0; i < parts_.size(); ++i) {
        if (parts_[i].as == as && parts_[i].index == index) return close_at(i, out);
    }
}

void chat_reader::close_at(std::size_t i, std::vector<step>& out) {
    const open_part p = parts_[i];
    parts_.erase(parts_.begin() + static_cast<std::ptrdiff_t>(i));
    // A tool without parameters: clients read the pieces as JSON, and none is no JSON.
    if (p.as == counted::call && !p.any_arguments) add(step::kind::delta, p, out).text = R"("{}")";
    add(step::kind::part_end, p, out);
}

// content-start says the type and may hold a first piece; content-delta is text, or a thought.
result<void> chat_reader::read_content(const chat_event& e, std::vector<step>& out) {
    const bool start = says(e.type, "content-start");
    const bool thinking = !e.thinking.empty() || says(e.content_type, "thinking");
    const step::part_type type = thinking ? step::part_type::reasoning : step::part_type::text;
    const json text = thinking ? e.thinking : e.text;
    open_part* p = find(counted::content, e.index);
    if ((start && p != nullptr) || (p != nullptr && p->type != type && is_string(text)) || e.index < 0) {
        return broken(start ? "content-start" : "content-delta");
    }
    if (!is_string(text) && !start) return {};  // a piece of a kind that is not known
    if (p == nullptr) {
        if (!start) ++repairs_;
        const auto opened = open(counted::content, e.index, type, out);
        if (!opened) return opened.error();
        p = *opened;
    }
    if (!is_string(text) || is_empty_string(text)) return {};
    step& s = add(step::kind::delta, *p, out);
    s.text = text;
    if (!e.logprobs.empty()) s.logprobs = openai_logprobs(e.logprobs, made_.emplace());
    return {};
}

result<void> chat_reader::read_plan(const chat_event& e, std::vector<step>& out) {
    if (!is_string(e.plan) || is_empty_string(e.plan)) return {};
    open_part* p = find(counted::plan, 0);
    if (p == nullptr) {
        const auto opened = open(counted::plan, 0, step::part_type::reasoning, out);
        if (!opened) return opened.error();
        p = *opened;
    }
    add(step::kind::delta, *p, out).text = e.plan;
    return {};
}

result<void> chat_reader::read_call_event(const chat_event& e, std::vector<step>& out) {
    open_part* p = find(counted::call, e.index);
    if (says(e.type, "tool-call-start")) {
        if (p != nullptr || e.index < 0 || !is_string(e.call_name)) return broken("tool-call-start");
        const auto opened = open(counted::call, e.index, step::part_type::tool_call, out);
        if (!opened) return opened.error();
        p = *opened;
        out.back().id = is_string(e.call_id) ? e.call_id : json{};
        out.back().name = e.call_name;
    } else if (p == nullptr) {
        return broken("tool-call-delta");
    }
    if (!is_string(e.arguments) || is_empty_string(e.arguments)) return {};
    p->any_arguments = true;
    add(step::kind::delta, *p, out).text = e.arguments;
    return {};
}

void chat_reader::read_end(const chat_event& e, std::vector<step>& out) {
    begin(out);
    over_ = true;
    const auto why = finish_of(e.finish);
    if (!why) {
        step& s = add(step::kind::failure, out);
        s.name = says(e.finish, "TIMEOUT") ? json{R"("TIMEOUT")"} : json{R"("ERROR")"};
        s.text = is_string(e.error) ? e.error : json{R"("The model failed before its answer was whole.")"};
        return;
    }
    close(counted::plan, 0, out);  // which has no end of its own
    while (!parts_.empty()) {
        ++repairs_;
        close_at(0, out);
    }
    add(step::kind::finish, out).why = *why;
    const token_usage usage = usage_of(e.usage);
    if (usage.reported()) add(step::kind::usage, out).usage = usage;
    add(step::kind::end, out);
}

}  // namespace

std::unique_ptr<stream_reader> make_stream_reader() {
    return std::make_unique<chat_reader>();
}

}  // namespace sluice::chat::cohere
