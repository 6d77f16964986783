#include "dialects/responses/response_frame.hpp"

#include "dialects/responses/usage.hpp"
#include "dialects/values.hpp"
#include "http/json_writer.hpp"

namespace sluice::chat::responses {

void write_response(const response_facts& r, std::string& out) {
    http::json_writer w(out);
    w.begin_object().key("id").raw(r.id).key("object").string("response").key("created_at").integer(r.created);
    w.key("status").string(r.status).key("background").boolean(false);
    w.key("error");
    if (r.status == "failed") {
        w.begin_object().key("code").raw(r.error_code).key("message").raw(r.error_message).end_object();
    } else {
        w.null();
    }
    w.key("incomplete_details");
    if (r.reason.empty()) {
        w.null();
    } else {
        w.begin_object().key("reason").string(r.reason).end_object();
    }
    w.key("instructions").null().key("max_output_tokens").null().key("max_tool_calls").null();
    w.key("model").raw(r.model).key("output").begin_array();
    if (!r.output.empty()) w.raw(r.output);
    w.end_array().key("parallel_tool_calls").boolean(true).key("previous_response_id").null();
    w.key("prompt_cache_key").null().key("reasoning").raw(R"({"effort":null,"summary":null})");
    w.key("safety_identifier").null().key("service_tier").raw(r.service_tier.empty() ? json{"null"} : r.service_tier);
    w.key("store").boolean(false).key("temperature").null().key("text").raw(R"({"format":{"type":"text"}})");
    w.key("tool_choice").string("auto").key("tools").raw("[]").key("top_logprobs").integer(0).key("top_p").null();
    w.key("truncation").string("disabled").key("usage");
    write_usage(r.usage, w);
    w.key("user").null().key("metadata").raw("{}").end_object();
}

ending ending_of(finish_reason why) {
    switch (why) {
        case finish_reason::length:
        case finish_reason::context_window:
            return {"incomplete", "max_output_tokens"};
        case finish_reason::content_filter:
        case finish_reason::refusal:
            return {"incomplete", "content_filter"};
        default:
            return {};
    }
}

finish_reason finish_of(json status, json reason, bool calls) {
    if (!says(status, "incomplete")) return calls ? finish_reason::tool_calls : finish_reason::stop;
    if (says(reason, "max_output_tokens")) return finish_reason::length;
    return says(reason, "content_filter") ? finish_reason::content_filter : finish_reason::other;
}

}  // namespace sluice::chat::responses
