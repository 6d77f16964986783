#include "dialects/responses/item_reader.hpp"
#include "dialects/responses/options_reader.hpp"
#include "dialects/responses/responses.hpp"

namespace sluice::chat::responses {
namespace {

// Fields that only Responses knows: carried as they are, their types looked at.
struct own_field {
    std::string_view name;
    json_type type;
    std::string_view must_be;
    std::string_view unsaid;  // the value that says what is meant without it
};
using enum json_type;
constexpr own_field own_fields[] = {
    {"max_tool_calls", number, "must be an integer.", {}},
    {"safety_identifier", string, "must be a string.", {}},
    {"prompt_cache_retention", string, "must be a string.", {}},
    {"prompt_cache_options", object, "must be an object.", {}},
    {"previous_response_id", string, "must be a string.", {}},
    {"prompt", object, "must be an object.", {}},
    {"background", boolean, "must be a boolean.", "false"},
    {"truncation", string, "must be a string.", R"("disabled")"},
    // A request that is translated is not stored.
    {"store", boolean, "must be a boolean.", "false"},
    {"context_management", array, "must be an array.", {}},
    {"moderation", object, "must be an object.", {}},
};

class request_reader {
public:
    request_reader(const json_object& body, conversation& out) : f_(check_, body, root_), c_(out) {}

    result<void> read() {
        c_.dialect = dialect_name;
        c_.model = f_.string("model");
        c_.stream = f_.boolean("stream") == "true";
        messages();
        tools();
        answer();
        sampling();
        others();
        f_.rest(c_.extras);
        return check_.outcome();
    }

private:
    void messages() {
        if (const json text = f_.string("instructions"); !text.empty()) {
            message& m = c_.messages.emplace_back();
            m.who = role::system;
            m.id = instructions_id;
            m.content.push_back({text_part{text, {}, {}}});
        }
        const place where = root_.in("input");
        const auto input = f_.any("input");
        if (!input) {
            if (!f_.any("previous_response_id") && !f_.any("prompt") && !f_.any("conversation"))
                check_.refuse(where, "is missing.");
            return;
        }
        if (input->type == json_type::string) {
            c_.messages.emplace_back().content.push_back({text_part{input->raw, {}, {}}});
            return;
        }
        if (input->type != json_type::array) return check_.refuse(where, "must be a string or an array of items.");
        item_reader items(check_, c_.arena, c_.messages);
        each_checked(check_, input->raw, where, [&](const json_value& v, const place& at) { items.read(v, at); });
    }

    void tools() {
        const place where = root_.in("tools");
        read_tools(check_, f_.array("tools"), where, c_);
        if (const auto choice = f_.any("tool_choice")) {
            const place at = root_.in("tool_choice");
            read_tool_choice(check_, *choice, at, c_);
        }
        if (const json parallel = f_.boolean("parallel_tool_calls"); !parallel.empty())
            c_.choice.parallel = parallel == "true";
    }

    void answer() {
        const place text = root_.in("text");
        if (const auto v = f_.any("text")) read_text_options(check_, *v, text, c_);
        const place reasoning = root_.in("reasoning");
        if (const auto v = f_.any("reasoning")) read_reasoning_options(check_, *v, reasoning, c_);
        include();
    }

    // Encrypted reasoning is given wherever there is any, so asking for it is no extra.
    void include() {
        const json list = f_.array("include");
        const place where = root_.in("include");
        bool others = false;
        each_checked(check_, list, where, [&](const json_value& v, const place& at) {
            if (v.type != json_type::string) return check_.refuse(at, "must be a string.");
            if (says(v.raw, "message.output_text.logprobs")) {
                c_.sampling.logprobs = "true";
            } else if (!says(v.raw, "reasoning.encrypted_content")) {
                others = true;
            }
        });
        if (others) f_.leave("include");
    }

    void sampling() {
        sampling_options& s = c_.sampling;
        s.temperature = f_.number("temperature");
        s.top_p = f_.number("top_p");
        s.top_logprobs = f_.number("top_logprobs");
        s.tokens_max = f_.integer("max_output_tokens");
        if (s.tokens_max && *s.tokens_max < 1)
            check_.refuse(root_.in("max_output_tokens"), "must be a positive integer.");
    }

    void others() {
        c_.user = f_.string("user");
        c_.metadata = f_.object("metadata");
        c_.service_tier = f_.string("service_tier");
        c_.prompt_cache_key = f_.string("prompt_cache_key");
        for (const own_field& o : own_fields) {
            const auto v = f_.any(o.name);
            if (!v || v->raw == o.unsaid) continue;
            if (v->type != o.type) return check_.refuse(root_.in(o.name), o.must_be);
            f_.leave(o.name);
        }
        if (const auto v = f_.any("conversation")) {
            if (v->type != json_type::string && v->type != json_type::object)
                return check_.refuse(root_.in("conversation"), "must be a string or an object.");
            f_.leave("conversation");
        }
        stream_options();
    }

    // Nothing is obfuscated in what is translated.
    void stream_options() {
        const json options = f_.object("stream_options");
        bool said = false;
        each_member(options, [&](std::string_view key, const json_value& v) {
            said |= !(key == "include_obfuscation" && v.raw == "false");
        });
        if (said) f_.leave("stream_options");
    }

    checker check_;
    const place root_;
    fields f_;
    conversation& c_;
};

}  // namespace

result<void> read_request(const json_object& body, conversation& out) {
    return request_reader(body, out).read();
}

}  // namespace sluice::chat::responses
